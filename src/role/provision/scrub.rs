//! Secrets taken out of the files on the card's first partition, which every computer can read. What was
//! there is overwritten, not only forgotten: FAT leaves what it forgets on the card.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, Write as _};
use std::path::Path;

use crate::config::{inline, parse, texts};
use crate::policy::tree::{Kind, Origin, Value};
use crate::provision::MOVED;

use super::input::Source;
use super::place::beside;
use crate::system::sync_folder_of;

/// The file without what stands at these places; none if nothing in it does.
pub(super) fn without(source: &Source, places: &[Origin]) -> Result<Option<String>, String> {
    let Source { path, syntax, text } = source;
    let mut found: Vec<_> = texts(*syntax, text, path)
        .into_iter()
        .filter(|(at, _)| places.contains(at))
        .map(|(_, range)| range)
        .collect();
    let wanted = places
        .iter()
        .filter(|at| at.file().as_ref() == Some(path))
        .count();
    if wanted == 0 {
        return Ok(None);
    }
    let strange = || "the secrets in it could not be taken out; take them out by hand".to_owned();
    if found.len() != wanted {
        return Err(strange());
    }
    found.sort_by_key(|range| std::cmp::Reverse(range.start));
    let mut out = text.clone();
    let marker = inline(&Value::text(MOVED, Origin::Default));
    for range in found {
        out.replace_range(range, &marker);
    }
    // What is written has to say the same as before, but for the secrets.
    let read = |text: &str| parse(*syntax, text, path).map_err(|_| strange());
    let (before, after) = (read(text)?, read(&out)?);
    if count(&before, places) == wanted && alike(&before, &after, places) {
        Ok(Some(out))
    } else {
        Err(strange())
    }
}

fn count(value: &Value, places: &[Origin]) -> usize {
    match &value.kind {
        Kind::Table(table) => table
            .0
            .iter()
            .map(|entry| count(&entry.value, places))
            .sum(),
        Kind::List(list) => list.iter().map(|item| count(item, places)).sum(),
        _ => usize::from(places.contains(&value.origin)),
    }
}

fn alike(before: &Value, after: &Value, places: &[Origin]) -> bool {
    match (&before.kind, &after.kind) {
        (Kind::Table(before), Kind::Table(after)) => {
            before.0.len() == after.0.len()
                && before.0.iter().zip(&after.0).all(|(before, after)| {
                    before.key == after.key && alike(&before.value, &after.value, places)
                })
        }
        (Kind::List(before), Kind::List(after)) => {
            before.len() == after.len()
                && before
                    .iter()
                    .zip(after)
                    .all(|(before, after)| alike(before, after, places))
        }
        (_, Kind::Text(text)) if places.contains(&before.origin) => text == MOVED,
        (before, after) => before == after,
    }
}

/// Replaces a file's text. The old one is whole until the new one is, and then overwritten.
pub(super) fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let old = OpenOptions::new().write(true).open(path)?;
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder_of(path)?;
    overwrite(old)
}

/// Takes a file away, and what was in it.
pub(super) fn destroy(path: &Path) -> io::Result<()> {
    // Under another name first: a half-overwritten key must not be taken for one.
    let gone = beside(path, ".gone");
    match std::fs::rename(path, &gone) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sync_folder_of(path)?;
    match OpenOptions::new().write(true).open(&gone) {
        Ok(file) => overwrite(file)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    std::fs::remove_file(&gone)?;
    sync_folder_of(path)
}

fn overwrite(mut file: File) -> io::Result<()> {
    const BLOCK: &[u8] = &[0; 4096];
    let mut left = file.metadata()?.len();
    file.rewind()?;
    while left > 0 {
        let now = usize::try_from(left).map_or(BLOCK.len(), |left| left.min(BLOCK.len()));
        file.write_all(BLOCK.get(..now).unwrap_or(BLOCK))?;
        left -= now as u64;
    }
    file.sync_all()
}

/// Leftovers of a run that was cut short.
pub(super) fn leftovers(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.') && (name.ends_with(".new") || name.ends_with(".gone"))
    };
    entries.map(|entry| entry.path()).filter(ours).collect()
}

