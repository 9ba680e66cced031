//! `display`: the machine's own screen.

use super::{DisplaySettings, Objection, Opt, Section};

/// The section.
pub(super) const SECTION: Section = Section {
    name: "display",
    help: "The machine's own screen. docs/display.md explains it.",
    options: &[
        Opt::machine(
            "rotate",
            "0, 90, 180 or 270",
            "Turn console, picture and touch by so many degrees, clockwise.",
        ),
        Opt::machine(
            "outputs",
            "list of names",
            "The outputs to use, the best first, as `gatepost status` names them; empty: all there are.",
        ),
        Opt::machine(
            "several",
            "mirror or first",
            "When several of them are connected: all show the same, or only the first is used.",
        ),
        Opt::machine(
            "mode",
            "WIDTHxHEIGHT",
            "The picture's size in pixels; what the monitor says it likes best if absent.",
        ),
        Opt::machine(
            "cursor",
            "never, always or idle",
            "When the pointer is seen; idle: while it moves.",
        ),
        Opt::machine(
            "dark",
            "signal or black",
            "What `display off` does: end the signal, or, for televisions that don't wake up again, show black.",
        ),
        Opt::machine(
            "schedule",
            "list of days and hours",
            "When the screen is lit, as in [\"mon-fri 07:30-19:00\", \"sat 10:00-14:00\"]; empty: always.",
        ),
        Opt::machine(
            "wake_for",
            "time",
            "How long it stays lit after the last key or touch, when somebody woke it while it should be dark.",
        ),
        Opt::machine(
            "dim_after",
            "time",
            "Dim it when nobody has touched anything for so long.",
        ),
        Opt::machine("dim_to", "1 to 100", "To how many percent."),
        Opt::machine(
            "off_after",
            "time",
            "Make it dark when nobody has touched anything for so long.",
        ),
        Opt::machine(
            "cec",
            "true or false",
            "Tell a television by HDMI-CEC, too, with cec-client or cec-ctl.",
        ),
    ],
};

/// Most outputs named, and most hours: no machine has more, no week needs them.
const MAX_LIST: usize = 32;
/// Largest side of a picture, in pixels: X11's own limit.
const MAX_SIDE: u32 = 32_767;

pub(super) fn check(display: &DisplaySettings, out: &mut Vec<Objection>) {
    let mut object = |key: &str, message: String| out.push((format!("display.{key}"), message));
    if !(1..=100).contains(&display.dim_to) {
        let message = format!(
            "{} is no percentage from 1 to 100; display off makes it dark",
            display.dim_to
        );
        object("dim_to", message);
    }
    for (key, count) in [
        ("outputs", display.outputs.len()),
        ("schedule", display.schedule.len()),
    ] {
        if count > MAX_LIST {
            object(key, format!("{count} entries are over {MAX_LIST}"));
        }
    }
    if let Some(mode) = &display.mode {
        let side = |text: &str| {
            text.parse()
                .is_ok_and(|side| (1..=MAX_SIDE).contains(&side))
        };
        if !mode
            .split_once('x')
            .is_some_and(|(w, h)| side(w) && side(h))
        {
            object("mode", "write it as \"1920x1080\"".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objections(change: impl FnOnce(&mut DisplaySettings)) -> Vec<String> {
        let mut display = DisplaySettings::default();
        change(&mut display);
        let mut out = Vec::new();
        check(&display, &mut out);
        out.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn values_are_taken_at_their_limits_and_refused_past_them() {
        assert!(objections(|_| {}).is_empty());
        assert!(objections(|display| display.dim_to = 100).is_empty());
        assert_eq!(objections(|display| display.dim_to = 0), ["display.dim_to"]);
        assert_eq!(
            objections(|display| display.dim_to = 101),
            ["display.dim_to"]
        );
        assert!(objections(|display| display.mode = Some("800x480".into())).is_empty());
        for bad in ["800", "0x1", "32768x1", "800x480x1", "x"] {
            let mode = Some(bad.to_owned());
            assert_eq!(objections(|display| display.mode = mode), ["display.mode"]);
        }
        let many = |count| vec!["HDMI-1".to_owned(); count];
        assert!(objections(|display| display.outputs = many(32)).is_empty());
        assert_eq!(
            objections(|display| display.outputs = many(33)),
            ["display.outputs"]
        );
    }
}
