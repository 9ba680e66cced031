//! What there is to set in the sections `hardware`, `buttons` and `lamps`.

use super::{Opt, Section};

/// The section `hardware`.
pub(super) const HARDWARE: Section = Section {
    name: "hardware",
    help: "How the lines of buttons and lamps are reached. `docs/buttons.md` explains.",
    options: &[Opt::machine(
        "lines",
        "\"auto\", \"rppal\", \"gpiocdev\" or \"simulated\"",
        "Through what: rppal on Raspberry Pi's own kernel, gpiocdev (the GPIO character device) elsewhere; auto finds out.",
    )],
};

/// The section `buttons`.
pub(super) const BUTTONS: Section = Section {
    name: "buttons",
    help: "Buttons, by name. Each has a line, a key or a chord, and actions (`docs/actions.md`) for what is done with it.",
    options: &[
        Opt::machine(
            "<name>.line",
            "number or name",
            "The line it is wired to: BCM's number on a Pi, the line's name (\"GPIO17\"), or either behind a chip's label (\"pinctrl-bcm2835:17\").",
        ),
        Opt::machine(
            "<name>.key",
            "name of a key",
            "The key it is to the kernel, as in \"KEY_F13\": gpio-keys, USB pedals.",
        ),
        Opt::machine(
            "<name>.device",
            "text",
            "The name of the input device with that key; any device if absent.",
        ),
        Opt::machine(
            "<name>.exclusive",
            "true or false",
            "Whether that device's keys reach nobody else; if absent, they do only from devices that are keyboards.",
        ),
        Opt::machine(
            "<name>.chord",
            "list of buttons",
            "The buttons that, pressed together, are this one.",
        ),
        Opt::machine(
            "<name>.within",
            "short time",
            "How far apart a chord's buttons may be pressed; \"150ms\" if absent.",
        ),
        Opt::machine(
            "<name>.pull",
            "\"up\", \"down\" or \"none\"",
            "The resistor inside the chip; \"up\" if absent.",
        ),
        Opt::machine(
            "<name>.active",
            "\"low\" or \"high\"",
            "The level of the pressed button; the one it isn't pulled to if absent.",
        ),
        Opt::machine(
            "<name>.debounce",
            "short time",
            "How long its level has to stay before it counts; \"30ms\" if absent.",
        ),
        Opt::machine("<name>.press", "action", "What pressing it does."),
        Opt::machine("<name>.release", "action", "What letting go does."),
        Opt::machine(
            "<name>.hold.after",
            "short time",
            "How long it has to be kept pressed; \"1s\" if absent.",
        ),
        Opt::machine(
            "<name>.hold.every",
            "short time",
            "Do it again and again that often; once if absent.",
        ),
        Opt::machine("<name>.hold.do", "action", "What keeping it pressed does."),
        Opt::machine("<name>.double", "action", "What pressing it twice does."),
        Opt::machine(
            "<name>.double_within",
            "short time",
            "How soon after the first the second press has to come; \"400ms\" if absent.",
        ),
    ],
};

/// The section `lamps`.
pub(super) const LAMPS: Section = Section {
    name: "lamps",
    help: "Lamps, by name.",
    options: &[
        Opt::machine(
            "<name>.line",
            "number or name",
            "The line it is wired to, named as a button's.",
        ),
        Opt::machine(
            "<name>.active",
            "\"low\" or \"high\"",
            "The level that lights it; \"high\" if absent.",
        ),
        Opt::machine(
            "<name>.shows",
            "\"on\", \"off\", \"blink\", \"terminal\", \"watched\", \"hook\", \"hook NAME\" or \"button NAME\"",
            "What it shows unless an action says otherwise: that a terminal is open, that somebody besides the machine's own screen watches one, that a hook runs (quick) or failed (slow), that a button is pressed; dark if absent.",
        ),
    ],
};
