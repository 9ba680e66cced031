//! How much strangers may cause to be written down: whoever is refused costs nothing by it, so without an
//! end to it they could push out of the record what others did, or keep the disk from it. Pure: the clock is
//! passed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Lines about strangers in a [`WINDOW`]: at 200 bytes each, what is kept by default lasts two days of nothing else.
const MOST: u32 = 30;
/// Of those, about one address: others are seen beside it.
const MOST_OF_ONE: u32 = 10;
/// What is counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    began: Option<Instant>,
    told: HashMap<String, u32>,
    untold: u64,
}

impl Strangers {
    /// Whether one more refusal of somebody at this address is written down; if so, how many were not
    /// since the last that was.
    pub(super) fn may_tell(&mut self, address: &str, now: Instant) -> Option<u64> {
        let over = self
            .began
            .is_none_or(|began| now.saturating_duration_since(began) >= WINDOW);
        if over {
            self.began = Some(now);
            self.told.clear();
        }
        let all: u32 = self.told.values().sum();
        let of_one = self.told.get(address).copied().unwrap_or(0);
        if all >= MOST || of_one >= MOST_OF_ONE {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told.insert(address.to_owned(), of_one + 1);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_one_and_thirty_of_all_are_told_in_a_minute_and_the_next_says_how_many_were_not() {
        let mut strangers = Strangers::default();
        let now = Instant::now();
        for _ in 0..MOST_OF_ONE {
            assert_eq!(strangers.may_tell("192.0.2.1", now), Some(0));
        }
        assert_eq!(strangers.may_tell("192.0.2.1", now), None);
        assert_eq!(strangers.may_tell("192.0.2.2", now), Some(1), "others are");
        let mut told = MOST_OF_ONE + 1;
        for number in 0..1000 {
            let address = format!("198.51.100.{number}");
            told += u32::from(strangers.may_tell(&address, now).is_some());
        }
        assert_eq!(told, MOST);
        assert!(strangers.told.len() <= usize::try_from(MOST).unwrap());
        let soon = now + WINDOW.mul_f64(0.99);
        assert_eq!(strangers.may_tell("192.0.2.9", soon), None);
        let missed = 1000 - u64::from(MOST - MOST_OF_ONE - 1) + 1;
        let later = now + WINDOW;
        assert_eq!(strangers.may_tell("192.0.2.1", later), Some(missed));
        assert_eq!(strangers.may_tell("192.0.2.1", later), Some(0));
    }
}
