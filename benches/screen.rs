//! How fast the screen model eats output (processor time), and what its scrollback weighs:
//! `cargo bench --bench screen`. Names of files measure those as well.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind, Search};

/// Bytes fed in each round: enough that a round takes a good part of a second.
const ROUND: usize = 16 << 20;
/// What a keeper reads at once.
const PIECE: usize = 64 << 10;
const ROUNDS: usize = 3;

fn main() {
    let size = Size::clamped(120, 40);
    println!("{:<10} {:>8} {:>10}", "output", "MB/s", "ms/MB");
    for (name, sample) in samples() {
        let stream: Vec<u8> = sample.iter().copied().cycle().take(ROUND).collect();
        let seconds = (0..ROUNDS)
            .map(|_| feed(&mut AlacrittyModel::new(size, 10_000), &stream))
            .fold(f64::INFINITY, f64::min);
        let megabytes = f64::from(u32::try_from(ROUND).unwrap_or(0)) / 1e6;
        println!(
            "{name:<10} {:>8.0} {:>10.2}",
            megabytes / seconds,
            seconds * 1e3 / megabytes
        );
    }

    let mut model = AlacrittyModel::new(size, 10_000);
    let before = resident();
    feed(&mut model, &log(12_000));
    while model.tidy() {}
    println!();
    println!(
        "10 000 lines of log: {} KiB of scrollback, resident +{} KiB",
        model.scrollback_bytes() >> 10,
        resident().saturating_sub(before)
    );
    for history in [0, 1000, 10_000] {
        let start = Instant::now();
        let painted = model.repaint(RepaintKind::Full {
            history,
            max_history_bytes: usize::MAX,
        });
        println!(
            "repaint with {history} lines: {} KiB in {:.2} ms",
            painted.bytes.len() >> 10,
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    for (what, find) in [
        ("found nowhere", Search::plain("nowhere to be found")),
        ("a regular expression", Search::regex("nowhere.*found")),
    ] {
        let start = Instant::now();
        if let Ok(find) = find {
            black_box(model.search(&find, None, 100));
        }
        println!(
            "search of 10 000 lines, {what}: {:.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    let start = Instant::now();
    model.resize(Size::clamped(100, 50));
    println!("resize: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
}

/// Seconds of processor time, which a busy machine doesn't stretch.
fn processor() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
    .as_secs_f64()
}

fn feed(model: &mut AlacrittyModel, stream: &[u8]) -> f64 {
    let start = processor();
    for piece in stream.chunks(PIECE) {
        model.feed(piece);
        while let Some(event) = model.next_event() {
            black_box(event);
        }
    }
    processor() - start
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples = vec![("log", log(5000)), ("yes", b"y\r\n".repeat(5000))];
    let coloured = (0..3000).flat_map(|i| {
        format!("\x1b[32m{i:06}\x1b[0m \x1b[1;34mINFO\x1b[0m request served in \x1b[33m{} ms\x1b[0m\r\n", i % 97)
            .into_bytes()
    });
    samples.push(("coloured", coloured.collect()));
    let utf8 = "größer, schöner – naïve café… ─│┌┐ 日本語の文字 и кириллица 👍\r\n";
    samples.push(("utf-8", utf8.repeat(2000).into_bytes()));
    for name in ["htop", "vim", "less", "tmux"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fidelity/recordings");
        let file = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .find(|file| {
                file.file_name()
                    .to_string_lossy()
                    .starts_with(&format!("{name}."))
            });
        if let Some(bytes) = file.and_then(|file| fs::read(file.path()).ok()) {
            samples.push((name, bytes));
        }
    }
    for name in std::env::args().skip(1) {
        if let Ok(text) = fs::read_to_string(&name) {
            samples.push(("a file", text.replace('\n', "\r\n").into_bytes()));
        }
    }
    samples
}

/// Lines like a web server's log.
fn log(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|i| {
            format!(
                "10.{}.{}.{} - - [22/Nov/2026:03:{:02}:{:02} +0000] \"GET /page/{} HTTP/1.1\" 200 {}\r\n",
                i % 7,
                i % 251,
                i * 31 % 253,
                i / 60 % 60,
                i % 60,
                i * 7919 % 10_007,
                i * 104_729 % 65_521
            )
            .into_bytes()
        })
        .collect()
}

/// Resident memory of this process, in KiB; 0 where it can't be told.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
