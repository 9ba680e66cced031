//! What the page on the machine's own screen is told: its settings, now and whenever they change.

use std::net::IpAddr;

use serde::Serialize;

use crate::base::Principal;
use crate::policy::settings::Kiosk;
use crate::system;

use super::Web;

/// The message, one of those of `ws/events`.
#[derive(Serialize)]
struct Told<'a> {
    /// Section `kiosk` of the configuration as it is in force for the kiosk. It holds no secrets.
    kiosk: &'a Kiosk,
    machine: Machine<'a>,
}

/// What this machine is, for whoever stands in front of it.
#[derive(Serialize)]
struct Machine<'a> {
    /// Its name.
    name: String,
    /// Where browsers elsewhere find the server.
    address: &'a str,
    /// The addresses it has in its networks.
    addresses: Vec<IpAddr>,
}

/// What the kiosk's page is to know now.
pub(super) fn told(web: &Web) -> String {
    let settings = web.control.settings_for(&Principal::Kiosk {});
    let told = Told {
        kiosk: &settings.kiosk,
        machine: Machine {
            name: system::host_name(),
            address: &web.base,
            addresses: system::addresses(),
        },
    };
    // Plain values all through, which JSON can hold.
    serde_json::to_string(&told).unwrap_or_default()
}
