//! What `iw dev … scan` says of the Wi-Fi networks in reach. Their names come from whoever has a radio.

use std::collections::BTreeMap;

use serde::Serialize;

/// Most of it that is read, in bytes: some hundred networks.
pub const MAX_SCAN: usize = 1 << 20;
/// Most networks that are shown: nobody reads more.
pub const MAX_NETWORKS: usize = 64;

/// A network in reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its name.
    pub ssid: String,
    /// How strong its strongest transmitter is, in whole dBm.
    pub signal: i32,
    /// Whether it wants a passphrase.
    pub protected: bool,
}

/// The networks, strongest first, each once. Those without a name, or with one that is no text, are left out.
pub fn read(text: &str) -> Vec<Seen> {
    let mut found: BTreeMap<String, Seen> = BTreeMap::new();
    let mut now: Option<Seen> = None;
    for line in text.lines() {
        if line.starts_with("BSS ") {
            keep(&mut found, now.take());
            now = Some(Seen {
                ssid: String::new(),
                signal: -100,
                protected: false,
            });
            continue;
        }
        let Some(seen) = &mut now else {
            continue;
        };
        // Deeper lines are about other things; a name in them is another's.
        let Some(line) = line
            .strip_prefix('\t')
            .filter(|line| !line.starts_with('\t'))
        else {
            continue;
        };
        if let Some(name) = line.strip_prefix("SSID: ") {
            seen.ssid = plain(name).unwrap_or_default();
        } else if let Some(signal) = line.strip_prefix("signal: ") {
            let whole = signal.split(['.', ' ']).next().unwrap_or_default();
            seen.signal = whole.parse().unwrap_or(-100).clamp(-200, 0);
        } else if line.starts_with("RSN:") || line.starts_with("WPA:") {
            seen.protected = true;
        } else if let Some(can) = line.strip_prefix("capability: ") {
            seen.protected |= can.split(' ').any(|word| word == "Privacy");
        }
    }
    keep(&mut found, now);
    let mut all: Vec<Seen> = found.into_values().collect();
    all.sort_by_key(|seen| std::cmp::Reverse(seen.signal));
    all.truncate(MAX_NETWORKS);
    all
}

fn keep(found: &mut BTreeMap<String, Seen>, seen: Option<Seen>) {
    let Some(seen) = seen.filter(|seen| (1..=32).contains(&seen.ssid.len())) else {
        return;
    };
    // Of a flood of invented names, some are enough.
    if found.len() >= 8 * MAX_NETWORKS {
        return;
    }
    let known = found
        .entry(seen.ssid.clone())
        .or_insert_with(|| seen.clone());
    known.signal = known.signal.max(seen.signal);
    known.protected |= seen.protected;
}

/// A name without `iw`'s escapes: `\xHH` for each byte it doesn't print.
fn plain(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        rest = more;
        if first == b'\\' && more.first() == Some(&b'x') {
            let digits = std::str::from_utf8(more.get(1..3)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = more.get(3..)?;
        } else {
            bytes.push(first);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // Nothing of it may change how the page around it reads.
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_from_what_iw_says() {
        let text = "BSS 02:00:00:00:01:00(on wlan0)\n\tcapability: ESS Privacy ShortSlotTime (0x0411)\n\tsignal: -30.00 dBm\n\
            \tSSID: Office\n\tRSN:\t * Version: 1\n\t\t * SSID: deeper\n\
            BSS 02:00:00:00:02:00(on wlan0) -- associated\n\tsignal: -60.00 dBm\n\tSSID: Caf\\xc3\\xa9 \\x5cx\n\
            BSS 02:00:00:00:03:00(on wlan0)\n\tsignal: -20.00 dBm\n\tSSID: Office\n\
            BSS 02:00:00:00:04:00(on wlan0)\n\tSSID: \n\
            BSS 02:00:00:00:05:00(on wlan0)\n\tSSID: \\x00\\x00\n\
            BSS 02:00:00:00:06:00(on wlan0)\n\tSSID: \\xff\n\
            BSS 02:00:00:00:07:00(on wlan0)\n\tSSID: \\x1b[31m\n";
        let seen = read(text);
        let names: Vec<_> = seen
            .iter()
            .map(|seen| (seen.ssid.as_str(), seen.signal, seen.protected))
            .collect();
        assert_eq!(names, [("Office", -20, true), ("Café \\x", -60, false)]);
        assert_eq!(read("command failed: Network is down (-100)\n"), []);
    }

    #[test]
    fn a_flood_of_names_is_cut() {
        let mut text = String::new();
        for n in 0..10_000 {
            text.push_str("BSS 0\n\tSSID: n");
            text.push_str(&n.to_string());
            text.push('\n');
        }
        assert_eq!(read(&text).len(), MAX_NETWORKS);
    }
}
