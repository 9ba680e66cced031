//! Who really asks, when a proxy stands in between. What it says is taken only from proxies that the
//! configuration names, only in the header it names, and only as far as the last proxy that is named.

use std::net::IpAddr;

use http::{HeaderMap, header};

use crate::policy::settings::server::{ProxyHeader, Server, TrustedProxy};

use super::tls::PeerCertificate;

/// Most hops looked at; nobody has as many proxies.
const MAX_HOPS: usize = 32;
/// Set by ourselves on requests that came by HTTPS, and taken away from all others: what judges cookies
/// sees a request's headers only.
pub(super) const BY_HTTPS: &str = "x-gatepost-by-https";
/// Says which client certificate the connection has, as its fingerprint. Ours, too.
pub(super) const CERTIFICATE: &str = "x-gatepost-certificate";
const X_FORWARDED_FOR: &str = "x-forwarded-for";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The address of whoever asks; `None` for a Unix socket whose proxy doesn't say. Routes find it
/// among a request's extensions: it is what throttling and the audit log count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) Option<IpAddr>);

/// How the browser speaks to us, or to the proxy it takes for us. Routes find it among a request's
/// extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the clear.
    Http,
    /// Encrypted.
    Https,
}

impl Scheme {
    /// As a URL begins.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What is known of a connection before it says anything.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// The other end; `None` for a Unix socket.
    pub(super) peer: Option<IpAddr>,
    /// Our end; `None` for a Unix socket.
    pub(super) local: Option<IpAddr>,
    /// Whether the connection itself is TLS.
    pub(super) scheme: Scheme,
    /// The certificate the other end has proved to own.
    pub(super) certificate: Option<PeerCertificate>,
}

/// Whom to believe.
#[derive(Debug)]
pub(super) struct Proxies {
    trusted: Vec<TrustedProxy>,
    header: ProxyHeader,
}

impl Proxies {
    pub(super) fn new(server: &Server) -> Self {
        Self {
            trusted: server.trusted_proxies.clone(),
            header: server.proxy_header,
        }
    }

    /// Whether the other end of a connection (`None`: a Unix socket) is a proxy of ours.
    pub(super) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.trusted.iter().any(|trusted| match (trusted, peer) {
            (TrustedProxy::Unix, None) => true,
            (TrustedProxy::Network(network), Some(peer)) => network.contains(peer),
            _ => false,
        })
    }

    /// Who asks, and how.
    pub(super) fn client(&self, arrival: &Arrival, headers: &HeaderMap) -> (ClientAddress, Scheme) {
        let peer = arrival.peer.map(|peer| peer.to_canonical());
        if !self.trusts(peer) {
            // A proxy on this machine that nobody told us of: whoever asks is not on this machine.
            let hidden = peer.is_some_and(|peer| peer.is_loopback())
                && (headers.contains_key(X_FORWARDED_FOR)
                    || headers.contains_key(header::FORWARDED)
                    || headers.contains_key(header::VIA));
            let address = peer.filter(|_| !hidden);
            return (ClientAddress(address), arrival.scheme);
        }
        let hops = match self.header {
            ProxyHeader::XForwardedFor => x_forwarded(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        // Each proxy has appended the one it was asked by, so the truth is at the right.
        let mut address = peer;
        let mut scheme = None;
        for hop in hops.iter().rev().take(MAX_HOPS) {
            if !self.trusts(address) {
                break;
            }
            // The nearest proxy that says anything knows how it was spoken to.
            scheme = scheme.or(hop.scheme);
            match hop.address {
                Some(found) => address = Some(found),
                None => break,
            }
        }
        (ClientAddress(address), scheme.unwrap_or(arrival.scheme))
    }
}

/// What one proxy said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    scheme: Option<Scheme>,
}

fn lists<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        // What isn't text counts as one entry that says nothing.
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(str::trim)
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    // One scheme for the whole way: the last one said is the nearest proxy's.
    let scheme = lists(headers, X_FORWARDED_PROTO).last().and_then(scheme);
    let hops = lists(headers, X_FORWARDED_FOR);
    let hops: Vec<Hop> = hops
        .map(|text| Hop {
            address: address(text),
            scheme,
        })
        .collect();
    if hops.is_empty() {
        vec![Hop {
            address: None,
            scheme,
        }]
    } else {
        hops
    }
}

/// RFC 7239, without what it allows inside quotes besides addresses: a comma there would split an
/// entry into two that say nothing.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    lists(headers, header::FORWARDED.as_str())
        .map(|element| {
            let mut hop = Hop {
                address: None,
                scheme: None,
            };
            for pair in element.split(';') {
                let Some((key, value)) = pair.split_once('=') else {
                    continue;
                };
                let value = value.trim();
                let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                let value = bare.unwrap_or(value);
                match key.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.address = address(value),
                    "proto" => hop.scheme = scheme(value),
                    _ => {}
                }
            }
            hop
        })
        .collect()
}

