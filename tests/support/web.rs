//! A browser made of raw sockets: it says exactly what a test tells it to.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use gatepost::wire::frame::{FromViewer, ToViewer};
use serde_json::{Value, json};

use super::keeper::DEADLINE;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The cookies it sets, attributes included.
    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .map(|(_, cookie)| cookie.as_str())
    }

    /// The value of a cookie it sets; none where it is only taken away.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.set_cookies()
            .filter_map(|cookie| cookie.split(';').next()?.split_once('='))
            .find(|(known, value)| *known == name && !value.is_empty())
            .map(|(_, value)| value)
    }
}

/// Somebody's browser.
#[derive(Debug, Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub cookie: Option<String>,
    /// Its page came by HTTPS: the address is a tunnel to where that is spoken.
    pub https: bool,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            https: false,
        }
    }

    pub fn log_in(&mut self, url: &str) {
        let token = url.split_once("#token=").unwrap().1;
        let token = token.split('&').next().unwrap();
        let answer = self.post("/api/login", &json!({ "token": token }));
        assert_eq!(answer.status, 204, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap();
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    /// Does with an answer's cookies what a browser does.
    pub fn take_cookies(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            let pair = cookie.split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            let mut kept: Vec<String> = self
                .cookie
                .iter()
                .flat_map(|cookies| cookies.split("; "))
                .filter(|known| known.split('=').next() != Some(name))
                .map(str::to_owned)
                .collect();
            if !cookie.contains("Max-Age=0") {
                kept.push(pair.to_owned());
            }
            self.cookie = Some(kept.join("; ")).filter(|cookies| !cookies.is_empty());
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The head of a request as our page would send it, without its last empty line.
    pub fn head(&self, method: &str, path: &str) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\n",
            self.address,
            self.origin()
        );
        if let Some(cookie) = &self.cookie {
            head.push_str(&format!("Cookie: {cookie}\r\n"));
        }
        head
    }

    /// Sends bytes on a new connection and reads the answer; `None` when it is closed without one.
    pub fn raw(&self, request: &[u8]) -> Option<Answer> {
        let mut stream = self.connect();
        // The server may have refused and closed before it had read all.
        drop(stream.write_all(request));
        read_answer(&mut stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.raw(format!("{}\r\n", self.head("GET", path)).as_bytes())
            .unwrap()
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let head = self.head(method, path);
        let more = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.raw(format!("{head}{more}").as_bytes()).unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body)
    }

    /// Opens a terminal and returns its id.
    pub fn open(&self, body: &Value) -> String {
        let answer = self.post("/api/terminals", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["terminal"].as_str().unwrap().to_owned()
    }

    pub fn terminals(&self) -> Vec<Value> {
        let answer = self.get("/api/terminals");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["terminals"].as_array().unwrap().clone()
    }

    pub fn socket_token(&self) -> String {
        let answer = self.post("/api/token", &json!({}));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// The headers of a WebSocket handshake.
    pub fn upgrade(&self, path: &str) -> String {
        format!(
            "{}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: gatepost.v1\r\n\r\n",
            self.head("GET", path)
        )
    }

    /// A WebSocket that hasn't said anything yet.
    pub fn socket(&self, path: &str) -> Socket {
        let mut stream = self.connect();
        stream.write_all(self.upgrade(path).as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        assert_eq!(answer.status, 101, "{answer:?}");
        assert_eq!(
            answer.header("sec-websocket-accept"),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        );
        assert_eq!(answer.header("sec-websocket-protocol"), Some("gatepost.v1"));
        stream.set_nodelay(true).unwrap();
        Socket::from_stream(stream)
    }

    /// A viewer of a terminal.
    pub fn view(&self, terminal: &str) -> Socket {
        let mut socket = self.socket("/ws/terminal");
        socket.text(&json!({
            "token": self.socket_token(), "terminal": terminal, "attach": { "mode": "type" }
        }));
        socket
    }
}

/// Reads one answer.
pub fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let status: u16 = status.parse().unwrap();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let length = answer.header("content-length");
    if let Some(length) = length.and_then(|length| length.parse::<usize>().ok()) {
        answer.body = vec![0; length];
        stream.read_exact(&mut answer.body).ok()?;
    } else if answer.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut line = String::new();
            while !line.ends_with("\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).ok()?;
                line.push(char::from(byte[0]));
            }
            let length = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; length + 2];
            stream.read_exact(&mut chunk).ok()?;
            if length == 0 {
                break;
            }
            answer.body.extend(&chunk[..length]);
        }
    }
    Some(answer)
}

