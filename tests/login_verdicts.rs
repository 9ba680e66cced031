//! Who is let in and who isn't, what they are asked, and that all refusals look alike.

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
use std::time::{Duration, Instant};

use gatepost::auth::pam::{Helper, HelperLimits, PamError, Step};
use gatepost::base::{UserName, Way};
use gatepost::wire::login::{Message, Purpose, Style};
use support::login::{Account, LoginPlace, PASSWORD, UNIX, evenly_late, is_root, matrix, run};

fn asked(step: &Step) -> Vec<Message> {
    match step {
        Step::Ask(conversation) => conversation.messages().to_vec(),
        other => panic!("{other:?}"),
    }
}

/// What somebody is asked who answers so, and the verdict, with how long it took.
fn dialogue(place: &LoginPlace, user: &str, password: &str) -> (Vec<Message>, bool, Duration) {
    let step = place.begin(user).unwrap();
    let messages = asked(&step);
    let began = Instant::now();
    let verdict = place.answer_all(step, &[password]);
    (
        messages,
        matches!(verdict, Step::Admitted(_)),
        began.elapsed(),
    )
}

#[test]
fn pam_user_enum_text_and_timing() {
    if !is_root() {
        return;
    }
    // pam_unix's delay is 2 s and up to half more.
    let place = LoginPlace::with(UNIX, &["--failure", "4000"], |_| ());
    let (account, locked, shell) = (
        Account::new(),
        Account::new(),
        Account::with(&["-s", "/usr/sbin/nologin"]),
    );
    run("usermod", &["-L", &locked.name]);
    let cases = [
        (&*account.name, "wrong"),
        ("nobody-of-this-name", "wrong"),
        (&*locked.name, PASSWORD),
        (&*shell.name, PASSWORD),
        ("root", "wrong"),
        ("daemon", "wrong"),
    ];
    let password = Message {
        style: Style::Hidden,
        text: "Password: ".to_owned(),
    };
    let round = || -> Vec<Duration> {
        let results: Vec<_> = std::thread::scope(|scope| {
            let asked = cases.map(|(user, password)| {
                let place = &place;
                scope.spawn(move || dialogue(place, user, password))
            });
            asked.map(|asked| asked.join().unwrap()).into()
        });
        let judged = cases.iter().zip(results);
        let judged = judged.map(|((user, _), (messages, admitted, time))| {
            assert_eq!(messages, std::slice::from_ref(&password), "{user}");
            assert!(!admitted, "{user}");
            time
        });
        judged.collect()
    };
    evenly_late(
        Duration::from_millis(4000)..Duration::from_millis(5500),
        round,
    );
    let log = place.log();
    for secret in ["wrong", PASSWORD, "nobody-of-this-name"] {
        assert!(!log.contains(secret), "secrets_in_journal: {log}");
    }
}

#[test]
fn nologin_and_shell_not_in_etc_shells() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::new(UNIX);
    for shell in ["/usr/sbin/nologin", "/bin/false", "/usr/bin/env"] {
        let account = Account::with(&["-s", shell]);
        let verdict = place.log_in(&account.name, &[PASSWORD]);
        assert!(matches!(verdict, Step::Failed), "{shell}");
        assert!(
            place
                .log()
                .contains(&format!("{}: its shell", account.name))
        );
    }
}

#[test]
fn root_is_refused_with_the_right_password_unless_that_was_asked_for() {
    if !is_root() {
        return;
    }
    // Rules that say yes to everybody who answers at all.
    let matrix = matrix();
    let rules = |place: &LoginPlace| {
        fs::write(place.path("db"), "root:secret:gatepost\n").unwrap();
        let db = place.path("db");
        let rules = format!(
            "auth required {matrix} passdb={0}\naccount required pam_unix.so\nsession required pam_unix.so\n",
            db.display()
        );
        fs::write(place.path("pam.d/gatepost"), rules).unwrap();
    };
    let place = LoginPlace::new(UNIX);
    rules(&place);
    assert!(matches!(place.log_in("root", &["secret"]), Step::Failed));
    assert!(place.log().contains("root logins are off"));
    let place = LoginPlace::with(UNIX, &["--root-login"], |_| ());
    rules(&place);
    assert!(matches!(
        place.log_in("root", &["secret"]),
        Step::Admitted(_)
    ));
}

