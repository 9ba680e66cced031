//! What somebody may open: commands offered by name, the login shell, or a command line of their own.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::base::Principal;

use super::decide::Denied;
use super::settings::{Program, Settings};

/// A command line to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// Program and arguments; empty: the login shell.
    pub command: Vec<String>,
    /// Environment variables over the usual ones.
    pub environment: Vec<(String, String)>,
    /// Where it starts, if the configuration says so.
    pub directory: Option<PathBuf>,
}

/// The command line that is meant by a name, or by none: the default one, or the login shell.
pub fn offered(
    name: Option<&str>,
    by: &Principal,
    address: Option<IpAddr>,
    settings: &Settings,
) -> Result<Offered, Denied> {
    let terminal = &settings.terminal;
    // Whoever chooses nothing gets what is chosen for them.
    let Some(name) = name.or(terminal.default_command.as_deref()) else {
        return if terminal.shell {
            Ok(Offered {
                environment: pairs(settings, None),
                ..Offered::default()
            })
        } else {
            Err(Denied::NoShell)
        };
    };
    let program = terminal
        .commands
        .get(name)
        .ok_or_else(|| Denied::NotOffered(name.to_owned()))?;
    let command = program
        .command
        .iter()
        .map(|word| fill(word, by, address).ok_or_else(|| Denied::NotOffered(name.to_owned())))
        .collect::<Result<_, _>>()?;
    Ok(Offered {
        command,
        environment: pairs(settings, Some(program)),
        directory: program.directory.clone(),
    })
}

/// The variables for a program: everybody's, with its own over them.
pub(super) fn pairs(settings: &Settings, program: Option<&Program>) -> Vec<(String, String)> {
    let mut all = settings.terminal.environment.clone();
    if let Some(program) = program {
        all.extend(program.environment.clone());
    }
    all.into_iter().collect()
}

/// Fills `{user}`, `{account}` and `{ip}` within one word, which stays one word whatever they hold. None
/// when there is nothing to fill in.
fn fill(word: &str, by: &Principal, address: Option<IpAddr>) -> Option<String> {
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = found
            .strip_prefix("{{")
            .or_else(|| found.strip_prefix("}}"))
        {
            out.push_str(found.get(..1)?);
            rest = after;
            continue;
        }
        let (name, after) = found.strip_prefix('{')?.split_once('}')?;
        let user = by.user()?;
        match name {
            "user" => out.push_str(user.upn.as_str()),
            "account" => out.push_str(user.account.as_deref()?),
            "ip" => match address {
                Some(address) => out.push_str(&address.to_canonical().to_string()),
                None => out.push_str(user.attribute("ip_address").first()?),
            },
            _ => return None,
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// What is wrong with the placeholders of a word, if anything.
pub(super) fn complaint(word: &str) -> Option<String> {
    let plain = word.replace("{{", "").replace("}}", "");
    let mut rest = plain.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let inner = rest.get(at..).and_then(|found| found.strip_prefix('{'));
        match inner.and_then(|inner| inner.split_once('}')) {
            Some(("user" | "account" | "ip", after)) => rest = after,
            Some((name, _)) => {
                return Some(format!(
                    "{{{name}}} is none of {{user}}, {{account}} and {{ip}}; a brace by itself is written {{{{"
                ));
            }
            None => return Some("a brace by itself is written {{ or }}".to_owned()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{User, Way};

    #[test]
    fn placeholders_are_filled_within_their_word_and_never_split_it() {
        let mut user = User::new("a;$(id)".parse().unwrap(), Way::Oidc);
        user.account = Some("alice".to_owned());
        let by = Principal::User { user };
        let ip = "::ffff:10.0.0.1".parse().ok();
        let filled = |word| fill(word, &by, ip);
        assert_eq!(filled("-l{user}").as_deref(), Some("-la;$(id)"));
        assert_eq!(filled("{account}@{ip}").as_deref(), Some("alice@10.0.0.1"));
        assert_eq!(filled("{{user}}").as_deref(), Some("{user}"));
        for bad in ["{home}", "{", "}", "{user"] {
            assert_eq!(filled(bad), None, "{bad}");
            assert!(complaint(bad).is_some(), "{bad}");
        }
        assert_eq!(fill("{user}", &Principal::Owner {}, None), None);
        assert!(complaint("a{user}b{{c}}").is_none());
    }
}
