//! `gatepost provision apply`: from the files to the machine, in an order that can be cut off anywhere and
//! begun again: keep the secrets, write the files, take the secrets out, say what came of it.

use std::path::Path;

use crate::config::{Files, Syntax, parse, to_toml};
use crate::policy::tree::{Origin, Table, Value};
use crate::policy::{Problem, Rules};
use crate::provision::{
    Content, FOLDER, Kept, Owner, Planned, Provision, Secrets, plan, settings as settings_of,
};
use crate::wire::provision::{FILE, Line, MAX_LINES, Report};

use super::here::{hash, here, pair};
use super::input::Input;
use super::place::{Fault, Place};
use super::{Arguments, scrub};
use crate::role::exit::{Code, Failure};
use crate::role::output;

/// The file of kept secrets, in [`FOLDER`].
const KEPT: &str = "kept.json";
/// The list of files that were written, in [`FOLDER`].
const WRITTEN: &str = "written.json";
/// Longest line of a report, in characters.
const MAX_LINE: usize = 400;

/// What was set up by hand, in [`FOLDER`].
pub(super) const BY_HAND: &str = "setup.toml";

/// Applies what is in the folder. A mistake in it is reported, and no failure of the machine's start.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = Place::new(&arguments.root, &arguments.system);
    let by_hand = place.path(&format!("{FOLDER}/{BY_HAND}"));
    let input = Input::folder(&arguments.from, &by_hand);
    let before = read_report(&place).filter(|before| before.card && !input.card);
    if !input.any || before.is_some() {
        // Taking the card's files away takes nothing from the machine, and makes it nobody else's: who has
        // given it something stays known.
        if let Some(before) = before {
            let lines = Vec::new();
            let report = Report { lines, ..before };
            place
                .put(&own(FILE, 0o644, json(&report)))
                .map_err(Failure::failed)?;
        }
        let _seen = output::line("nothing to be given")?;
        return Ok(());
    }
    let Given {
        wrong,
        notes,
        applied,
        failed,
    } = give(&place, &input, arguments, None).map_err(Failure::failed)?;
    for problem in wrong.iter().chain(&notes) {
        output::say(&problem.to_string());
    }
    if applied {
        let count = format!("applied; {} problems, {} notes", wrong.len(), notes.len());
        let _seen = output::line(&count)?;
        return Ok(());
    }
    Err(Failure::new(
        if failed { Code::Failed } else { Code::Usage },
        "nothing was taken over; the machine is as it was",
    ))
}

/// What came of it.
pub(super) struct Given {
    pub(super) wrong: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
    pub(super) applied: bool,
    /// Not because of what was said, but of the machine.
    pub(super) failed: bool,
}

/// Does all of it, if all of it is right. `first` is written before anything else then.
pub(super) fn give(
    place: &Place,
    input: &Input,
    arguments: &Arguments,
    first: Option<&Planned>,
) -> Result<Given, Fault> {
    let mut notes = input.notes.clone();
    let mut failed = false;
    let mut admin = None;
    let (wrong, applied) = match understand(input, place, &arguments.system, &mut notes) {
        Ok(Understood {
            planned,
            secrets,
            admin: name,
        }) => {
            admin = name;
            let first = first.map_or(Ok(false), |first| place.put(first));
            match first.and_then(|_| write(place, &planned, &secrets)) {
                Ok(changed) => {
                    if arguments.live {
                        take_up(place, &changed);
                    }
                    let lost = arguments.live && place.is_in_memory(FOLDER);
                    (take_out(input, &secrets, &arguments.from, lost), true)
                }
                Err(fault) => {
                    failed = true;
                    (
                        vec![Problem::error(&Origin::Default, "", fault.to_string())],
                        false,
                    )
                }
            }
        }
        Err(wrong) => (wrong, false),
    };
    // A form that was refused leaves the machine as it was, its report included.
    if applied || first.is_none() {
        let lines = [(true, &wrong), (false, &notes)];
        report(place, lines, applied, (input.card, admin))?;
    }
    Ok(Given {
        wrong,
        notes,
        applied,
        failed,
    })
}

/// What is to be done.
struct Understood {
    planned: Vec<Planned>,
    secrets: Secrets,
    admin: Option<String>,
}