#[test]
fn user_leading_dash_and_other_impossible_names_are_asked_and_refused() {
    if !is_root() {
        return;
    }
    use gatepost::wire::login::{FromHelper, ToHelper};
    let place = LoginPlace::new("auth required pam_permit.so\naccount required pam_permit.so\n");
    for user in [
        "-froot",
        "",
        "a b",
        "../root",
        "root\n",
        "a/b",
        &"x".repeat(200),
    ] {
        let mut raw = place.raw();
        let (remote, purpose) = ("", Purpose::Terminals);
        raw.say(&ToHelper::Begin {
            user,
            remote,
            purpose,
        });
        assert!(matches!(raw.hear(), Some(FromHelper::Ask(_))), "{user:?}");
        raw.say(&ToHelper::Answers(vec![b"x"]));
        assert_eq!(raw.hear(), Some(FromHelper::Failed), "{user:?}");
        assert_eq!(raw.hear(), None);
    }
}

#[test]
fn pam_expired_password() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    run("chage", &["-d", "0", &account.name]);
    let new = "ganz-anderes-Schaf-9";
    // The old one once more, then the new one twice.
    let answers = [PASSWORD, PASSWORD, new, new];
    let verdict = place.log_in(&account.name, &answers);
    assert!(matches!(verdict, Step::Admitted(_)), "{}", place.log());
    assert!(matches!(
        place.log_in(&account.name, &[PASSWORD]),
        Step::Failed
    ));
    assert!(matches!(
        place.log_in(&account.name, &[new]),
        Step::Admitted(_)
    ));
    // Who doesn't choose a new one isn't let in.
    run("chage", &["-d", "0", &account.name]);
    let verdict = place.log_in(&account.name, &[new, new, "a", "b"]);
    assert!(matches!(verdict, Step::Failed));
    run("chage", &["-E", "0", &account.name]);
    assert!(
        matches!(place.log_in(&account.name, &[new]), Step::Failed),
        "expired for good"
    );
    assert!(!place.log().contains(new));
}

#[test]
fn pam_two_prompts_otp() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    fs::write(
        place.path("db"),
        format!("{}:123456:gatepost\n", account.name),
    )
    .unwrap();
    let rules = format!(
        "auth required pam_unix.so\nauth required {} passdb={}\n{}",
        matrix(),
        place.path("db").display(),
        UNIX.split_once('\n').unwrap().1
    );
    fs::write(place.path("pam.d/gatepost"), rules).unwrap();
    let both = [PASSWORD, "123456"];
    assert!(
        matches!(place.log_in(&account.name, &both), Step::Admitted(_)),
        "{}",
        place.log()
    );
    assert!(matches!(
        place.log_in(&account.name, &[PASSWORD, "000000"]),
        Step::Failed
    ));
    // Even when the first is wrong the second is asked for.
    assert!(matches!(
        place.log_in(&account.name, &["wrong", "123456"]),
        Step::Failed
    ));
}

#[test]
fn pam_bruteforce_lockout() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let lock = format!(
        "dir={} deny=3 unlock_time=600 silent",
        place.path("faillock").display()
    );
    let rules = format!(
        "auth required pam_faillock.so preauth {lock}\n\
         auth sufficient pam_unix.so nodelay\n\
         auth [default=die] pam_faillock.so authfail {lock}\n\
         account required pam_faillock.so\naccount required pam_unix.so\n"
    );
    fs::write(place.path("pam.d/gatepost"), rules).unwrap();
    assert!(matches!(
        place.log_in(&account.name, &[PASSWORD]),
        Step::Admitted(_)
    ));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (messages, admitted, _) = dialogue(&place, &account.name, "wrong");
        assert!(!admitted);
        seen.push(messages);
    }
    let (messages, admitted, _) = dialogue(&place, &account.name, PASSWORD);
    assert!(!admitted, "locked");
    assert!(
        seen.iter().all(|before| *before == messages),
        "the same words"
    );
}

