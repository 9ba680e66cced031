//! Failed attempts by user name and by address, and who has to wait for them. Pure: the clock is
//! passed in. Whoever sits at the machine itself comes in by the control socket and never waits.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::base::UserName;
use crate::policy::settings::auth::ThrottleSettings;

/// Most names and addresses remembered, 150 bytes each: more than fail in an hour on any machine
/// this is for.
const MAX_KEYS: usize = 10_000;

/// Who failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// A user name, whether or not there is such a user.
    User(UserName),
    /// An address; of IPv6 the first 64 bits, for one household has that many.
    Address(IpAddr),
    /// Whoever stands in front of the machine's own screen, whose address is that of every program on
    /// the machine.
    Kiosk,
}

/// Where somebody tries from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whence {
    /// The address.
    pub address: IpAddr,
    /// Whether that is the machine's own screen.
    pub at_kiosk: bool,
}

impl From<IpAddr> for Whence {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            at_kiosk: false,
        }
    }
}

impl From<Whence> for Who {
    fn from(whence: Whence) -> Self {
        if whence.at_kiosk {
            Self::Kiosk
        } else {
            Self::address(whence.address)
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Kiosk => f.write_str(Self::KIOSK),
        }
    }
}

impl Who {
    /// What the machine's own screen is called.
    pub const KIOSK: &str = "kiosk";

    /// The address as it is counted.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => {
                Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into()
            }
            other => other,
        })
    }
}

/// Somebody who has to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub who: Who,
    /// Failures counted.
    pub failures: u32,
    /// For how much longer.
    pub left: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// The table.
#[derive(Debug)]
pub(super) struct Throttle {
    settings: ThrottleSettings,
    table: HashMap<Who, Failures>,
}

impl Throttle {
    pub(super) fn new(settings: ThrottleSettings) -> Self {
        Self {
            settings,
            table: HashMap::new(),
        }
    }

    /// Whether this one has to wait now.
    pub(super) fn waits(&self, who: &Who, now: Instant) -> bool {
        !self.left(who, now).is_zero()
    }

