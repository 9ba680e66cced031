//! Certificates of those who connect: the right ones are believed, everything else is refused in the
//! handshake.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gatepost::policy::settings::server::ClientCertificates;
use support::keeper::until;
use support::server::TestServer;
use support::tls::{Authority, openssl, program, s_client, said, self_signed};

/// Asks with a client certificate, by curl; whether there was an answer.
fn ask(address: SocketAddr, certificate: Option<(&Path, &Path)>, version: &str) -> bool {
    let url = format!("https://{address}/health");
    let mut arguments = vec![
        "-sSk",
        version,
        "--tls-max",
        version.trim_start_matches("--tlsv"),
        &url,
    ];
    let paths = certificate.map(|(pem, key)| (pem.to_str().unwrap(), key.to_str().unwrap()));
    if let Some((pem, key)) = paths {
        arguments.extend(["--cert", pem, "--key", key]);
    }
    let output = program("curl", &arguments, "");
    assert_ne!(
        output.status.code(),
        Some(58),
        "curl can't read its certificate: {}",
        said(&output)
    );
    output.status.success() && said(&output).starts_with("{\"status\":\"ok\"")
}

/// An authority with one good client certificate and many bad ones, and the lists of what it and
/// those below it have revoked.
fn client_certificates(temp: &Path) -> (Authority, PathBuf) {
    let ca = Authority::root(&temp.join("ca"));
    let client = "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:false\nsubjectAltName=email:alice@example.org";
    let authority = "keyUsage=keyCertSign,cRLSign\nbasicConstraints=critical,CA:true";
    ca.sign("good", client, None);
    ca.sign(
        "expired",
        client,
        Some(("20200101000000Z", "20210101000000Z")),
    );
    ca.sign(
        "not_yet",
        client,
        Some(("20490101000000Z", "20491231000000Z")),
    );
    ca.sign(
        "wrong_eku",
        &client.replace("clientAuth", "serverAuth"),
        None,
    );
    ca.sign("revoked", client, None);
    ca.revoke("revoked");
    let other = Authority::root(&temp.join("other"));
    other.sign("other_authority", client, None);
    // Authorities below ours: one may sign, one may not have authorities below itself, one may only
    // vouch for another domain, one is no authority at all.
    let mut lists = vec![ca.list()];
    let mut chain = |child: Authority, name: &str, extensions: &str, above: &[&Authority]| {
        child.sign(name, extensions, None);
        let mut pem = std::fs::read(child.path(&format!("{name}.pem"))).unwrap();
        pem.extend(std::fs::read(child.path("ca.pem")).unwrap());
        for authority in above {
            pem.extend(std::fs::read(authority.path("ca.pem")).unwrap());
        }
        std::fs::write(ca.path(&format!("{name}.pem")), pem).unwrap();
        std::fs::copy(
            child.path(&format!("{name}.key")),
            ca.path(&format!("{name}.key")),
        )
        .unwrap();
        lists.push(child.list());
    };
    chain(ca.below("sub", authority), "good_chain", client, &[]);
    let short = ca.below("short", &authority.replace("CA:true", "CA:true,pathlen:0"));
    let deeper = short.below("deeper", authority);
    chain(deeper, "pathlen", client, &[&short]);
    chain(
        ca.below(
            "elsewhere",
            &format!("{authority}\nnameConstraints=critical,permitted;DNS:inside.example"),
        ),
        "name_constraint",
        &client.replace("email:alice@example.org", "DNS:outside.example"),
        &[],
    );
    chain(
        ca.below("leaf", "basicConstraints=CA:false"),
        "not_an_authority",
        client,
        &[],
    );
    let short_list = short.list();
    lists.push(short_list);
    let crl = temp.join("all.crl");
    let all: Vec<u8> = lists
        .iter()
        .flat_map(|list| std::fs::read(list).unwrap())
        .collect();
    std::fs::write(&crl, all).unwrap();
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=good",
        "-keyout",
        ca.path("self_signed.key").to_str().unwrap(),
        "-out",
        ca.path("self_signed.pem").to_str().unwrap(),
        "-addext",
        "extendedKeyUsage=clientAuth",
    ]);
    for name in ["other_authority.pem", "other_authority.key"] {
        std::fs::copy(other.path(name), ca.path(name)).unwrap();
    }
    (ca, crl)
}

#[test]
fn client_certificates_are_believed_only_when_everything_about_them_is_right() {
    let temp = tempfile::tempdir().unwrap();
    let (ca, crl) = client_certificates(temp.path());
    let mut cases = 0;
    for (mode, absent) in [
        (ClientCertificates::Required, false),
        (ClientCertificates::Optional, true),
    ] {
        let server = TestServer::with(|settings| {
            self_signed(settings);
            settings.server.tls.client_certificates = mode;
            settings.server.tls.client_ca = Some(ca.path("ca.pem"));
            settings.server.tls.client_crl = Some(crl.clone());
        });
        for version in ["--tlsv1.2", "--tlsv1.3"] {
            assert_eq!(
                ask(server.address, None, version),
                absent,
                "optional_absent {mode:?} {version}"
            );
            for (name, good) in [
                ("good", true),
                ("good_chain", true),
                ("expired", false),
                ("not_yet", false),
                ("wrong_eku", false),
                ("self_signed", false),
                ("revoked", false),
                ("other_authority", false),
                ("name_constraint", false),
                ("pathlen", false),
                ("not_an_authority", false),
            ] {
                let (pem, key) = (
                    ca.path(&format!("{name}.pem")),
                    ca.path(&format!("{name}.key")),
                );
                assert_eq!(
                    ask(server.address, Some((&pem, &key)), version),
                    good,
                    "{name} {mode:?} {version}"
                );
                cases += 1;
            }
        }
        // Nothing to resume with: each connection is judged anew.
        let (_, text) = s_client(
            server.address,
            &[
                "-tls1_3",
                "-reconnect",
                "-cert",
                ca.path("good.pem").to_str().unwrap(),
                "-key",
                ca.path("good.key").to_str().unwrap(),
            ],
        );
        assert!(!text.contains("Reused, "), "{text}");
    }
    assert_eq!(cases, 44);
}

#[test]
fn a_certificate_revoked_while_the_server_runs_is_refused_from_then_on() {
    let temp = tempfile::tempdir().unwrap();
    let ca = Authority::root(&temp.path().join("ca"));
    ca.sign("alice", "extendedKeyUsage=clientAuth", None);
    let crl = ca.list();
    let server = TestServer::with(|settings| {
        self_signed(settings);
        settings.server.tls.client_certificates = ClientCertificates::Required;
        settings.server.tls.client_ca = Some(ca.path("ca.pem"));
        settings.server.tls.client_crl = Some(crl.clone());
    });
    let (pem, key) = (ca.path("alice.pem"), ca.path("alice.key"));
    assert!(ask(server.address, Some((&pem, &key)), "--tlsv1.3"));
    ca.revoke("alice");
    ca.list();
    until("it is refused", || {
        !ask(server.address, Some((&pem, &key)), "--tlsv1.3")
    });
}
