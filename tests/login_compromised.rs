//! A server in an attacker's hands: with its uid and its sockets nobody gets a shell of somebody whose
//! password they don't have.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;

use gatepost::base::{Size, TerminalId, Way};
use gatepost::wire::login::{FromHelper, MAX_TO_HELPER, Open, Purpose, ToHelper};
use serde_json::json;
use support::keeper::until;
use support::login::{Account, LoginPlace, PASSWORD, Raw, UNIX, is_root, run};

/// A machine with a server's account, a victim and an attacker who has a password of their own.
struct Machine {
    place: LoginPlace,
    server: Account,
    victim: Account,
    attacker: Account,
}

impl Machine {
    fn new() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let server = Account::with(&["-M", "-s", "/usr/sbin/nologin"]);
        let place = LoginPlace::with(UNIX, &["--server-user", &server.name], |_| ());
        chown(&place.folder, Some(server.uid), Some(server.uid)).unwrap();
        Some(Self {
            place,
            server,
            victim: Account::new(),
            attacker: Account::new(),
        })
    }

    /// A connection made by the server's uid.
    fn raw(&self) -> Raw {
        Raw::from(connect_as(self.server.uid, &self.place))
    }

    /// Sends everything at once and hears all there is to hear.
    fn say_all(&self, frames: &[ToHelper<'_>]) -> Vec<FromHelper> {
        let mut raw = self.raw();
        for frame in frames {
            raw.say(frame);
        }
        raw.hang_up();
        std::iter::from_fn(|| raw.hear()).collect()
    }

    /// Nobody has a terminal.
    fn nothing_is_open(&self, what: &str) {
        self.place.wait_no_helpers();
        assert_eq!(
            fs::read_dir(&self.place.folder).unwrap().count(),
            0,
            "{what}"
        );
        assert!(!self.place.log().contains("let in from"), "{what}");
    }

    /// A connection on which the attacker was let in with their own password.
    fn admitted(&self) -> Raw {
        let mut raw = self.raw();
        raw.say(&begin(&self.attacker.name));
        assert!(matches!(raw.hear(), Some(FromHelper::Ask(_))));
        raw.say(&ToHelper::Answers(vec![PASSWORD.as_bytes()]));
        let Some(FromHelper::Admitted(who)) = raw.hear() else {
            panic!("{}", self.place.log());
        };
        assert_eq!(who.uid, self.attacker.uid);
        raw
    }
}

/// Connects as another user: the kernel notes the uid of the thread that does.
#[expect(unsafe_code, reason = "only the system call changes a single thread")]
fn connect_as(uid: u32, place: &LoginPlace) -> UnixStream {
    let socket = place.socket.clone();
    let thread = std::thread::spawn(move || {
        // SAFETY: no pointers; the thread ends right after.
        let status = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
        assert_eq!(status, 0);
        UnixStream::connect(socket).unwrap()
    });
    thread.join().unwrap()
}

fn begin(user: &str) -> ToHelper<'_> {
    let (remote, purpose) = ("", Purpose::Terminals);
    ToHelper::Begin {
        user,
        remote,
        purpose,
    }
}

fn identity(way: Way, name: &str) -> ToHelper<'_> {
    ToHelper::Identity {
        way,
        name,
        remote: "",
    }
}

fn open<'a>(command: Vec<&'a str>, launch: &'a [u8]) -> ToHelper<'a> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).unwrap();
    ToHelper::Open(Open {
        terminal: TerminalId::from_random(random),
        size: Size::DEFAULT,
        command,
        directory: None,
        environment: Vec::new(),
        launch,
    })
}

#[test]
fn no_first_message_but_a_password_opens_anything() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let victim = &*machine.victim.name;
    let answers = || ToHelper::Answers(vec![b"guess"]);
    let shell = || open(vec![], b"{}");
    let firsts: [&dyn Fn() -> ToHelper<'static>; 3] = [&answers, &shell, &|| ToHelper::End];
    for first in firsts {
        for second in firsts {
            let heard = machine.say_all(&[first(), second(), shell()]);
            assert!(
                heard.iter().all(|said| *said == FromHelper::Failed),
                "{heard:?}"
            );
        }
    }
    machine.nothing_is_open("out of turn");
    // In a conversation: anything but an answer, too many and too few answers, a second beginning.
    let turns = [
        vec![shell()],
        vec![ToHelper::End, shell()],
        vec![begin(victim), shell()],
        vec![identity(Way::Token, victim), shell()],
        vec![ToHelper::Answers(vec![]), shell()],
        vec![ToHelper::Answers(vec![b"a", b"b"]), shell()],
        vec![answers(), shell()],
        vec![answers(), answers(), shell(), ToHelper::End],
    ];
    for user in [victim, "root", "daemon"] {
        for turn in &turns {
            let frames = [&[begin(user)], &**turn].concat();
            for said in machine.say_all(&frames) {
                let harmless = matches!(said, FromHelper::Ask(_) | FromHelper::Failed);
                assert!(harmless, "{user}: {said:?}");
            }
        }
    }
    machine.nothing_is_open("a conversation without a password");
}

