//! The npm package `oidc-provider`, a certified provider, driven by curl as a browser would.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::away::server;
use super::support::server::TestServer;

/// The provider's process.
struct Peer {
    issuer: String,
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Peer {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc");
        assert!(
            folder.join("node_modules/oidc-provider").exists(),
            "run ./dev test, which fetches the provider, or: npm ci --prefix tests/peers/oidc"
        );
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(&folder)
            .env("PEER_JWKS", keys(&folder))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut issuer = String::new();
        lines.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer:?}");
        Self {
            issuer,
            child,
            lines,
        }
    }

    fn configure(&mut self, settings: &Value) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{settings}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Fresh signing keys of each kind, made by Node.
fn keys(folder: &Path) -> String {
    let script = "const c=require('crypto');const k=(t,o,a)=>({...c.generateKeyPairSync(t,o).privateKey.export({format:'jwk'}),use:'sig',alg:a,kid:a});\
        console.log(JSON.stringify({keys:[k('rsa',{modulusLength:2048},'RS256'),k('rsa',{modulusLength:2048},'PS256'),k('ec',{namedCurve:'P-256'},'ES256'),k('ed25519',{},'EdDSA')]}))";
    let output = Command::new("node")
        .args(["-e", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// curl with a cookie jar; the body of the last answer.
struct Curl {
    folder: tempfile::TempDir,
}

impl Curl {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn get(&self, arguments: &[&str]) -> String {
        let jar = self.folder.path().join("jar");
        let output = Command::new("curl")
            .args(["-sS", "-L", "--max-time", "30", "-b"])
            .arg(&jar)
            .arg("-c")
            .arg(&jar)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Logs in at the provider and agrees, from where our server sent us.
    fn log_in(&self, start: &str, user: &str) -> String {
        let login = self.get(&[start]);
        let name = format!("login={user}");
        let consent = self.get(&[
            "-d",
            "prompt=login",
            "-d",
            &name,
            "-d",
            "password=x",
            action(&login),
        ]);
        self.get(&["-d", "prompt=consent", action(&consent)])
    }
}

/// Where the form of this page goes.
fn action(page: &str) -> &str {
    let form = page.split_once("action=\"");
    let Some((_, rest)) = form else {
        panic!("no form: {page}");
    };
    rest.split('"').next().unwrap()
}

fn login(alg: &str, more: &Value, user: &str) -> (TestServer, Curl, String) {
    let mut peer = Peer::start();
    let secret = "a-secret: with %25+&=~!";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, mode).unwrap();
    let mut provider = json!({
        "issuer": peer.issuer, "client_id": "gatepost", "client_secret": { "file": file },
    });
    for (name, value) in more.as_object().unwrap() {
        provider[name] = value.clone();
    }
    let server = server(&json!({ "peer": provider }));
    let callback = format!("http://{}/login/oidc/peer/callback", server.address);
    peer.configure(&json!({ "redirect_uris": [callback], "secret": secret, "alg": alg }));
    let curl = Curl::new();
    let page = curl.log_in(&format!("http://{}/login/oidc/peer", server.address), user);
    (server, curl, page)
}

#[test]
fn a_real_provider_logs_alice_in_with_every_kind_of_signature() {
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let (server, curl, _page) = login(alg, &json!({}), "alice");
        let who = curl.get(&[&format!("http://{}/api/login", server.address)]);
        let who: Value = serde_json::from_str(&who).unwrap();
        assert_eq!(who["user"], "alice@peer", "{alg}");
        let user = server.place.users().pop().unwrap();
        assert_eq!(user["way"], "oidc");
        assert_eq!(
            user["attributes"]["groups"],
            json!(["ops", "staff"]),
            "{user}"
        );
        assert_eq!(user["attributes"]["email"], json!(["alice@ops.example"]));
        assert_eq!(user["attributes"]["name"], json!(["alice of the tests"]));
    }
}

#[test]
fn a_name_from_an_email_address_needs_a_verified_one() {
    let by_email = json!({ "upn": "{email}" });
    let (server, _curl, _page) = login("RS256", &by_email, "alice");
    assert_eq!(
        server.place.users().pop().unwrap()["upn"],
        "alice@ops.example"
    );
    let (server, _curl, page) = login("RS256", &by_email, "mallory");
    assert!(page.contains("Not logged in"), "{page}");
    assert!(server.place.users().is_empty());
}
