//! `gatepost cert`: what browsers are shown, so that a person can compare it.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use crate::doors::web::{AcmeFolder, AcmeStatus, CertificateFacts, certificate_facts, renew};
use crate::policy::settings::server::TlsMode;

use super::client::folders;
use super::exit::{Code, Failure};
use super::serve::identity;
use super::{configuration, output};

/// What to do with the server's certificate.
#[derive(Debug, Subcommand)]
pub(super) enum CertCommand {
    /// Print its names, how long it is valid, and its SHA-256 fingerprint.
    Show {
        /// Another certificate than the server's own.
        file: Option<std::path::PathBuf>,
        /// As JSON, for programs.
        #[arg(long, conflicts_with = "pem")]
        json: bool,
        /// The certificate itself, to give to a browser or to curl --cacert.
        #[arg(long)]
        pem: bool,
    },
    /// Make a new self-signed certificate, with a new key, or with `tls.mode = "acme"` have the running
    /// server ask the authority for one now. It is taken up by itself.
    Renew {
        /// A name or address it should be for, too. Can be given several times.
        #[arg(long, value_name = "NAME")]
        allow_host: Vec<crate::policy::settings::server::HostName>,
    },
}

/// Runs the command.
pub(super) fn run(command: CertCommand) -> Result<(), Failure> {
    let rules = configuration::load(&configuration::without_flags())?;
    let mut server = rules.machine().server.clone();
    let own = folders()?.self_signed();
    let acme = AcmeFolder::new(folders()?.acme());
    let asks = server.tls.mode == TlsMode::Acme;
    match command {
        CertCommand::Show { file, json, pem } => {
            let configured = server.tls.certificate.as_deref();
            let given = asks.then(|| acme.certificate_for(&server.tls.acme.names));
            let used = match (server.tls.mode, configured) {
                (TlsMode::Files, Some(file)) => file,
                _ => given.as_ref().and_then(Option::as_deref).unwrap_or(&own),
            };
            let status = if asks && file.is_none() {
                acme.status()
            } else {
                None
            };
            show(file.as_deref().unwrap_or(used), status, json, pem)
        }
        CertCommand::Renew { .. } if asks => {
            acme.wish().map_err(Failure::failed)?;
            let _seen = output::line(
                "the running server asks the authority now; gatepost cert show says what came of it",
            )?;
            Ok(())
        }
        CertCommand::Renew { allow_host } => {
            server.allow_hosts.extend(allow_host);
            let facts = renew(&own, &identity(&server)).map_err(Failure::failed)?;
            let _seen = output::line(&text(&facts))?;
            Ok(())
        }
    }
}

/// Facts, and how the authority was asked for it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    facts: CertificateFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    acme: Option<AcmeStatus>,
}

fn show(file: &Path, acme: Option<AcmeStatus>, json: bool, pem: bool) -> Result<(), Failure> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(Code::Failed, format!("{}: {why}", file.display()))
    };
    let bytes = std::fs::read(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            Code::NotFound,
            format!(
                "{} is not there; the server makes it when it first starts with TLS",
                file.display()
            ),
        ),
        _ => failed(&error),
    })?;
    let leaf = CertificateDer::from_pem_slice(&bytes)
        .map_err(|_| failed(&"holds no certificate as PEM"))?;
    let facts = certificate_facts(&leaf).ok_or_else(|| failed(&"holds no certificate"))?;
    let text = if json {
        serde_json::to_string(&Shown { facts, acme }).map_err(Failure::failed)?
    } else if pem {
        // Only this: the file holds the key, too.
        certificate_pem(&bytes).ok_or_else(|| failed(&"holds no certificate as PEM"))?
    } else {
        let authority = acme.map(|acme| {
            let directory = output::plain(&acme.directory);
            let said = acme.text();
            let said: Vec<_> = said.lines().map(output::plain).collect();
            format!(
                "\nauthority  {directory}\n           {}",
                said.join("\n           ")
            )
        });
        text(&facts) + &authority.unwrap_or_default()
    };
    let _seen = output::line(&text)?;
    Ok(())
}

fn certificate_pem(file: &[u8]) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(file).ok()?;
    let rest = text.get(text.find(BEGIN)?..)?;
    let end = rest.find(END)? + END.len();
    rest.get(..end).map(str::to_owned)
}

fn text(facts: &CertificateFacts) -> String {
    let signed = if facts.self_signed {
        "itself: browsers warn once, compare the fingerprint then"
    } else {
        &facts.issuer
    };
    format!(
        "SHA-256    {}\nnames      {}\nsigned by  {}\nvalid      from {}\n           to {}",
        facts.fingerprint,
        output::plain(&facts.names.join(", ")),
        output::plain(signed),
        facts.valid_from(),
        facts.valid_until(),
    )
}
