//! TLS as browsers and authorities do it: a tunnel for the raw browser, a server that speaks it, and
//! certificates made and looked at with the openssl program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use gatepost::policy::settings::server::TlsMode;
use gatepost::role::serve::Settings;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::server::fed;
use super::web::Browser;

/// Believes every certificate: whether it is the right one is another test's business.
#[derive(Debug)]
struct Anybody(rustls::crypto::CryptoProvider);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A client that believes every server.
pub fn credulous() -> Arc<ClientConfig> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    Arc::new(builder.with_no_client_auth())
}

/// Encrypts what a raw browser sends, for as long as it lives.
pub struct Tunnel {
    pub address: SocketAddr,
    _runtime: Runtime,
}

impl Tunnel {
    pub fn to(server: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let connector = TlsConnector::from(credulous());
        runtime.spawn(async move {
            while let Ok((mut browser, _)) = listener.accept().await {
                let connector = connector.clone();
                tokio::spawn(async move {
                    browser.set_nodelay(true).unwrap();
                    let stream = TcpStream::connect(server).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let name = ServerName::from(server.ip());
                    let Ok(mut stream) = connector.connect(name, stream).await else {
                        return;
                    };
                    drop(tokio::io::copy_bidirectional(&mut browser, &mut stream).await);
                    drop(browser.shutdown().await);
                });
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }

    /// A browser behind it.
    pub fn browser(&self) -> Browser {
        let mut browser = Browser::new(self.address);
        browser.https = true;
        browser
    }
}

/// Runs a program that has to be there.
pub fn program(name: &str, arguments: &[&str], input: &str) -> Output {
    fed(Command::new(name).args(arguments), input)
        .unwrap_or_else(|error| panic!("{name}: {error}; ./dev test installs what is missing"))
}

/// What a program said, on both ways.
pub fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

/// Runs openssl; it has to succeed.
pub fn openssl(arguments: &[&str]) -> String {
    let output = program("openssl", arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// HTTPS with a certificate of its own, and the kiosk's listener wherever there is room.
pub fn self_signed(settings: &mut Settings) {
    settings.server.tls.mode = TlsMode::SelfSigned;
    settings.server.local_listen = "127.0.0.1:0".parse().unwrap();
    settings.web.certificates = Duration::from_millis(50);
}

/// Shakes hands by openssl; what it says of it.
pub fn s_client(address: SocketAddr, more: &[&str]) -> (bool, String) {
    let address = address.to_string();
    let mut arguments = vec!["s_client", "-connect", &address];
    arguments.extend(more);
    let output = program("openssl", &arguments, "Q\n");
    (output.status.success(), said(&output))
}

/// SHA-256 of the certificate that is shown at an address.
pub fn shown(address: SocketAddr) -> String {
    let (_, text) = s_client(address, &[]);
    let begin = text
        .find("-----BEGIN CERTIFICATE")
        .unwrap_or_else(|| panic!("{text}"));
    let output = program(
        "openssl",
        &["x509", "-noout", "-fingerprint", "-sha256"],
        &text[begin..],
    );
    let line = said(&output);
    line.trim().split_once('=').unwrap().1.to_owned()
}

/// A certificate authority in a folder.
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let ca = Self {
            folder: folder.to_owned(),
        };
        std::fs::write(ca.path("index"), "").unwrap();
        std::fs::write(ca.path("serial"), "01\n").unwrap();
        std::fs::write(ca.path("crlnumber"), "01\n").unwrap();
        let shown = folder.display();
        std::fs::write(
            ca.path("config"),
            format!(
                "[ca]\ndefault_ca=own\n[own]\ndatabase={shown}/index\nserial={shown}/serial\ncrlnumber={shown}/crlnumber\n\
                 new_certs_dir={shown}\ncertificate={shown}/ca.pem\nprivate_key={shown}/ca.key\ndefault_md=sha256\n\
                 default_days=30\ndefault_crl_days=30\npolicy=any\nunique_subject=no\nemail_in_dn=no\n[any]\ncommonName=supplied\n\
                 [req]\ndistinguished_name=dn\n[dn]\n"
            ),
        )
        .unwrap();
        ca
    }

    /// With a certificate of its own, signed by itself.
    pub fn root(folder: &Path) -> Self {
        let ca = Self::new(folder);
        ca.key("ca");
        let (key, pem, config) = (ca.text("ca.key"), ca.text("ca.pem"), ca.text("config"));
        openssl(&[
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-out",
            &pem,
            "-config",
            &config,
            "-subj",
            "/CN=Test authority",
            "-days",
            "30",
            "-addext",
            "basicConstraints=critical,CA:true",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-addext",
            "subjectKeyIdentifier=hash",
        ]);
        ca
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn key(&self, name: &str) {
        let out = self.text(&format!("{name}.key"));
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &out,
        ]);
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Signs a certificate with these extensions; NAME.pem and NAME.key appear. The dates are as
    /// openssl has them, `YYYYMMDDHHMMSSZ`.
    pub fn sign(&self, name: &str, extensions: &str, dates: Option<(&str, &str)>) {
        self.key(name);
        let (key, csr, pem) = (
            self.text(&format!("{name}.key")),
            self.text(&format!("{name}.csr")),
            self.text(&format!("{name}.pem")),
        );
        let (config, extfile) = (self.text("config"), self.text(&format!("{name}.ext")));
        std::fs::write(
            &extfile,
            format!("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n{extensions}\n"),
        )
        .unwrap();
        let subject = format!("/CN={name}");
        openssl(&[
            "req", "-new", "-key", &key, "-out", &csr, "-config", &config, "-subj", &subject,
        ]);
        let mut arguments = vec![
            "ca", "-batch", "-notext", "-config", &config, "-in", &csr, "-out", &pem, "-extfile",
            &extfile,
        ];
        if let Some((from, to)) = dates {
            arguments.extend(["-startdate", from, "-enddate", to]);
        }
        openssl(&arguments);
    }

    /// An authority below this one.
    pub fn below(&self, name: &str, extensions: &str) -> Self {
        self.sign(name, extensions, None);
        let child = Self::new(&self.path(&format!("{name}.ca")));
        for (from, to) in [("key", "ca.key"), ("pem", "ca.pem")] {
            std::fs::copy(self.path(&format!("{name}.{from}")), child.path(to)).unwrap();
        }
        child
    }

    /// Revokes a certificate.
    pub fn revoke(&self, name: &str) {
        let (config, pem) = (self.text("config"), self.text(&format!("{name}.pem")));
        openssl(&["ca", "-config", &config, "-revoke", &pem]);
    }

    /// Writes its list of revoked certificates.
    pub fn list(&self) -> PathBuf {
        let (config, out) = (self.text("config"), self.text("crl.pem"));
        openssl(&["ca", "-config", &config, "-gencrl", "-out", &out]);
        self.path("crl.pem")
    }
}
