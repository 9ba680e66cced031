//! From a password to a shell of one's own: real accounts, pam_unix, and what the shell gets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use gatepost::auth::pam::Step;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root, output};

#[test]
fn somebody_with_their_password_gets_their_own_shell() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let entry = place.enter(&account.name, &[PASSWORD]);
    assert_eq!(
        (&*entry.who.account, entry.who.uid),
        (&*account.name, account.uid)
    );
    assert_eq!(entry.who.shell, "/bin/bash");
    let terminals = place.terminals();
    place.hold(&terminals, &account.name, entry);
    let terminal = place.open(&terminals, &account.name, &[]).unwrap();
    let mut viewer = place.watch(terminal);
    viewer.type_in("PS1=; echo \"<$0 $(id -u -n) $PWD $(stat -c %U $(tty))>\"; tty\n");
    let name = &account.name;
    viewer.wait_text(&format!("<-bash {name} {} {name}>", account.home.display()));
    let list = place.runtime.block_on(terminals.list()).unwrap();
    assert_eq!(list[0].owner.as_ref().unwrap().as_str(), name);
    assert_eq!(list[0].command, ["/bin/bash"]);
    let keeper_owner = list[0].pid.unwrap();
    assert_eq!(
        output("ps", &["-o", "user:32=", "-p", &keeper_owner.to_string()]),
        *name
    );
    place.runtime.block_on(terminals.close(terminal)).unwrap();
    assert!(!place.log().contains(PASSWORD));
}

#[test]
fn a_wrong_password_gets_nothing() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    assert!(matches!(
        place.log_in(&account.name, &["wrong"]),
        Step::Failed
    ));
    place.wait_no_helpers();
}
