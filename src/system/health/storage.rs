//! The card: room, whether it can be written to, and errors the kernel has met on it.

use std::path::Path;

use crate::action::{Check, Verdict};

use super::read;

/// Percent that is free, and MB below which it matters: a tenth of a large disk is plenty.
const TIGHT: u64 = 10;
const SHORT: u64 = 2;
const PLENTY_MB: u64 = 1024;

/// How much room is left where lasting files are.
pub(super) fn space(state: &Path) -> Check {
    match rustix::fs::statvfs(state) {
        Ok(found) if found.f_blocks > 0 => {
            let percent = found.f_bavail.saturating_mul(100) / found.f_blocks;
            let mb = found.f_bavail.saturating_mul(found.f_frsize) >> 20;
            judge_space(percent, mb)
        }
        _ => Check::new("disk-space", Verdict::Unknown, "not known"),
    }
}

fn judge_space(percent: u64, mb: u64) -> Check {
    let verdict = match percent {
        _ if mb >= PLENTY_MB => Verdict::Good,
        TIGHT.. => Verdict::Good,
        SHORT.. => Verdict::Warning,
        _ => Verdict::Bad,
    };
    let says = format!("{mb} MB free ({percent} %)");
    Check::new("disk-space", verdict, says).with(i64::try_from(mb).unwrap_or(i64::MAX))
}

/// Whether lasting files can be written. A filesystem that met an error becomes read-only; one that
/// is meant to be is no fault.
pub(super) fn writable(root: &Path, state: &Path) -> Check {
    let flags = rustix::fs::statvfs(state).map(|found| found.f_flag);
    let read_only = flags.is_ok_and(|flags| flags.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    if read_only {
        let says = format!(
            "{} has become read-only: the card may be failing; replace it",
            state.display()
        );
        return Check::new("disk-writable", Verdict::Bad, says);
    }
    let mounts = read::text(root, "proc/self/mountinfo").unwrap_or_default();
    let stopped = mounts.lines().find_map(stopped_writing);
    match stopped {
        Some(place) => Check::new(
            "disk-writable",
            Verdict::Bad,
            format!("{place} has become read-only after an error: replace the card"),
        ),
        None => Check::new(
            "disk-writable",
            Verdict::Good,
            "lasting files can be written",
        ),
    }
}

/// Where a line of mountinfo (proc(5)) says that the kernel stopped writing.
fn stopped_writing(line: &str) -> Option<&str> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(4);
    let (place, of_mount) = (mount.next()?, mount.next()?);
    let mut filesystem = filesystem.split(' ');
    let kind = filesystem.next()?;
    let options = filesystem.nth(1)?;
    let has = |list: &str, word| list.split(',').any(|option| option == word);
    // It was mounted to be written to, and isn't any more.
    let turned = has(of_mount, "rw") && has(options, "ro");
    let disk = matches!(
        kind,
        "ext4" | "ext3" | "ext2" | "f2fs" | "vfat" | "btrfs" | "xfs"
    );
    (disk && (turned || has(options, "emergency_ro"))).then_some(place)
}

/// Errors the filesystems have counted, over reboots.
pub(super) fn errors(root: &Path) -> Check {
    let disks = read::folder(root, "sys/fs/ext4");
    let counts: Vec<_> = disks
        .iter()
        .filter_map(|disk| Some((read::name(disk), read::number(&disk.join("errors_count"))?)))
        .collect();
    let worst = counts.iter().max_by_key(|(_, count)| *count);
    match worst {
        None => Check::new(
            "disk-errors",
            Verdict::Unknown,
            "no filesystem that counts them",
        ),
        Some((_, 0)) => Check::new("disk-errors", Verdict::Good, "none").with(0),
        Some((disk, count)) => Check::new(
            "disk-errors",
            Verdict::Bad,
            format!("{disk} has met {count} errors: check it with fsck, and replace the card"),
        )
        .with(*count),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    #[test]
    fn room_matters_when_there_is_little_of_it() {
        for (percent, mb, verdict) in [
            (10, 100, Verdict::Good),
            (9, 1024, Verdict::Good),
            (9, 1023, Verdict::Warning),
            (2, 10, Verdict::Warning),
            (1, 10, Verdict::Bad),
        ] {
            assert_eq!(
                judge_space(percent, mb).verdict,
                verdict,
                "{percent} % {mb} MB"
            );
        }
    }

    #[test]
    fn a_card_that_became_read_only_is_bad_and_one_that_is_meant_to_be_is_not() {
        let state = tempfile::tempdir().unwrap();
        let verdict = |line: &str| {
            let root = fake::root(&[("proc/self/mountinfo", line)]);
            writable(root.path(), state.path()).verdict
        };
        for good in [
            "36 35 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw",
            "36 35 179:2 / / ro,noatime shared:1 - ext4 /dev/mmcblk0p2 ro",
            "36 35 179:2 / / ro,noatime shared:1 - ext4 /dev/mmcblk0p2 rw",
            "36 35 7:0 / / rw - squashfs /dev/root ro,errors=continue",
            "nonsense",
            "",
        ] {
            assert_eq!(verdict(good), Verdict::Good, "{good}");
        }
        for bad in [
            "36 35 179:2 / /data rw,noatime shared:1 - ext4 /dev/mmcblk0p4 ro,errors=remount-ro",
            "36 35 179:2 / /data ro - ext4 /dev/mmcblk0p4 rw,emergency_ro",
        ] {
            assert_eq!(verdict(bad), Verdict::Bad, "{bad}");
        }
    }

    #[test]
    fn errors_of_any_filesystem_count() {
        let root = fake::root(&[
            ("sys/fs/ext4/mmcblk0p2/errors_count", "0\n"),
            ("sys/fs/ext4/features/lazy_itable_init", "supported\n"),
        ]);
        assert_eq!(errors(root.path()).verdict, Verdict::Good);
        fake::write(root.path(), "sys/fs/ext4/mmcblk0p4/errors_count", "3\n");
        let found = errors(root.path());
        assert_eq!((found.verdict, found.value), (Verdict::Bad, Some(3)));
        assert!(found.says.contains("mmcblk0p4"), "{}", found.says);
    }
}
