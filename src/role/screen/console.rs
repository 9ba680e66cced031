//! `gatepost kiosk console`: what only root may do for the machine's own screen, once at boot: the text
//! console is turned as the picture will be, and kept from going dark; keys that speak to the kernel are
//! turned off.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::role::configuration::{load, without_flags};
use crate::role::output;

/// Turns every console (Documentation/fb/fbcon.rst).
const TURN: &str = "sys/class/graphics/fbcon/rotate_all";
/// The console the kiosk is on.
const CONSOLE: &str = "dev/tty1";
/// Which of the keys that speak to the kernel work (Documentation/admin-guide/sysrq.rst).
const SYSRQ: &str = "proc/sys/kernel/sysrq";
/// Never blank, never power down (console_codes(4)); and that nothing of this is seen.
const AWAKE: &[u8] = b"\x1b[9;0]\x1b[14;0]";

/// Does it, on the machine whose files are below `root`. What this machine doesn't have is left alone.
pub(in crate::role) fn console(root: &Path) {
    // A wrong setting is no reason for a console that goes dark.
    match load(&without_flags()) {
        Ok(rules) => {
            let turn = rules.machine().display.rotate.of_console();
            write(&root.join(TURN), format!("{turn}\n").as_bytes());
            if !rules.machine().kiosk.sysrq {
                silence(root);
            }
        }
        Err(failure) => {
            output::say(&failure.message);
            silence(root);
        }
    }
    write(&root.join(CONSOLE), AWAKE);
}

/// No X server sees these keys: one takes the keyboard away from it, after which others change to a
/// virtual terminal, and others restart the machine.
fn silence(root: &Path) {
    write(&root.join(SYSRQ), b"0\n");
}

fn write(path: &Path, bytes: &[u8]) {
    let writing = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes));
    if let Err(error) = writing {
        output::say(&format!("{}: {error}; left as it is", path.display()));
    }
}
