//! What Gate One's settings look like, and why some of them have no counterpart here.

use crate::policy::tree::{Kind, Value};

/// Why a setting of Gate One's has no counterpart: its name, and what to do instead.
const LEFT: &[(&str, &str)] = &[
    (
        "api_keys",
        "secrets don't belong in the configuration; make keys with `gatepost api-key new` and give them to the applications",
    ),
    (
        "api_timestamp_window",
        "the window is 30 seconds, both ways",
    ),
    (
        "session_timeout",
        "terminals stay until they are closed or the machine restarts",
    ),
    (
        "cookie_secret",
        "logins are kept by the server; no secret is needed",
    ),
    (
        "google_oauth",
        "add Google as an OpenID Connect provider, with its secret in a file",
    ),
    (
        "pam_service",
        "the PAM service is called gatepost: put what the old one says into /etc/pam.d/gatepost",
    ),
    ("pam_realm", "user names stand without a realm"),
    ("sso_realm", "set up Kerberos anew, as docs/config.md says"),
    (
        "sso_service",
        "set up Kerberos anew, as docs/config.md says",
    ),
    ("sso_keytab", "set up Kerberos anew, as docs/config.md says"),
    ("cas_server", "set up CAS anew, as docs/config.md says"),
    ("cas_version", "set up CAS anew, as docs/config.md says"),
    (
        "cas_ca_certs",
        "certificates are always verified, by the system's authorities",
    ),
    ("uid", "the service never runs as root"),
    ("gid", "the service never runs as root"),
    ("pid_file", "systemd knows the process"),
    ("session_dir", "terminals are kept under /run/gatepost"),
    ("user_dir", "state is kept under /var/lib/gatepost"),
    ("cache_dir", "nothing is cached on the disk"),
    ("multiprocessing_workers", "not needed"),
    (
        "log_file_prefix",
        "the log goes to the journal; log.audit_file is the record of who did what",
    ),
    (
        "logging",
        "GATEPOST_LOG says how much is logged; keystrokes never are",
    ),
    (
        "debug",
        "GATEPOST_LOG says how much is logged; keystrokes never are",
    ),
    ("shell_command", "commands are started without a shell"),
    ("use_shell", "commands are started without a shell"),
    ("dtach", "terminals always outlive the server"),
    ("session_logging", "recording is set up separately"),
    (
        "list_users",
        "who is here is told to those with the right admin",
    ),
    (
        "send_user_messages",
        "messages take the right message, which was not enforced before",
    ),
];

/// Why a setting is left out.
pub(super) fn reason(key: &str) -> String {
    LEFT.iter()
        .find(|(known, _)| *known == key)
        .map_or("has no counterpart", |(_, why)| why)
        .to_owned()
}

/// A value that is one word, as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Whole(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Gate One's lengths of time: `14d`, `30s`, `5m`, and a bare number is milliseconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = match unit {
        "" => return Some(number / 1000),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "M" => 30 * 86_400,
        "y" => 365 * 86_400,
        _ => return None,
    };
    number.checked_mul(unit)
}
