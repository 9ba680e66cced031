//! How the screen of the X session is and should be, and the steps from one to the other.

use std::time::{Duration, Instant, SystemTime};

use crate::action::DisplayState;
use crate::base::{Dark, DisplaySettings};
use crate::system::{Display, DisplayError, Happening, Lamp, Now};
use crate::wire::display::{Lit, Order, Report};

use super::News;
use super::children::Part;
use super::clock::Clock;
use super::television;

/// How often it is looked whether somebody is there, while that matters.
const GLANCE: Duration = Duration::from_secs(1);

/// Everything known of the screen.
#[expect(
    clippy::struct_excessive_bools,
    reason = "notes of what is still to be done, each by itself"
)]
pub(super) struct State {
    display: Display,
    order: Order,
    lamp: Lamp,
    clock: Clock,
    began: Instant,
    /// When it was last made sure that nothing blanks it.
    checked: Option<Instant>,
    /// The pointer has to be looked at again.
    pointer: bool,
    report: Report,
    /// Something is different from what was last reported.
    news: bool,
    rearrange: bool,
    moved: bool,
}

impl State {
    pub(super) fn new(display: Display, x_restarts: u32) -> Self {
        let mut report = Report::default();
        report.restarts.x = x_restarts;
        report.blanking.dpms = display.has_dpms();
        Self {
            display,
            order: Order {
                settings: DisplaySettings::default(),
                state: DisplayState::Schedule,
                asked: 0,
                woken: 0,
            },
            lamp: Lamp::default(),
            clock: Clock::default(),
            began: Instant::now(),
            checked: None,
            pointer: true,
            report,
            news: true,
            rearrange: true,
            moved: false,
        }
    }

    /// Everything as it should be, at the start.
    pub(super) fn settle(&mut self) -> Result<(), DisplayError> {
        self.look(Duration::ZERO).map(|_| ())
    }

    /// How it is.
    pub(super) const fn report(&self) -> &Report {
        &self.report
    }

    /// How long nothing has to be done if nothing happens.
    pub(super) fn next_look(&self, every: Duration) -> Duration {
        let checked = self.checked.map_or(every, |at| at.elapsed());
        let check = every.saturating_sub(checked);
        if self.pointer || self.lamp.is_waiting(&self.order) {
            check.min(GLANCE)
        } else {
            check
        }
    }

    /// Takes note of what happened.
    pub(super) fn hear(&mut self, news: &News) {
        match news {
            News::Screen(Happening::Touched) => self.lamp.wake(&self.order, self.began.elapsed()),
            News::Screen(Happening::Moved) => self.moved = true,
            News::Screen(Happening::Outputs | Happening::Devices) => {
                self.rearrange = true;
                self.checked = None;
            }
            // Whatever it is, it is looked into at once.
            News::Screen(Happening::Saver | Happening::Gone) => self.checked = None,
            News::Order(order) => {
                self.rearrange |= order.settings != self.order.settings;
                self.order = (**order).clone();
                // The server may be a new one, and wants to know.
                self.news = true;
            }
            News::Ended { part, .. } => {
                let count = match part {
                    Part::Window => &mut self.report.restarts.window,
                    Part::Manager => &mut self.report.restarts.manager,
                };
                *count = count.saturating_add(1);
                self.news = true;
            }
        }
    }

    /// Does what is to be done now. True if there is something to report.
    pub(super) fn look(&mut self, every: Duration) -> Result<bool, DisplayError> {
        if std::mem::take(&mut self.rearrange) {
            self.arrange()?;
        }
        self.light()?;
        let due = self.checked.is_none_or(|at| at.elapsed() >= every);
        if due {
            self.keep_awake()?;
        }
        let moved = std::mem::take(&mut self.moved);
        self.pointer = self.display.point(self.order.settings.cursor, moved)?;
        Ok(std::mem::take(&mut self.news))
    }

    fn arrange(&mut self) -> Result<(), DisplayError> {
        self.report.trouble = self.display.arrange(&self.order.settings)?;
        for trouble in &self.report.trouble {
            tracing::warn!(trouble, "the screen is not as configured");
        }
        self.news = true;
        Ok(())
    }

    fn light(&mut self) -> Result<(), DisplayError> {
        let idle = if self.lamp.is_waiting(&self.order) {
            self.display.idle_ms().unwrap_or(0)
        } else {
            0
        };
        let scheduled = !self.order.settings.schedule.is_empty();
        let now = Now {
            at: self.began.elapsed(),
            idle: Duration::from_millis(idle),
            moment: scheduled.then(|| self.clock.moment()).flatten(),
        };
        let (lit, why) = self.lamp.judge(&self.order, now);
        if why != self.report.why {
            why.clone_into(&mut self.report.why);
            self.news = true;
        }
        if lit == self.report.lit {
            return Ok(());
        }
        let before = self.report.lit;
        tracing::info!(?lit, why, "the screen");
        self.report.lit = lit;
        self.news = true;
        if lit == Lit::Off {
            self.display.cover(true)?;
        }
        let percent = if lit == Lit::Dimmed {
            self.order.settings.dim_to
        } else {
            100
        };
        if (lit == Lit::Dimmed || before == Lit::Dimmed) && !self.display.dim(percent)? {
            tracing::debug!("this X server can't be dimmed");
        }
        if self.order.settings.dark == Dark::Signal {
            self.display.signal(lit != Lit::Off)?;
        }
        if lit != Lit::Off {
            self.display.cover(false)?;
        }
        if self.order.settings.cec && (lit == Lit::Off) != (before == Lit::Off) {
            television::tell(lit != Lit::Off);
        }
        Ok(())
    }

    fn keep_awake(&mut self) -> Result<(), DisplayError> {
        let dark = self.report.lit == Lit::Off;
        let found = self.display.keep_awake(dark)?;
        if dark {
            // Something may have opened above the cover, and a shaken mouse lights a monitor.
            self.display.cover(true)?;
            if self.order.settings.dark == Dark::Signal {
                self.display.signal(false)?;
            }
        }
        let first = self.report.blanking.checked == 0;
        if found && !first {
            tracing::warn!("something had the screen go blank by itself; it doesn't any more");
            self.report.blanking.corrected = self.report.blanking.corrected.saturating_add(1);
        }
        self.report.blanking.off = true;
        self.report.blanking.checked = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(1, |since| since.as_secs());
        self.report.outputs = self.display.outputs()?;
        self.checked = Some(Instant::now());
        self.news = true;
        Ok(())
    }
}
