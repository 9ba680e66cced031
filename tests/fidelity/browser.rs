//! The browser's terminal emulator, run by node beside the test: named terminals to feed and compare.

use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use gatepost::base::Size;
use serde_json::{Value, json};

/// How long one answer may take; the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// How two terminals differ in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What differs: `text`, `attributes`, `cursor`, …
    pub(crate) field: String,
    /// Where: a row of the screen, or nothing.
    pub(crate) place: String,
    /// What the reference has.
    pub(crate) expected: String,
    /// What the other one has.
    pub(crate) got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}\n    expected {}\n    got      {}",
            self.field, self.place, self.expected, self.got
        )
    }
}

/// A node process full of terminals.
pub(crate) struct Browser {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Browser {
    /// Starts node.
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity");
        assert!(
            folder.join("node_modules/@xterm/headless").is_dir(),
            "the browser's emulator is missing: run `npm ci` in tests/fidelity (`./dev test` does)"
        );
        let mut child = Command::new("node")
            .arg("compare.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("node doesn't start ({error}): install Debian's nodejs, or run `./dev test`")
            });
        let requests = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, answers) = sync_channel(1);
        std::thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|length| length > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            requests,
            answers,
        }
    }

    fn ask(&mut self, mut request: Value, bytes: &[u8]) -> Value {
        request["bytes"] = bytes.len().into();
        let mut message = request.to_string().into_bytes();
        message.push(b'\n');
        message.extend_from_slice(bytes);
        self.requests.write_all(&message).unwrap();
        let answer = self
            .answers
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("node gave no answer to {request}"));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{request}: {}", answer["error"]);
        answer
    }

    /// A new terminal; one of the same name is thrown away.
    pub(crate) fn open(&mut self, name: &str, size: Size, scrollback: usize) {
        let (cols, rows) = (size.cols(), size.rows());
        self.ask(
            json!({"op": "open", "name": name, "cols": cols, "rows": rows, "scrollback": scrollback}),
            b"",
        );
    }

    /// Output for a terminal.
    pub(crate) fn feed(&mut self, name: &str, bytes: &[u8]) {
        self.ask(json!({"op": "feed", "name": name}), bytes);
    }

    /// What the page does before it paints a full repaint.
    pub(crate) fn reset(&mut self, name: &str) {
        self.ask(json!({"op": "reset", "name": name}), b"");
    }

    /// Changes a terminal's size; xterm.js reflows by its own rules.
    pub(crate) fn resize(&mut self, name: &str, size: Size) {
        let (cols, rows) = (size.cols(), size.rows());
        self.ask(
            json!({"op": "resize", "name": name, "cols": cols, "rows": rows}),
            b"",
        );
    }

    /// Throws a terminal away.
    pub(crate) fn close(&mut self, name: &str) {
        self.ask(json!({"op": "close", "name": name}), b"");
    }

    /// Everything in which `other` differs from `reference`, but for the fields to ignore. Of the
    /// scrollback the last so many lines count, which both must have as far as there ever were so many.
    pub(crate) fn differences(
        &mut self,
        reference: &str,
        other: &str,
        scrollback: usize,
        ignore: &[&str],
    ) -> Vec<Difference> {
        let answer = self.ask(
            json!({"op": "compare", "a": reference, "b": other, "scrollback": scrollback, "ignore": ignore}),
            b"",
        );
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), |text| format!("{text:?}"))
        };
        answer["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| Difference {
                field: found["field"].as_str().unwrap().to_owned(),
                place: found["where"].as_str().unwrap().to_owned(),
                expected: text(&found["expected"]),
                got: text(&found["got"]),
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It has nothing to lose.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
