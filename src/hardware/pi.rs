//! Lines through rppal: a Raspberry Pi's registers, where its own kernel opens them (/dev/gpiomem).
//! The only file that names the crate.

use std::sync::Mutex;
use std::task::{Context, Poll};

use rppal::gpio::{Error, Gpio, InputPin, Level, OutputPin, Trigger};
use tokio::sync::mpsc;

use super::lines::{Bias, Edge, Input, LineError, Lines, Output};
use crate::policy::settings::line::LineName;

/// Edges that may wait for us; beyond them the level is read anyway.
const WAITING: usize = 256;

/// A Raspberry Pi.
#[derive(Debug)]
pub(super) struct Pi {
    gpio: Gpio,
}

impl Pi {
    /// The registers, if this is a Pi whose kernel opens them.
    pub(super) fn open() -> Result<Self, LineError> {
        let gpio = Gpio::new().map_err(|error| LineError::NoLines(format!("rppal: {error}")))?;
        Ok(Self { gpio })
    }

    fn pin(&self, line: &LineName) -> Result<rppal::gpio::Pin, LineError> {
        let missing = || LineError::Missing {
            line: line.to_string(),
            there: "a Pi's lines are BCM's numbers, as in 17 or \"GPIO17\"".to_owned(),
        };
        let number = line.bcm().ok_or_else(missing)?;
        self.gpio.get(number).map_err(|error| match error {
            Error::PinNotAvailable(_) => missing(),
            Error::PinUsed(_) => LineError::Busy {
                line: line.to_string(),
                by: "this server".to_owned(),
            },
            error => refused(line, &error),
        })
    }
}

fn refused(line: &LineName, error: &Error) -> LineError {
    LineError::Refused {
        what: format!("line {line}"),
        why: error.to_string(),
    }
}

impl Lines for Pi {
    fn name(&self) -> &'static str {
        "rppal"
    }

    fn input(
        &self,
        line: &LineName,
        bias: Bias,
        active_low: bool,
    ) -> Result<Box<dyn Input>, LineError> {
        let pin = self.pin(line)?;
        let mut pin = match bias {
            Bias::Up => pin.into_input_pullup(),
            Bias::Down => pin.into_input_pulldown(),
            Bias::None => pin.into_input(),
        };
        let (sender, edges) = mpsc::channel(WAITING);
        pin.set_async_interrupt(Trigger::Both, None, move |event| {
            let edge = Edge {
                at: event.timestamp,
                pressed: (event.trigger == Trigger::RisingEdge) != active_low,
            };
            // Full: the level is read once it rests.
            let _full = sender.try_send(edge);
        })
        .map_err(|error| refused(line, &error))?;
        Ok(Box::new(Pressed {
            pin: Mutex::new(pin),
            edges,
            next: None,
            active_low,
        }))
    }

    fn output(&self, line: &LineName, active_low: bool) -> Result<Box<dyn Output>, LineError> {
        let pin = self.pin(line)?;
        let pin = if active_low {
            pin.into_output_high()
        } else {
            pin.into_output_low()
        };
        Ok(Box::new(Lit { pin, active_low }))
    }
}

#[derive(Debug)]
struct Pressed {
    pin: Mutex<InputPin>,
    edges: mpsc::Receiver<Edge>,
    next: Option<Edge>,
    active_low: bool,
}

impl Input for Pressed {
    fn drain(&mut self, out: &mut Vec<Edge>) -> Result<(), LineError> {
        out.extend(self.next.take());
        while let Ok(edge) = self.edges.try_recv() {
            out.push(edge);
        }
        Ok(())
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.next.is_some() {
            return Poll::Ready(());
        }
        match self.edges.poll_recv(context) {
            Poll::Ready(Some(edge)) => {
                self.next = Some(edge);
                Poll::Ready(())
            }
            // Without its thread no edge comes any more.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn level(&self) -> Option<bool> {
        let pin = self.pin.lock().ok()?;
        Some((pin.read() == Level::High) != self.active_low)
    }
}

#[derive(Debug)]
struct Lit {
    pin: OutputPin,
    active_low: bool,
}

impl Output for Lit {
    fn light(&mut self, lit: bool) -> Result<(), LineError> {
        if lit == self.active_low {
            self.pin.set_low();
        } else {
            self.pin.set_high();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_machine_that_is_no_pi_it_says_so() {
        if std::path::Path::new("/dev/gpiomem").exists() {
            return;
        }
        let error = Pi::open().unwrap_err();
        assert!(matches!(error, LineError::NoLines(_)), "{error}");
    }
}
