//! A card in a file, a machine that runs from it, and bundles for it: good ones, and all kinds of others.

use std::fmt::Write as _;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use gatepost::base::SlotState;
use gatepost::base::slots::{COPIES, Slot};
use gatepost::wire::bundle::{MAGIC, PartName};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Where the slots are, in MiB.
pub(crate) const SLOTS: [u64; 2] = [132, 644];
/// What the system that runs consists of, and when it was made.
pub(crate) const OLD: u8 = 0x11;
pub(crate) const BUILT: u64 = 1_796_000_000;

pub(crate) struct Card {
    pub(crate) temp: tempfile::TempDir,
    key: Ed25519KeyPair,
}

impl Card {
    /// A card with a system in slot A and nothing in slot B.
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let random = ring::rand::SystemRandom::new();
        let key = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        let card = Self { temp, key };
        let disk = File::create_new(card.disk()).unwrap();
        disk.set_len(1156 << 20).unwrap();
        let mut first = [0; 512];
        for (number, (start, size)) in [(4, 128), (SLOTS[0], 512), (SLOTS[1], 512)]
            .iter()
            .enumerate()
        {
            let entry = 446 + 16 * number;
            let sectors = |mib: u64| u32::try_from(mib * 2048).unwrap().to_le_bytes();
            first[entry + 4] = 0x83;
            first[entry + 8..entry + 12].copy_from_slice(&sectors(*start));
            first[entry + 12..entry + 16].copy_from_slice(&sectors(*size));
        }
        first[510..].copy_from_slice(&[0x55, 0xaa]);
        disk.write_all_at(&first, 0).unwrap();
        for at in [0, PartName::Boot.offset()] {
            disk.write_all_at(&[OLD; 8192], (SLOTS[0] << 20) + at)
                .unwrap();
        }
        card.file("run/gatepost-image/disk", card.disk().to_str().unwrap());
        card.file("run/gatepost-image/slot", "a\n");
        let system = json!({ "version": "0.1.0", "built": BUILT, "board": "rpi-arm64" });
        card.file("usr/lib/gatepost/system.json", &system.to_string());
        let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
        der.extend(card.key.public_key().as_ref());
        let der = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
        card.file("usr/lib/gatepost/update-keys/test.pem", &pem);
        card
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.temp.path().join("disk")
    }

    /// A file below the machine's root.
    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.temp.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn state(&self) -> SlotState {
        let disk = File::open(self.disk()).unwrap();
        let copy = |sector: u64| {
            let mut bytes = [0; 512];
            disk.read_exact_at(&mut bytes, sector * 512).unwrap();
            SlotState::decode(&bytes)
        };
        SlotState::newer(COPIES.map(copy)).0
    }

    /// What the boot loader does at a start: the state it leaves, and the slot it starts.
    pub(crate) fn start(&self) -> Slot {
        if let Some(state) = self.state().started() {
            let disk = File::options().write(true).open(self.disk()).unwrap();
            // As it does: over the older copy. Which one that is doesn't matter here.
            for sector in COPIES {
                disk.write_all_at(&state.encode(), sector * 512).unwrap();
            }
        }
        let slot = self.state().slot;
        self.file("run/gatepost-image/slot", &slot.to_string());
        slot
    }

    /// What is at the beginning of a slot's root and of its boot part.
    pub(crate) fn system(&self, slot: Slot) -> [Vec<u8>; 2] {
        let disk = File::open(self.disk()).unwrap();
        let start = SLOTS[slot.partition() - 2] << 20;
        [0, PartName::Boot.offset()].map(|at| {
            let mut bytes = vec![0; 8192];
            disk.read_exact_at(&mut bytes, start + at).unwrap();
            bytes
        })
    }

    /// A signed bundle whose parts are made of this byte. What the manifest says can be changed.
    pub(crate) fn bundle(&self, byte: u8, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        // Not a multiple of anything.
        let (root, boot) = (vec![byte; (3 << 20) + 4321], vec![byte; (1 << 20) + 77]);
        let part = |name: &str, bytes: &[u8]| {
            let sum = ring::digest::digest(&ring::digest::SHA256, bytes);
            let sum = sum.as_ref().iter().fold(String::new(), |mut out, byte| {
                write!(out, "{byte:02x}").unwrap();
                out
            });
            json!({ "name": name, "size": bytes.len(), "sha256": sum })
        };
        let mut manifest = json!({
            "version": "0.2.0", "built": BUILT + 1, "board": "rpi-arm64",
            "parts": [part("root", &root), part("boot", &boot)],
        });
        change(&mut manifest);
        let manifest = manifest.to_string().into_bytes();
        let mut out = MAGIC.to_vec();
        out.extend(u32::try_from(manifest.len()).unwrap().to_le_bytes());
        out.extend(manifest);
        let signature = self.key.sign(&out);
        out.push(1);
        out.extend(signature.as_ref());
        out.extend(root);
        out.extend(boot);
        out
    }

    /// A bundle in a file.
    pub(crate) fn saved(&self, name: &str, bundle: &[u8]) -> String {
        let path = self.temp.path().join(name);
        std::fs::write(&path, bundle).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// What systemd does for gatepost-update.socket: a writer for each connection.
pub(crate) fn writers(root: &Path) -> PathBuf {
    let socket = root.join("update.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let root = root.to_owned();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut writer = Command::new(env!("CARGO_BIN_EXE_gatepost"))
                .arg("run-update")
                .arg("--root")
                .arg(&root)
                .stdin(OwnedFd::from(stream))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Several at a time, as systemd has them.
            std::thread::spawn(move || writer.wait());
        }
    });
    socket
}
