//! `gatepost status`: whether a server answers, what it has, and how the machine is.

use std::fmt::Write as _;

use crate::action::{Action, Health, Outcome, Verdict};
use crate::wire::control::{Answer, Call};

use super::client::{act, call, folders, list, unexpected};
use super::exit::{Code, Failure};
use super::output::{self, plain};
use super::remote;
use super::terminal::columns;

/// What was looked at, what needs somebody's eye first.
pub(super) fn shown(health: &Health) -> String {
    let mut checks: Vec<_> = health.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            let verdict = match check.verdict {
                Verdict::Unknown => "-",
                known => known.name(),
            };
            [verdict.to_owned(), plain(&check.name), plain(&check.says)]
        })
        .collect();
    columns(&rows)
}

/// `gatepost status`
pub(super) fn status(json: bool) -> Result<(), Failure> {
    let terminals = list()?;
    let server = match remote::chosen() {
        Some(remote) => remote.address().to_string(),
        None => own_server()?,
    };
    let ended = terminals
        .iter()
        .filter(|info| info.exit_status.is_some() || info.exit_signal.is_some())
        .count();
    let (Answer::Configuration { refused, warnings }, _) = call(&Call::Configuration {})? else {
        return Err(unexpected());
    };
    let health = match act(Action::Health {}) {
        Ok(Outcome::Health { health }) => Some(health),
        Ok(_) => return Err(unexpected()),
        // Whoever may not know that may know the rest.
        Err(failure) if failure.code == Code::Denied => None,
        Err(failure) => return Err(failure),
    };
    if json {
        let all = serde_json::json!({
            "server": server.trim(),
            "terminals": terminals.len(),
            "ended": ended,
            "configuration": { "refused": refused, "warnings": warnings },
            "health": health,
        });
        let _seen = output::line(&format!("{all:#}"))?;
        return Ok(());
    }
    let mut text = format!(
        "running: {}\nterminals: {} ({ended} of them ended)",
        plain(server.trim()),
        terminals.len()
    );
    text.push_str(&super::reload::status(&refused, &warnings));
    if let Some(health) = health {
        // Writing to a String can't fail.
        let _infallible = write!(text, "\nhealth: {}", health.verdict.name());
        for line in shown(&health).lines() {
            let _infallible = write!(text, "\n  {line}");
        }
    }
    let _seen = output::line(&text)?;
    Ok(())
}

/// What the server on this machine wrote of itself.
fn own_server() -> Result<String, Failure> {
    Ok(std::fs::read_to_string(folders()?.lock()).unwrap_or_default())
}