    /// Notes a failure; says whether it made the wait begin.
    pub(super) fn failed(&mut self, who: Who, now: Instant) -> bool {
        if self.table.len() >= MAX_KEYS && !self.table.contains_key(&who) {
            self.make_room(now);
        }
        let forget = Duration::from_secs(self.settings.forget);
        let limit = self.limit(&who);
        let entry = self.table.entry(who).or_insert(Failures {
            count: 0,
            last: now,
        });
        if now.saturating_duration_since(entry.last) > forget {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        entry.count >= limit
    }

    /// Forgets the failures of one who has shown to be who they say, or whom an administrator
    /// frees. Says whether there were any.
    pub(super) fn forgive(&mut self, who: &Who) -> bool {
        self.table.remove(who).is_some()
    }

    /// Somebody has shown to be who they say.
    pub(super) fn came_in(&mut self, user: UserName, from: &Who) {
        self.forgive(&Who::User(user));
        if *from == Who::Kiosk {
            // Everybody's mistakes are made at one screen, all day. What holds whoever has an account and
            // guesses others' passwords is what counts against those names.
            self.forgive(from);
        }
    }

    /// Everybody who has to wait, the longest wait first.
    pub(super) fn waiting(&self, now: Instant) -> Vec<Waiting> {
        let mut list: Vec<_> = self
            .table
            .iter()
            .map(|(who, entry)| Waiting {
                who: who.clone(),
                failures: entry.count,
                left: self.left(who, now),
            })
            .filter(|waiting| !waiting.left.is_zero())
            .collect();
        list.sort_unstable_by(|a, b| (b.left, &a.who).cmp(&(a.left, &b.who)));
        list
    }

    /// Forgets what is old.
    pub(super) fn sweep(&mut self, now: Instant) {
        let forget = Duration::from_secs(self.settings.forget);
        self.table
            .retain(|_, entry| now.saturating_duration_since(entry.last) <= forget);
        if self.table.is_empty() {
            self.table = HashMap::new();
        }
    }

    fn limit(&self, who: &Who) -> u32 {
        match who {
            Who::User(_) => self.settings.user_failures,
            Who::Address(_) | Who::Kiosk => self.settings.address_failures,
        }
        .max(1)
    }

    fn left(&self, who: &Who, now: Instant) -> Duration {
        let Some(entry) = self.table.get(who) else {
            return Duration::ZERO;
        };
        let Some(over) = entry.count.checked_sub(self.limit(who)) else {
            return Duration::ZERO;
        };
        let longest = Duration::from_secs(self.settings.longest_wait);
        let doubled = Duration::from_secs(self.settings.wait)
            .saturating_mul(2_u32.saturating_pow(over))
            .min(longest);
        doubled.saturating_sub(now.saturating_duration_since(entry.last))
    }

    /// Drops the oldest of those who needn't wait; if all have to, the oldest of them. Somebody who
    /// wants to push a waiting name out has to fail with thousands of others first, each of which
    /// counts against their own address.
    fn make_room(&mut self, now: Instant) {
        self.sweep(now);
        if self.table.len() < MAX_KEYS {
            return;
        }
        let oldest = self
            .table
            .iter()
            .min_by_key(|(who, entry)| (self.waits(who, now), entry.last))
            .map(|(who, _)| who.clone());
        if let Some(oldest) = oldest {
            self.table.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> (Throttle, Instant) {
        (
            Throttle::new(ThrottleSettings::default()),
            Instant::now() + Duration::from_secs(100_000),
        )
    }

    fn user(name: &str) -> Who {
        Who::User(name.parse().unwrap())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pam_bruteforce_lockout_begins_with_the_fifth_failure_and_doubles() {
        let (mut throttle, mut now) = throttle();
        for _ in 0..4 {
            assert!(!throttle.failed(user("alice"), now));
            assert!(!throttle.waits(&user("alice"), now));
        }
        assert!(throttle.failed(user("alice"), now));
        assert!(throttle.waits(&user("alice"), now + SECOND * 14));
        assert!(!throttle.waits(&user("alice"), now + SECOND * 15));
        assert!(!throttle.waits(&user("bob"), now));
        now += SECOND * 15;
        throttle.failed(user("alice"), now);
        assert!(throttle.waits(&user("alice"), now + SECOND * 29));
        assert!(!throttle.waits(&user("alice"), now + SECOND * 30));
        for _ in 0..40 {
            throttle.failed(user("alice"), now);
        }
        assert_eq!(throttle.waiting(now)[0].left, SECOND * 900, "the longest");
        assert!(throttle.forgive(&user("alice")));
        assert!(!throttle.waits(&user("alice"), now));
    }

    #[test]
    fn a_whole_slash_64_is_one_address() {
        let (mut throttle, now) = throttle();
        let from = |text: &str| Who::address(text.parse().unwrap());
        for last in 1..=20 {
            throttle.failed(from(&format!("2001:db8::{last}")), now);
        }
        assert!(throttle.waits(&from("2001:db8::ffff"), now));
        assert!(!throttle.waits(&from("2001:db8:0:1::1"), now));
        assert_eq!(from("::ffff:192.0.2.1"), from("192.0.2.1"));
    }

    #[test]
    fn failures_at_the_kiosk_count_against_the_kiosk_and_no_address() {
        let (mut throttle, now) = throttle();
        let local: IpAddr = [127, 0, 0, 1].into();
        let kiosk = Who::from(Whence {
            address: local,
            at_kiosk: true,
        });
        for _ in 0..19 {
            throttle.failed(kiosk.clone(), now);
        }
        assert!(!throttle.waits(&kiosk, now));
        throttle.failed(kiosk.clone(), now);
        assert!(throttle.waits(&kiosk, now));
        assert!(!throttle.waits(&Who::from(Whence::from(local)), now));
        throttle.came_in("alice".parse().unwrap(), &kiosk);
        assert!(!throttle.waits(&kiosk, now));
    }

    #[test]
    fn failures_of_an_hour_ago_are_forgotten() {
        let (mut throttle, now) = throttle();
        for _ in 0..4 {
            throttle.failed(user("alice"), now);
        }
        assert!(!throttle.failed(user("alice"), now + SECOND * 3601));
        throttle.sweep(now + SECOND * 7300);
        assert!(throttle.table.is_empty());
    }

    #[test]
    fn ten_thousand_are_remembered_and_one_more_drops_the_oldest_who_need_not_wait() {
        let (mut throttle, now) = throttle();
        for _ in 0..5 {
            throttle.failed(user("locked"), now);
        }
        for number in 0..MAX_KEYS {
            throttle.failed(user(&format!("u{number}")), now + SECOND);
        }
        assert_eq!(throttle.table.len(), MAX_KEYS);
        assert!(throttle.waits(&user("locked"), now + SECOND));
    }
}
