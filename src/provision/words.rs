//! The words of provisioning, each with what makes it one. They end up in files of other programs, so
//! that each may hold only what those programs read as one word.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A text that was checked: `word!(Name, "what it is", check)`.
macro_rules! word {
    ($(#[$about:meta])* $name:ident, $check:expr) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn when(good: bool, message: &str) -> Result<(), String> {
    good.then_some(()).ok_or_else(|| message.to_owned())
}

fn all(text: &str, extra: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    !text.is_empty() && text.chars().all(known)
}

fn label(text: &str) -> bool {
    text.len() <= 63 && all(text, "-") && !text.starts_with('-') && !text.ends_with('-')
}

word! {
    /// A machine's name, or a domain: letters, digits and hyphens between dots.
    HostName, |text| when(
        text.len() <= 64 && text.split('.').all(label),
        "a host name has letters, digits and hyphens only, as in \"kiosk-7\"; at most 64",
    )
}
word! {
    /// A locale: `de_DE.UTF-8`.
    Locale, |text| when(
        text.len() <= 64 && all(text, "_.@-") && (text == "C" || text.contains("UTF-8") || text.contains("utf8")),
        "write a locale with UTF-8, as in \"de_DE.UTF-8\"",
    )
}
word! {
    /// A zone of the tz database: `Europe/Berlin`.
    TimeZone, |text| when(
        text.len() <= 64 && text.split('/').all(|part| all(part, "_+-")),
        "write a time zone as in \"Europe/Berlin\"",
    )
}
word! {
    /// A layout, model, variant or option of XKB.
    KeyboardWord, |text| when(
        text.len() <= 64 && all(text, "_-:,()."),
        "write what XKB knows, as in \"de\" or \"ctrl:nocaps\"",
    )
}
word! {
    /// A country's two letters, which say what radios may do there.
    Country, |text| when(
        text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        "write a country as two capital letters, as in \"DE\"",
    )
}
word! {
    /// The name of a Wi-Fi network: 1 to 32 bytes.
    Ssid, |text| when(
        (1..=32).contains(&text.len()) && !text.contains('\0'),
        "a network's name has 1 to 32 bytes",
    )
}
word! {
    /// The name of a Unix account that may be made.
    AccountName, |text| {
        let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        when(
            (1..=31).contains(&text.len())
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.chars().all(small),
            "an account's name has small letters, digits, - and _, begins with a letter, and has at most 31",
        )?;
        when(
            text != "root" && !text.starts_with("gatepost"),
            "this account is the system's own; choose another name",
        )
    }
}
word! {
    /// A file beside the one that names it.
    FileName, |text| when(
        text.len() <= 64 && all(text, "._-") && !text.starts_with('.'),
        "write the name of a file that lies beside this one: letters, digits, dots, - and _, no folders",
    )
}
word! {
    /// One line of `authorized_keys`, without options.
    SshKey, ssh_key
}

fn ssh_key(text: &str) -> Result<(), String> {
    const TYPES: &[&str] = &[
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ];
    let mut words = text.split_whitespace();
    let (kind, data) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    // What the blob says of itself comes first in it, as a length and a text.
    let inner = STANDARD.decode(data).unwrap_or_default();
    let named = inner.get(4..4 + kind.len()) == Some(kind.as_bytes());
    when(
        text.len() <= 16 << 10
            && !text.chars().any(char::is_control)
            && TYPES.contains(&kind)
            && named,
        "this is no public SSH key; write the one line of a .pub file, as in \"ssh-ed25519 AAAA… me@laptop\"",
    )
}

/// An address of this machine with the length of its network: `192.0.2.7/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    ip: IpAddr,
    length: u8,
}

impl FromStr for Address {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (ip, length) = text.split_once('/')?;
            let (ip, length): (IpAddr, u8) = (ip.parse().ok()?, length.parse().ok()?);
            let most = if ip.is_ipv4() { 32 } else { 128 };
            (1..=most).contains(&length).then_some(Self { ip, length })
        };
        read().ok_or_else(|| {
            "write an address with the length of its network, as in \"192.0.2.7/24\" or \"2001:db8::7/64\""
                .to_owned()
        })
    }
}

