//! When the screen is lit: what was asked for, the schedule, and whether anybody is there. Pure: the
//! times are handed in.

use std::time::Duration;

use crate::action::DisplayState;
use crate::base::Moment;
use crate::wire::display::{Lit, Order};

/// What the time is, and how long nobody has touched anything.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Since any fixed point; never goes back.
    pub at: Duration,
    /// Since the last key, touch or movement.
    pub idle: Duration,
    /// By the clock on the wall; none while that clock can't be right.
    pub moment: Option<Moment>,
}

/// Remembers who woke the screen, and until when.
#[derive(Debug, Default)]
pub struct Lamp {
    /// Lit until then, although it should be dark.
    awake_until: Option<Duration>,
    /// When it was last asked for, or woken by something that is neither key nor touch.
    stirred: Option<Duration>,
    asked: u64,
    woken: u64,
}

impl Lamp {
    /// How the screen should be, and why.
    pub fn judge(&mut self, order: &Order, now: Now) -> (Lit, &'static str) {
        if order.asked != self.asked {
            self.asked = order.asked;
            self.stirred = Some(now.at);
            // Whoever says "dark" means now.
            self.awake_until = None;
        }
        if order.woken != self.woken {
            self.woken = order.woken;
            self.wake(order, now.at);
        }
        let settings = &order.settings;
        let in_hours = |moment| settings.schedule.iter().any(|hours| hours.contain(moment));
        let scheduled = settings.schedule.is_empty() || now.moment.is_none_or(in_hours);
        let (lit, why) = match order.state {
            DisplayState::On => (true, "asked for"),
            DisplayState::Off => (false, "asked for"),
            DisplayState::Schedule if settings.schedule.is_empty() => (true, ""),
            DisplayState::Schedule if now.moment.is_none() => (true, "the clock is wrong"),
            DisplayState::Schedule => (scheduled, "by the schedule"),
        };
        if lit {
            self.awake_until = None;
            return self.idle(order, now, why);
        }
        // Every further key or touch keeps it lit.
        if let (Some(until), Some(wake_for)) = (self.awake_until, settings.wake_for.duration()) {
            self.awake_until = Some(until.max((now.at + wake_for).saturating_sub(now.idle)));
        }
        self.awake_until = self.awake_until.filter(|until| now.at < *until);
        match self.awake_until {
            Some(_) => (Lit::On, "somebody woke it"),
            None => (Lit::Off, why),
        }
    }

    fn idle(&self, order: &Order, now: Now, why: &'static str) -> (Lit, &'static str) {
        let stirred = self.stirred.map(|at| now.at.saturating_sub(at));
        let idle = stirred.map_or(now.idle, |stirred| stirred.min(now.idle));
        let past = |period: crate::base::Period| period.duration().is_some_and(|time| idle >= time);
        if past(order.settings.off_after) {
            (Lit::Off, "nobody is there")
        } else if past(order.settings.dim_after) {
            (Lit::Dimmed, "nobody is there")
        } else {
            (Lit::On, why)
        }
    }

    /// Somebody touched the dark screen.
    pub fn wake(&mut self, order: &Order, at: Duration) {
        self.stirred = Some(at);
        let wake_for = order.settings.wake_for.duration();
        self.awake_until = Some(wake_for.map_or(Duration::MAX, |time| at + time));
    }

