//! A server's configuration: where it comes from, and what it takes to start with it.

use std::path::PathBuf;

use crate::base::PublicUrl;
use crate::config::{Flag, Sources, default_folder};
use crate::policy::{Problem, Rules};
use crate::system::hook::Hooks;

use super::exit::{Code, Failure};
use super::serve::ServeArguments;

impl ServeArguments {
    /// Where this server's configuration comes from.
    pub(super) fn sources(&self) -> Result<Sources, Failure> {
        let uid = rustix::process::geteuid().as_raw();
        let folder = self.config_dir.clone();
        let mut flags = Vec::new();
        let mut list = |key: &str, flag: &str, values: Vec<String>| {
            if !values.is_empty() {
                flags.push(Flag::new(key, values.join(","), flag));
            }
        };
        let text = |values: &[String]| values.to_vec();
        list("server.listen", "--listen", all(&self.listen));
        list(
            "server.https_redirect",
            "--https-redirect",
            all(&self.https_redirect),
        );
        list("server.allow_hosts", "--allow-host", text(&self.allow_host));
        list(
            "server.trusted_proxies",
            "--trusted-proxy",
            all(&self.trusted_proxy),
        );
        list(
            "server.public_url",
            "--public-url",
            url(self.public_url.as_ref()),
        );
        list(
            "server.local_listen",
            "--local-listen",
            one(self.local_listen),
        );
        list(
            "server.unix_socket_mode",
            "--unix-socket-mode",
            one(self.unix_socket_mode),
        );
        list(
            "server.url_prefix",
            "--url-prefix",
            one(self.url_prefix.as_ref()),
        );
        list(
            "server.unix_socket",
            "--unix-socket",
            path(self.unix_socket.as_ref()),
        );
        list(
            "server.tls.certificate",
            "--tls-certificate",
            path(self.tls_certificate.as_ref()),
        );
        list("server.tls.key", "--tls-key", path(self.tls_key.as_ref()));
        list("server.auth", "--auth", all(&self.auth));
        let mode = match (self.tls, &self.tls_certificate) {
            (_, Some(_)) => Some("files"),
            (true, None) => Some("self-signed"),
            (false, None) => None,
        };
        list("server.tls.mode", "--tls", one(mode));
        let plain = self.allow_plain_http.then_some(true);
        list("server.allow_plain_http", "--allow-plain-http", one(plain));
        for set in &self.set {
            let Some((key, value)) = set.split_once('=') else {
                let message = format!("--set {set}: write SECTION.KEY=VALUE");
                return Err(Failure::new(Code::Usage, message));
            };
            flags.push(Flag::new(key, value, &format!("--set {key}")));
        }
        Ok(Sources {
            folder: folder.or_else(|| default_folder(uid, |name| std::env::var_os(name))),
            variables: std::env::vars_os().collect(),
            flags,
        })
    }
}

impl ServeArguments {
    /// Where hooks are run.
    pub(super) fn hooks(&self, sources: &Sources) -> Hooks {
        let beside = || Some(sources.folder.as_ref()?.join("hooks"));
        self.hooks
            .clone()
            .or_else(beside)
            .map_or_else(Hooks::default, Hooks::at)
    }
}

/// Where the configuration of this user's server comes from, as far as a command can know.
pub(super) fn without_flags() -> Sources {
    let uid = rustix::process::geteuid().as_raw();
    let folder = std::env::var_os("GATEPOST_CONFIG_DIR").map(PathBuf::from);
    Sources {
        folder: folder.or_else(|| default_folder(uid, |name| std::env::var_os(name))),
        variables: std::env::vars_os().collect(),
        flags: Vec::new(),
    }
}

/// The rules to start with. A server doesn't start with half of what it was told.
pub(super) fn load(sources: &Sources) -> Result<Rules, Failure> {
    let rules = sources
        .load()
        .result
        .map_err(|problems| Failure::new(Code::Usage, say_all(&problems)))?;
    for warning in rules.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(rules)
}

fn all<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn one(value: Option<impl ToString>) -> Vec<String> {
    value.map(|value| value.to_string()).into_iter().collect()
}

fn url(value: Option<&PublicUrl>) -> Vec<String> {
    one(value.map(PublicUrl::as_str))
}

fn path(value: Option<&PathBuf>) -> Vec<String> {
    one(value.map(|path| path.display()))
}

/// Every problem on a line of its own.
pub(super) fn say_all(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}