impl TryFrom<String> for Address {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.length)
    }
}

/// A secret somebody wrote into a file. Never shown.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, for the one file it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good<T: FromStr>(words: &[&str]) {
        for word in words {
            assert!(word.parse::<T>().is_ok(), "{word:?}");
        }
    }
    fn bad<T: FromStr>(words: &[&str]) {
        for word in words {
            assert!(word.parse::<T>().is_err(), "{word:?}");
        }
    }

    #[test]
    fn words_are_taken_at_their_limits_and_nothing_that_another_file_reads_as_more_than_a_word() {
        good::<HostName>(&["kiosk-7", "a.b.example", &"a".repeat(63)]);
        bad::<HostName>(&["", "-a", "a-", "a b", "a\nb", "a..b", "ä", &"a".repeat(65)]);
        good::<Locale>(&["de_DE.UTF-8", "C.UTF-8", "ca_ES.UTF-8@valencia", "C"]);
        bad::<Locale>(&["de_DE", "", "de_DE.UTF-8\nX=1", "$(id).UTF-8"]);
        good::<TimeZone>(&[
            "Europe/Berlin",
            "UTC",
            "Etc/GMT+1",
            "America/Argentina/Buenos_Aires",
        ]);
        bad::<TimeZone>(&["", "../../etc/shadow", "/etc", "Europe/", "Europe/Ber lin"]);
        good::<KeyboardWord>(&["de", "pc105", "de,us", "ctrl:nocaps", "us(intl)"]);
        bad::<KeyboardWord>(&["", "de\"", "$(id)", "de us", "de\n"]);
        good::<Country>(&["DE", "00".replace('0', "G").as_str()]);
        bad::<Country>(&["", "de", "DEU", "D\n"]);
        good::<Ssid>(&["x", &"ä".repeat(16), "a \"b\" }\n"]);
        bad::<Ssid>(&["", &"x".repeat(33), "a\0"]);
        good::<AccountName>(&["ada", "a-b_c9", &"a".repeat(31)]);
        bad::<AccountName>(&[
            "",
            "Ada",
            "9a",
            "-a",
            "root",
            "gatepost-kiosk",
            "a:b",
            "a\nb",
            &"a".repeat(32),
        ]);
        good::<FileName>(&["ca.pem", "a_b-1.crt"]);
        bad::<FileName>(&["", ".x", "../x", "a/b", "a b", "a\"b"]);
        good::<Address>(&["192.0.2.7/24", "2001:db8::7/64", "10.0.0.1/32"]);
        bad::<Address>(&[
            "192.0.2.7",
            "192.0.2.7/33",
            "192.0.2.7/0",
            "x/1",
            "2001:db8::7/129",
        ]);
    }

    #[test]
    fn a_key_is_one_line_without_options_that_is_what_it_says() {
        let data = "AAAAC3NzaC1lZDI1NTE5AAAAIC0t2wG4p0dZ6YpM7mV5mCq1y8d0VZ5J5u0kq5m3o1aB";
        good::<SshKey>(&[
            &format!("ssh-ed25519 {data} me@laptop"),
            &format!("ssh-ed25519 {data}"),
        ]);
        bad::<SshKey>(&[
            "",
            "ssh-ed25519",
            "ssh-ed25519 !!!!",
            &format!("ssh-rsa {data}"),
            &format!("command=\"x\" ssh-ed25519 {data}"),
            &format!("ssh-ed25519 {data}\nssh-rsa x"),
            "-----BEGIN OPENSSH PRIVATE KEY-----",
        ]);
    }

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(format!("{:?}", Hidden::new("x")), "<secret>");
    }
}
