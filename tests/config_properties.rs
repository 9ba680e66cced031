//! Whatever a configuration is split into, it means the same; which scope wins; and no unknown key is ever
//! taken: for thousands of configurations nobody thought of.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;

use gatepost::base::{Principal, User, Way};
use gatepost::config::{Flag, Syntax, from_flags, parse};
use gatepost::policy::Rules;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Scopes, and whom each is for among [`people`].
const SCOPES: [(&str, [bool; 4]); 7] = [
    ("*", [true; 4]),
    ("user.upn=alice", [true, false, false, false]),
    ("user.upn=a.*", [true, false, false, false]),
    ("user.groups=ops", [true, true, false, false]),
    ("user.groups=(ops|dev)", [true, true, false, false]),
    ("user=al", [false; 4]),
    ("kiosk", [false, false, true, false]),
];

/// Alice and Bob of the group ops, the kiosk's screen, and a stranger.
fn people() -> [Principal; 4] {
    let user = |name: &str, groups: &[&str]| {
        let mut user = User::new(name.parse().unwrap(), Way::Oidc);
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        user.attributes.insert("groups".to_owned(), groups);
        Principal::User { user }
    };
    [
        user("alice", &["ops", "staff"]),
        user("bob", &["ops"]),
        Principal::Kiosk {},
        user("eve", &[]),
    ]
}

/// Options anybody may have, none inside another, and values they take. `null` takes a key away.
fn option() -> impl Strategy<Value = (&'static str, Value)> {
    let yes = || any::<bool>().prop_map(Value::from);
    let number = |most: u32| (2..most).prop_map(Value::from);
    let text = || "[a-z \"\\\\{$é☃]{0,6}".prop_map(|text| json!(text.replace('{', "{{")));
    let words = || proptest::collection::vec("[a-z{ ]{1,4}", 1..3);
    let words = move || words().prop_map(|words| json!(words.join("|").replace('{', "{{")));
    let of = |keys: Vec<&'static str>, values: BoxedStrategy<Value>| {
        let values = prop_oneof![9 => values, 1 => Just(Value::Null)];
        (select(keys), values)
    };
    prop_oneof![
        of(
            vec![
                "allow.use",
                "allow.open",
                "allow.watch",
                "allow.type",
                "allow.admin",
                "allow.blacklist",
                "terminal.shell",
            ],
            yes().boxed()
        ),
        of(
            vec!["limits.terminals", "limits.idle", "limits.logins"],
            number(1000).boxed()
        ),
        of(vec!["limits.columns", "limits.rows"], number(200).boxed()),
        of(
            vec!["terminal.environment.A", "terminal.environment.B"],
            text().boxed()
        ),
        of(
            vec![
                "terminal.commands.top.description",
                "terminal.commands.top.icon",
                "terminal.commands.top.environment.A"
            ],
            text().boxed()
        ),
        (
            Just("terminal.commands.top.command"),
            words().prop_map(|words| json!(["/bin/echo", words]))
        ),
    ]
}

/// One thing that is set: in which file, for whom, what.
type Set = (usize, usize, &'static str, Value);

const FILES: usize = 4;

fn sets() -> impl Strategy<Value = Vec<Set>> {
    let one = (0..FILES, 0..SCOPES.len(), option())
        .prop_map(|(file, scope, (key, value))| (file, scope, key, value));
    proptest::collection::vec(one, 0..40)
}

/// Puts a value at `a.b.c` into tables.
fn put(table: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| json!({}));
            put(inner.as_object_mut().unwrap(), rest, value);
        }
    }
}

/// A file's scopes in the order they stand in it, each with its sections.
type File = Vec<(&'static str, Map<String, Value>)>;

/// What every test's first file has besides: a command needs its words before it can have a description.
fn files(sets: &[Set]) -> Vec<File> {
    let mut files = vec![File::new(); FILES];
    let first = (0, 0, "terminal.commands.top.command", json!(["/bin/true"]));
    for (file, scope, key, value) in std::iter::once(&first).chain(sets) {
        let (name, _) = SCOPES[*scope];
        let file = &mut files[*file];
        let at = file.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            file.push((name, Map::new()));
            file.len() - 1
        });
        put(&mut file[at].1, key, value.clone());
    }
    files
}

fn as_json(file: &File) -> String {
    let scopes = file
        .iter()
        .map(|(name, sections)| format!("{}: {}", json!(name), json!(sections)));
    format!("// made up\n{{{}}}", scopes.collect::<Vec<_>>().join(",\n"))
}

/// The same in TOML, if it can be said there: it has no `null`.
fn as_toml(file: &File) -> Option<String> {
    fn inline(value: &Value) -> Option<String> {
        Some(match value {
            Value::Null => return None,
            Value::Object(table) => {
                let entries = table
                    .iter()
                    .map(|(key, value)| Some(format!("{} = {}", json!(key), inline(value)?)));
                format!("{{ {} }}", entries.collect::<Option<Vec<_>>>()?.join(", "))
            }
            // Numbers, booleans, texts and lists of texts are written alike in both.
            other => other.to_string(),
        })
    }
    let scopes = file.iter().map(|(name, sections)| {
        let sections = inline(&Value::Object(sections.clone()))?;
        Some(format!("{} = {sections}\n", json!(name)))
    });
    scopes.collect()
}

