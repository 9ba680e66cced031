//! Whether the machine is as the files on its card's first partition say.

use std::io::Read as _;
use std::path::Path;

use crate::action::{Check, Verdict};
use crate::wire::provision::{FILE, FOLDER, MAX_REPORT, Report};

/// What was last reported; none on machines without such files. `state` is the server's folder.
pub(super) fn report(state: &Path) -> Option<Report> {
    let file = std::fs::File::open(state.with_file_name(FOLDER).join(FILE)).ok()?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_REPORT).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes).ok()?;
    Report::read(&bytes)
}

pub(super) fn provisioning(state: &Path) -> Check {
    let check = |verdict, says: String| Check::new("provisioning", verdict, says);
    let Some(report) = report(state) else {
        return check(
            Verdict::Unknown,
            "nothing on the card to be given".to_owned(),
        );
    };
    let mut wrong = report.wrong();
    match wrong.next() {
        None if report.card => check(Verdict::Good, "as the files on the card say".to_owned()),
        None => check(Verdict::Good, "as it was set up by hand".to_owned()),
        Some(first) => {
            let more = match wrong.count() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let kept = if report.applied {
                ""
            } else {
                "; all of it is as it was before"
            };
            check(Verdict::Bad, format!("{first}{more}{kept}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    #[test]
    fn a_mistake_in_the_files_is_bad_and_said_with_its_line() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("gatepost");
        assert_eq!(provisioning(&state).verdict, Verdict::Unknown);
        let write = |text| fake::write(root.path(), "gatepost-provision/status.json", text);
        write(r#"{"applied":true,"lines":[{"wrong":false,"text":"x"}]}"#);
        assert_eq!(provisioning(&state).verdict, Verdict::Good);
        write(
            r#"{"applied":false,"lines":[{"wrong":true,"text":"gatepost.toml:3:1: a"},{"wrong":true,"text":"b"}]}"#,
        );
        let check = provisioning(&state);
        assert_eq!(check.verdict, Verdict::Bad);
        assert!(
            check.says.starts_with("gatepost.toml:3:1: a (and 1 more)"),
            "{}",
            check.says
        );
    }
}
