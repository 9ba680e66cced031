//! The board: its supply, its clock speed, its temperature.

use std::path::Path;

use crate::action::{Check, Verdict};

use super::read;

/// Temperatures in whole degrees: from the first a Pi 3 may slow down soon, from the second it does.
const WARM: i64 = 75;
const HOT: i64 = 83;

/// Where Raspberry Pi's own kernel tells what the firmware has seen.
const THROTTLED: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";
/// Bits of it: now; those 16 further up mean "since it was switched on".
const UNDERVOLTED: u32 = 1 << 0;
const SLOWED: u32 = 1 << 1 | 1 << 2 | 1 << 3;

fn throttled(root: &Path) -> Option<u32> {
    let text = read::text(root, THROTTLED)?;
    u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

/// The alarm of the kernel's own driver; since it was switched on or last read.
fn alarm(root: &Path) -> Option<bool> {
    read::folder(root, "sys/class/hwmon")
        .iter()
        .find_map(|chip| {
            let ours = read::file(&chip.join("name"))? == "rpi_volt";
            ours.then(|| read::number(&chip.join("in0_lcrit_alarm")))
                .flatten()
                .map(|alarm| alarm != 0)
        })
}

/// Whether the supply is good enough.
pub(super) fn power(root: &Path) -> Check {
    const ADVICE: &str = "use the board's own power supply and a short cable";
    let bits = throttled(root);
    let (now, before) = match (bits, alarm(root)) {
        (None, None) => {
            return Check::new("power", Verdict::Unknown, "this machine doesn't tell");
        }
        (bits, alarm) => {
            let has = |mask| bits.is_some_and(|bits| bits & mask != 0);
            (
                has(UNDERVOLTED) || alarm == Some(true),
                has(UNDERVOLTED << 16),
            )
        }
    };
    match (now, before) {
        (true, _) => Check::new(
            "power",
            Verdict::Bad,
            format!("the voltage is too low; {ADVICE}"),
        ),
        (false, true) => Check::new(
            "power",
            Verdict::Warning,
            format!("the voltage has been too low since the machine was switched on; {ADVICE}"),
        ),
        (false, false) => Check::new("power", Verdict::Good, "the voltage is good"),
    }
}

/// Whether the processor runs as fast as it could.
pub(super) fn throttling(root: &Path) -> Check {
    let name = "throttling";
    match throttled(root) {
        None => Check::new(name, Verdict::Unknown, "this machine doesn't tell"),
        Some(bits) if bits & SLOWED != 0 => Check::new(
            name,
            Verdict::Warning,
            "the processor is slowed down now: too warm, or too little power",
        ),
        Some(bits) if bits & (SLOWED << 16) != 0 => Check::new(
            name,
            Verdict::Warning,
            "the processor has been slowed down since the machine was switched on",
        ),
        Some(_) => Check::new(name, Verdict::Good, "the processor runs at full speed"),
    }
}

/// How warm the warmest sensor is.
pub(super) fn temperature(root: &Path) -> Check {
    let zones = read::folder(root, "sys/class/thermal");
    let warmest = zones
        .iter()
        .filter(|zone| read::name(zone).starts_with("thermal_zone"))
        .filter_map(|zone| read::number(&zone.join("temp")))
        .max();
    let Some(warmest) = warmest else {
        return Check::new("temperature", Verdict::Unknown, "no sensor");
    };
    let degrees = warmest / 1000;
    let (verdict, advice) = match degrees {
        HOT.. => (Verdict::Bad, ": it slows down; give it air"),
        WARM.. => (Verdict::Warning, ": give it air"),
        _ => (Verdict::Good, ""),
    };
    Check::new("temperature", verdict, format!("{degrees} °C{advice}")).with(degrees)
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    #[test]
    fn the_firmwares_bits_mean_now_and_since_it_was_switched_on() {
        for (bits, supply, speed) in [
            ("0x0", Verdict::Good, Verdict::Good),
            ("0x1", Verdict::Bad, Verdict::Good),
            ("50005", Verdict::Bad, Verdict::Warning),
            ("0x50000", Verdict::Warning, Verdict::Warning),
            ("0x80008", Verdict::Good, Verdict::Warning),
        ] {
            let root = fake::root(&[(THROTTLED, bits)]);
            assert_eq!(power(root.path()).verdict, supply, "{bits}");
            assert_eq!(throttling(root.path()).verdict, speed, "{bits}");
        }
    }

    #[test]
    fn the_kernels_alarm_counts_where_the_firmware_is_not_asked() {
        let alarm = |value| {
            let root = fake::root(&[
                ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
                ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
                ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", value),
            ]);
            power(root.path()).verdict
        };
        assert_eq!(alarm("0\n"), Verdict::Good);
        assert_eq!(alarm("1\n"), Verdict::Bad);
    }

    #[test]
    fn the_warmest_sensor_counts() {
        for (degrees, verdict) in [
            ("74999", Verdict::Good),
            ("75000", Verdict::Warning),
            ("82999", Verdict::Warning),
            ("83000", Verdict::Bad),
        ] {
            let root = fake::root(&[
                ("sys/class/thermal/thermal_zone0/temp", "20000"),
                ("sys/class/thermal/thermal_zone1/temp", degrees),
                ("sys/class/thermal/cooling_device0/temp", "99000"),
            ]);
            assert_eq!(temperature(root.path()).verdict, verdict, "{degrees}");
        }
    }
}
