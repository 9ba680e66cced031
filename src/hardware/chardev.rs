//! Lines through the kernel's GPIO character device (version 2 of its interface): every machine with a
//! kernel since 5.10. The kernel knows who has a line, and stamps edges when they happen.

use std::path::PathBuf;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::{EdgeDetection, EdgeKind, EventClock, Value};
use tokio::io::unix::AsyncFd;

use super::lines::{Bias, Edge, Input, LineError, Lines, Output, readable};
use crate::policy::settings::line::LineName;

/// Who we are in `gpioinfo`.
const CONSUMER: &str = "gatepost";
/// Edges the kernel keeps for us: what a bad contact makes in a second.
const KEPT: u32 = 256;

/// Chips that are a Raspberry Pi's header, by label: where a number alone is BCM's.
const PI: [&str; 3] = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];

/// The character devices of this machine.
#[derive(Debug)]
pub(super) struct Chardev;

/// A chip and where on it a line is.
struct Place {
    path: PathBuf,
    offset: u32,
}

fn refused(what: impl Into<String>, error: impl std::fmt::Display) -> LineError {
    LineError::Refused {
        what: what.into(),
        why: error.to_string(),
    }
}

/// Looks a line up, by name or label, never by a chip's number alone where that changes.
fn find(name: &LineName) -> Result<Place, LineError> {
    let paths = gpiocdev::chip::chips().map_err(|error| LineError::NoLines(error.to_string()))?;
    let (mut chips, mut closed) = (Vec::new(), None);
    for path in paths {
        match Chip::from_path(&path).and_then(|chip| Ok((chip.info()?, chip))) {
            Ok((info, chip)) => chips.push((path, info, chip)),
            Err(error) => closed = Some(format!("{}: {error}", path.display())),
        }
    }
    if chips.is_empty() {
        let why = closed.unwrap_or_else(|| "there is no /dev/gpiochip*".to_owned());
        return Err(LineError::NoLines(why));
    }
    let labels: Vec<String> = chips
        .iter()
        .map(|(_, info, _)| info.label.clone())
        .collect();
    let missing = || LineError::Missing {
        line: name.to_string(),
        there: format!(
            "there are the chips {}; gpioinfo lists their lines",
            labels.join(", ")
        ),
    };
    let meant = |(path, info): (&PathBuf, &gpiocdev::chip::Info)| match name.chip() {
        Some(chip) => info.label == chip || info.name == chip || path.as_os_str() == chip,
        None => true,
    };
    let mut candidates: Vec<_> = chips
        .iter()
        .filter(|(path, info, _)| meant((path, info)))
        .collect();
    if let Some(found) = candidates.iter().find_map(|(path, _, chip)| {
        let line = chip.find_line_info(name.line())?;
        Some(Place {
            path: path.clone(),
            offset: line.offset,
        })
    }) {
        return Ok(found);
    }
    let offset = name.number().ok_or_else(missing)?;
    // A bare number is one of the Pi's header, or of the only chip there is.
    if name.chip().is_none() && candidates.len() > 1 {
        candidates.retain(|(_, info, _)| PI.contains(&info.label.as_str()));
    }
    match candidates.as_slice() {
        [(path, info, _)] if offset < info.num_lines => Ok(Place {
            path: path.clone(),
            offset,
        }),
        _ => Err(missing()),
    }
}

/// Asks the kernel for a line; says who has it if somebody does.
fn request(
    name: &LineName,
    place: &Place,
    builder: &mut gpiocdev::request::Builder,
) -> Result<Request, LineError> {
    builder
        .on_chip(&place.path)
        .with_consumer(CONSUMER)
        .request()
        .map_err(|error| {
            let info = Chip::from_path(&place.path).and_then(|chip| chip.line_info(place.offset));
            match info {
                Ok(info) if info.used => LineError::Busy {
                    line: name.to_string(),
                    by: if info.consumer.is_empty() {
                        "the kernel".to_owned()
                    } else {
                        info.consumer
                    },
                },
                _ => refused(format!("line {name}"), error),
            }
        })
}

