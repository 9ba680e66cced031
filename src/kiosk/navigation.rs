//! Which addresses the window may show: the server's page, and the empty one in between. Pure.
//!
//! An allow-list, and a narrow one: not everything below the server's address, but the page itself.
//! What else the server answers (lists, texts to download) is for the page to fetch, not to go to.

/// The page shown while there is no other.
pub const BLANK: &str = "about:blank";
/// Longest address looked at, in bytes; the server's own have two hundred.
pub const MAX_ADDRESS: usize = 4096;

/// Where the window belongs: the server's page, as the server itself said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Scheme, host, port and path: `http://127.0.0.1:8722/`.
    page: String,
}

impl Home {
    /// The page of an address the server handed out; `None` for what it never would.
    pub fn of(address: &str) -> Option<Self> {
        if address.len() > MAX_ADDRESS || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let rest = address
            .strip_prefix("http://")
            .or_else(|| address.strip_prefix("https://"))?;
        let page = address.split('#').next().unwrap_or(address);
        let (host, path) = rest.split('#').next()?.split_once('/')?;
        let usual =
            |extra: &'static str| move |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
        let good_path = path.is_empty()
            || path.ends_with('/')
                && path.split('/').all(|step| step != "." && step != "..")
                && path.chars().all(usual("-._~/"));
        let good_host = !host.is_empty() && host.chars().all(usual("-.:[]"));
        (good_host && good_path).then(|| Self {
            page: page.to_owned(),
        })
    }

    /// The page's address without a fragment.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Whether the window may go to this address: the page with any fragment, or nothing at all.
    pub fn may_go(&self, address: &str) -> bool {
        if address == BLANK {
            return true;
        }
        let small = address.len() <= MAX_ADDRESS && !address.chars().any(char::is_control);
        let rest = address.strip_prefix(self.page.as_str());
        small && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    }
}

/// The same while there may be no home yet.
pub fn may_go(home: Option<&Home>, address: &str) -> bool {
    match home {
        Some(home) => home.may_go(address),
        None => address == BLANK,
    }
}

/// What a log may know of an address that was refused: its scheme, and nothing a page could write.
pub fn scheme(address: &str) -> &str {
    let scheme = address.split(':').next().unwrap_or_default();
    let usual = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.len() < address.len() && scheme.len() < 30 && scheme.chars().all(usual) {
        scheme
    } else {
        "no scheme"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "http://127.0.0.1:8722/gatepost/";

    fn home() -> Home {
        Home::of("http://127.0.0.1:8722/gatepost/#token=00&kiosk=1").unwrap()
    }

    fn refused(addresses: &[&str]) {
        for address in addresses {
            assert!(!home().may_go(address), "{address}");
            assert!(!may_go(None, address), "{address}");
        }
    }

    #[test]
    fn home_is_the_address_without_its_fragment() {
        assert_eq!(home().page(), PAGE);
        for (address, page) in [
            ("https://[::1]:1/#x", "https://[::1]:1/"),
            ("http://kiosk.example/", "http://kiosk.example/"),
        ] {
            assert_eq!(Home::of(address).unwrap().page(), page);
        }
        for wrong in [
            "http://127.0.0.1:8722",
            "http:///",
            "http://a b/",
            "http://user@host/",
            "http://host/../x/",
            "http://host/?query",
            "http://host/x",
            "http://host\\/",
            "file:///etc/",
            "ftp://host/",
            "",
        ] {
            assert_eq!(Home::of(wrong), None, "{wrong}");
        }
        let longest = format!("http://host/#{}", "x".repeat(MAX_ADDRESS - 13));
        assert!(Home::of(&longest).is_some());
        assert!(Home::of(&format!("{longest}x")).is_none(), "one byte more");
    }

    #[test]
    fn the_page_itself_and_nothing_are_allowed() {
        for address in [PAGE, "http://127.0.0.1:8722/gatepost/#admin", BLANK] {
            assert!(home().may_go(address), "{address}");
        }
        assert!(may_go(None, BLANK));
        let longest = format!("{PAGE}#{}", "x".repeat(MAX_ADDRESS - PAGE.len() - 1));
        assert!(home().may_go(&longest));
        assert!(!home().may_go(&format!("{longest}x")), "one byte more");
    }

    #[test]
    fn file_url_is_refused() {
        refused(&[
            "file:///etc/passwd",
            "file:",
            "file://127.0.0.1:8722/gatepost/",
        ]);
    }

    #[test]
    fn view_source_chrome_about_data_blob_are_refused() {
        refused(&[
            "view-source:http://127.0.0.1:8722/gatepost/",
            "chrome://settings",
            "about:srcdoc",
            "about:memory",
            "about:blank#x",
            "data:text/html,hello",
            "blob:http://127.0.0.1:8722/0",
            "javascript:alert(1)",
            "webkit://gpu",
            "inspector:///",
            "resource:///",
            "mailto:a@b.example",
            "ssh://127.0.0.1/",
        ]);
    }

    #[test]
    fn other_hosts_ports_and_schemes_are_refused() {
        refused(&[
            "http://127.0.0.1:8722.evil.example/gatepost/",
            "http://127.0.0.1:8722@evil.example/gatepost/",
            "http://evil.example/#http://127.0.0.1:8722/gatepost/",
            "https://127.0.0.1:8722/gatepost/",
            "http://127.0.0.1:87221/gatepost/",
            "http://127.0.0.1:8722\\@evil.example/gatepost/",
            "HTTP://127.0.0.1:8722/gatepost/",
            "ws://127.0.0.1:8722/gatepost/",
        ]);
    }

    #[test]
    fn what_else_the_server_answers_is_refused() {
        refused(&[
            "http://127.0.0.1:8722/",
            "http://127.0.0.1:8722/gatepost",
            "http://127.0.0.1:8722/gatepost/api/terminals",
            "http://127.0.0.1:8722/gatepost/api/terminals/0/text?scrollback=1",
            "http://127.0.0.1:8722/gatepost/?x",
            "http://127.0.0.1:8722/gatepost/../",
            "http://127.0.0.1:8722/gatepost/%2e%2e/",
            "http://127.0.0.1:8722/gatepost/#\n",
            "http://",
            "",
        ]);
    }

    #[test]
    fn a_log_gets_a_scheme_and_no_more() {
        assert_eq!(scheme("file:///etc/passwd"), "file");
        assert_eq!(scheme("view-source:http://x"), "view-source");
        for wrong in ["", "x", "\u{1b}[2J:x", &format!("{}:x", "a".repeat(30))] {
            assert_eq!(scheme(wrong), "no scheme");
        }
    }
}
