//! The examples of `docs/sso.md` are what the server takes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use std::path::Path;

use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::settings::section;

#[test]
fn every_example_loads() {
    let text = include_str!("../docs/sso.md");
    let examples: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 4, "{}", examples.len());
    for example in examples {
        let path = Path::new("docs/sso.toml");
        let loaded = parse(Syntax::of(path), example, path);
        let layer = loaded.unwrap_or_else(|problems| panic!("{example}\n{problems:?}"));
        if let Err(problems) = Rules::compile(&[layer]) {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{example}\n{}", said.join("\n"));
        }
    }
}

#[test]
fn every_option_is_documented() {
    let text = include_str!("../docs/sso.md");
    for name in ["oidc", "cas", "certificate", "kerberos"] {
        for option in section(name).unwrap().options {
            let key = option.key.trim_start_matches("<name>.");
            assert!(text.contains(&format!("`{key}`")), "{name}.{key}");
        }
    }
}