impl Lines for Chardev {
    fn name(&self) -> &'static str {
        "gpiocdev"
    }

    fn input(
        &self,
        line: &LineName,
        bias: Bias,
        active_low: bool,
    ) -> Result<Box<dyn Input>, LineError> {
        use gpiocdev::line::Bias as Resistor;
        let place = find(line)?;
        let mut builder = Request::builder();
        builder
            .with_line(place.offset)
            .as_input()
            .with_bias(match bias {
                Bias::Up => Resistor::PullUp,
                Bias::Down => Resistor::PullDown,
                Bias::None => Resistor::Disabled,
            })
            .with_edge_detection(EdgeDetection::BothEdges)
            .with_event_clock(EventClock::Monotonic)
            .with_kernel_event_buffer_size(KEPT);
        if active_low {
            builder.as_active_low();
        }
        let request = request(line, &place, &mut builder)?;
        let waiting = readable(request);
        let request = waiting.map_err(|error| refused(format!("line {line}"), error))?;
        Ok(Box::new(Pressed {
            request,
            name: line.to_string(),
        }))
    }

    fn output(&self, line: &LineName, active_low: bool) -> Result<Box<dyn Output>, LineError> {
        let place = find(line)?;
        let mut builder = Request::builder();
        builder.with_line(place.offset).as_output(Value::Inactive);
        if active_low {
            builder.as_active_low();
        }
        let request = request(line, &place, &mut builder)?;
        Ok(Box::new(Lit {
            request,
            name: line.to_string(),
        }))
    }
}

#[derive(Debug)]
struct Pressed {
    request: AsyncFd<Request>,
    name: String,
}

impl Input for Pressed {
    fn drain(&mut self, out: &mut Vec<Edge>) -> Result<(), LineError> {
        let request = self.request.get_ref();
        let lost = |error| refused(format!("line {}", self.name), error);
        // Not by `read_edge_event`: it takes up to eight events from the kernel and returns one.
        let one = request.edge_event_u64_size();
        let mut buffer = [0_u64; 96];
        // No more than the kernel keeps, or a line that never rests would keep us here.
        for _ in 0..KEPT {
            if !request.has_edge_event().map_err(lost)? {
                break;
            }
            let words = request.read_edge_events_into_slice(&mut buffer);
            let words = words.map_err(lost)?;
            for event in buffer.get(..words).unwrap_or_default().chunks_exact(one) {
                let event = request.edge_event_from_slice(event).map_err(lost)?;
                out.push(Edge {
                    at: Duration::from_nanos(event.timestamp_ns),
                    // Levels are already as the button sees them.
                    pressed: event.kind == EdgeKind::Rising,
                });
            }
            // The kernel gives what it has.
            if words < buffer.len() {
                break;
            }
        }
        Ok(())
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match ready!(self.request.poll_read_ready(context)) {
                Ok(mut guard) => match guard.get_inner().has_edge_event() {
                    Ok(false) => guard.clear_ready(),
                    // What is wrong is found when it is read.
                    Ok(true) | Err(_) => return Poll::Ready(()),
                },
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    fn level(&self) -> Option<bool> {
        let value = self.request.get_ref().lone_value().ok()?;
        Some(value == Value::Active)
    }
}

#[derive(Debug)]
struct Lit {
    request: Request,
    name: String,
}

impl Output for Lit {
    fn light(&mut self, lit: bool) -> Result<(), LineError> {
        let value = if lit { Value::Active } else { Value::Inactive };
        let set = self.request.set_lone_value(value);
        set.map_err(|error| refused(format!("line {}", self.name), error))
    }
}

impl Drop for Lit {
    fn drop(&mut self) {
        if let Err(error) = self.light(false) {
            tracing::debug!(%error, "lamp");
        }
    }
}
