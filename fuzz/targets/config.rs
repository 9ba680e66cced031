//! Configuration files, in both forms: read or refused with a place, and what is read can be resolved
//! for anybody.
#![no_main]

use std::path::Path;

use gatepost::base::{Principal, User, Way};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first byte says in which form.
    let Some((&[form], text)) = input.split_first_chunk() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let syntax = if form % 2 == 0 {
        Syntax::Toml
    } else {
        Syntax::Json
    };
    let Ok(tree) = parse(syntax, text, Path::new("x")) else {
        return;
    };
    if let Ok(rules) = Rules::compile(&[tree]) {
        let user = User::new("ada@ops.example".parse().expect("a name"), Way::Oidc);
        for by in [
            Principal::Owner {},
            Principal::Kiosk {},
            Principal::User { user },
        ] {
            let _settings = rules.settings_for(&by, None);
        }
        let _out = rules.is_blacklisted([192, 0, 2, 1].into());
    }
});