    /// Whether it can change without anything happening, so that it has to be asked every second.
    pub fn is_waiting(&self, order: &Order) -> bool {
        let settings = &order.settings;
        self.awake_until.is_some()
            || settings.dim_after.duration().is_some()
            || settings.off_after.duration().is_some()
            || (order.state == DisplayState::Schedule && !settings.schedule.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DisplaySettings, Period};

    const SECOND: Duration = Duration::from_secs(1);

    fn order(state: DisplayState) -> Order {
        Order {
            settings: DisplaySettings {
                schedule: vec!["mon-fri 07:00-19:00".parse().unwrap()],
                wake_for: Period::seconds(60),
                ..DisplaySettings::default()
            },
            state,
            asked: 0,
            woken: 0,
        }
    }

    fn now(at: u64, idle: u64, moment: (u8, u8, u8)) -> Now {
        Now {
            at: SECOND * u32::try_from(at).unwrap(),
            idle: SECOND * u32::try_from(idle).unwrap(),
            moment: Moment::new(moment.0, moment.1, moment.2),
        }
    }
    const NOON: (u8, u8, u8) = (1, 12, 0);
    const NIGHT: (u8, u8, u8) = (1, 23, 0);

    #[test]
    fn the_schedule_holds_until_somebody_asks_for_something_else() {
        let mut lamp = Lamp::default();
        let mut order = order(DisplayState::Schedule);
        assert_eq!(lamp.judge(&order, now(0, 0, NOON)).0, Lit::On);
        assert_eq!(
            lamp.judge(&order, now(1, 0, NIGHT)),
            (Lit::Off, "by the schedule")
        );
        order.state = DisplayState::On;
        assert_eq!(lamp.judge(&order, now(2, 0, NIGHT)).0, Lit::On);
        order.state = DisplayState::Off;
        assert_eq!(lamp.judge(&order, now(3, 0, NOON)).0, Lit::Off);
        order.state = DisplayState::Schedule;
        order.settings.schedule.clear();
        assert_eq!(
            lamp.judge(&order, now(4, 0, NIGHT)).0,
            Lit::On,
            "no schedule is always"
        );
    }

    #[test]
    fn a_clock_that_cannot_be_right_darkens_nothing() {
        let unknown = Now {
            moment: None,
            ..now(0, 0, NIGHT)
        };
        let lit = Lamp::default().judge(&order(DisplayState::Schedule), unknown);
        assert_eq!(lit, (Lit::On, "the clock is wrong"));
    }

    #[test]
    fn a_touch_wakes_a_dark_screen_for_as_long_as_somebody_is_there() {
        let mut lamp = Lamp::default();
        let order = order(DisplayState::Schedule);
        assert_eq!(lamp.judge(&order, now(100, 500, NIGHT)).0, Lit::Off);
        lamp.wake(&order, SECOND * 100);
        assert_eq!(
            lamp.judge(&order, now(100, 0, NIGHT)),
            (Lit::On, "somebody woke it")
        );
        assert_eq!(
            lamp.judge(&order, now(159, 1, NIGHT)).0,
            Lit::On,
            "typed at 158"
        );
        assert_eq!(lamp.judge(&order, now(217, 59, NIGHT)).0, Lit::On);
        assert_eq!(lamp.judge(&order, now(218, 60, NIGHT)).0, Lit::Off);
        assert_eq!(
            lamp.judge(&order, now(219, 0, NIGHT)).0,
            Lit::Off,
            "a shaken mouse wakes nobody"
        );
    }

    #[test]
    fn dark_means_now_and_a_button_wakes_like_a_touch() {
        let mut lamp = Lamp::default();
        let mut order = order(DisplayState::Off);
        lamp.wake(&order, SECOND);
        assert_eq!(lamp.judge(&order, now(2, 1, NOON)).0, Lit::On);
        order.asked += 1;
        assert_eq!(lamp.judge(&order, now(3, 2, NOON)).0, Lit::Off);
        order.woken += 1;
        assert_eq!(lamp.judge(&order, now(4, 600, NOON)).0, Lit::On);
        assert_eq!(lamp.judge(&order, now(63, 600, NOON)).0, Lit::On);
        assert_eq!(lamp.judge(&order, now(64, 600, NOON)).0, Lit::Off);
    }

    #[test]
    fn where_nobody_is_it_is_dimmed_and_then_dark_until_it_is_touched() {
        let mut lamp = Lamp::default();
        let mut order = order(DisplayState::On);
        order.settings.dim_after = Period::seconds(300);
        order.settings.off_after = Period::seconds(900);
        let mut at = |at, idle| lamp.judge(&order, now(at, idle, NOON)).0;
        assert_eq!(at(1000, 299), Lit::On);
        assert_eq!(at(1001, 300), Lit::Dimmed);
        assert_eq!(at(1600, 899), Lit::Dimmed);
        assert_eq!(at(1601, 900), Lit::Off);
        assert_eq!(at(1602, 0), Lit::On);
        order.asked += 1;
        assert_eq!(
            lamp.judge(&order, now(3000, 2000, NOON)).0,
            Lit::On,
            "asked for just now"
        );
        assert_eq!(lamp.judge(&order, now(3900, 2900, NOON)).0, Lit::Off);
        assert!(lamp.is_waiting(&order));
    }

    #[test]
    fn a_week_of_minutes_is_dark_at_night_and_at_no_other() {
        let mut lamp = Lamp::default();
        let order = order(DisplayState::Schedule);
        let mut dark = 0;
        for minute in 0..7 * 24 * 60_u32 {
            let (day, hour) = (minute / 1440 + 1, minute / 60 % 24);
            let small = |number: u32| u8::try_from(number).unwrap();
            let moment = Moment::new(small(day), small(hour), small(minute % 60));
            let at = Duration::from_secs(u64::from(minute) * 60);
            let (lit, _) = lamp.judge(
                &order,
                Now {
                    at,
                    idle: at,
                    moment,
                },
            );
            let expected = day <= 5 && (7..19).contains(&hour);
            assert_eq!(lit == Lit::On, expected, "day {day} {hour}:{}", minute % 60);
            dark += u32::from(lit == Lit::Off);
        }
        assert_eq!(dark, (7 * 24 - 5 * 12) * 60);
    }
}
