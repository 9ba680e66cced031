//! Which host a request is for and which page sent it, judged before any route sees it. This is what
//! keeps other web pages, in the same browser as a logged-in one, away from terminals (cross-site
//! WebSocket hijacking, DNS rebinding).

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode};

use crate::base::PublicUrl;
use crate::policy::settings::server::{Server, UrlPrefix};
use crate::wire::control::RefusalKind;

use super::problem::Problem;
use super::proxy::{Arrival, Scheme};

/// Where programs of other machines ask without a page: see `ways::make_token`.
const FOR_PROGRAMS: &str = "api/wstokens";

/// The judge.
#[derive(Debug)]
pub(super) struct Guard {
    /// Names good on every listener.
    hosts: Vec<String>,
    /// The machine's own names. Good only where a certificate vouches for them: in the clear,
    /// whoever answers name lookups on the network could lend them to a page of his own.
    machine: Vec<String>,
    public: Option<PublicUrl>,
    prefix: UrlPrefix,
}

impl Guard {
    /// A judge who knows these names of the machine, and these addresses that are listened on.
    pub(super) fn new(server: &Server, machine: Vec<String>, listening: &[IpAddr]) -> Self {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .into();
        hosts.extend(listening.iter().map(|address| match address {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        }));
        let public = server.public_url.clone();
        hosts.extend(public.iter().map(|public| public.host().to_owned()));
        hosts.extend(server.allow_hosts.iter().map(ToString::to_string));
        Self {
            hosts,
            machine,
            public,
            prefix: server.url_prefix.clone(),
        }
    }

    /// Judges a request by its head alone.
    pub(super) fn check<B>(
        &self,
        request: &Request<B>,
        arrival: &Arrival,
        scheme: Scheme,
    ) -> Result<(), Problem> {
        if request.headers().contains_key(header::TRANSFER_ENCODING) {
            // Who sits in front of us may think that such a body ends elsewhere, and no browser
            // sends one.
            return Err(Problem::new(
                StatusCode::LENGTH_REQUIRED,
                RefusalKind::Invalid,
                "a body needs a Content-Length",
            ));
        }
        let (host, _) = self.host(request, arrival, arrival.scheme == Scheme::Https)?;
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let (origin, None) = (origins.next(), origins.next()) else {
            return Err(refused("a request has one Origin"));
        };
        let Some(origin) = origin else {
            let harmless = matches!(*request.method(), Method::GET | Method::HEAD)
                && !request.headers().contains_key(header::UPGRADE);
            // Reads no cookie, so that no browser can be made to misuse it.
            let path = request.uri().path().strip_prefix(self.prefix.as_str());
            let for_programs = path == Some(FOR_PROGRAMS);
            return if harmless || for_programs {
                Ok(())
            } else {
                Err(refused(
                    "this needs an Origin header, which every browser sends; from a program, use gatepost's commands",
                ))
            };
        };
        let own = origin.to_str().is_ok_and(|origin| {
            origin.eq_ignore_ascii_case(&format!("{}://{host}", scheme.as_str()))
        });
        let public = self
            .public
            .as_ref()
            .is_some_and(|public| origin.as_bytes() == public.origin().as_bytes());
        if own || public {
            Ok(())
        } else {
            Err(refused(
                "this page is not one of this server's; behind a proxy, start the server with --public-url",
            ))
        }
    }

    /// Whether the host asked for is the one others see us at by HTTPS.
    pub(super) fn is_public_https(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
        self.public.as_ref().is_some_and(|public| {
            let origin = public.origin().strip_prefix("https://");
            origin.is_some() && origin.map(str::as_bytes) == host
        })
    }

