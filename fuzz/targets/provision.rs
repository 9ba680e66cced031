//! Provisioning files, our own and Raspberry Pi Imager's: understood or refused, secrets never in what is
//! said about them, and what comes of them stays where it belongs.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use gatepost::config::{Syntax, parse, texts, to_toml};
use gatepost::provision::{Content, FOLDER, Kept, Provision, imager, plan, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first byte says which file it is.
    let Some((&[kind], text)) = input.split_first_chunk() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let syntax = if kind % 4 < 2 {
        Syntax::Toml
    } else {
        Syntax::Yaml
    };
    let path = Path::new("x");
    for (_, range) in texts(syntax, text, path) {
        assert!(
            text.get(range).is_some(),
            "a place in the middle of a character"
        );
    }
    let Ok(tree) = parse(syntax, text, path) else {
        return;
    };
    let tree = match kind % 4 {
        0 => tree,
        1 => imager::custom(&tree).0,
        2 => imager::user_data(&tree).0,
        _ => imager::network_config(&tree).0,
    };
    let Ok(mut provision) = Provision::read(&tree) else {
        return;
    };
    let _notes = provision.notes(&tree);
    let own = to_toml(&settings(&provision, &tree));
    assert!(
        parse(Syntax::Toml, &own, path).is_ok(),
        "settings that can't be read:\n{own}"
    );
    let hash = |_: &str, _: Option<&str>| Ok("$6$x$y".to_owned());
    let Ok(secrets) = provision.settle(&tree, Some(&Kept::default()), &BTreeMap::new(), hash)
    else {
        return;
    };
    for file in plan(&provision, &secrets, &own) {
        let place = &file.path;
        assert!(
            !place.split('/').any(|part| part == ".." || part.is_empty()),
            "{place}"
        );
        let ours = [FOLDER, "etc/gatepost/", "home/"];
        assert!(ours.iter().any(|ours| place.starts_with(ours)), "{place}");
        if let Content::Link { to } = file.content {
            assert!(!to.contains(".."), "{to}");
        }
    }
});