fn layer(file: &File, toml: bool) -> gatepost::policy::tree::Value {
    let (syntax, text) = match as_toml(file).filter(|_| toml) {
        Some(text) => (Syntax::Toml, text),
        None => (Syntax::Json, as_json(file)),
    };
    match parse(syntax, &text, Path::new("made-up")) {
        Ok(layer) => layer,
        Err(problems) => panic!("{problems:?}\n{text}"),
    }
}

fn flags(chosen: &BTreeMap<&'static str, u32>) -> gatepost::policy::tree::Value {
    let flags: Vec<_> = chosen
        .iter()
        .map(|(key, value)| Flag::new(key, value.to_string(), "--set"))
        .collect();
    let mut problems = Vec::new();
    let layer = from_flags(&flags, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    layer
}

fn chosen_flags() -> impl Strategy<Value = BTreeMap<&'static str, u32>> {
    let keys = select(vec!["limits.terminals", "limits.columns"]);
    proptest::collection::btree_map(keys, 2_u32..200, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// What is in force for somebody is what one plain file for everyone would say, into which were
    /// written, one over the other: what is for everyone, file by file; what is for them, scope by scope as it
    /// stands there, file by file; flags.
    #[test]
    fn any_split_into_files_and_scopes_means_what_it_says_in_order(
        sets in sets(),
        toml in proptest::array::uniform4(any::<bool>()),
        last in chosen_flags(),
    ) {
        let files = files(&sets);
        let mut layers: Vec<_> = files.iter().zip(toml).map(|(file, toml)| layer(file, toml)).collect();
        layers.push(flags(&last));
        let rules = Rules::compile(&layers).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        for (at, by) in people().iter().enumerate() {
            let mut plain = Map::new();
            let mut write = |wanted: &dyn Fn(&str) -> bool| {
                for (name, sections) in files.iter().flatten().filter(|(name, _)| wanted(name)) {
                    let (_, whom) = SCOPES.iter().find(|(known, _)| known == name).unwrap();
                    if whom[at] {
                        leaves("", sections, &mut |key, value| put(&mut plain, key, value.clone()));
                    }
                }
            };
            write(&|name| name == "*");
            write(&|name| name != "*");
            for (key, value) in &last {
                put(&mut plain, key, json!(value));
            }
            let plain = layer(&vec![("*", plain)], false);
            let expected = Rules::compile(&[plain]).unwrap();
            prop_assert_eq!(rules.settings_for(by, None), expected.settings_for(by, None), "{}", by);
        }
    }

    /// Where one cuts a file in two, or in five, makes no difference.
    #[test]
    fn one_file_and_its_pieces_in_order_are_the_same(
        values in proptest::collection::vec(option(), 0..20),
        mut cuts in proptest::collection::vec(0_usize..20, 0..4),
    ) {
        let piece = |values: &[(&'static str, Value)]| {
            let mut sections = Map::new();
            for (key, value) in values {
                put(&mut sections, key, value.clone());
            }
            layer(&vec![("*", sections)], false)
        };
        let base = layer(&files(&[])[0], true);
        let whole = Rules::compile(&[base.clone(), piece(&values)]).unwrap();
        for cut in &mut cuts {
            *cut = (*cut).min(values.len());
        }
        cuts.extend([0, values.len()]);
        cuts.sort_unstable();
        let mut layers = vec![base];
        layers.extend(cuts.windows(2).map(|ends| piece(&values[ends[0]..ends[1]])));
        let pieces = Rules::compile(&layers).unwrap();
        for by in people() {
            prop_assert_eq!(pieces.settings_for(&by, None), whole.settings_for(&by, None));
        }
    }

    /// Wherever it stands, an unknown key is an error that names it, and nothing is taken.
    #[test]
    fn an_unknown_key_is_an_error_in_every_file_scope_and_section(
        sets in sets(),
        file in 0..FILES,
        scope in 0..SCOPES.len(),
        place in select(vec!["", "allow.", "limits.", "terminal.", "terminal.commands.top.", "server.", "server.tls.", "auth.logins.", "log."]),
        name in "zz[a-z_]{0,8}",
        toml in any::<bool>(),
        value in option().prop_map(|(_, value)| value),
    ) {
        let mut files = files(&sets);
        let mut sections = Map::new();
        put(&mut sections, &format!("{place}{name}"), if value.is_null() { json!(1) } else { value });
        // In a file of its own, so that the name of the scope stands in it once.
        files.insert(file, vec![(SCOPES[scope].0, sections)]);
        let layers: Vec<_> = files.iter().map(|file| layer(file, toml)).collect();
        let problems = Rules::compile(&layers).expect_err("an unknown key");
        let found = problems.iter().any(|problem| !problem.warning && problem.key.ends_with(&name));
        prop_assert!(found, "{:?}", problems);
    }
}

/// Every value that is no table, with its key.
fn leaves(above: &str, table: &Map<String, Value>, each: &mut impl FnMut(&str, &Value)) {
    for (key, value) in table {
        let key = format!("{above}{key}");
        match value {
            Value::Object(inner) => leaves(&format!("{key}."), inner, each),
            value => each(&key, value),
        }
    }
}
