//! X2Go's authentication service: `USER\rPASSWORD\rSERVICE\n`, answered by `ok\n` or `fail\n`.
//!
//! The format has no escapes, so a carriage return or line feed in a password would begin another
//! field or request; the original's client sends it all the same, and then takes the first of two
//! answers for its own. Here such a request is never made ([`Request::encode`]) and never understood
//! ([`Request::decode`]). `docs/x2go.md` has the whole comparison.

use zeroize::Zeroizing;

/// Longest request taken, in bytes, line feed included. The original's ends at 1024.
pub const MAX_LINE: usize = 4096;
/// Longest request made, in bytes, line feed included: what the original's one `recv(1024)` takes.
pub const MAX_SENT: usize = 1000;
/// Yes.
pub const OK: &[u8] = b"ok\n";
/// No.
pub const FAIL: &[u8] = b"fail\n";
/// That was no request.
pub const BAD: &[u8] = b"bad\n";

/// One question: is this the password?
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Whose.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// The name of PAM's rules.
    pub service: &'a str,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No name either: it may be a password in the wrong field.
        f.write_str("<x2go request>")
    }
}

/// Why there is no request. Says nothing of what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum X2goError {
    /// Not three fields, not UTF-8, or a character that isn't allowed.
    #[error("not USER, carriage return, PASSWORD, carriage return, SERVICE in UTF-8")]
    Malformed,
    /// Over [`MAX_LINE`] or [`MAX_SENT`].
    #[error("a name and a password that together are too long")]
    TooLong,
}

impl<'a> Request<'a> {
    /// Reads a line, without its line feed.
    pub fn decode(line: &'a [u8]) -> Result<Self, X2goError> {
        if line.len() >= MAX_LINE {
            return Err(X2goError::TooLong);
        }
        if line.iter().any(|byte| matches!(byte, b'\0' | b'\n')) {
            return Err(X2goError::Malformed);
        }
        let text = std::str::from_utf8(line).map_err(|_| X2goError::Malformed)?;
        let mut fields = text.split('\r');
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(user), Some(password), Some(service), None) => Ok(Self {
                user,
                password,
                service,
            }),
            _ => Err(X2goError::Malformed),
        }
    }

    /// Writes a line, its line feed included.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, X2goError> {
        let fields = [self.user, self.password, self.service];
        if fields
            .iter()
            .any(|field| field.contains(['\r', '\n', '\0']))
        {
            return Err(X2goError::Malformed);
        }
        let length = fields.iter().map(|field| field.len() + 1).sum();
        if length > MAX_SENT {
            return Err(X2goError::TooLong);
        }
        // Never grows, so that no copy of a password stays behind.
        let mut line = Zeroizing::new(Vec::with_capacity(length));
        for (field, end) in fields.into_iter().zip(*b"\r\r\n") {
            line.extend(field.bytes());
            line.push(end);
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_a_round_trip() {
        let request = Request {
            user: "jürgen",
            password: " p\u{e4}ss ",
            service: "x2gobroker",
        };
        let line = request.encode().unwrap();
        assert_eq!(line.last(), Some(&b'\n'));
        assert_eq!(Request::decode(&line[..line.len() - 1]), Ok(request));
        assert_eq!(format!("{request:?}"), "<x2go request>");
    }

    #[test]
    fn x2go_injection_cr_lf_is_not_sent() {
        for password in ["x\rchfn\n", "x\ny", "x\r", "\0"] {
            let (user, service) = ("root", "x2gobroker");
            let request = Request {
                user,
                password,
                service,
            };
            assert_eq!(request.encode(), Err(X2goError::Malformed), "{password:?}");
        }
    }

    #[test]
    fn x2go_nul_and_latin1_and_other_numbers_of_fields_are_no_request() {
        for line in [
            &b"a\rb"[..],
            b"a\rb\rc\rd",
            b"",
            b"a\rb\rc\r",
            b"a\0\rb\rc",
            b"a\r\xe4\rc",
            b"a\nb\rc\rd",
        ] {
            assert_eq!(Request::decode(line), Err(X2goError::Malformed), "{line:?}");
        }
        assert!(Request::decode(b"\r\r").is_ok(), "empty fields are fields");
    }

    #[test]
    fn x2go_1024_1025_and_4097() {
        let line = |length: usize| {
            let mut line = b"a\r".to_vec();
            line.resize(length - 2, b'x');
            line.extend(b"\rs");
            line
        };
        // With its line feed, each is one longer.
        for length in [1023, 1024, MAX_LINE - 1] {
            assert!(Request::decode(&line(length)).is_ok(), "{length}");
        }
        assert_eq!(Request::decode(&line(MAX_LINE)), Err(X2goError::TooLong));
        let send = |length: usize| {
            let password = "x".repeat(length - 5);
            let (user, password, service) = ("a", &*password, "s");
            let request = Request {
                user,
                password,
                service,
            };
            request.encode().map(|line| line.len())
        };
        assert_eq!(send(MAX_SENT), Ok(MAX_SENT));
        assert_eq!(send(MAX_SENT + 1), Err(X2goError::TooLong));
    }
}
