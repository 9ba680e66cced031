//! The conversation with the root login helper (`gatepost-login`): small binary frames, each after
//! its length (`u32`, big-endian), both ways bounded. `docs/login-helper.md` has the state machine.
//!
//! A text or byte string stands after its length (`u16`); a list after its count (`u8`). A frame with
//! bytes left over, an unknown type or a text that isn't UTF-8 is refused, and with it the connection.

mod fields;

use crate::base::{Size, TerminalId, Way};

use fields::{Reader, list, number, put};

/// Version of this format, in the first frame either way.
pub const VERSION: u8 = 2;

/// Longest frame to the helper, in bytes: a launch message and a command line, with room.
pub const MAX_TO_HELPER: usize = 64 << 10;

/// Longest frame from the helper, in bytes: [`MAX_MESSAGES`] of [`MAX_MESSAGE`], with room.
pub const MAX_FROM_HELPER: usize = 64 << 10;

/// Longest user name or address, in bytes: `UserName::MAX_CHARS` of four bytes each.
pub const MAX_NAME: usize = 512;

/// Most messages in one step of a conversation (`PAM_MAX_NUM_MSG`).
pub const MAX_MESSAGES: usize = 32;

/// Longest message, in bytes; longer ones are cut (`PAM_MAX_MSG_SIZE` is 512, modules send more).
pub const MAX_MESSAGE: usize = 1024;

/// Longest answer, in bytes (`PAM_MAX_RESP_SIZE`).
pub const MAX_ANSWER: usize = 512;

/// Most words of a command.
pub const MAX_WORDS: usize = 64;

/// Longest word of a command and longest path, in bytes (`PATH_MAX`).
pub const MAX_WORD: usize = 4096;

/// Most environment variables of a command.
pub const MAX_VARIABLES: usize = 64;

/// Longest launch message for the keeper, in bytes.
pub const MAX_LAUNCH: usize = 16 << 10;

/// Longest account or shell path, and longest reason, in bytes.
pub const MAX_TEXT: usize = 1024;

/// Most groups named.
pub const MAX_GROUPS: usize = 255;

/// What a conversation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Terminals follow on the same connection.
    Terminals,
    /// Only whether it is them; the helper ends after its verdict.
    YesNo,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToHelper<'a> {
    /// First: somebody wants to prove with PAM who they are.
    Begin {
        /// The name they typed.
        user: &'a str,
        /// Where from, as PAM modules and logs are told (`PAM_RHOST`).
        remote: &'a str,
        /// What for.
        purpose: Purpose,
    },
    /// First, instead: somebody proved it in a way without a password. Good only for what the
    /// root-owned file of identities lists.
    Identity {
        /// How.
        way: Way,
        /// Their name.
        name: &'a str,
        /// As in `Begin`.
        remote: &'a str,
    },
    /// To [`FromHelper::Ask`]: one for each question, in order.
    Answers(Vec<&'a [u8]>),
    /// After [`FromHelper::Admitted`], any number of times.
    Open(Open<'a>),
    /// End every terminal of this login and close its PAM session.
    End,
}

/// A terminal to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open<'a> {
    /// Its id, chosen by the server.
    pub terminal: TerminalId,
    /// First size.
    pub size: Size,
    /// Program and arguments; empty: the login shell.
    pub command: Vec<&'a str>,
    /// Where it starts; the home folder if absent.
    pub directory: Option<&'a str>,
    /// Environment variables over the usual ones; at most [`MAX_VARIABLES`]. Not for the one command of
    /// an identity.
    pub environment: Vec<(&'a str, &'a str)>,
    /// The keeper's launch message, handed on unread.
    pub launch: &'a [u8],
}

/// How a message is meant (`pam_conv(3)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A question whose answer must not be shown.
    Hidden,
    /// A question.
    Shown,
    /// Something to know.
    Info,
    /// Something that is wrong.
    Error,
}

impl Style {
    /// Whether it wants an answer.
    pub const fn is_question(self) -> bool {
        matches!(self, Self::Hidden | Self::Shown)
    }
}

/// One message of a PAM module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How it is meant.
    pub style: Style,
    /// At most [`MAX_MESSAGE`] bytes.
    pub text: String,
}

/// What the helper says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromHelper {
    /// One step of the conversation. Answers follow if there is a question in it.
    Ask(Vec<Message>),
    /// No, whatever the reason; the helper ends.
    Failed,
    /// Yes.
    Admitted(Admitted),
    /// The terminal is there.
    Opened(TerminalId),
    /// The terminal can't be opened.
    Refused {
        /// Which.
        terminal: TerminalId,
        /// Why, for a person.
        reason: String,
    },
}

/// Whose terminals can be opened now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The account's name, as the user database (or a PAM module) has it.
    pub account: String,
    /// Its uid.
    pub uid: u32,
    /// Its login shell.
    pub shell: String,
    /// Names of its groups; at most [`MAX_GROUPS`].
    pub groups: Vec<String>,
}