#[test]
fn nothing_is_heard_after_a_failure() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let mut raw = machine.raw();
    raw.say(&begin(&machine.victim.name));
    assert!(matches!(raw.hear(), Some(FromHelper::Ask(_))));
    raw.say(&ToHelper::Answers(vec![b"guess"]));
    assert_eq!(raw.hear(), Some(FromHelper::Failed));
    for replayed in [
        open(vec![], b"{}"),
        ToHelper::Answers(vec![PASSWORD.as_bytes()]),
    ] {
        raw.say(&replayed);
        assert_eq!(raw.hear(), None);
    }
    machine.nothing_is_open("after a failure");
}

#[test]
fn no_way_without_a_password_leads_to_an_account_that_is_not_listed() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let list = format!("token somebody {} /usr/bin/true\n", machine.attacker.name);
    fs::write(machine.place.path("identities"), list).unwrap();
    std::thread::scope(|scope| {
        for way in Way::ALL {
            let machine = &machine;
            scope.spawn(move || {
                for name in [
                    &*machine.victim.name,
                    "root",
                    "*",
                    "somebody*",
                    "Somebody",
                    "",
                ] {
                    let heard = machine.say_all(&[identity(way, name), open(vec![], b"{}")]);
                    assert_eq!(heard, [FromHelper::Failed], "{name} by {way}");
                }
            });
        }
    });
    machine.nothing_is_open("an identity");
}

#[test]
fn one_login_is_good_for_its_own_account_only() {
    let Some(machine) = Machine::new() else {
        return;
    };
    // A second beginning, whoever it names, ends the connection.
    for second in [
        begin(&machine.victim.name),
        begin("root"),
        identity(Way::Token, "root"),
        ToHelper::Answers(vec![b"x"]),
    ] {
        let mut raw = machine.admitted();
        raw.say(&second);
        raw.say(&open(vec![], b"{}"));
        assert_eq!(raw.hear(), None);
    }
    machine.place.wait_no_helpers();
    // Whatever the launch message says, the program is started as Open says, as the attacker.
    let mut raw = machine.admitted();
    let file = machine.attacker.home.join("who");
    let script = format!("id -u >{}; id -ru >>{0}", file.display());
    let launch = json!({
        "id": "aaaaaaaaaa", "folder": "/etc", "command": ["/bin/touch", "/etc/gatepost-was-here"],
        "owner": machine.victim.name, "peers": [0, machine.victim.uid],
        "environment": [["LD_PRELOAD", "/tmp/evil.so"]], "linger": 0,
    });
    let launch = launch.to_string();
    raw.say(&open(vec!["/bin/sh", "-c", &script], launch.as_bytes()));
    assert!(matches!(raw.hear(), Some(FromHelper::Opened(_))));
    let who = || fs::read_to_string(&file).unwrap_or_default();
    until("the program has run", || who().lines().count() == 2);
    let own = machine.attacker.uid.to_string();
    assert_eq!(who(), format!("{own}\n{own}\n"));
    assert!(!fs::exists("/etc/gatepost-was-here").unwrap());
    // A set-uid bit or a descriptor would be the other way up.
    raw.say(&open(
        vec![
            "/bin/sh",
            "-c",
            "test -r /etc/shadow && echo yes >~/shadow; ls -l /proc/self/fd >~/fds",
        ],
        br#"{"id":"aaaaaaaaab","folder":"/","linger":0}"#,
    ));
    assert!(matches!(raw.hear(), Some(FromHelper::Opened(_))));
    let fds = machine.attacker.home.join("fds");
    until("the program has run", || {
        fs::read_to_string(&fds).is_ok_and(|text| text.lines().count() >= 5)
    });
    assert!(!machine.attacker.home.join("shadow").exists());
}