    /// The `Host` asked for, if it is one of ours, and its name as we write it. `certified`: whether
    /// the machine's own names count.
    pub(super) fn host<'a, B>(
        &self,
        request: &'a Request<B>,
        arrival: &Arrival,
        certified: bool,
    ) -> Result<(&'a str, String), Problem> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Problem::invalid("a request has one Host"));
        };
        let host = host
            .to_str()
            .map_err(|_| Problem::invalid("the Host is not one"))?;
        // A URL in the request line would override the header for some and not for others.
        if request
            .uri()
            .authority()
            .is_some_and(|authority| authority.as_str() != host)
        {
            return Err(Problem::invalid(
                "the request line and the Host header name different hosts",
            ));
        }
        let name = without_port(host).ok_or_else(|| Problem::invalid("the Host is not one"))?;
        let machine = self.machine.iter().filter(|_| certified);
        let known = self.hosts.iter().chain(machine);
        let mut known = known.filter(|own| own.eq_ignore_ascii_case(name));
        if let Some(known) = known.next() {
            return Ok((host, known.clone()));
        }
        // No page of somebody else's can come from the address that this connection was made to.
        if let (Some(address), Some(own)) = (literal(name), arrival.local)
            && address == own
        {
            return Ok((host, name.to_owned()));
        }
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            RefusalKind::Denied,
            "this server doesn't answer to that host name; if it should, start it with --allow-host NAME",
        ))
    }
}

/// The address a host name is, if it is one.
fn literal(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    }
}

/// The name in `name[:port]`, brackets of an IPv6 address included.
fn without_port(host: &str) -> Option<&str> {
    let name_ends = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at_checked(name_ends)?;
    let valid = port.is_empty()
        || port
            .strip_prefix(':')
            // Not what else `parse` takes: "+80".
            .is_some_and(|digits| {
                digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
            });
    valid.then_some(name)
}