/// Why a frame isn't one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginFrameError {
    /// It ends too early, or goes on.
    #[error("a frame of the wrong length")]
    Length,
    /// Unknown type, style or way.
    #[error("an unknown value {0}")]
    Unknown(u8),
    /// Another version.
    #[error("version {0}, not {VERSION}: gatepost and gatepost-login are of different releases")]
    Version(u8),
    /// Not UTF-8, or with a NUL in it.
    #[error("a text that isn't one")]
    Text,
    /// Over a limit.
    #[error("a value over its limit")]
    Limit,
}

/// The styles, by number.
const STYLES: [Style; 4] = [Style::Hidden, Style::Shown, Style::Info, Style::Error];

impl<'a> ToHelper<'a> {
    /// Appends the frame, without its length. What is over a limit is refused by whoever reads it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Begin {
                user,
                remote,
                purpose,
            } => {
                out.extend([1, VERSION, u8::from(*purpose == Purpose::YesNo)]);
                put(out, user.as_bytes());
                put(out, remote.as_bytes());
            }
            Self::Identity { way, name, remote } => {
                out.extend([2, VERSION, number(&Way::ALL, way)]);
                put(out, name.as_bytes());
                put(out, remote.as_bytes());
            }
            Self::Answers(answers) => {
                out.push(3);
                list(out, answers, |out, answer| put(out, answer));
            }
            Self::Open(open) => {
                out.push(4);
                out.extend(open.terminal.as_str().as_bytes());
                out.extend(open.size.cols().to_be_bytes());
                out.extend(open.size.rows().to_be_bytes());
                list(out, &open.command, |out, word| put(out, word.as_bytes()));
                let directory: Vec<_> = open.directory.into_iter().collect();
                list(out, &directory, |out, path| put(out, path.as_bytes()));
                list(out, &open.environment, |out, (name, value)| {
                    put(out, name.as_bytes());
                    put(out, value.as_bytes());
                });
                put(out, open.launch);
            }
            Self::End => out.push(5),
        }
    }

    /// Reads a frame.
    pub fn decode(frame: &'a [u8]) -> Result<Self, LoginFrameError> {
        let mut rest = Reader(frame);
        let kind = rest.byte()?;
        let found = match kind {
            1 => {
                rest.version()?;
                let purpose = match rest.byte()? {
                    0 => Purpose::Terminals,
                    1 => Purpose::YesNo,
                    other => return Err(LoginFrameError::Unknown(other)),
                };
                Self::Begin {
                    user: rest.text(MAX_NAME)?,
                    remote: rest.text(MAX_NAME)?,
                    purpose,
                }
            }
            2 => {
                rest.version()?;
                Self::Identity {
                    way: rest.one_of(&Way::ALL)?,
                    name: rest.text(MAX_NAME)?,
                    remote: rest.text(MAX_NAME)?,
                }
            }
            3 => Self::Answers(rest.list(MAX_MESSAGES, |rest| rest.bytes(MAX_ANSWER))?),
            4 => Self::Open(Open {
                terminal: rest.terminal()?,
                size: rest.size()?,
                command: rest.list(MAX_WORDS, |rest| rest.text(MAX_WORD))?,
                directory: rest.list(1, |rest| rest.text(MAX_WORD))?.pop(),
                environment: rest.list(MAX_VARIABLES, |rest| {
                    Ok((rest.text(MAX_TEXT)?, rest.text(MAX_WORD)?))
                })?,
                launch: rest.bytes(MAX_LAUNCH)?,
            }),
            5 => Self::End,
            other => return Err(LoginFrameError::Unknown(other)),
        };
        rest.end()?;
        Ok(found)
    }
}

impl FromHelper {
    /// Appends the frame, without its length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ask(messages) => {
                out.extend([1, VERSION]);
                list(out, messages, |out, message| {
                    out.push(number(&STYLES, &message.style));
                    put(out, message.text.as_bytes());
                });
            }
            Self::Failed => out.extend([2, VERSION]),
            Self::Admitted(admitted) => {
                out.extend([3, VERSION]);
                put(out, admitted.account.as_bytes());
                out.extend(admitted.uid.to_be_bytes());
                put(out, admitted.shell.as_bytes());
                list(out, &admitted.groups, |out, group| {
                    put(out, group.as_bytes());
                });
            }
            Self::Opened(terminal) => {
                out.push(4);
                out.extend(terminal.as_str().as_bytes());
            }
            Self::Refused { terminal, reason } => {
                out.push(5);
                out.extend(terminal.as_str().as_bytes());
                put(out, reason.as_bytes());
            }
        }
    }

    /// Reads a frame.
    pub fn decode(frame: &[u8]) -> Result<Self, LoginFrameError> {
        let mut rest = Reader(frame);
        let kind = rest.byte()?;
        let found = match kind {
            1 => {
                rest.version()?;
                Self::Ask(rest.list(MAX_MESSAGES, |rest| {
                    Ok(Message {
                        style: rest.one_of(&STYLES)?,
                        text: rest.text(MAX_MESSAGE)?.to_owned(),
                    })
                })?)
            }
            2 => {
                rest.version()?;
                Self::Failed
            }
            3 => {
                rest.version()?;
                Self::Admitted(Admitted {
                    account: rest.text(MAX_TEXT)?.to_owned(),
                    uid: u32::from_be_bytes(rest.array()?),
                    shell: rest.text(MAX_TEXT)?.to_owned(),
                    groups: rest.list(MAX_GROUPS, |rest| Ok(rest.text(MAX_TEXT)?.to_owned()))?,
                })
            }
            4 => Self::Opened(rest.terminal()?),
            5 => Self::Refused {
                terminal: rest.terminal()?,
                reason: rest.text(MAX_TEXT)?.to_owned(),
            },
            other => return Err(LoginFrameError::Unknown(other)),
        };
        rest.end()?;
        Ok(found)
    }
}

