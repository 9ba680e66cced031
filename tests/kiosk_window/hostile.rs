//! A server that hands the kiosk's window a page of its own: everything a page can try to get out, with
//! what the page says came of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::screen::Screen;
use super::{PROMPT, Running, until};

/// What was asked for, first line of the request only.
type Asked = Arc<Mutex<Vec<String>>>;

/// The server: a control socket and a page.
pub(crate) struct Hostile {
    folder: tempfile::TempDir,
    asked: Asked,
    /// Port of the page.
    pub(crate) port: u16,
}

/// All of the page is in the prompt's colour. It behaves as ours does, and then tries things: `tries`
/// is the body of an async function, and `click()` waits for a finger.
fn page(tries: &str) -> String {
    let [red, green, blue] = PROMPT;
    format!(
        "<!doctype html><style>html,body{{margin:0;height:100%;background:rgb({red},{green},{blue})}}</style><body><script>\n\
         const tell = (word) => window.ipc?.postMessage(word);\n\
         setInterval(() => tell('beat'), 500);\n\
         requestAnimationFrame(() => tell('painted'));\n\
         const say = (what) => fetch('/said/' + encodeURIComponent(what), {{ method: 'POST' }});\n\
         const pause = (ms) => new Promise((done) => setTimeout(done, ms));\n\
         const click = () => new Promise((done) => addEventListener('click', done, {{ once: true }}));\n\
         const make = (tag, more) => document.body.appendChild(Object.assign(document.createElement(tag), more));\n\
         const tries = async () => {{ {tries} }};\n\
         tries().then(() => say('end'), (error) => say('error ' + error));\n\
         </script>"
    )
}

impl Hostile {
    /// A server whose page tries this.
    pub(crate) fn start(tries: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let hostile = Self::leading_to(&format!("http://127.0.0.1:{port}/"), port);
        let (asked, body) = (Arc::clone(&hostile.asked), page(tries));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, body) = (Arc::clone(&asked), body.clone());
                std::thread::spawn(move || answer(stream, &asked, &body));
            }
        });
        hostile
    }

    /// Only a control socket, which hands out this address.
    pub(crate) fn leading_to(address: &str, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("run");
        std::fs::create_dir(&runtime).unwrap();
        let control = UnixListener::bind(runtime.join("control.sock")).unwrap();
        let json = format!(r#"{{"answer":"url","url":"{address}#token=0"}}"#);
        std::thread::spawn(move || {
            for mut stream in control.incoming().flatten() {
                let mut length = [0; 4];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut call = vec![0; u32::from_be_bytes(length) as usize];
                let length = u32::try_from(json.len()).unwrap().to_be_bytes();
                let asked = stream.read_exact(&mut call);
                let _gone =
                    asked.and_then(|()| stream.write_all(&[&length, json.as_bytes()].concat()));
            }
        });
        Self {
            folder,
            asked: Arc::default(),
            port,
        }
    }

    /// The window with this page in it.
    pub(crate) fn window(&self, screen: &Screen) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
        screen
            .use_it(&mut command)
            .env("GATEPOST_RUNTIME_DIR", self.folder.path().join("run"))
            .env("HOME", self.folder.path());
        Running(command.spawn().unwrap())
    }

    /// The home folder of the window.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// What was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What the page said.
    pub(crate) fn said(&self) -> Vec<String> {
        let asked = self.asked();
        let said = asked
            .iter()
            .filter_map(|line| line.strip_prefix("POST /said/"));
        said.map(|word| word.replace("%20", " ")).collect()
    }

    /// Waits until the page has tried everything, with a finger on it all the time.
    pub(crate) fn until_end(&self, screen: &Screen) -> Vec<String> {
        until("the page has tried everything", || {
            screen.script("mousemove 400 240\nclick 1\n");
            self.said()
                .iter()
                .any(|word| word == "end" || word.starts_with("error"))
        });
        self.said()
    }
}

fn answer(stream: TcpStream, asked: &Asked, page: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
        line.clear();
    }
    let wanted = first.rsplit_once(' ').unwrap_or_default().0.to_owned();
    let (status, more, body) = match wanted.as_str() {
        "GET /" => ("200 OK", "Content-Type: text/html", page),
        "GET /download" => (
            "200 OK",
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=kept.bin",
            "kept",
        ),
        "GET /password" => (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=x",
            "who are you",
        ),
        // Whatever else it is shown, it is white.
        _ => (
            "200 OK",
            "Content-Type: text/html",
            "<body bgcolor=white>white",
        ),
    };
    asked.lock().unwrap().push(wanted);
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    let _gone = stream.write_all(format!("{head}{body}").as_bytes());
}
