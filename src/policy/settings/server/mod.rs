//! Section `server`: where Gatepost listens, what it answers to, and TLS.

/// Makes a type one that is written as text, in the configuration and elsewhere.
macro_rules! as_text {
    ($type:ty) => {
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
        impl TryFrom<String> for $type {
            type Error = ServerError;
            fn try_from(text: String) -> Result<Self, ServerError> {
                text.parse()
            }
        }
    };
}

mod acme;
mod frame;
mod host;
mod listen;
mod prefix;
mod proxy;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::{PublicUrl, Way};

pub use acme::Acme;
pub use frame::FrameAncestor;
pub use host::HostName;
pub use listen::{FileMode, Listen};
pub use prefix::UrlPrefix;
pub use proxy::{ProxyHeader, TrustedProxy};
pub use tls::{ClientCertificates, Tls, TlsMode};

/// Where the web door is and whom it believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Addresses to listen on, as `address:port`, `[::]:443` for all of both families. With TLS on,
    /// each speaks HTTPS, unless written as `http://127.0.0.1:8722`. Port 0 takes a free one.
    /// Sockets opened by systemd replace the whole list.
    pub listen: Vec<Listen>,
    /// Where the kiosk's own window finds the server when everything in `listen` speaks HTTPS:
    /// plain HTTP, on loopback only.
    pub local_listen: SocketAddr,
    /// A Unix socket to listen on, too, for a proxy on the same machine. Plain HTTP.
    pub unix_socket: Option<PathBuf>,
    /// Who may connect to it, as octal digits: its owner and group with "0660".
    pub unix_socket_mode: FileMode,
    /// The path everything is under, as in "/gatepost/", for a proxy that passes the whole path on.
    pub url_prefix: UrlPrefix,
    /// Where others see this server behind a proxy, as in "https://host/path/".
    pub public_url: Option<PublicUrl>,
    /// Host names to answer to, besides the machine's own name and addresses. They are also names
    /// in the self-signed certificate.
    pub allow_hosts: Vec<HostName>,
    /// Speak plain HTTP beyond this machine: whoever can read the network can read and take over
    /// every terminal.
    pub allow_plain_http: bool,
    /// Addresses where plain HTTP is answered with a redirect to HTTPS, as in "0.0.0.0:80".
    pub https_redirect: Vec<SocketAddr>,
    /// Proxies whose word about the client's address and scheme is taken: networks, or "unix" for
    /// whoever connects to the Unix socket.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// The header in which those proxies say it. Only this one is read, because a proxy passes the
    /// other one on as the client wrote it.
    pub proxy_header: ProxyHeader,
    /// Pages that may show Gatepost in a frame: "self" or origins like "https://portal.example".
    pub frame_ancestors: Vec<FrameAncestor>,
    /// Whether browsers are told to use only HTTPS for this host from now on.
    pub hsts: Hsts,
    /// The ways to log in that are open, besides one-time addresses from `gatepost url`.
    pub auth: Vec<Way>,
    /// Encryption.
    pub tls: Tls,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: vec![Listen::bare(DEFAULT_ADDRESS)],
            local_listen: DEFAULT_ADDRESS,
            unix_socket: None,
            unix_socket_mode: FileMode(0o660),
            url_prefix: UrlPrefix::default(),
            public_url: None,
            allow_hosts: Vec::new(),
            allow_plain_http: false,
            https_redirect: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
            frame_ancestors: Vec::new(),
            hsts: Hsts::Auto,
            auth: Vec::new(),
            tls: Tls::default(),
        }
    }
}

/// 127.0.0.1:8722
const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8722);

/// Strict-Transport-Security (RFC 6797).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hsts {
    /// On with a certificate that browsers can trust, off with a self-signed one, which would
    /// otherwise lock out everybody who has to accept it.
    #[default]
    Auto,
    /// Always, over HTTPS.
    On,
    /// Never.
    Off,
}

/// Why a value makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Not an address to listen on.
    #[error("{0:?} is not an address like 127.0.0.1:8722, [::]:443 or http://127.0.0.1:8722")]
    Listen(String),
    /// Not file permissions.
    #[error("{0:?} is not a mode like \"0660\": three or four octal digits, up to 0777")]
    Mode(String),
    /// Not a prefix.
    #[error("{0:?} is not a path like /gatepost/ of letters, digits, '-', '_' and '.'")]
    Prefix(String),
    /// Not a host name.
    #[error("{0:?} is not a host name or address, without scheme and port")]
    Host(String),
    /// Neither `unix` nor a network.
    #[error("{0:?} is neither a network like 10.0.0.0/8 nor \"unix\"")]
    Proxy(String),
    /// Not an origin.
    #[error("{0:?} is neither \"self\" nor an origin like https://portal.example")]
    Ancestor(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_one_and_unknown_keys_are_errors() {
        assert_eq!(
            serde_json::from_str::<Server>("{}").unwrap(),
            Server::default()
        );
        for bad in [
            r#"{"lisen":[]}"#,
            r#"{"tls":{"cert":"x"}}"#,
            r#"{"tls":{"mode":"ssl"}}"#,
            r#"{"unix_socket_mode":"0999"}"#,
            r#"{"listen":["443"]}"#,
        ] {
            assert!(serde_json::from_str::<Server>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_section_survives_a_round_trip() {
        let text = r#"{
            "listen": ["0.0.0.0:443", "[::1]:443", "http://127.0.0.1:8722"],
            "unix_socket": "/run/gatepost/web.sock", "unix_socket_mode": "0600",
            "url_prefix": "gatepost", "public_url": "https://t.example/gatepost",
            "allow_hosts": ["Kiosk.example", "2001:db8::1", "192.0.2.1"],
            "https_redirect": ["0.0.0.0:80"],
            "trusted_proxies": ["127.0.0.1", "10.0.0.0/8", "unix"], "proxy_header": "forwarded",
            "frame_ancestors": ["self", "https://portal.example:8443"], "hsts": "on",
            "tls": { "mode": "files", "certificate": "/c", "key": "/k", "client_certificates": "required", "client_ca": "/a" }
        }"#;
        let server: Server = serde_json::from_str(text).unwrap();
        assert_eq!(server.url_prefix.as_str(), "/gatepost/");
        assert_eq!(server.allow_hosts[0].as_str(), "kiosk.example");
        assert_eq!(server.allow_hosts[1].as_str(), "[2001:db8::1]");
        assert!(server.listen[2].plain);
        let again = serde_json::to_string(&server).unwrap();
        assert_eq!(serde_json::from_str::<Server>(&again).unwrap(), server);
    }
}