fn scheme(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::Https)
    } else if text.eq_ignore_ascii_case("http") {
        Some(Scheme::Http)
    } else {
        None
    }
}

/// An address with or without a port, brackets and all.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        // One colon: an IPv4 address and its port.
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    let address: IpAddr = bare.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(
        trusted: &[&str],
        header: ProxyHeader,
        peer: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> (Option<String>, Scheme) {
        let proxies = Proxies {
            trusted: trusted.iter().map(|text| text.parse().unwrap()).collect(),
            header,
        };
        let arrival = Arrival {
            peer: peer.map(|peer| peer.parse().unwrap()),
            local: None,
            scheme: Scheme::Http,
            certificate: None,
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let (ClientAddress(address), scheme) = proxies.client(&arrival, &map);
        (address.map(|address| address.to_string()), scheme)
    }

    #[test]
    fn xff_spoof_is_not_believed_from_strangers_nor_left_of_the_last_proxy() {
        let of = |peer, list: &str| {
            let headers = [("x-forwarded-for", list), ("x-forwarded-proto", "https")];
            let trusted = ["127.0.0.1", "10.0.0.0/8"];
            client(&trusted, ProxyHeader::XForwardedFor, Some(peer), &headers)
        };
        let (http, https) = (Scheme::Http, Scheme::Https);
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(of("192.0.2.1", "127.0.0.1"), (is("192.0.2.1"), http));
        assert_eq!(of("127.0.0.1", "192.0.2.9"), (is("192.0.2.9"), https));
        assert_eq!(
            of("::ffff:127.0.0.1", "192.0.2.9"),
            (is("192.0.2.9"), https)
        );
        assert_eq!(
            of("127.0.0.1", "198.51.100.1, 127.0.0.1, 192.0.2.9"),
            (is("192.0.2.9"), https)
        );
        assert_eq!(
            of("127.0.0.1", "198.51.100.1, 192.0.2.9, 10.1.1.1"),
            (is("192.0.2.9"), https)
        );
        assert_eq!(
            of("127.0.0.1", "10.9.9.9, 10.1.1.1"),
            (is("10.9.9.9"), https)
        );
        assert_eq!(of("127.0.0.1", "192.0.2.9:4711"), (is("192.0.2.9"), https));
        assert_eq!(
            of("127.0.0.1", "[2001:db8::1]:4711"),
            (is("2001:db8::1"), https)
        );
        // What can't be read hides the client, and nobody takes its place.
        assert_eq!(
            of("127.0.0.1", "192.0.2.9, unknown"),
            (is("127.0.0.1"), https)
        );
        assert_eq!(
            of("127.0.0.1", "192.0.2.9,, 10.1.1.1"),
            (is("10.1.1.1"), https)
        );
        assert_eq!(of("127.0.0.1", ""), (is("127.0.0.1"), https));
    }

    #[test]
    fn only_the_header_the_configuration_names_is_read() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            (
                "forwarded",
                "for=192.0.2.66;proto=http, For=\"[2001:db8::5]:80\";Proto=https;by=x",
            ),
        ];
        let local = ["127.0.0.1"];
        let of = |header| client(&local, header, Some("127.0.0.1"), &headers);
        assert_eq!(
            of(ProxyHeader::Forwarded),
            (Some("2001:db8::5".to_owned()), Scheme::Https)
        );
        assert_eq!(
            of(ProxyHeader::XForwardedFor),
            (Some("192.0.2.1".to_owned()), Scheme::Http)
        );
    }

    #[test]
    fn behind_a_proxy_nobody_named_no_client_counts_as_one_of_this_machine() {
        let of = |headers: &[(&'static str, &str)]| {
            client(&[], ProxyHeader::XForwardedFor, Some("127.0.0.1"), headers).0
        };
        assert_eq!(of(&[]), Some("127.0.0.1".to_owned()));
        for header in ["x-forwarded-for", "forwarded", "via"] {
            assert_eq!(of(&[(header, "127.0.0.1")]), None, "{header}");
        }
    }

    #[test]
    fn a_unix_socket_is_believed_only_when_named() {
        let headers = [("x-forwarded-for", "192.0.2.1")];
        let of = |trusted: &[&str]| client(trusted, ProxyHeader::XForwardedFor, None, &headers).0;
        assert_eq!(of(&["unix"]), Some("192.0.2.1".to_owned()));
        assert_eq!(of(&["127.0.0.1"]), None);
    }
}