#[test]
fn a_terminal_of_somebody_else_is_not_replaced() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let (mut first, mut second) = (machine.admitted(), machine.admitted());
    let launch = br#"{"id":"aaaaaaaaaa","folder":"/","linger":0}"#;
    let wanted = open(vec!["/bin/sleep", "1000"], launch);
    first.say(&wanted);
    assert!(matches!(first.hear(), Some(FromHelper::Opened(_))));
    for raw in [&mut second, &mut first] {
        raw.say(&wanted);
        assert!(matches!(raw.hear(), Some(FromHelper::Refused { .. })));
    }
    // What End ends is this login's alone.
    second.say(&ToHelper::End);
    first.say(&open(vec!["/bin/true"], launch));
    assert!(matches!(first.hear(), Some(FromHelper::Opened(_))));
    first.say(&ToHelper::End);
    first.hang_up();
    machine.place.wait_no_helpers();
}

#[test]
fn peercred_wrong_uid() {
    let Some(machine) = Machine::new() else {
        return;
    };
    for uid in [machine.attacker.uid, machine.victim.uid, 65_534] {
        let mut raw = Raw::from(connect_as(uid, &machine.place));
        raw.say(&begin(&machine.attacker.name));
        assert_eq!(raw.hear(), None, "{uid}");
    }
    machine.nothing_is_open("a wrong uid");
}

#[test]
fn what_is_no_frame_ends_the_connection_and_nothing_else() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let too_long = u32::try_from(MAX_TO_HELPER + 1).unwrap().to_be_bytes();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 4],
        &[0xff; 64],
        &too_long,
        &[0, 0, 0, 1, 9],
        &[0, 0, 0, 3, 1, 2, 0],
    ] {
        let mut raw = machine.raw();
        raw.socket.write_all(bytes).unwrap();
        raw.hang_up();
        assert!(
            matches!(raw.hear(), None | Some(FromHelper::Failed)),
            "{bytes:?}"
        );
        // Let in, the same: the terminals there are go on.
        let mut raw = machine.admitted();
        raw.socket.write_all(bytes).unwrap();
        raw.hang_up();
        assert_eq!(raw.hear(), None, "{bytes:?}");
    }
    machine.place.wait_no_helpers();
}

#[test]
fn scm_rights_flood_and_scm_rights_wrong_type_reach_no_program() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
    use std::os::fd::AsFd as _;
    let Some(machine) = Machine::new() else {
        return;
    };
    let mut raw = machine.admitted();
    let file = fs::File::open("/etc/hostname").unwrap();
    let descriptors = [file.as_fd(); 100];
    let mut space = vec![std::mem::MaybeUninit::uninit(); 4096];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let mut bytes = Vec::new();
    let launch = br#"{"id":"aaaaaaaaaa","folder":"/","linger":0}"#;
    let list = machine.attacker.home.join("fds");
    let script = format!("ls -l /proc/self/fd >{}; echo end >>{0}", list.display());
    gatepost::wire::frame::prefixed(&mut bytes, |out| {
        open(vec!["/bin/sh", "-c", &script], launch).encode(out);
    });
    let part = std::io::IoSlice::new(&bytes);
    rustix::net::sendmsg(&raw.socket, &[part], &mut ancillary, SendFlags::empty()).unwrap();
    assert!(matches!(raw.hear(), Some(FromHelper::Opened(_))));
    let listed = || fs::read_to_string(&list).unwrap_or_default();
    until("the program has run", || listed().contains("end"));
    assert!(!listed().contains("hostname"), "{}", listed());
    let helper = machine.place.helpers()[0];
    let open = fs::read_dir(format!("/proc/{helper}/fd")).unwrap().count();
    assert!(open < 40, "{open} descriptors in the helper");
}

#[test]
fn the_list_of_identities_has_to_be_roots() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let file = machine.place.path("identities");
    fs::write(
        &file,
        format!("token a {} /bin/bash\n", machine.victim.name),
    )
    .unwrap();
    chown(&file, Some(machine.server.uid), None).unwrap();
    assert_eq!(
        machine.say_all(&[identity(Way::Token, "a")]),
        [FromHelper::Failed]
    );
    chown(&file, Some(0), None).unwrap();
    run("chmod", &["666", file.to_str().unwrap()]);
    assert_eq!(
        machine.say_all(&[identity(Way::Token, "a")]),
        [FromHelper::Failed]
    );
    machine.nothing_is_open("a list others can write");
}
