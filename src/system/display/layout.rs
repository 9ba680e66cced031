//! Which outputs show what: decided from lists, without an X server.

use crate::base::{DisplaySettings, Several};

/// A size an output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) id: u32,
    pub(super) width: u16,
    pub(super) height: u16,
    /// Pictures a second, in thousandths.
    pub(super) rate: u64,
}

/// An output with a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Monitor {
    pub(super) name: String,
    /// What it can show, what the monitor likes best first.
    pub(super) modes: Vec<Mode>,
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// Numbers in the list of monitors, each with its mode. All show the same from their left upper corner.
    pub(super) shown: Vec<(usize, Mode)>,
    /// What could not be as configured.
    pub(super) trouble: Vec<String>,
}

/// Decides.
pub(super) fn plan(settings: &DisplaySettings, monitors: &[Monitor]) -> Plan {
    let mut out = Plan::default();
    let mut chosen: Vec<usize> = settings
        .outputs
        .iter()
        .filter_map(|wanted| monitors.iter().position(|monitor| monitor.name == *wanted))
        .collect();
    if chosen.is_empty() {
        if !settings.outputs.is_empty() && !monitors.is_empty() {
            let names = settings.outputs.join(", ");
            out.trouble
                .push(format!("no monitor at {names}; what there is is used"));
        }
        // Never dark because a cable is in another socket.
        chosen = (0..monitors.len()).collect();
    }
    if settings.several == Several::First {
        chosen.truncate(1);
    }
    let used: Vec<_> = chosen
        .iter()
        .filter_map(|number| Some((*number, monitors.get(*number)?)))
        .filter(|(_, monitor)| !monitor.modes.is_empty())
        .collect();
    let common = size(settings, &used, &mut out.trouble);
    for (number, monitor) in used {
        let fitting = common.and_then(|size| best(monitor, size));
        if let Some(mode) = fitting.or_else(|| monitor.modes.first().copied()) {
            out.shown.push((number, mode));
        }
    }
    out
}

/// The fastest mode of this size.
fn best(monitor: &Monitor, size: (u16, u16)) -> Option<Mode> {
    let of_size = monitor
        .modes
        .iter()
        .filter(|mode| (mode.width, mode.height) == size);
    // The one it likes best of those equally fast: the first.
    of_size.copied().rev().max_by_key(|mode| mode.rate)
}