/// A message from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16),
    /// The connection ended without a close frame.
    Gone,
}

/// A WebSocket.
pub struct Socket {
    pub stream: TcpStream,
    /// The terminal's output and repaints so far.
    pub seen: String,
    seq: u64,
}

impl Socket {
    /// A WebSocket over a connection that is one already.
    pub fn from_stream(stream: TcpStream) -> Self {
        Self {
            stream,
            seen: String::new(),
            seq: 0,
        }
    }

    /// Sends one frame: first byte as given, masked with zeros.
    pub fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | length as u8),
            length @ 126..65536 => {
                bytes.push(0xfe);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(0xff);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        self.bytes(&bytes);
    }

    /// Sends anything.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // Whether it was refused is seen in what the server says.
        drop(self.stream.write_all(bytes));
    }

    pub fn text(&mut self, value: &Value) {
        self.frame(0x81, value.to_string().as_bytes());
    }

    pub fn viewer(&mut self, frame: &FromViewer<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.frame(0x82, &bytes);
    }

    pub fn type_in(&mut self, text: &str) {
        self.viewer(&FromViewer::Input(text.as_bytes()));
    }

    /// The next message.
    pub fn next(&mut self) -> Message {
        match self.try_next() {
            Ok(message) => message,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ) =>
            {
                Message::Gone
            }
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    fn try_next(&mut self) -> std::io::Result<Message> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        assert_eq!(head[0] & 0xf0, 0x80, "whole frames without extensions");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload)?;
        Ok(match head[0] & 0x0f {
            1 => Message::Text(String::from_utf8(payload).unwrap()),
            2 => Message::Binary(payload),
            8 => Message::Close(u16::from_be_bytes([payload[0], payload[1]])),
            9 => Message::Ping(payload),
            10 => Message::Pong(payload),
            other => panic!("opcode {other}"),
        })
    }

    /// The close code with which this ends; what comes before is acknowledged and kept.
    pub fn close_code(&mut self) -> Option<u16> {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            match self.next() {
                Message::Close(code) => return Some(code),
                Message::Gone => return None,
                Message::Binary(frame) => self.take(&frame),
                Message::Ping(payload) => self.frame(0x8a, &payload),
                Message::Text(_) | Message::Pong(_) => {}
            }
        }
        panic!("not closed in time")
    }

    /// Reads until the terminal has shown this.
    pub fn wait_text(&mut self, text: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.seen.contains(text) {
            assert!(Instant::now() < end, "waited for {text:?}: {:?}", self.seen);
            match self.next() {
                Message::Binary(frame) => self.take(&frame),
                Message::Ping(payload) => self.frame(0x8a, &payload),
                Message::Pong(_) => {}
                other => panic!("waited for {text:?}, got {other:?} after {:?}", self.seen),
            }
        }
    }

    fn take(&mut self, frame: &[u8]) {
        match ToViewer::decode(frame).unwrap() {
            ToViewer::Output { seq, bytes } | ToViewer::Repaint { seq, bytes, .. } => {
                self.seen.push_str(&String::from_utf8_lossy(bytes));
                self.seq = seq;
                self.viewer(&FromViewer::Ack(seq));
            }
            _ => {}
        }
    }

    /// Whether nothing comes for this long.
    pub fn is_silent(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let silent = match self.try_next() {
            Ok(_) => false,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        silent
    }

    pub fn hang_up(self) {
        drop(self.stream.shutdown(Shutdown::Both));
    }
}
