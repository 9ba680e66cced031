//! The files that come of a [`Provision`]: where, what, and who may read them.

use std::fmt::Write as _;

use super::schema::{Keyboard, Provision};
use super::secrets::Secrets;
use super::{account, network, wifi};

/// Where everything but Gatepost's own settings is; below it, `etc/` mirrors `/etc`.
pub const FOLDER: &str = "var/lib/gatepost-provision";
/// Gatepost's own settings.
const SETTINGS: &str = "etc/gatepost/conf.d/50-provisioned.toml";
/// The server's certificate.
pub const TLS_CERTIFICATE: &str = "etc/gatepost/tls/provisioned.pem";
/// Its key.
pub const TLS_KEY: &str = "etc/gatepost/tls/provisioned.key";
/// The administrator's number: above those of people on an ordinary machine's first accounts.
pub const UID: u32 = 1100;

/// One file that is to be there. Paths have no `/` in front.
#[derive(Clone, PartialEq, Eq)]
pub struct Planned {
    /// Where, below the root.
    pub path: String,
    /// What.
    pub content: Content,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)
    }
}

/// What is to be there.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File {
        /// What is in it.
        bytes: Vec<u8>,
        /// Who may read it.
        mode: u32,
        /// Whose it is.
        owner: Owner,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        to: String,
    },
    /// The administrator's home folder. Never taken away.
    Home {},
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Root's.
    Root,
    /// Root's, and the server may read it.
    Server,
}

impl Planned {
    /// A file everybody may read.
    pub(super) fn public(path: String, text: String) -> Self {
        Self {
            path,
            content: Content::File {
                bytes: text.into_bytes(),
                mode: 0o644,
                owner: Owner::Root,
            },
        }
    }

    /// A file only root may read.
    pub(super) fn secret(path: String, text: String) -> Self {
        Self {
            path,
            content: Content::File {
                bytes: text.into_bytes(),
                mode: 0o600,
                owner: Owner::Root,
            },
        }
    }
}

/// A path below [`FOLDER`].
pub(super) fn under(path: &str) -> String {
    format!("{FOLDER}/{path}")
}

/// Everything that is to be there. `settings` are Gatepost's own, as TOML.
pub fn plan(provision: &Provision, secrets: &Secrets, settings: &str) -> Vec<Planned> {
    let mut out = Vec::new();
    if let Some(name) = &provision.hostname {
        out.push(Planned::public(under("etc/hostname"), format!("{name}\n")));
    }
    if let Some(locale) = &provision.locale {
        out.push(Planned::public(
            under("etc/locale.conf"),
            format!("LANG={locale}\n"),
        ));
    }
    if let Some(zone) = &provision.timezone {
        out.push(Planned {
            path: under("etc/localtime"),
            content: Content::Link {
                to: format!("/usr/share/zoneinfo/{zone}"),
            },
        });
    }
    if let Some(board) = &provision.keyboard {
        out.push(Planned::public(
            under("etc/default/keyboard"),
            keyboard(board),
        ));
    }
    wifi::plan(provision, &secrets.files, &mut out);
    network::plan(provision, &mut out);
    account::plan(provision, &mut out);
    if let Some(broker) = &provision.fleet.broker {
        let text = format!("{}\n", broker.expose());
        out.push(Planned::secret(under("fleet-broker"), text));
    }
    if let Some(tls) = &provision.tls {
        for (path, file, mode) in [
            (TLS_CERTIFICATE, &tls.certificate, 0o644),
            (TLS_KEY, &tls.key, 0o640),
        ] {
            out.push(Planned {
                path: path.to_owned(),
                content: Content::File {
                    bytes: secrets
                        .files
                        .get(file)
                        .cloned()
                        .unwrap_or_default()
                        .into_bytes(),
                    mode,
                    owner: Owner::Server,
                },
            });
        }
    }
    // Last: what it names is there when it is.
    if !settings.is_empty() {
        let text = format!(
            "# Made by `gatepost provision apply` from the files on the card's first partition. Changes here\n# are lost when those change; conf.d/60-….toml wins over this file.\n{settings}"
        );
        out.push(Planned::public(SETTINGS.to_owned(), text));
    }
    out
}

/// One file for X, by its udev rule, and for the console: the two can't disagree.
fn keyboard(board: &Keyboard) -> String {
    let layout = board.layout.as_str();
    let first = layout.split(',').next().unwrap_or(layout);
    // Where the console's keymap has another name than XKB's layout.
    let keymap = if first == "gb" { "uk" } else { first };
    let options: Vec<&str> = board
        .options
        .iter()
        .map(super::words::KeyboardWord::as_str)
        .collect();
    let word = |word: &Option<super::words::KeyboardWord>, other: &str| {
        word.as_ref()
            .map_or(other, super::words::KeyboardWord::as_str)
            .to_owned()
    };
    let mut text = String::new();
    for (key, value) in [
        ("XKBMODEL", word(&board.model, "pc105")),
        ("XKBLAYOUT", layout.to_owned()),
        ("XKBVARIANT", word(&board.variant, "")),
        ("XKBOPTIONS", options.join(",")),
        ("BACKSPACE", "guess".to_owned()),
        ("KEYMAP", keymap.to_owned()),
    ] {
        let _infallible = writeln!(text, "{key}=\"{value}\"");
    }
    text
}