#[test]
fn pam_hang_30s() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::with(
        "auth required pam_exec.so quiet /usr/bin/sleep 100\n",
        &["--total", "1"],
        |_| (),
    );
    let began = Instant::now();
    assert!(matches!(place.begin("ada").unwrap(), Step::Failed));
    assert!(began.elapsed() < Duration::from_secs(10));
    place.wait_no_helpers();
}

#[test]
fn an_answer_that_does_not_come_in_time_is_a_no() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::with(UNIX, &["--answer", "1"], |_| ());
    let mut raw = place.raw();
    let (user, remote, purpose) = ("root", "", Purpose::Terminals);
    use gatepost::wire::login::{FromHelper, ToHelper};
    raw.say(&ToHelper::Begin {
        user,
        remote,
        purpose,
    });
    assert!(matches!(raw.hear(), Some(FromHelper::Ask(_))));
    assert_eq!(raw.hear(), Some(FromHelper::Failed));
}

#[test]
fn pam_parallel_limit() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::new(UNIX);
    let limits = HelperLimits {
        parallel: 2,
        ..HelperLimits::default()
    };
    let client = Helper::new(place.socket.clone(), limits);
    let user: UserName = "ada".parse().unwrap();
    let begin = || {
        place
            .runtime
            .block_on(client.begin(&user, "", Purpose::YesNo))
    };
    let (_first, second) = (begin().unwrap(), begin().unwrap());
    assert!(matches!(begin(), Err(PamError::Busy)));
    // Who goes away makes room.
    drop(second);
    assert!(matches!(begin(), Ok(Step::Ask(_))));
}

#[test]
fn a_question_only_asked_yes_or_no_leaves_no_helper() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let client = place.client();
    let step = place
        .runtime
        .block_on(client.begin(&account.user(), "", Purpose::YesNo))
        .unwrap();
    let entry = match place.answer_all(step, &[PASSWORD]) {
        Step::Admitted(entry) => entry,
        other => panic!("{other:?}"),
    };
    place.wait_no_helpers();
    drop(entry);
}

#[test]
fn an_identity_gets_its_account_and_its_one_command() {
    if !is_root() {
        return;
    }
    let (place, account) = (
        LoginPlace::new(UNIX),
        Account::with(&["-m", "-s", "/usr/sbin/nologin"]),
    );
    let list = format!(
        "token kiosk-* {} /usr/bin/printf <%s> one two\n",
        account.name
    );
    fs::write(place.path("identities"), list).unwrap();
    let identity = |way, name: &str| {
        let name: UserName = name.parse().unwrap();
        let client = place.client();
        place
            .runtime
            .block_on(client.identity(way, &name, "192.0.2.1"))
            .unwrap()
    };
    assert!(matches!(identity(Way::Oidc, "kiosk-1"), Step::Failed));
    assert!(matches!(identity(Way::Token, "kiosk"), Step::Failed));
    let Step::Admitted(entry) = identity(Way::Token, "kiosk-1") else {
        panic!("{}", place.log());
    };
    assert_eq!(entry.who.uid, account.uid);
    let terminals = place.terminals();
    place.hold(&terminals, "kiosk-1", entry);
    let refused = place.open(&terminals, "kiosk-1", &["/bin/sh"]).unwrap_err();
    assert!(
        refused.to_string().contains("only the one command"),
        "{refused}"
    );
    let terminal = place.open(&terminals, "kiosk-1", &[]).unwrap();
    let mut viewer = place.watch(terminal);
    viewer.wait_text("<one><two>");
}

#[test]
fn identities_reach_no_powerful_account() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::new(UNIX);
    let (sudoer, member) = (Account::new(), Account::new());
    run("usermod", &["-aG", "disk", &sudoer.name]);
    run("usermod", &["-g", "0", &member.name]);
    let names = [
        "root",
        "daemon",
        "nobody-at-all",
        &sudoer.name,
        &member.name,
    ];
    for name in names {
        fs::write(
            place.path("identities"),
            format!("token a {name} /bin/sh\n"),
        )
        .unwrap();
        let client = place.client();
        let user: UserName = "a".parse().unwrap();
        let step = place
            .runtime
            .block_on(client.identity(Way::Token, &user, ""));
        assert!(matches!(step.unwrap(), Step::Failed), "{name}");
    }
}