/// Cuts a text to so many bytes, between characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open<'a>(command: Vec<&'a str>, launch: &'a [u8]) -> ToHelper<'a> {
        ToHelper::Open(Open {
            terminal: TerminalId::from_random([7; 10]),
            size: Size::clamped(120, 40),
            command,
            directory: Some("/srv"),
            environment: vec![("EDITOR", "vi"), ("EMPTY", "")],
            launch,
        })
    }

    #[test]
    fn every_frame_survives_a_round_trip_and_no_cut_or_longer_one_is_taken() {
        let to = [
            ToHelper::Begin {
                user: "ada",
                remote: "2001:db8::1",
                purpose: Purpose::YesNo,
            },
            ToHelper::Identity {
                way: Way::Token,
                name: "jürgen@x",
                remote: "",
            },
            ToHelper::Answers(vec![b"p\xff", b""]),
            open(vec!["vi", ""], b"{}"),
            ToHelper::End,
        ];
        for frame in to {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            assert_eq!(ToHelper::decode(&bytes), Ok(frame));
            for end in 0..bytes.len() {
                assert!(ToHelper::decode(&bytes[..end]).is_err());
            }
            bytes.push(0);
            assert!(ToHelper::decode(&bytes).is_err());
        }
        let message = |style| Message {
            style,
            text: "Password: ".into(),
        };
        let from = [
            FromHelper::Ask(STYLES.map(message).into()),
            FromHelper::Failed,
            FromHelper::Admitted(Admitted {
                account: "ada".into(),
                uid: 1000,
                shell: "/bin/bash".into(),
                groups: vec!["ada".into(), "video".into()],
            }),
            FromHelper::Opened(TerminalId::from_random([1; 10])),
            FromHelper::Refused {
                terminal: TerminalId::from_random([1; 10]),
                reason: "no".into(),
            },
        ];
        for frame in from {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            assert_eq!(FromHelper::decode(&bytes), Ok(frame));
            for end in 0..bytes.len() {
                assert!(FromHelper::decode(&bytes[..end]).is_err());
            }
        }
    }

    #[test]
    fn values_at_their_limits_are_taken_and_one_past_them_are_not() {
        let taken = |frame: &ToHelper<'_>| {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            ToHelper::decode(&bytes).is_ok()
        };
        let (name, long) = ("x".repeat(MAX_NAME), "x".repeat(MAX_NAME + 1));
        for (user, good) in [(&name, true), (&long, false)] {
            let (remote, purpose) = ("", Purpose::Terminals);
            let begin = ToHelper::Begin {
                user,
                remote,
                purpose,
            };
            assert_eq!(taken(&begin), good);
        }
        let answer = [0; MAX_ANSWER + 1];
        assert!(taken(&ToHelper::Answers(vec![&answer[1..]; MAX_MESSAGES])));
        assert!(!taken(&ToHelper::Answers(vec![&answer])));
        assert!(!taken(&ToHelper::Answers(vec![b""; MAX_MESSAGES + 1])));
        let launch = vec![b' '; MAX_LAUNCH + 1];
        assert!(taken(&open(vec!["a"; MAX_WORDS], &launch[1..])));
        assert!(!taken(&open(vec!["a"; MAX_WORDS + 1], b"")));
        assert!(!taken(&open(vec![], &launch)));
        assert!(!taken(&open(vec!["a\0b"], b"")));
        for (count, good) in [(MAX_VARIABLES, true), (MAX_VARIABLES + 1, false)] {
            let ToHelper::Open(mut many) = open(vec![], b"") else {
                continue;
            };
            many.environment = vec![("A", "b"); count];
            assert_eq!(taken(&ToHelper::Open(many)), good);
        }
        // Longer than its length can say.
        let huge = vec![b' '; 0x1_0005];
        assert!(!taken(&open(vec![], &huge)));
    }

    #[test]
    fn another_version_is_named() {
        let error = ToHelper::decode(&[1, 9, 0]).unwrap_err();
        assert_eq!(error, LoginFrameError::Version(9));
        assert!(error.to_string().contains("different releases"));
    }
}
