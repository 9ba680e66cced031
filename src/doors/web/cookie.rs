//! The login cookie. Scripts can't read it, and no other site's page can make the browser send it.

use http::header::{self, HeaderMap, HeaderValue};

use crate::base::Secret;
use crate::wire::cookie;

/// The names of one cookie: browsers don't tell ports apart, so that servers on two ports of one host
/// would overwrite each other's; and over HTTPS the browser itself vouches for a `__Host-` one (RFC
/// 6265bis, section 4.1.3): no other host and no page fetched in the clear can have set it.
#[derive(Debug, Clone)]
pub(super) struct Name {
    plain: String,
    host: String,
}

impl Name {
    /// The login's cookie of a server on this port.
    pub(super) fn login(port: u16) -> Self {
        Self::new("gatepost_login", port)
    }

    /// The machine's own screen's, where people log in at it: theirs is beside it.
    pub(super) fn screen(port: u16) -> Self {
        Self::new("gatepost_screen", port)
    }

    /// The cookie that ties a login under way to the browser that began it.
    pub(super) fn begun(port: u16) -> Self {
        Self::new("gatepost_begun", port)
    }

    /// The cookie of a browser that was sent to another server, until it comes back.
    pub(super) fn sent_away(port: u16) -> Self {
        Self::new("gatepost_sso", port)
    }

    fn new(what: &str, port: u16) -> Self {
        Self {
            plain: format!("{what}_{port}"),
            host: format!("__Host-{what}_{port}"),
        }
    }

    /// The secret in the cookie. Where the page came by HTTPS (`secure`) only the name the browser
    /// vouches for counts; elsewhere it wins. With several cookies of a name, the first one counts: it
    /// has the longest path, and we set only `/`.
    pub(super) fn read(&self, headers: &HeaderMap, secure: bool) -> Option<Secret> {
        match find(headers, &self.host) {
            Some(value) => value.parse().ok(),
            None if secure => None,
            None => find(headers, &self.plain)?.parse().ok(),
        }
    }

    /// A `Set-Cookie` with the secret, for as long as the browser runs or its login lasts.
    pub(super) fn set(&self, secret: &Secret, secure: bool, strict: bool) -> Option<HeaderValue> {
        let same_site = if strict { "Strict" } else { "Lax" };
        let secret = secret.expose_hex();
        let name = self.in_use(secure);
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{name}={secret}; HttpOnly; SameSite={same_site}; Path=/{secure}");
        let mut value = HeaderValue::from_str(&text).ok()?;
        // Keeps it out of debug output.
        value.set_sensitive(true);
        Some(value)
    }

    /// A `Set-Cookie` that takes the cookie away.
    pub(super) fn clear(&self, secure: bool) -> Option<HeaderValue> {
        let name = self.in_use(secure);
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{name}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0{secure}");
        HeaderValue::from_str(&text).ok()
    }

    fn in_use(&self, secure: bool) -> &str {
        if secure { &self.host } else { &self.plain }
    }
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| cookie::value(value, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(cookies: &[&str], secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        let secret = Name::login(80).read(&headers, secure)?;
        Some(secret.expose_hex())
    }

    #[test]
    fn the_cookie_is_found_among_others_and_only_whole() {
        let hex = "ab".repeat(32);
        let good = format!("gatepost_login_80={hex}");
        let read = |cookies: &[&str]| read_from(cookies, false);
        assert_eq!(read(&[&good]), Some(hex.clone()));
        assert_eq!(read(&[&format!("a=b; {good};c")]), Some(hex.clone()));
        assert_eq!(read(&["x=y", &good]), Some(hex.clone()));
        for (case, bad) in [
            ("cookie_truncate", &good[..good.len() - 1]),
            ("cookie_longer", &format!("{good}0")),
            ("cookie_tamper", &good.replace('a', "A")),
            ("cookie_other_port", &good.replace("_80", "_81")),
            ("cookie_name_prefix", &format!("x{good}")),
            (
                "cookie_8k",
                &format!("gatepost_login_80={}", "a".repeat(8192)),
            ),
            ("cookie_empty", ""),
        ] {
            assert_eq!(read(&[bad]), None, "{case}");
        }
    }

    #[test]
    fn over_https_only_the_cookie_the_browser_vouches_for_counts() {
        let (planted, own) = ("cd".repeat(32), "ab".repeat(32));
        let plain = format!("gatepost_login_80={planted}");
        let host = format!("__Host-gatepost_login_80={own}");
        assert_eq!(read_from(&[&plain], true), None, "cookie_swap");
        assert_eq!(read_from(&[&plain, &host], true), Some(own.clone()));
        assert_eq!(read_from(&[&plain, &host], false), Some(own));
        let secret = Secret::from_random([1; 32]);
        let set = Name::login(80).set(&secret, true, true).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-gatepost_login_80=01"), "{set}");
        assert!(
            set.contains("; Path=/; Secure") && !set.contains("Domain"),
            "{set}"
        );
    }
}
