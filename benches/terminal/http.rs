//! Just enough HTTP/1.1 for the benchmark: log in, ask the API, weigh the page, upgrade to WebSocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longest wait for a server on loopback.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON, if the status is one of success.
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            bail!(
                "status {}: {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            );
        }
        serde_json::from_slice(&self.body).context("the answer isn't JSON")
    }
}

/// Connects with small packets sent at once, as browsers do.
pub(crate) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// A connection kept open for requests, as a browser keeps one.
pub(crate) struct Client {
    stream: TcpStream,
    host: String,
}

impl Client {
    /// Connects to a server.
    pub(crate) fn new(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            stream: connect(address)?,
            host: address.to_string(),
        })
    }

    /// One request and its answer; `headers` are whole lines.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[String],
        body: Option<&str>,
    ) -> Result<Response> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if method != "GET" {
            request += &format!("Origin: http://{}\r\n", self.host);
        }
        for header in headers {
            request += header;
            request += "\r\n";
        }
        let body = body.unwrap_or("");
        if method != "GET" {
            request += &format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        request += "\r\n";
        request += body;
        self.stream.write_all(request.as_bytes())?;
        self.answer()
            .with_context(|| format!("no answer to {method} {path}"))
    }

    fn answer(&mut self) -> Result<Response> {
        let (head, mut body) = read_head(&mut self.stream)?;
        let status = status_of(&head)?;
        let mut response = Response {
            status,
            head,
            body: Vec::new(),
        };
        if let Some(length) = response.header("content-length") {
            let length: usize = length.parse()?;
            while body.len() < length {
                read_more(&mut self.stream, &mut body)?;
            }
        } else if response.header("transfer-encoding").is_some() {
            body = self.chunked(body)?;
        }
        response.body = body;
        Ok(response)
    }

    fn chunked(&mut self, mut raw: Vec<u8>) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let Some(end) = raw.windows(2).position(|two| two == b"\r\n") else {
                read_more(&mut self.stream, &mut raw)?;
                continue;
            };
            let line = String::from_utf8_lossy(raw.get(..end).unwrap_or_default()).into_owned();
            let size = usize::from_str_radix(line.trim(), 16).context("bad chunk size")?;
            while raw.len() < end + 2 + size + 2 {
                read_more(&mut self.stream, &mut raw)?;
            }
            body.extend(raw.get(end + 2..end + 2 + size).unwrap_or_default());
            raw.drain(..end + 2 + size + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

/// Sends an upgrade request; returns the bytes that came behind the 101.
pub(crate) fn upgrade(stream: &mut TcpStream, request: &str) -> Result<Vec<u8>> {
    stream.write_all(request.as_bytes())?;
    let (head, rest) = read_head(stream)?;
    match status_of(&head)? {
        101 => Ok(rest),
        status => bail!("the WebSocket upgrade was answered with status {status}"),
    }
}

fn read_head(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        read_more(stream, &mut bytes)?;
    }
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 16 << 10];
    match stream.read(&mut buffer)? {
        0 => bail!("the server closed the connection"),
        count => bytes.extend(buffer.get(..count).unwrap_or_default()),
    }
    Ok(())
}

fn status_of(head: &str) -> Result<u16> {
    head.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .context("the answer has no status")
}
