//! What a person means by a terminal: its id, its name, or an unambiguous beginning of its id.

use crate::action::TerminalInfo;
use crate::base::TerminalId;

/// Why a text means no terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Nothing matches.
    #[error("no terminal is called or starts with {0:?}; `gatepost terminal list` shows them")]
    None(String),
    /// Several match.
    #[error("{text:?} could mean {}; give more of the id", list(.ids))]
    Several {
        /// What was asked for.
        text: String,
        /// What it could mean.
        ids: Vec<TerminalId>,
    },
}

fn list(ids: &[TerminalId]) -> String {
    ids.iter()
        .map(TerminalId::as_str)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// Finds the terminal `text` means: the exact id first, then a name, then a beginning of an id, so
/// that a name never hides an id.
pub fn find(terminals: &[TerminalInfo], text: &str) -> Result<TerminalId, FindError> {
    let only = |found: Vec<TerminalId>| match found.as_slice() {
        [] => None,
        [id] => Some(Ok(*id)),
        _ => Some(Err(FindError::Several {
            text: text.to_owned(),
            ids: found,
        })),
    };
    let ids = |matches: &dyn Fn(&TerminalInfo) -> bool| {
        terminals
            .iter()
            .filter(|info| matches(info))
            .map(|info| info.id)
            .collect::<Vec<_>>()
    };
    only(ids(&|info| info.id.as_str() == text))
        .or_else(|| {
            only(ids(&|info| {
                info.name.as_ref().is_some_and(|name| name.as_str() == text)
            }))
        })
        .or_else(|| {
            only(ids(&|info| {
                !text.is_empty() && info.id.as_str().starts_with(text)
            }))
        })
        .unwrap_or_else(|| Err(FindError::None(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Labels, Size};

    fn terminal(id: &str, name: Option<&str>) -> TerminalInfo {
        TerminalInfo {
            id: id.parse().unwrap(),
            name: name.map(|name| name.parse().unwrap()),
            title: None,
            command: Vec::new(),
            size: Size::DEFAULT,
            pid: None,
            opened: 0,
            opened_ms: 0,
            last_output: None,
            viewers: 0,
            exit_status: None,
            exit_signal: None,
            bells: 0,
            owner: None,
            shared_with: Vec::new(),
            labels: Labels::default(),
            keeper: String::new(),
        }
    }

    #[test]
    fn an_id_beats_a_name_and_a_name_beats_a_beginning() {
        let terminals = [
            terminal("aaaaaaaaaa", Some("bbbbbbbbbb")),
            terminal("bbbbbbbbbb", Some("aaa")),
            terminal("abcdefghij", None),
        ];
        let id = |text: &str| find(&terminals, text).map(|id| id.to_string());
        assert_eq!(id("bbbbbbbbbb").as_deref(), Ok("bbbbbbbbbb"));
        assert_eq!(id("aaa").as_deref(), Ok("bbbbbbbbbb"), "the one named aaa");
        assert_eq!(id("ab").as_deref(), Ok("abcdefghij"));
        assert!(matches!(id("a"), Err(FindError::Several { ids, .. }) if ids.len() == 2));
        assert!(matches!(id("zz"), Err(FindError::None(_))));
        assert!(matches!(id(""), Err(FindError::None(_))));
    }
}
