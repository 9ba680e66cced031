//! What came of the files on the card's first partition: written by `gatepost provision apply` at boot,
//! read by the server, which shows it on the kiosk's screen and as part of the machine's health.

use serde::{Deserialize, Serialize};

/// The folder beside the server's own that has the report, and its name in there.
pub const FOLDER: &str = "gatepost-provision";
/// See [`FOLDER`].
pub const FILE: &str = "status.json";
/// Largest report, in bytes.
pub const MAX_REPORT: usize = 64 << 10;
/// Most lines in it; who has more mistakes mends the first ones first.
pub const MAX_LINES: usize = 40;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether everything is as the files say. If not, it is as it was before.
    pub applied: bool,
    /// Sentences with file, line and key.
    pub lines: Vec<Line>,
    /// Whether there were files on the card, which then decide. So it is in reports of older versions.
    #[serde(default = "on_the_card")]
    pub card: bool,
    /// The administrator there is.
    #[serde(default)]
    pub admin: Option<String>,
}

const fn on_the_card() -> bool {
    true
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Something has to be mended.
    pub wrong: bool,
    /// The sentence.
    pub text: String,
}

impl Report {
    /// Reads one; none if it is no report.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_REPORT {
            return None;
        }
        let mut report: Self = serde_json::from_slice(bytes).ok()?;
        report.lines.truncate(MAX_LINES);
        Some(report)
    }

    /// Those lines that say what has to be mended.
    pub fn wrong(&self) -> impl Iterator<Item = &str> {
        let wrong = self.lines.iter().filter(|line| line.wrong);
        wrong.map(|line| line.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_up_to_its_limit() {
        let line = Line {
            wrong: true,
            text: "x".to_owned(),
        };
        let mut report = Report {
            applied: false,
            lines: vec![line; MAX_LINES + 1],
            card: false,
            admin: Some("ada".to_owned()),
        };
        let bytes = serde_json::to_vec(&report).unwrap();
        report.lines.truncate(MAX_LINES);
        assert_eq!(Report::read(&bytes), Some(report));
        assert_eq!(Report::read(&vec![b' '; MAX_REPORT + 1]), None);
        assert_eq!(Report::read(b"{"), None);
    }
}
