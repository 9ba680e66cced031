//! A provider that says what a test tells it to, signed or not, true or not.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file needs another part of it"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A signing key with its name.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    pub(crate) fn new(kid: &'static str, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { kid, pair }
    }

    pub(crate) fn public(&self) -> Value {
        let x = base64url(self.pair.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.kid, "x": x })
    }

    /// A token with this header and these claims.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            base64url(header.to_string()),
            base64url(claims.to_string())
        );
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(signature))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.token(&json!({ "alg": "EdDSA", "kid": self.kid }), claims)
    }
}

/// What it answers, by path: status, more head lines, body.
pub(crate) type Answers = Vec<(&'static str, u16, String, String)>;

/// The provider.
pub(crate) struct Hostile {
    pub(crate) issuer: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hostile {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let answers: Arc<Mutex<Answers>> = Arc::default();
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        let (given, heard) = (answers.clone(), asked.clone());
        // Ends with the test's process; it waits for nothing but connections.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (given, heard) = (given.clone(), heard.clone());
                std::thread::spawn(move || answer(stream, &given, &heard));
            }
        });
        let provider = Self {
            issuer,
            answers,
            asked,
        };
        provider.metadata(|_| ());
        provider
    }

    pub(crate) fn set(&self, path: &'static str, status: u16, head: &str, body: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, ..)| *known != path);
        answers.push((path, status, head.to_owned(), body.to_owned()));
    }

    pub(crate) fn metadata(&self, change: impl FnOnce(&mut Value)) {
        let issuer = &self.issuer;
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        change(&mut metadata);
        let path = "/.well-known/openid-configuration";
        self.set(path, 200, "", &metadata.to_string());
    }

    pub(crate) fn keys(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.set("/keys", 200, "", &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn token(&self, id_token: &str) {
        let body = json!({ "id_token": id_token, "access_token": "a", "token_type": "Bearer" });
        self.set("/token", 200, "", &body.to_string());
    }

    /// Bodies of what was asked of this path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(known, _)| known == path)
            .map(|(_, body)| body.clone())
            .collect()
    }
}

fn answer(stream: TcpStream, given: &Mutex<Answers>, heard: &Mutex<Vec<(String, String)>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split_whitespace().nth(1).unwrap_or("/");
    let path = path.split('?').next().unwrap().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    heard.lock().unwrap().push((path.clone(), body));
    let found = given
        .lock()
        .unwrap()
        .iter()
        .find(|(known, ..)| *known == path)
        .map(|(_, status, head, body)| (*status, head.clone(), body.clone()));
    let (status, head, body) = found.unwrap_or((404, String::new(), String::new()));
    // It may have heard enough before all is said.
    drop(reader.into_inner().write_all(
        format!(
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{head}\r\n{body}",
            body.len()
        )
        .as_bytes(),
    ));
}
