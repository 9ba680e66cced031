//! The machine's own name and addresses.

use std::net::IpAddr;

/// The host name, as the kernel has it; empty if it isn't text.
pub fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_str().unwrap_or_default().to_owned()
}

/// The addresses others can reach this machine at: neither loopback nor link-local ones, which mean
/// something else on every network. Empty when the system doesn't tell.
pub fn addresses() -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|address| match address {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_has_a_name_and_no_address_is_loopback() {
        assert!(!super::host_name().is_empty());
        assert!(
            super::addresses()
                .iter()
                .all(|address| !address.is_loopback())
        );
    }
}
