//! The options of section `kiosk`, for people.

use crate::policy::settings::{Opt, Section};

/// The section.
pub(in crate::policy::settings) const SECTION: Section = Section {
    name: "kiosk",
    help: "The window on the machine's own screen (the screen itself is under `display`); for the scope `\"kiosk\"`, or everyone. `docs/kiosk.md` explains.",
    options: &[
        Opt::principal(
            "zoom",
            "percent, 50 to 400",
            "Size of everything; if absent, 150 on screens of 1300 lines and 200 on screens of 2000.",
        ),
        Opt::principal(
            "blocked_chords",
            "list of chords",
            "Keys pressed together that neither the terminal nor the window gets, as in \"Ctrl-Alt-Shift-A\".",
        ),
        Opt::principal(
            "admin_chord",
            "chord",
            "Opens and closes the administrator's page in front of the terminal; \"\": nothing does. It asks for a login.",
        ),
        Opt::principal(
            "admin_idle",
            "whole number of seconds, 5 to 3600",
            "That page goes after this long without key or pointer.",
        ),
        Opt::principal(
            "memory_limit",
            "whole number of MiB, 16 to 8192",
            "A page whose process takes more for itself is replaced; its terminal goes on.",
        ),
        Opt::machine(
            "sysrq",
            "true or false",
            "Whether Alt-SysRq and a letter keep their meaning to the kernel; otherwise they are turned off when the screen becomes a kiosk's. Read at boot.",
        ),
        Opt::principal(
            "login",
            "true or false",
            "Whoever comes logs in, by the ways of `server.auth` that need nothing but this page, and gets a terminal of their own account. The screen itself may then do nothing; `restart`, `idle_does` and `forget` say nothing, because each login begins and ends with its own terminal.",
        ),
        Opt::principal(
            "restart",
            "always or ask",
            "When the program in the kiosk's terminal ends: always starts it again on a clean screen, ask leaves its last words until somebody presses Enter. Two quick ends in a row wait 5 s.",
        ),
        Opt::principal(
            "idle_reset",
            "time",
            "After so long without key, touch or pointer on the machine's own screen, its terminal is reset for whoever comes next.",
        ),
        Opt::principal(
            "idle_warning",
            "time",
            "How long before that a countdown is shown; whatever is pressed or touched meanwhile calls it off and does nothing else.",
        ),
        Opt::principal(
            "idle_does",
            "close or restart",
            "close: the terminal is closed, with everything it started, and a new one opened; restart: the same, but the terminal keeps its name, number and watchers.",
        ),
        Opt::principal(
            "forget",
            "list of home and clipboard",
            "What of a guest is gone when their program ends or is reset, besides screen and scrollback. home: files, downloads and histories, because each guest gets a home folder of their own; clipboard: what they copied.",
        ),
        Opt::principal(
            "attract.title",
            "text",
            "A page with this on it is shown when nobody is there: after a start and after a reset. Any key or touch leads to the terminal.",
        ),
        Opt::principal(
            "attract.lines",
            "list of texts",
            "Lines below the title, at most 6.",
        ),
        Opt::principal(
            "attract.picture",
            "absolute path",
            "A picture above the title: a PNG, JPEG, WebP or GIF of at most 2 MiB that the server can read.",
        ),
        Opt::principal(
            "attract.clock",
            "true or false",
            "Show the time on that page.",
        ),
        Opt::principal(
            "strip",
            "off, top or bottom",
            "A line at the edge of the screen with the machine's name and address, the network, who else watches, and the time.",
        ),
        Opt::principal(
            "identity",
            "first-use or never",
            "first-use: a machine others can reach shows its name, address, QR code and fingerprint, and the administrator's first password, until somebody has noted it or logged in from elsewhere. `kiosk identity` shows it again, without a password.",
        ),
        Opt::principal(
            "theme",
            "dark, light, solarized-dark, solarized-light or high-contrast",
            "Colours of the terminal and of everything around it. high-contrast also lifts the colours of programs until they can be read.",
        ),
        Opt::principal(
            "text_size",
            "whole number of pixels, 7 to 40",
            "Size of the terminal's type, before `zoom`, which makes everything else larger too.",
        ),
        Opt::principal(
            "screen_reader",
            "true or false",
            "Keep a readable copy of the terminal's screen for screen readers. It costs speed.",
        ),
        Opt::principal(
            "keyboard",
            "never, touch or always",
            "A keyboard on the screen, below the terminal. touch: when the screen is touched, until real keys are used or it is put away. For touch screens that pass for a mouse: always.",
        ),
        Opt::principal(
            "keyboard_layout",
            "us, gb, de, fr or es",
            "What is printed on its keys.",
        ),
        Opt::principal(
            "switch_keys",
            "list of at most two chords",
            "Keys of two switches for people who can't use others: the first moves a highlight over the keyboard on the screen, the second chooses. Buttons of the machine do the same by `kiosk switch next` and `kiosk switch choose`.",
        ),
        Opt::principal(
            "switch_scan",
            "whole number of milliseconds, 300 to 60000",
            "The highlight moves on by itself so often, and any switch chooses.",
        ),
    ],
};