/// The size they all show: the configured one, or the one the first likes best of those all can.
fn size(
    settings: &DisplaySettings,
    used: &[(usize, &Monitor)],
    trouble: &mut Vec<String>,
) -> Option<(u16, u16)> {
    let can = |monitor: &Monitor, size| best(monitor, size).is_some();
    if let Some(mode) = &settings.mode {
        let wanted = mode
            .split_once('x')
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match wanted {
            Some(size) if used.iter().all(|(_, monitor)| can(monitor, size)) => return Some(size),
            _ => {
                for (_, monitor) in used {
                    trouble.push(format!("{} can't show {mode}", monitor.name));
                }
            }
        }
    }
    let (_, first) = used.first()?;
    let common = || {
        let sizes = first.modes.iter().map(|mode| (mode.width, mode.height));
        sizes.filter(|size| used.iter().all(|(_, monitor)| can(monitor, *size)))
    };
    // What a monitor likes best is what it is built of: what is larger it can only show smaller than it is.
    let fits = |(width, height): &(u16, u16)| {
        let own = used.iter().filter_map(|(_, monitor)| monitor.modes.first());
        own.into_iter()
            .all(|mode| *width <= mode.width && *height <= mode.height)
    };
    common().find(fits).or_else(|| common().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(name: &str, sizes: &[(u16, u16, u64)]) -> Monitor {
        let modes = sizes.iter().zip(1..);
        let modes = modes.map(|(&(width, height, rate), id)| Mode {
            id,
            width,
            height,
            rate,
        });
        Monitor {
            name: name.to_owned(),
            modes: modes.collect(),
        }
    }

    fn panel() -> Monitor {
        monitor("DSI-1", &[(800, 480, 60_000)])
    }
    fn television() -> Monitor {
        monitor(
            "HDMI-1",
            &[
                (1920, 1080, 50_000),
                (1920, 1080, 60_000),
                (1280, 720, 60_000),
            ],
        )
    }
    fn projector() -> Monitor {
        monitor("HDMI-2", &[(1024, 768, 60_000), (1280, 720, 60_000)])
    }

    fn shown(settings: &DisplaySettings, monitors: &[Monitor]) -> Vec<(String, u16, u64)> {
        let plan = plan(settings, monitors);
        let shown = plan.shown.iter();
        shown
            .map(|(number, mode)| (monitors[*number].name.clone(), mode.width, mode.rate))
            .collect()
    }

    #[test]
    fn all_show_the_same_size_if_they_can() {
        let settings = DisplaySettings::default();
        assert_eq!(
            shown(&settings, &[television()]),
            [("HDMI-1".into(), 1920, 60_000)]
        );
        assert_eq!(
            shown(&settings, &[television(), projector()]),
            [
                ("HDMI-1".into(), 1280, 60_000),
                ("HDMI-2".into(), 1280, 60_000)
            ]
        );
        assert_eq!(
            shown(&settings, &[panel(), television()]),
            [
                ("DSI-1".into(), 800, 60_000),
                ("HDMI-1".into(), 1920, 50_000)
            ],
            "each its own, where they have nothing in common"
        );
        assert!(shown(&settings, &[]).is_empty());
        assert!(shown(&settings, &[monitor("HDMI-1", &[])]).is_empty());
    }

    #[test]
    fn no_monitor_is_sent_more_than_it_has_if_they_have_less_in_common() {
        let small = monitor("A", &[(1280, 800, 1), (5120, 2160, 1), (1024, 768, 1)]);
        let other = monitor("B", &[(1024, 768, 1), (5120, 2160, 1), (640, 480, 1)]);
        let settings = DisplaySettings::default();
        let widths = |monitors: &[Monitor]| {
            let shown = shown(&settings, monitors).into_iter();
            shown.map(|(_, width, _)| width).collect::<Vec<_>>()
        };
        assert_eq!(widths(&[small, other.clone()]), [1024, 1024]);
        let odd = monitor("C", &[(1440, 900, 1), (5120, 2160, 1)]);
        assert_eq!(
            widths(&[odd, other]),
            [5120, 5120],
            "better than two pictures"
        );
    }

    #[test]
    fn outputs_are_chosen_by_name_and_never_none_of_those_there_are() {
        let mut settings = DisplaySettings {
            outputs: vec!["HDMI-2".to_owned(), "HDMI-1".to_owned()],
            several: Several::First,
            ..DisplaySettings::default()
        };
        let both = [television(), projector()];
        assert_eq!(shown(&settings, &both)[0].0, "HDMI-2");
        assert_eq!(shown(&settings, &both[..1])[0].0, "HDMI-1", "the next best");
        settings.outputs = vec!["VGA-1".to_owned()];
        let plan = plan(&settings, &both);
        assert_eq!(plan.shown.len(), 1);
        assert!(plan.trouble[0].contains("VGA-1"), "{:?}", plan.trouble);
    }

    #[test]
    fn a_size_nobody_can_show_is_said_and_not_tried() {
        let settings = |mode: &str| DisplaySettings {
            mode: Some(mode.to_owned()),
            ..DisplaySettings::default()
        };
        assert_eq!(shown(&settings("1280x720"), &[television()])[0].1, 1280);
        let refused = plan(&settings("640x480"), &[television()]);
        assert_eq!(refused.shown[0].1.width, 1920);
        assert_eq!(refused.trouble, ["HDMI-1 can't show 640x480"]);
    }
}
