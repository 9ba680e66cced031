//! Chromium without a window, driven over its debugging socket: loads the page and says when the
//! terminal in it showed the prompt and had the keyboard.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::http;
use crate::link::pass;
use crate::stage::Stage;
use crate::ws::{self, Said};

const LIMIT: Duration = Duration::from_secs(20);

/// Time from the start of navigation until the text is shown and keys go to the terminal.
pub(crate) fn interactive(stage: &Stage, url: &str, text: &str) -> Result<Duration> {
    let profile = stage.fresh("chromium-")?;
    let mut browser = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--remote-debugging-port=0", "--window-size=1280,800"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("about:blank")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("no chromium")?;
    let until = Instant::now() + LIMIT;
    let active = loop {
        if let Ok(text) = std::fs::read_to_string(profile.join("DevToolsActivePort"))
            && let Some(port) = text.lines().next()
            && let Ok(port) = port.parse()
        {
            break SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        }
        if Instant::now() > until {
            browser.kill().ok();
            browser.wait().ok();
            bail!("chromium doesn't listen for its debugger");
        }
        pass(Duration::from_millis(20));
    };
    let time = measure(active, url, text);
    browser.kill().ok();
    browser.wait().ok();
    time
}

fn measure(address: SocketAddr, url: &str, text: &str) -> Result<Duration> {
    let mut tab = Tab::open(address)?;
    // Noted in the page itself, so that asking doesn't delay what is measured.
    let script = format!(
        "(() => {{ const look = () => {{
            const rows = document.querySelector('.xterm-rows');
            if (rows?.textContent.includes({text:?}) && document.activeElement?.closest('.xterm'))
                window.benchInteractive = performance.now();
            else requestAnimationFrame(look);
        }}; look(); }})()"
    );
    tab.call("Page.enable", &json!({}))?;
    tab.call(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({ "source": script }),
    )?;
    tab.call("Page.navigate", &json!({ "url": url }))?;
    let until = Instant::now() + LIMIT;
    while Instant::now() < until {
        let asked = json!({ "expression": "window.benchInteractive ?? 0" });
        let answer = tab.call("Runtime.evaluate", &asked)?;
        if let Some(time) = answer["result"]["value"].as_f64()
            && time > 0.0
        {
            return Ok(Duration::from_secs_f64(time / 1e3));
        }
        pass(Duration::from_millis(50));
    }
    bail!("no terminal in the page within {} s", LIMIT.as_secs())
}

struct Tab {
    stream: std::net::TcpStream,
    reader: ws::Reader,
    calls: u64,
}

impl Tab {
    fn open(address: SocketAddr) -> Result<Self> {
        let list = http::Client::new(address)?
            .ask("GET", "/json/list", &[], None)?
            .json()?;
        let targets = list.as_array().context("no targets")?;
        let page = targets.iter().find(|target| target["type"] == "page");
        let url = page.and_then(|page| page["webSocketDebuggerUrl"].as_str());
        let url = url.context("no tab")?;
        let path = url.splitn(4, '/').nth(3).context("no path")?;
        let mut stream = http::connect(address)?;
        let host = address.to_string();
        // The debugger refuses a foreign Origin, so none is sent.
        let request = ws::upgrade(&host, &format!("/{path}"), "", None)
            .replace(&format!("Origin: http://{host}\r\n"), "")
            .replace("Sec-WebSocket-Protocol: \r\n", "");
        let rest = http::upgrade(&mut stream, &request)?;
        let mut reader = ws::Reader::default();
        reader.push(&rest);
        Ok(Self {
            stream,
            reader,
            calls: 0,
        })
    }

    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        use std::io::{Read, Write};
        self.calls += 1;
        let text = json!({ "id": self.calls, "method": method, "params": params }).to_string();
        let mut out = Vec::new();
        ws::message(&mut out, ws::TEXT, &[text.as_bytes()]);
        self.stream.write_all(&out)?;
        let mut buffer = [0; 16 << 10];
        loop {
            while let Some(said) = self.reader.next()? {
                let Said::Message(message) = said else {
                    continue;
                };
                let answer: Value = serde_json::from_slice(&message)?;
                if answer["id"] == self.calls {
                    return Ok(answer["result"].clone());
                }
            }
            match self.stream.read(&mut buffer)? {
                0 => bail!("chromium closed its debugger"),
                count => self.reader.push(buffer.get(..count).unwrap_or_default()),
            }
        }
    }
}
