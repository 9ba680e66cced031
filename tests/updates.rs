//! Updates on a card in a file, through the real server and the real writer: good bundles start next and stay
//! when their screen is seen, bad ones change nothing, and wherever the plug is pulled something starts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "updates/card.rs"]
mod card;
#[path = "support/mod.rs"]
mod support;

use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::Output;

use card::{BUILT, Card, OLD, writers};
use gatepost::base::slots::{Slot, TRIES, Trust};
use gatepost::base::{User, Way};
use gatepost::system::update::{Disk, Keys, Running, Updates, install};
use serde_json::{Value, json};
use support::keeper::until;
use support::server::{Place, ServerProcess, TestServer};

const NEW: u8 = 0x22;

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The kiosk's window, or anybody who may speak at the server's socket.
fn say(place: &Place, call: &Value) -> Value {
    let mut stream = UnixStream::connect(place.folders.control_socket()).unwrap();
    let call = call.to_string();
    let length = u32::try_from(call.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(call.as_bytes()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn a_good_bundle_starts_next_and_stays_once_its_screen_is_seen() {
    let (card, place) = (Card::new(), Place::new());
    let socket = writers(card.temp.path());
    let server = ServerProcess::start(&place, &["--updates", socket.to_str().unwrap()]);
    let bundle = card.saved("new.bundle", &card.bundle(NEW, |_| ()));
    assert!(
        place
            .ok(&["update", "check", &bundle])
            .contains("version 0.2.0, good")
    );
    let said = place.ok(&["update", "install", &bundle]);
    assert!(said.contains("slot b, which has 3 tries"), "{said}");
    assert_eq!(card.system(Slot::B), [vec![NEW; 8192], vec![NEW; 8192]]);
    assert_eq!(
        card.system(Slot::A)[0],
        [OLD; 8192],
        "what runs is left alone"
    );
    drop(server);

    assert_eq!(card.start(), Slot::B);
    assert_eq!(card.state().trust, Trust::Tries(TRIES - 1));
    let server = ServerProcess::start(&place, &["--updates", socket.to_str().unwrap()]);
    // Nobody has seen anything yet: what one would go back to is not written over.
    let refused = place.run(&["update", "install", &bundle]);
    assert!(
        words(&refused).contains("not been confirmed"),
        "{}",
        words(&refused)
    );
    assert_eq!(
        say(&place, &json!({ "call": "painted" })),
        json!({ "answer": "noted" })
    );
    until("the new system is confirmed", || {
        card.state().trust == Trust::Confirmed
    });
    let state: Value = serde_json::from_str(&place.ok(&["update", "check", "--json"])).unwrap();
    assert_eq!(state["slots"]["running"], "b");
    assert_eq!(state["slots"]["trust"], "confirmed");
    let said = place.ok(&["update", "rollback"]);
    assert!(said.contains("slot a, which has 3 tries"), "{said}");
    drop(server);
    assert_eq!(card.start(), Slot::A);
}

#[test]
fn a_system_whose_screen_is_never_seen_is_left_again() {
    let card = Card::new();
    let bundle = card.bundle(NEW, |_| ());
    put(&card, &bundle, &mut |_| Ok(())).unwrap();
    for _ in 0..TRIES {
        assert_eq!(card.start(), Slot::B);
    }
    assert_eq!(card.start(), Slot::A);
    assert!(card.state().rolled_back);
    assert_eq!(card.start(), Slot::A, "and stays");
}

#[test]
fn a_bundle_that_is_not_exactly_what_was_signed_for_this_machine_changes_nothing_that_runs() {
    let (card, stranger, place) = (Card::new(), Card::new(), Place::new());
    let socket = writers(card.temp.path());
    let _server = ServerProcess::start(&place, &["--updates", socket.to_str().unwrap()]);
    let good = card.bundle(NEW, |_| ());
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let too_big = 449_u64 << 20;
    for (what, bundle, expected) in [
        (
            "stranger",
            stranger.bundle(NEW, |_| ()),
            "not signed by anybody",
        ),
        ("manifest", flipped(60), "not signed by anybody"),
        (
            "root",
            flipped(good.len() / 2),
            "root is not what was signed",
        ),
        (
            "boot",
            flipped(good.len() - 1),
            "boot part is not what was signed",
        ),
        ("head", good[..100].to_vec(), "can't be read"),
        ("cut", good[..good.len() - 1].to_vec(), "can't be read"),
        ("longer", [&good[..], b"x"].concat(), "something follows"),
        ("empty", Vec::new(), "can't be read"),
        (
            "other",
            b"PK\x03\x04 something else entirely, a zip for example".to_vec(),
            "no Gatepost bundle",
        ),
        (
            "board",
            card.bundle(NEW, |m| m["board"] = json!("pc-amd64")),
            "is for pc-amd64",
        ),
        (
            "older",
            card.bundle(NEW, |m| m["built"] = json!(BUILT - 1)),
            "--downgrade",
        ),
        (
            "big",
            card.bundle(NEW, |m| m["parts"][0]["size"] = json!(too_big)),
            "over its limit",
        ),
        (
            "word",
            card.bundle(NEW, |m| m["extra"] = json!(1)),
            "makes no sense",
        ),
    ] {
        let path = card.saved(what, &bundle);
        let output = place.run(&["update", "install", &path]);
        let said = words(&output);
        assert!(
            !output.status.success() && said.contains(expected),
            "{what}: {said}"
        );
        let state = card.state();
        assert_eq!(
            (state.slot, state.trust),
            (Slot::A, Trust::Confirmed),
            "{what}"
        );
        assert_eq!(card.system(Slot::A)[1], [OLD; 8192], "{what}");
        assert_ne!(
            card.system(Slot::B)[1][0],
            NEW,
            "{what}: no kernel to be found there"
        );
    }
    let older = card.saved(
        "older",
        &card.bundle(NEW, |m| m["built"] = json!(BUILT - 1)),
    );
    place.ok(&["update", "install", &older, "--downgrade"]);
    assert_eq!(card.state().slot, Slot::B);
}

/// Installs into the card's other slot.
fn put(
    card: &Card,
    bundle: &[u8],
    before: &mut impl FnMut(&'static str) -> io::Result<()>,
) -> Result<(), String> {
    let running = Running {
        slot: Slot::A,
        version: "0.1.0".to_owned(),
        built: BUILT,
        board: "rpi-arm64".to_owned(),
        keys: Keys::read(&card.temp.path().join("usr/lib/gatepost/update-keys")),
    };
    let mut disk = Disk::open(&card.disk(), true).unwrap();
    let result = install(&mut &bundle[..], &mut disk, &running, false, before);
    result.map(drop).map_err(|error| error.to_string())
}

#[test]
fn wherever_an_installation_is_cut_off_the_card_starts_a_whole_system() {
    let good = Card::new();
    let mut steps = Vec::new();
    put(&good, &good.bundle(NEW, |_| ()), &mut |step| {
        steps.push(step);
        Ok(())
    })
    .unwrap();
    assert!(steps.len() >= 7, "{steps:?}");
    for (number, cut) in steps.iter().enumerate() {
        let card = Card::new();
        let bundle = card.bundle(NEW, |_| ());
        let mut left = number;
        let result = put(&card, &bundle, &mut |_| {
            if left == 0 {
                return Err(io::Error::other("the plug"));
            }
            left -= 1;
            Ok(())
        });
        assert!(result.is_err(), "{cut}");
        let started = card.start();
        let [root, boot] = card.system(started);
        let whole = if started == Slot::A { OLD } else { NEW };
        assert_eq!(
            (root, boot),
            (vec![whole; 8192], vec![whole; 8192]),
            "{cut}"
        );
        // Only when everything was done does the new one start.
        assert_eq!(started == Slot::B, number + 1 == steps.len(), "{cut}");
        if started == Slot::A {
            put(&card, &bundle, &mut |_| Ok(())).unwrap();
            assert_eq!(card.start(), Slot::B, "it can be done again after {cut}");
        }
    }
}

#[test]
fn a_bundle_is_fetched_from_a_web_server_and_one_that_breaks_off_is_no_bundle() {
    let (card, place) = (Card::new(), Place::new());
    let socket = writers(card.temp.path());
    let _server = ServerProcess::start(&place, &["--updates", socket.to_str().unwrap()]);
    let bundle = card.bundle(NEW, |_| ());
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/new.bundle", web.local_addr().unwrap());
    let length = bundle.len();
    let serving = std::thread::spawn(move || {
        for sent in [length / 2, length] {
            let (mut stream, _) = web.accept().unwrap();
            let mut asked = [0; 4096];
            assert!(stream.read(&mut asked).unwrap() > 0);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&bundle[..sent]).unwrap();
        }
        // From here on nobody listens.
    });
    let broken = place.run(&["update", "install", &address]);
    assert!(!broken.status.success());
    assert!(
        words(&broken).contains("can't be read"),
        "{}",
        words(&broken)
    );
    assert_eq!(card.state().slot, Slot::A);
    place.ok(&["update", "install", &address]);
    assert_eq!(card.state().slot, Slot::B);
    serving.join().unwrap();
    // Taken back before it was ever started.
    place.ok(&["update", "rollback"]);
    assert_eq!(card.start(), Slot::A);
    let gone = place.run(&["update", "install", &address]);
    assert!(words(&gone).contains("can't be read"), "{}", words(&gone));
}

#[test]
fn one_installs_at_a_time_and_others_may_look_meanwhile() {
    let (card, place) = (Card::new(), Place::new());
    let socket = writers(card.temp.path());
    let _server = ServerProcess::start(&place, &["--updates", socket.to_str().unwrap()]);
    let bundle = card.bundle(NEW, |_| ());
    let saved = card.saved("new.bundle", &bundle);
    let before = card.state().sequence;
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/slow.bundle", web.local_addr().unwrap());
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Gone with this closure, so that a failure in it ends the other side, too.
        let go_on = go_on;
        scope.spawn(move || {
            let (mut stream, _) = web.accept().unwrap();
            let mut asked = [0; 4096];
            assert!(stream.read(&mut asked).unwrap() > 0);
            let length = bundle.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&bundle[..length / 2]).unwrap();
            wait.recv().unwrap();
            stream.write_all(&bundle[length / 2..]).unwrap();
        });
        let first = scope.spawn(|| place.run(&["update", "install", &address]));
        until("the first has begun", || card.state().sequence != before);
        for second in [
            &["install", saved.as_str()][..],
            &["rollback"],
            &["confirm"],
        ] {
            let refused = place.run(&[&["update"], second].concat());
            assert!(
                words(&refused).contains("another update is under way"),
                "{second:?}: {}",
                words(&refused)
            );
        }
        assert!(place.ok(&["update", "check", &saved]).contains("good"));
        go_on.send(()).unwrap();
        let first = first.join().unwrap();
        assert!(first.status.success(), "{}", words(&first));
    });
    assert_eq!(card.start(), Slot::B);
    assert_eq!(card.system(Slot::B), [vec![NEW; 8192], vec![NEW; 8192]]);
}

#[test]
fn only_who_may_updates_and_a_machine_without_slots_says_so() {
    let card = Card::new();
    let socket = writers(card.temp.path());
    let server = TestServer::with(|settings| settings.updates = Updates::Socket(socket));
    let check = json!({ "action": "update", "step": { "check": {} } });
    let alice = server.browser_of(User::new("alice".parse().unwrap(), Way::Oidc));
    assert_eq!(alice.post("/api/actions", &check).status, 403);
    assert_eq!(server.browser().post("/api/actions", &check).status, 200);
    let other = TestServer::start();
    let answer = other.browser().post("/api/actions", &check);
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(said.contains("no system slots"), "{said}");
}
