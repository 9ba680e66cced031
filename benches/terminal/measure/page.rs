//! What the page weighs as the server sends it, and how soon it is a terminal one can type in.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use super::Turn;
use crate::chromium;
use crate::http::Client;

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let Some((address, _)) = turn.server.page()? else {
        return Ok(());
    };
    for (key, encoding) in [("page-brotli", "br"), ("page-gzip", "gzip")] {
        turn.add(key, weigh(address, encoding)?);
    }
    // The page shows a terminal that is there already; opening one is another row.
    let _viewer = turn.prompt()?;
    let Some((_, url)) = turn.server.page()? else {
        return Ok(());
    };
    match chromium::interactive(turn.stage, &url, "<1>") {
        Ok(time) => turn.add("page-interactive", time.as_secs_f64()),
        Err(error) => turn.figures.note(format!("page-interactive: {error:#}")),
    }
    Ok(())
}

/// Kilobytes of the page and of everything it names.
fn weigh(address: SocketAddr, encoding: &str) -> Result<f64> {
    let mut client = Client::new(address)?;
    let plain = client.ask("GET", "/", &[], None)?;
    let html = String::from_utf8(plain.body).context("the page isn't text")?;
    let accept = format!("Accept-Encoding: {encoding}");
    let mut paths = vec!["/".to_owned()];
    for part in html.split('"') {
        let path = part.trim_start_matches("./").trim_start_matches('/');
        if path.starts_with("assets/") {
            paths.push(format!("/{path}"));
        }
    }
    let mut total = 0;
    for path in paths {
        let answer = client.ask("GET", &path, std::slice::from_ref(&accept), None)?;
        anyhow::ensure!(answer.status == 200, "{path}: status {}", answer.status);
        total += answer.body.len();
    }
    Ok(f64::from(u32::try_from(total)?) / 1000.0)
}
