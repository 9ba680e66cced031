//! How much of the time somebody on this machine waits for a processor, as the kernel tells it.

use std::time::{Duration, Instant};

/// Where the kernel tells it (pressure stall information); absent in some kernels.
const FILE: &str = "/proc/pressure/cpu";

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    last: Option<(Instant, Duration)>,
}

impl Pressure {
    /// Starts anew: what was before doesn't count.
    pub(super) fn begin(&mut self) {
        self.last = read();
    }

    /// How much time passed since the last reading, and for how much of it somebody waited.
    pub(super) fn since(&mut self) -> Option<(Duration, Duration)> {
        let now = read()?;
        let (then, before) = self.last.replace(now)?;
        Some((
            now.0.saturating_duration_since(then),
            now.1.saturating_sub(before),
        ))
    }
}

fn read() -> Option<(Instant, Duration)> {
    let text = std::fs::read_to_string(FILE).ok()?;
    Some((Instant::now(), waited(&text)?))
}

/// The sum, in microseconds, at the end of the line of those who waited.
fn waited(text: &str) -> Option<Duration> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let total = line.rsplit_once("total=")?.1;
    Some(Duration::from_micros(total.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_understood() {
        let text = "some avg10=96.78 avg60=82.94 avg300=35.37 total=8177190258\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(waited(text), Some(Duration::from_micros(8_177_190_258)));
        for text in ["", "some", "some total=", "some total=-1", "full total=4"] {
            assert_eq!(waited(text), None, "{text:?}");
        }
    }
}
