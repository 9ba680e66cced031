//! Addresses, as systemd-networkd reads them.

use std::fmt::Write as _;

use super::files::{Planned, under};
use super::schema::{Link, Provision};

pub(super) fn plan(provision: &Provision, out: &mut Vec<Planned>) {
    let network = &provision.network;
    // The names of interfaces, with and without the kernel's renaming.
    for (name, link, matches) in [
        ("wired", &network.wired, "en* eth* usb*"),
        ("wifi", &network.wifi, "wl*"),
    ] {
        if let Some(link) = link {
            let path = under(&format!(
                "etc/systemd/network/10-provisioned-{name}.network"
            ));
            out.push(Planned::public(path, unit(link, matches)));
        }
    }
}

fn unit(link: &Link, matches: &str) -> String {
    let mut text =
        format!("[Match]\nName={matches}\n\n[Link]\nRequiredForOnline=no\n\n[Network]\n");
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        let _infallible = writeln!(text, "{key}={value}");
    };
    line("DHCP", if link.asks() { &"yes" } else { &"no" });
    for address in &link.addresses {
        line("Address", address);
    }
    for gateway in &link.gateways {
        line("Gateway", gateway);
    }
    for server in &link.dns {
        line("DNS", server);
    }
    if !link.search.is_empty() {
        let names: Vec<&str> = link
            .search
            .iter()
            .map(super::words::HostName::as_str)
            .collect();
        line("Domains", &names.join(" "));
    }
    text
}
