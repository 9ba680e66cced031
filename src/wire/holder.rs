//! What a keeper and the login helper that started its program tell each other: five bytes a message,
//! one for what and a number (`u32`, big-endian). The end of the connection says the other is gone.

/// Bytes of a message.
pub const LENGTH: usize = 5;
/// The keeper's argument that says: the pseudo-terminal, the helper and the listening socket are
/// descriptors 3, 4 and 5.
pub const ADOPT: &str = "--adopt";
/// Where an adopting keeper finds the master of the pseudo-terminal.
pub const MASTER_FD: i32 = 3;
/// Where it finds the connection to the helper.
pub const HOLDER_FD: i32 = 4;
/// Where it finds its listening socket.
pub const LISTENER_FD: i32 = 5;

/// To the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToKeeper {
    /// The program runs under this process id.
    Started(u32),
    /// It returned this status.
    Exited(u32),
    /// This signal killed it.
    Killed(u32),
}

/// To the helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToHolder {
    /// End the program and everything it started.
    Close,
}

impl ToKeeper {
    /// As bytes.
    pub fn encode(self) -> [u8; LENGTH] {
        let (kind, value) = match self {
            Self::Started(pid) => (1, pid),
            Self::Exited(status) => (2, status),
            Self::Killed(signal) => (3, signal),
        };
        bytes(kind, value)
    }

    /// From bytes; `None` if they mean nothing.
    pub fn decode(message: [u8; LENGTH]) -> Option<Self> {
        let [kind, value @ ..] = message;
        let value = u32::from_be_bytes(value);
        match kind {
            1 => Some(Self::Started(value)),
            2 => Some(Self::Exited(value)),
            3 => Some(Self::Killed(value)),
            _ => None,
        }
    }
}

impl ToHolder {
    /// As bytes.
    pub fn encode(self) -> [u8; LENGTH] {
        match self {
            Self::Close => bytes(1, 0),
        }
    }

    /// From bytes; `None` if they mean nothing.
    pub fn decode(message: [u8; LENGTH]) -> Option<Self> {
        (message == Self::Close.encode()).then_some(Self::Close)
    }
}

fn bytes(kind: u8, value: u32) -> [u8; LENGTH] {
    let [a, b, c, d] = value.to_be_bytes();
    [kind, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_a_round_trip_and_others_mean_nothing() {
        for message in [
            ToKeeper::Started(u32::MAX),
            ToKeeper::Exited(0),
            ToKeeper::Killed(9),
        ] {
            assert_eq!(ToKeeper::decode(message.encode()), Some(message));
        }
        assert_eq!(ToKeeper::decode([9, 0, 0, 0, 0]), None);
        assert_eq!(
            ToHolder::decode(ToHolder::Close.encode()),
            Some(ToHolder::Close)
        );
        assert_eq!(ToHolder::decode([1, 0, 0, 0, 1]), None);
    }
}