fn refused(message: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, RefusalKind::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(public: Option<&str>) -> Guard {
        let server = Server {
            public_url: public.map(|url| url.parse().unwrap()),
            allow_hosts: vec!["Term.local".parse().unwrap()],
            ..Server::default()
        };
        Guard::new(&server, vec!["kiosk".to_owned()], &[])
    }

    fn arrival(scheme: Scheme, local: &str) -> Arrival {
        Arrival {
            peer: None,
            local: Some(local.parse().unwrap()),
            scheme,
            certificate: None,
        }
    }

    fn status(guard: &Guard, method: &str, headers: &[(&str, &str)]) -> u16 {
        let arrival = arrival(Scheme::Http, "127.0.0.1");
        status_on(guard, &arrival, method, headers)
    }

    fn status_on(guard: &Guard, arrival: &Arrival, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        use axum::response::IntoResponse as _;
        match guard.check(&request.body(()).unwrap(), arrival, arrival.scheme) {
            Ok(()) => 200,
            Err(problem) => problem.into_response().status().as_u16(),
        }
    }

    #[test]
    fn hosts_are_ours_or_refused() {
        let guard = guard(None);
        for good in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:8722",
            "[::1]",
            "[::1]:9",
            "term.local",
        ] {
            assert_eq!(status(&guard, "GET", &[("host", good)]), 200, "{good}");
        }
        for rebound in [
            "evil.example",
            "localhost.evil.example",
            "evil-localhost",
            "127.0.0.1.evil.example:8722",
            "192.168.1.1",
            "10.127.0.0.1",
            "kiosk",
        ] {
            assert_eq!(
                status(&guard, "GET", &[("host", rebound)]),
                421,
                "{rebound}"
            );
        }
        for broken in [
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "localhost:+80",
            "[::1",
            "[::1]x",
        ] {
            assert_eq!(status(&guard, "GET", &[("host", broken)]), 400, "{broken}");
        }
    }

    #[test]
    fn two_host_headers_and_none_are_refused() {
        let guard = guard(None);
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(status(&guard, "GET", &two), 400);
        assert_eq!(status(&guard, "GET", &[]), 400);
    }

    #[test]
    fn origins_are_exactly_ours_or_refused() {
        let guard = guard(None);
        let with = |origin: &str| {
            let headers = [("host", "localhost:8722"), ("origin", origin)];
            (
                status(&guard, "POST", &headers),
                status(&guard, "GET", &headers),
            )
        };
        assert_eq!(with("http://localhost:8722"), (200, 200));
        for (name, evil) in [
            ("origin_null", "null"),
            ("origin_empty", ""),
            ("origin_suffix_evil", "http://localhost:8722.evil.example"),
            ("origin_prefix", "http://evil-localhost:8722"),
            ("origin_port", "http://localhost:8723"),
            ("origin_no_port", "http://localhost"),
            ("origin_scheme", "https://localhost:8722"),
            ("origin_path", "http://localhost:8722/"),
            ("origin_user", "http://localhost:8722@evil.example"),
            ("origin_other_name_of_us", "http://127.0.0.1:8722"),
        ] {
            assert_eq!(with(evil), (403, 403), "{name}");
        }
        let two = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "http://localhost"),
        ];
        assert_eq!(status(&guard, "POST", &two), 403);
    }

    #[test]
    fn origin_missing_is_good_for_reading_only() {
        let guard = guard(None);
        for (method, expected) in [
            ("GET", 200),
            ("HEAD", 200),
            ("POST", 403),
            ("PATCH", 403),
            ("DELETE", 403),
            ("PUT", 403),
            ("OPTIONS", 403),
            ("TRACE", 403),
        ] {
            assert_eq!(
                status(&guard, method, &[("host", "localhost")]),
                expected,
                "{method}"
            );
        }
        let upgrade = [("host", "localhost"), ("upgrade", "websocket")];
        assert_eq!(status(&guard, "GET", &upgrade), 403);
    }

    #[test]
    fn behind_a_proxy_the_public_origin_is_ours_too() {
        let guard = guard(Some("https://Term.example:443/gatepost"));
        for host in ["term.example", "127.0.0.1:8722"] {
            let headers = [("host", host), ("origin", "https://term.example")];
            assert_eq!(status(&guard, "POST", &headers), 200, "{host}");
        }
        let other = [("host", "term.example"), ("origin", "https://evil.example")];
        assert_eq!(status(&guard, "POST", &other), 403);
    }

    #[test]
    fn host_ip_literal_is_good_only_where_the_connection_was_made_to() {
        let guard = guard(None);
        for (local, host, expected) in [
            ("192.0.2.1", "192.0.2.1", 200),
            ("192.0.2.1", "192.0.2.1:443", 200),
            ("192.0.2.1", "192.0.2.2", 421),
            ("2001:db8::1", "[2001:db8::1]:443", 200),
            ("2001:db8::1", "[2001:db8:0::1]", 200),
            ("2001:db8::1", "[2001:db8::2]", 421),
            ("192.0.2.1", "[::ffff:192.0.2.1]", 421),
            ("192.0.2.1", "3221225985", 421),
            ("192.0.2.1", "192.0.2.01", 421),
        ] {
            let arrival = arrival(Scheme::Https, local);
            let headers = [("host", host)];
            let status = status_on(&guard, &arrival, "GET", &headers);
            assert_eq!(status, expected, "{host} at {local}");
        }
    }

    #[test]
    fn over_tls_the_machines_name_is_ours_and_origins_are_https() {
        let guard = guard(None);
        let tls = arrival(Scheme::Https, "192.0.2.1");
        let with = |origin: &str| {
            let headers = [("host", "Kiosk:8443"), ("origin", origin)];
            status_on(&guard, &tls, "POST", &headers)
        };
        assert_eq!(with("https://kiosk:8443"), 200);
        for (name, evil) in [
            ("origin_scheme", "http://kiosk:8443"),
            ("origin_port", "https://kiosk"),
            ("origin_suffix_evil", "https://kiosk:8443.evil.example"),
            ("origin_null", "null"),
        ] {
            assert_eq!(with(evil), 403, "{name}");
        }
    }
}
