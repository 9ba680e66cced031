//! When an authority is asked: pure arithmetic.

use std::time::Duration;

use crate::doors::web::tls::facts::CertificateFacts;

use super::fault::Kind;

/// Up to this share of its lifetime a certificate is renewed before two thirds of it are over, so that
/// machines that were set up together don't ask together.
const SPREAD: i64 = 30;
/// Authorities count what they refuse: after the first time the wait is this many times longer. With
/// the usual first wait of 30 seconds that is four an hour; Let's Encrypt takes five.
const REFUSED: u32 = 30;
/// Longest wait while nobody answers: soon after the network is back there shall be a certificate.
const MAX_UNREACHABLE: Duration = Duration::from_secs(3600);
/// Longest wait after a refusal: there are ten tries in the last third of 90 days anyway.
const MAX_REFUSED: Duration = Duration::from_secs(86_400);

/// When to renew a certificate, in seconds since 1970. The same each time it is asked for, which makes
/// restarts no throw of the dice.
pub(super) fn renew_at(facts: &CertificateFacts) -> i64 {
    let life = facts.not_after.saturating_sub(facts.not_before).max(0);
    let byte = facts.fingerprint.get(..2);
    let byte = byte.and_then(|hex| i64::from_str_radix(hex, 16).ok());
    let earlier = (life / SPREAD).saturating_mul(byte.unwrap_or(0)) / 256;
    let two_thirds = life / 3 * 2;
    facts.not_before.saturating_add(two_thirds - earlier)
}

/// How long to wait after this many failures in a row, not counting the last.
pub(super) fn wait(first: Duration, failures: u32, kind: Kind) -> Duration {
    let (first, longest) = match kind {
        Kind::Unreachable => (first, MAX_UNREACHABLE),
        Kind::Refused => (first.saturating_mul(REFUSED), MAX_REFUSED),
    };
    let doubled = first.saturating_mul(1 << failures.min(16));
    let wait = doubled.min(longest);
    let mut random = [0];
    // Without randomness nobody else would have any, either.
    let _same_for_all = getrandom::fill(&mut random);
    wait.saturating_sub(wait * u32::from(random[0]) / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn facts(fingerprint: &str, days: i64) -> CertificateFacts {
        CertificateFacts {
            fingerprint: fingerprint.to_owned(),
            names: Vec::new(),
            issuer: String::new(),
            self_signed: false,
            not_before: 1_000_000,
            not_after: 1_000_000 + days * DAY,
        }
    }

    #[test]
    fn renewal_is_at_two_thirds_of_the_lifetime_or_up_to_a_thirtieth_of_it_earlier() {
        let after = |fingerprint: &str, days| renew_at(&facts(fingerprint, days)) - 1_000_000;
        assert_eq!(after("00:AB", 90), 60 * DAY);
        assert_eq!(after("FF:AB", 90), 60 * DAY - 3 * DAY * 255 / 256);
        assert_eq!(after("00:AB", 6), 4 * DAY);
        assert_eq!(after("7F:00", 90), after("7F:00", 90));
        assert_eq!(after("", 90), 60 * DAY);
    }

    #[test]
    fn a_certificate_with_nonsense_for_dates_is_due() {
        let mut odd = facts("FF", 90);
        odd.not_after = i64::MIN;
        assert_eq!(renew_at(&odd), odd.not_before);
        odd.not_before = i64::MIN;
        odd.not_after = i64::MAX;
        assert!(renew_at(&odd) < i64::MAX);
    }

    #[test]
    fn waits_double_to_a_limit_and_refusals_wait_longer() {
        let first = Duration::from_secs(30);
        let near = |kind, failures, seconds: u64| {
            let wait = wait(first, failures, kind).as_secs();
            assert!((seconds * 3 / 4..=seconds).contains(&wait), "{wait}");
        };
        near(Kind::Unreachable, 0, 30);
        near(Kind::Unreachable, 1, 60);
        near(Kind::Unreachable, 20, 3600);
        near(Kind::Unreachable, u32::MAX, 3600);
        near(Kind::Refused, 0, 900);
        near(Kind::Refused, 1, 1800);
        near(Kind::Refused, 30, 86_400);
    }
}