/// What is to be done, or what is wrong. Nothing is written yet.
fn understand(
    input: &Input,
    place: &Place,
    system: &Path,
    notes: &mut Vec<Problem>,
) -> Result<Understood, Vec<Problem>> {
    let read = Provision::read(&input.tree);
    let mut problems = input.problems.clone();
    let mut provision = match read {
        Ok(provision) if problems.is_empty() => provision,
        other => {
            problems.extend(other.err().unwrap_or_default());
            return Err(problems);
        }
    };
    notes.extend(provision.notes(&input.tree));
    let kept = read_kept(place);
    let secrets = provision.settle(&input.tree, Some(&kept), &input.beside, hash)?;
    problems.extend(here(&provision, &input.tree, system, notes));
    problems.extend(pair(&provision, &secrets, &input.tree));
    match settings(&provision, &input.tree, Some(&place.path("etc/gatepost"))) {
        Ok(settings) if problems.is_empty() => {
            let settings = to_toml(&settings);
            Ok(Understood {
                planned: plan(&provision, &secrets, &settings),
                secrets,
                admin: provision.admin.map(|admin| admin.name.to_string()),
            })
        }
        other => {
            problems.extend(other.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// Gatepost's own settings, if they are good together with those in the folder.
pub(super) fn settings(
    provision: &Provision,
    tree: &Value,
    folder: Option<&Path>,
) -> Result<Table, Vec<Problem>> {
    let given = settings_of(provision, tree);
    let ours = |file: &Path| file.ends_with("conf.d/50-provisioned.toml");
    let mut layers = Vec::new();
    let files = folder.map(Files::read).unwrap_or_default();
    // What is wrong with other files is said by the server that reads them.
    let (before, after): (Vec<_>, Vec<_>) = files
        .read
        .iter()
        .filter(|file| !ours(&file.path))
        .filter_map(|file| {
            Some((
                &file.path,
                parse(Syntax::of(&file.path), &file.text, &file.path).ok()?,
            ))
        })
        .partition(|(path, _)| {
            path.file_name()
                .is_none_or(|name| name < "50-provisioned.toml")
                || path.ends_with("gatepost.toml")
        });
    layers.extend(before.into_iter().map(|(_, layer)| layer));
    layers.push(Value::table(given.clone(), tree.origin.clone()));
    layers.extend(after.into_iter().map(|(_, layer)| layer));
    match Rules::compile(&layers) {
        Ok(_) => Ok(given),
        Err(problems) => {
            // Only what this file brings: others were wrong before, and nothing here mends them.
            let alone = Rules::compile(&layers_without(&layers, &given));
            let known = alone.err().unwrap_or_default();
            let mut new: Vec<Problem> = problems
                .into_iter()
                .filter(|problem| !known.contains(problem))
                .collect();
            if new.is_empty() {
                return Ok(given);
            }
            for problem in &mut new {
                problem.key = format!("gatepost.{}", problem.key);
            }
            Err(new)
        }
    }
}

fn layers_without(layers: &[Value], given: &Table) -> Vec<Value> {
    let others = layers
        .iter()
        .filter(|layer| layer.as_table() != Some(given));
    others.cloned().collect()
}

/// What was last reported.
pub(super) fn read_report(place: &Place) -> Option<Report> {
    Report::read(&std::fs::read(place.path(&format!("{FOLDER}/{FILE}"))).ok()?)
}

pub(super) fn read_kept(place: &Place) -> Kept {
    let text = std::fs::read(place.path(&format!("{FOLDER}/{KEPT}"))).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn read_written(place: &Place) -> Vec<String> {
    let text = std::fs::read(place.path(&format!("{FOLDER}/{WRITTEN}"))).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

pub(super) fn own(name: &str, mode: u32, bytes: Vec<u8>) -> Planned {
    Planned {
        path: format!("{FOLDER}/{name}"),
        content: Content::File {
            bytes,
            mode,
            owner: Owner::Root,
        },
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    // Maps and lists of texts can always be written.
    serde_json::to_vec(value).unwrap_or_default()
}

/// Writes everything; the paths of what wasn't so before.
fn write(place: &Place, planned: &[Planned], secrets: &Secrets) -> Result<Vec<String>, Fault> {
    // Before they are taken out of the files, and before anything that needs them.
    place.put(&own(KEPT, 0o600, json(&secrets.kept)))?;
    let before = read_written(place);
    let files = planned
        .iter()
        .filter(|file| file.content != Content::Home {});
    let after: Vec<String> = files.map(|file| file.path.clone()).collect();
    // Whatever may be there if this is cut short.
    let mut both = after.clone();
    both.extend(before.iter().filter(|path| !after.contains(path)).cloned());
    place.put(&own(WRITTEN, 0o644, json(&both)))?;
    let mut changed = Vec::new();
    for file in planned {
        if place.put(file)? {
            changed.push(file.path.clone());
        }
    }
    for gone in before.iter().filter(|path| !after.contains(path)) {
        place.remove(gone)?;
    }
    place.put(&own(WRITTEN, 0o644, json(&after)))?;
    Ok(changed)
}

/// Has the running machine take up what only its next start would.
fn take_up(place: &Place, changed: &[String]) {
    let new = |path: &str| {
        changed
            .iter()
            .any(|changed| *changed == format!("{FOLDER}/{path}"))
    };
    let name = std::fs::read_to_string(place.path(&format!("{FOLDER}/etc/hostname")));
    if let Ok(name) = name
        && let Err(error) = rustix::system::sethostname(name.trim().as_bytes())
    {
        output::say(&format!(
            "the machine gets its new name at its next start: {error}"
        ));
    }
    if new("etc/default/keyboard") {
        // What X asks udev about a keyboard was noted when it appeared.
        for device in std::fs::read_dir("/sys/class/input")
            .into_iter()
            .flatten()
            .flatten()
        {
            let _not_a_device = std::fs::write(device.path().join("uevent"), "change\n");
        }
    }
}

/// Takes the secrets out of the files; what couldn't be taken out.
fn take_out(input: &Input, secrets: &Secrets, folder: &Path, lost: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let about = |path: &Path, message: String| {
        let origin = Origin::File {
            file: path.into(),
            line: 1,
            column: 1,
        };
        Problem::error(&origin, "", message)
    };
    let mut clean = Vec::new();
    for source in &input.sources {
        match scrub::without(source, &secrets.places) {
            Ok(None) => {}
            Ok(Some(text)) => clean.push((&source.path, text)),
            Err(message) => problems.push(about(&source.path, message)),
        }
    }
    let leftovers = scrub::leftovers(folder);
    if clean.is_empty() && secrets.keys.is_empty() && leftovers.is_empty() {
        return problems;
    }
    if lost {
        let message = "secrets stay in the files here: what this machine keeps is in memory only, and would be lost";
        problems.push(about(folder, message.to_owned()));
        return problems;
    }
    let work = || {
        for (path, text) in &clean {
            scrub::rewrite(path, text)?;
        }
        for key in &secrets.keys {
            scrub::destroy(&folder.join(key.as_str()))?;
        }
        for path in &leftovers {
            if path.exists() {
                scrub::destroy(path)?;
            }
        }
        Ok(())
    };
    if let Err(error) = scrub::writable(folder, work) {
        let message = format!("secrets are still in the files here: {error}");
        problems.push(about(folder, message));
    }
    problems
}

fn report(
    place: &Place,
    said: [(bool, &Vec<Problem>); 2],
    applied: bool,
    (card, admin): (bool, Option<String>),
) -> Result<(), Fault> {
    let lines = said.into_iter().flat_map(|(wrong, problems)| {
        problems.iter().map(move |problem| Line {
            wrong,
            text: shown(problem),
        })
    });
    let lines = lines.take(MAX_LINES).collect();
    // Where nothing was taken over, whoever was the administrator still is.
    let admin = admin.or_else(|| read_report(place).filter(|_| !applied)?.admin);
    let report = Report {
        applied,
        lines,
        card,
        admin,
    };
    place.put(&own(FILE, 0o644, json(&report)))?;
    Ok(())
}

/// A problem as somebody with the card in their computer would look for it: by the file's own name.
fn shown(problem: &Problem) -> String {
    let mut problem = problem.clone();
    if let Origin::File { file, .. } = &mut problem.origin
        && let Some(name) = file.file_name()
    {
        *file = Path::new(name).into();
    }
    let text = problem.to_string();
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.chars().take(MAX_LINE).collect()
}
