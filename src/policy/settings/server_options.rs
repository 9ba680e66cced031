//! What there is to set in section `server`.

use super::server::{Server, TlsMode};
use super::{Objection, Opt, Section};

/// The section.
pub(super) const SECTION: Section = Section {
    name: "server",
    help: "Where the server listens, what it answers to, and TLS.",
    options: &[
        Opt::machine(
            "listen",
            "list of ADDRESS:PORT",
            "Where to listen; `[::]:443` is all addresses of both families. With TLS on, each speaks HTTPS unless written as `http://127.0.0.1:8722`. Port 0 takes a free one; the address really used is printed. Sockets opened by systemd replace the whole list.",
        ),
        Opt::machine(
            "local_listen",
            "ADDRESS:PORT",
            "Where the kiosk's own window finds the server when everything in `listen` speaks HTTPS: plain HTTP, on loopback only.",
        ),
        Opt::machine(
            "unix_socket",
            "absolute path",
            "A Unix socket to listen on, too, for a proxy on the same machine. Plain HTTP.",
        ),
        Opt::machine(
            "unix_socket_mode",
            "octal digits",
            "Who may connect to it: its owner and group with \"0660\".",
        ),
        Opt::machine(
            "url_prefix",
            "path",
            "The path everything is under, as in \"/gatepost/\", for a proxy that passes the whole path on.",
        ),
        Opt::machine(
            "public_url",
            "URL",
            "Where others see this server behind a proxy, as in \"https://host/path/\".",
        ),
        Opt::machine(
            "allow_hosts",
            "list of host names",
            "Host names to answer to, besides the machine's own name and addresses. They are also names in the self-signed certificate.",
        ),
        Opt::machine(
            "allow_plain_http",
            "true or false",
            "Speak plain HTTP beyond this machine: whoever can read the network can read and take over every terminal.",
        ),
        Opt::machine(
            "https_redirect",
            "list of ADDRESS:PORT",
            "Addresses where plain HTTP is answered with a redirect to HTTPS, as in \"0.0.0.0:80\".",
        ),
        Opt::machine(
            "trusted_proxies",
            "list of networks",
            "Proxies whose word about the client's address and scheme is taken: networks like 10.0.0.0/8, or \"unix\" for whoever connects to the Unix socket.",
        ),
        Opt::machine(
            "proxy_header",
            "x-forwarded-for or forwarded",
            "The header in which those proxies say it. Only this one is read, because a proxy passes the other one on as the client wrote it.",
        ),
        Opt::machine(
            "frame_ancestors",
            "list of origins",
            "Pages that may show Gatepost in a frame: \"self\", or origins like \"https://portal.example\".",
        ),
        Opt::machine(
            "hsts",
            "auto, on or off",
            "Whether browsers are told to use only HTTPS for this host from now on. auto: on with a certificate that browsers can trust, off with a self-signed one.",
        ),
        Opt::machine(
            "auth",
            "list of ways",
            "The ways to log in that are open, besides one-time addresses from `gatepost url`: none, pam, local, api, certificate, oidc, cas, kerberos, token.",
        ),
        Opt::machine(
            "tls.mode",
            "off, self-signed, files or acme",
            "Where the certificate comes from: made at first start for the machine's own names and addresses; files, which are read again when they change; or an authority that speaks ACME, as Let's Encrypt does.",
        ),
        Opt::machine(
            "tls.certificate",
            "absolute path",
            "With mode \"files\": the certificate and those between it and the authority, as PEM.",
        ),
        Opt::machine(
            "tls.key",
            "absolute path",
            "With mode \"files\": its key, as PEM. Refused when others than owner and group can read it.",
        ),
        Opt::machine(
            "tls.client_certificates",
            "none, optional or required",
            "Whether browsers have to show a certificate of their own.",
        ),
        Opt::machine(
            "tls.client_ca",
            "absolute path",
            "The authorities whose client certificates count, as PEM.",
        ),
        Opt::machine(
            "tls.client_crl",
            "absolute path",
            "Their lists of revoked certificates, as PEM. With a list, a certificate whose issuer has none in it is refused.",
        ),
        Opt::machine(
            "tls.acme.directory",
            "URL",
            "With mode \"acme\": the authority's directory. For trying out, Let's Encrypt has https://acme-staging-v02.api.letsencrypt.org/directory.",
        ),
        Opt::machine(
            "tls.acme.accept_terms",
            "true or false",
            "Whether you have read the authority's terms of service and accept them. Nothing is asked of it before.",
        ),
        Opt::machine(
            "tls.acme.names",
            "list of host names",
            "The DNS names the certificate is for. Each has to lead from the Internet to port 443 of this machine. Gatepost answers to them, too.",
        ),
        Opt::machine(
            "tls.acme.contact",
            "list of email addresses",
            "Whom the authority may write to, when something is wrong with a certificate.",
        ),
        Opt::machine(
            "tls.acme.ca_file",
            "absolute path",
            "Authorities (PEM) to trust for the directory itself, when it is a private one; the system's if absent.",
        ),
    ],
};

impl Server {
    /// What doesn't fit together.
    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        let mut object = |key: &str, message: &str| {
            out.push((format!("server.{key}"), message.to_owned()));
        };
        if self.listen.is_empty() && self.unix_socket.is_none() {
            object(
                "listen",
                "there is no address to listen on; give at least one, as in \"127.0.0.1:8722\"",
            );
        }
        if self.tls.mode == TlsMode::Files {
            for (key, file) in [
                ("certificate", &self.tls.certificate),
                ("key", &self.tls.key),
            ] {
                if file.is_none() {
                    object("tls.mode", &format!("\"files\" needs tls.{key}, too"));
                }
            }
        }
        if self.tls.mode == TlsMode::Acme {
            self.tls.acme.check(&mut object);
        }
    }
}
