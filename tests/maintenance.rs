//! The image's system unlocked for maintenance: its real script over a root that can't be written to, which is this
//! machine's own in a mount namespace that ends with the test.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use std::path::Path;
use std::process::Command;

/// The machine: everything read-only, but memory at /run and a folder as if from a data partition at
/// /etc/alternatives.
const MACHINE: &str = r#"
set -eu
root=$1
mount --rbind / "$root"
mount -o remount,bind,ro "$root"
for place in run tmp; do mount -t tmpfs tmpfs "$root/$place"; done
mkdir -p "$root/run/data" "$root/run/gatepost-image"
mount --bind "$root/run/data" "$root/etc/alternatives"
cp "$2" "$root/run/maintenance"
printf '%s' "$3" > "$root/run/steps"
exec chroot "$root" /bin/sh /run/steps
"#;

/// What is done there; each line of what it says is one that is asserted.
const STEPS: &str = r"
can() { if (: > $1/gatepost.test) 2> /dev/null; then rm $1/gatepost.test; echo writable; else echo read-only; fi; }
say() { echo $1 | /run/maintenance 2> /dev/null; }
echo system $(can /usr) $(can /etc) $(can /var)
say lock
say unlock
echo system $(can /usr) $(can /etc) $(can /var)
ls /run/gatepost-image/unlocked
echo changed > /etc/hostname
cat /etc/hostname
echo kept > /etc/alternatives/file
cat /run/data/file
sh -c 'cd /usr; echo unlock | /run/maintenance 2> /dev/null; echo x > /usr/gatepost.test; ls gatepost.test'
say lock
echo system $(can /usr) $(can /etc) $(can /var)
grep -c changed /etc/hostname
cat /etc/alternatives/file
ls /run/gatepost-image /usr/gatepost.test 2> /dev/null
grep -c gatepost-maintenance /proc/self/mounts
say format
";

#[test]
fn an_unlocked_system_is_written_to_in_memory_and_a_locked_one_is_as_before() {
    let root = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("image/layers/55-maintenance/rootfs-overlay/usr/lib/gatepost/maintenance");
    let mut command = Command::new("unshare");
    // Root of a namespace is enough.
    command.args([
        "--user",
        "--map-root-user",
        "--mount",
        "--",
        "sh",
        "-c",
        MACHINE,
        "sh",
    ]);
    let output = command
        .arg(root.path())
        .arg(script)
        .arg(STEPS)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let expected = [
        "system read-only read-only read-only",
        "done",
        "done",
        "system writable writable writable",
        "/run/gatepost-image/unlocked",
        "changed",
        "kept",
        "done",
        "gatepost.test",
        "done",
        "system read-only read-only read-only",
        "0",
        "kept",
        "/run/gatepost-image:",
        "maintenance",
        "0",
        "neither unlock nor lock was asked for",
    ];
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(lines, expected, "{complaints}");
}
