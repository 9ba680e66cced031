//! The rows of the table, with what must hold and what is aimed at.

use self::Bound::{Least, LeastOf, Most, MostOf};
use crate::peer::Peer::{self, BarePty, Ttyd};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
    /// No more than this many times a peer's figure of the same run.
    MostOf(f64, Peer),
    /// No less than this many times a peer's figure of the same run.
    LeastOf(f64, Peer),
}

/// One row.
pub(crate) struct Row {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) must: &'static [Bound],
    pub(crate) aim: &'static [Bound],
}

const fn row(
    key: &'static str,
    title: &'static str,
    unit: &'static str,
    must: &'static [Bound],
    aim: &'static [Bound],
) -> Row {
    Row {
        key,
        title,
        unit,
        must,
        aim,
    }
}

const BULK_AIM: &[Bound] = &[LeastOf(1.0, Ttyd), LeastOf(0.6, BarePty)];

/// Every row, in the order printed.
pub(crate) const ROWS: &[Row] = &[
    row(
        "interrupt-socket",
        "^C to prompt in yes, 1 MB/s, slow line",
        "s",
        &[Most(0.3)],
        &[Most(0.1)],
    ),
    row(
        "interrupt-emulator",
        "^C to prompt in yes, 1 MB/s, slow emulator",
        "s",
        &[Most(0.3)],
        &[Most(0.1)],
    ),
    row(
        "log-socket",
        "cat 50 MB to 1 MB/s, slow line",
        "s",
        &[Most(3.0)],
        &[Most(1.0)],
    ),
    row(
        "log-emulator",
        "cat 50 MB to 1 MB/s, slow emulator",
        "s",
        &[Most(3.0)],
        &[Most(1.0)],
    ),
    row(
        "bulk-mixed",
        "bulk, mixed text 32 MB",
        "MB/s",
        &[LeastOf(0.8, Ttyd)],
        BULK_AIM,
    ),
    row(
        "bulk-seq",
        "bulk, seq 2 million lines",
        "MB/s",
        &[LeastOf(0.8, Ttyd)],
        BULK_AIM,
    ),
    row(
        "bulk-redraw",
        "bulk, redraws 16 MB",
        "MB/s",
        &[LeastOf(0.8, Ttyd)],
        BULK_AIM,
    ),
    row(
        "bulk-colours",
        "bulk, colours everywhere 16 MB",
        "MB/s",
        &[],
        &[],
    ),
    row(
        "cpu-mixed",
        "server CPU, mixed text",
        "ms/MB",
        &[Most(15.0)],
        &[Most(10.0)],
    ),
    row("cpu-seq", "server CPU, seq", "ms/MB", &[], &[]),
    row("cpu-redraw", "server CPU, redraws", "ms/MB", &[], &[]),
    row(
        "cpu-colours",
        "server CPU, colours everywhere",
        "ms/MB",
        &[],
        &[],
    ),
    row(
        "wire-mixed",
        "wire bytes per output byte, mixed",
        "",
        &[Most(1.02)],
        &[],
    ),
    row(
        "left-out-mixed",
        "output shown as repaints, mixed",
        "%",
        &[],
        &[],
    ),
    row(
        "echo-idle",
        "key echo p50, idle",
        "ms",
        &[MostOf(1.5, Ttyd)],
        &[MostOf(1.0, Ttyd)],
    ),
    row("echo-idle-p99", "key echo p99, idle", "ms", &[], &[]),
    row(
        "echo-flood",
        "key echo p50, neighbour flooding",
        "ms",
        &[MostOf(1.5, Ttyd)],
        &[MostOf(1.0, Ttyd)],
    ),
    row(
        "echo-flood-p99",
        "key echo p99, neighbour flooding",
        "ms",
        &[],
        &[],
    ),
    row(
        "rss",
        "RSS of the server, idle",
        "KiB",
        &[Most(15.0 * 1024.0)],
        &[Most(8.0 * 1024.0)],
    ),
    row(
        "terminal",
        "PSS per idle terminal",
        "KiB",
        &[Most(1024.0)],
        &[Most(512.0)],
    ),
    row(
        "history",
        "10 000 lines of log, more by",
        "KiB",
        &[Most(1536.0)],
        &[Most(512.0)],
    ),
    row(
        "open",
        "connect to prompt of a new terminal",
        "ms",
        &[Most(25.0)],
        &[Most(10.0)],
    ),
    row(
        "again",
        "reattach to 1000 lines painted",
        "ms",
        &[Most(50.0)],
        &[Most(15.0)],
    ),
    row(
        "many-failed",
        "200 terminals: failed",
        "",
        &[Most(0.0)],
        &[Most(0.0)],
    ),
    row(
        "many-paced",
        "200 terminals: paced echo p50",
        "ms",
        &[Most(1.5)],
        &[Most(1.0)],
    ),
    row(
        "many-paced-p99",
        "200 terminals: paced echo p99",
        "ms",
        &[],
        &[],
    ),
    row(
        "many-loop",
        "200 terminals: echoes, closed loop",
        "/s",
        &[],
        &[Least(25_000.0)],
    ),
    row("many-open", "200 terminals: all open after", "s", &[], &[]),
    row("model-mixed", "screen model alone, mixed", "MB/s", &[], &[]),
    row("model-log", "screen model alone, log", "MB/s", &[], &[]),
    row(
        "model-redraw",
        "screen model alone, redraws",
        "MB/s",
        &[],
        &[],
    ),
    row(
        "model-repaint",
        "repaint of 1000 lines and the screen",
        "ms",
        &[],
        &[],
    ),
    row(
        "page-brotli",
        "page, brotli",
        "KB",
        &[Most(250.0)],
        &[Most(150.0)],
    ),
    row(
        "page-gzip",
        "page, gzip",
        "KB",
        &[Most(250.0)],
        &[Most(150.0)],
    ),
    row(
        "page-interactive",
        "page, time to interactive",
        "s",
        &[Most(1.0)],
        &[Most(0.5)],
    ),
];

/// Bounds in words.
pub(crate) fn say(bounds: &[Bound]) -> String {
    let said: Vec<String> = bounds
        .iter()
        .map(|bound| match bound {
            Most(most) => format!("≤ {}", number(*most)),
            Least(least) => format!("≥ {}", number(*least)),
            MostOf(times, peer) => format!("≤ {times}×{}", peer.name()),
            LeastOf(times, peer) => format!("≥ {times}×{}", peer.name()),
        })
        .collect();
    said.join(", ")
}

/// Three digits that matter.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 0.1 => format!("{value:.3}"),
        small if small < 10.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