/// Does something to files of a folder that may be mounted so that nobody can.
pub(super) fn writable(folder: &Path, work: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match work() {
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {}
        other => return other,
    }
    use rustix::fs::StatVfsMountFlags as Now;
    use rustix::mount::{MountFlags as Flags, mount_remount};
    let now = rustix::fs::statvfs(folder)?.f_flag;
    let kept = [
        (Now::NOSUID, Flags::NOSUID),
        (Now::NODEV, Flags::NODEV),
        (Now::NOEXEC, Flags::NOEXEC),
        (Now::NOATIME, Flags::NOATIME),
        (Now::RELATIME, Flags::RELATIME),
    ];
    let kept = kept.into_iter().filter(|(flag, _)| now.contains(*flag));
    let flags = kept.fold(Flags::empty(), |all, (_, flag)| all | flag);
    mount_remount(folder, flags, "")?;
    let result = work();
    mount_remount(folder, flags | Flags::RDONLY, "")?;
    result
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{Syntax, key};
    use crate::provision::{Kept, Provision, imager};

    fn quoted(text: &str) -> String {
        inline(&Value::text(text, Origin::Default))
    }

    /// Reads, settles and scrubs a text; what is left.
    fn left(syntax: Syntax, name: &str, text: &str) -> Option<String> {
        let source = Source {
            path: name.into(),
            syntax,
            text: text.to_owned(),
        };
        let tree = parse(syntax, text, &source.path).expect("it is written well");
        let tree = match syntax {
            Syntax::Yaml => imager::network_config(&tree).0,
            _ => tree,
        };
        let mut provision = Provision::read(&tree).ok()?;
        let secrets = provision.settle(&tree, Some(&Kept::default()), &BTreeMap::new(), |_, _| {
            Ok("$6$x".to_owned())
        });
        let left = without(&source, &secrets.expect("nothing is missing").places);
        Some(
            left.expect("it can be taken out")
                .expect("there are secrets"),
        )
    }

    proptest! {
        #[test]
        fn whatever_a_secret_and_what_stands_around_it_look_like_it_alone_is_taken_out(
            ssid in "\\PC{1,10}",
            password in "[ -~]{8,40}",
            comment in "\\PC{0,20}",
        ) {
            let own = format!(
                "# {comment}\nhostname = \"k\"\n[wifi.networks]\n{} = {{ password = {}, priority = 3 }} # {comment}\n[admin]\nname = \"ada\"\npassword = {}\n",
                key(&ssid), quoted(&password), quoted(&password),
            );
            // Its name is longer than any made up, so that it is never there twice.
            let yaml = format!(
                "version: 2 # {}\nwifis:\n  wlan0:\n    access-points:\n      {}: {{password: {}}}\n      'the other network': {{password: '{}'}}\n",
                comment.replace('\u{feff}', ""), quoted(&ssid), quoted(&password), password.replace('\'', "''"),
            );
            for (syntax, name, text) in [(Syntax::Toml, "gatepost.toml", own), (Syntax::Yaml, "network-config", yaml)] {
                if let Some(left) = left(syntax, name, &text) {
                    let marker = quoted(MOVED);
                    prop_assert_eq!(left.matches(&marker).count(), 2);
                    prop_assert_eq!(left.lines().count(), text.lines().count());
                }
            }
        }

        #[test]
        fn no_text_makes_a_reader_of_these_files_fall(text in "(?s).{0,200}") {
            for syntax in [Syntax::Toml, Syntax::Yaml] {
                let path = Path::new("x");
                let places = texts(syntax, &text, path);
                prop_assert!(places.iter().all(|(_, range)| text.get(range.clone()).is_some()));
                if let Ok(tree) = parse(syntax, &text, path) {
                    for (tree, _) in [imager::custom(&tree), imager::user_data(&tree), imager::network_config(&tree)] {
                        let _read = Provision::read(&tree);
                    }
                    let _read = Provision::read(&tree);
                }
            }
        }
    }
}
