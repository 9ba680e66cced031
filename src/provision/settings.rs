//! What of a [`Provision`] is a setting of Gatepost's own, as scopes and sections.

use crate::policy::settings::Capability;
use crate::policy::tree::{Kind, Table, Value, merge};

use super::files::{TLS_CERTIFICATE, TLS_KEY};
use super::schema::{Provision, place};

/// The name of the screen's command among those that are offered.
const COMMAND: &str = "provisioned";

/// The settings, each with the place it was written at. What stands under `[gatepost]` wins.
pub fn settings(provision: &Provision, tree: &Value) -> Table {
    let mut all = Value::table(Table::default(), tree.origin.clone());
    let mut put = |from: &[&str], to: &[&str], kind: Kind| {
        let from: Vec<String> = from.iter().map(ToString::to_string).collect();
        let origin = place(tree, &from);
        all.put(to, Value { kind, origin });
    };
    let text = |text: &str| Kind::Text(text.to_owned());
    if let Some(rotation) = provision.rotation {
        let degrees = Kind::Whole(u16::from(rotation).into());
        put(&["rotation"], &["*", "display", "rotate"], degrees);
    }
    if !provision.kiosk.command.is_empty() {
        let from = ["kiosk", "command"];
        let word =
            |word: &String| Value::text(word.as_str(), place(tree, &from.map(str::to_owned)));
        let words = Kind::List(provision.kiosk.command.iter().map(word).collect());
        let offered = ["kiosk", "terminal", "commands", COMMAND];
        put(&from, &["kiosk", "terminal", "shell"], Kind::Bool(false));
        put(
            &from,
            &["kiosk", "terminal", "default_command"],
            text(COMMAND),
        );
        put(&from, &[&offered[..], &["command"]].concat(), words);
    }
    if let Some(admin) = &provision.admin {
        let scope = format!("user.upn={}", admin.name);
        for capability in Capability::ALL {
            let to = [scope.as_str(), "allow", capability.key()];
            put(&["admin", "name"], &to, Kind::Bool(true));
        }
    }
    if provision.tls.is_some() {
        let to = |key| ["*", "server", "tls", key];
        put(&["tls"], &to("mode"), text("files"));
        let absolute = |path: &str| text(&format!("/{path}"));
        put(
            &["tls", "certificate"],
            &to("certificate"),
            absolute(TLS_CERTIFICATE),
        );
        put(&["tls", "key"], &to("key"), absolute(TLS_KEY));
    }
    let mut all = match all.kind {
        Kind::Table(table) => table,
        _ => Table::default(),
    };
    if let Some(own) = provision.gatepost.as_ref().and_then(Value::as_table) {
        merge(&mut all, own);
    }
    all
}
