//! All layers of configuration, understood and checked: settings for whoever asks.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize as _;

use crate::base::{Principal, Way};

use super::check;
use super::known::{Key, Known, Nature};
use super::problem::Problem;
use super::scope::Scope;
use super::settings::{Allow, Capability, Settings};
use super::tree::{Entry, Fault, Kind, Origin, Table, Value, merge};

/// Checked configuration. Asked at the time of use, so that a changed setting counts at once.
#[derive(Debug, Clone)]
pub struct Rules {
    /// In the order they are laid over one another.
    blocks: Vec<Block>,
    everyone: Settings,
    /// Whoever's settings were asked for.
    known: Known,
    warnings: Vec<Problem>,
    refused: Vec<Problem>,
    waiting: Vec<String>,
}

/// What one layer says under one scope.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) scope: Scope,
    /// The scope as written.
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) sections: Table,
}

impl Default for Rules {
    /// No configuration at all: the owner and the kiosk's own screen have their rights by nature,
    /// nobody else has any.
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            everyone: Settings::default(),
            known: Known::default(),
            warnings: Vec::new(),
            waiting: Vec::new(),
            refused: Vec::new(),
        }
    }
}

impl Rules {
    /// Understands layers, weakest first. Each is a table of scopes. What is wrong, all of it, if
    /// anything is.
    pub fn compile(layers: &[Value]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut blocks = Vec::new();
        for layer in layers {
            for entry in layer.as_table().map_or(&[][..], |table| &table.0) {
                blocks.extend(block(entry, &mut problems));
            }
        }
        // Everyone's first, then whose scopes match, file by file; whoever started the server had
        // the last word, in its environment and flags.
        blocks.sort_by_key(|block: &Block| match (&block.origin, &block.scope) {
            (Origin::Variable(_) | Origin::Flag(_), _) => 2,
            (_, Scope::Everyone) => 0,
            _ => 1,
        });
        for block in &blocks {
            check::block(block, &mut problems);
        }
        if problems.iter().all(|problem| problem.warning) {
            check::together(&blocks, &mut problems);
        }
        problems.sort_by_key(|problem| problem.origin.line());
        let (warnings, errors): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| problem.warning);
        if !errors.is_empty() {
            return Err(errors);
        }
        let everyone = overlay(&blocks, Table::default(), |block| {
            matches!(block.scope, Scope::Everyone)
        });
        let everyone = settings(&everyone).map_err(|fault| {
            vec![Problem::error(
                &fault.origin.unwrap_or_default(),
                fault.keys.join("."),
                fault.message,
            )]
        })?;
        Ok(Self {
            blocks,
            everyone,
            known: Known::default(),
            warnings,
            waiting: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// What holds for the whole machine.
    pub fn machine(&self) -> &Settings {
        &self.everyone
    }

    /// What works and should be looked at.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// What is wrong with the files as they are now, when these rules stay in force for that reason.
    pub fn refused(&self) -> &[Problem] {
        &self.refused
    }

    /// Changed options, as `section.key`, that wait until the server is started again.
    pub fn waiting(&self) -> &[String] {
        &self.waiting
    }

    /// These rules, with what waits.
    #[must_use]
    pub fn with_waiting(mut self, waiting: Vec<String>) -> Self {
        self.waiting = waiting;
        self
    }

    /// The same rules, in force although the files say something else that is wrong.
    #[must_use]
    pub fn instead_of(mut self, refused: Vec<Problem>) -> Self {
        self.refused = refused;
        self
    }

    /// The settings in force for whoever asks from this address. When scopes that are fine by
    /// themselves contradict one another for this principal, nothing is allowed.
    pub fn settings_for(&self, by: &Principal, address: Option<IpAddr>) -> Arc<Settings> {
        let key = Key {
            nature: Nature::of(by),
            applies: self
                .blocks
                .iter()
                .map(|block| block.scope.applies(by, address))
                .collect(),
        };
        let made = self.known.get(key, || self.make(by, address));
        made.unwrap_or_default()
    }

    fn make(&self, by: &Principal, address: Option<IpAddr>) -> Option<Settings> {
        let merged = self.merged_for(by, address);
        let mut made = settings(&merged).inspect_err(|fault| {
            tracing::error!(%by, key = fault.keys.join("."), %fault, "scopes contradict one another, so nothing is allowed");
        });
        if let Ok(result) = &mut made
            && *by == (Principal::Kiosk {})
            && result.kiosk.login
        {
            // A screen at which people log in is a screen and nothing else.
            result.allow = Allow {
                blacklist: result.allow.blacklist,
                ..Allow::default()
            };
        }
        // Whoever started Gatepost can read its files and end its processes anyway, and must not be able
        // to lock themselves out.
        if *by == (Principal::Owner {}) {
            let mut result = made.unwrap_or_default();
            result.allow = Allow::everything();
            return Some(result);
        }
        made.ok()
    }

    /// Whether somebody at this address is kept out before anything else is looked at.
    pub fn is_blacklisted(&self, address: IpAddr) -> bool {
        let merged = overlay(&self.blocks, Table::default(), |block| {
            block.scope.applies_to_stranger(address)
        });
        settings(&merged).is_ok_and(|settings| settings.allow.blacklist)
    }

    /// The merged sections for whoever asks, each value with the place it comes from.
    pub fn merged_for(&self, by: &Principal, address: Option<IpAddr>) -> Table {
        overlay(&self.blocks, natural(by), |block| {
            block.scope.applies(by, address)
        })
    }
}

/// What a principal is granted without any configuration. The kiosk's screen stands in the open: it
/// gets its own terminals, not others'.
fn natural(by: &Principal) -> Table {
    let mut root = Value::table(Table::default(), Origin::Default);
    let yes = || Value {
        kind: Kind::Bool(true),
        origin: Origin::Default,
    };
    let granted: &[Capability] = match by {
        Principal::Kiosk {} => &[Capability::Use, Capability::Open],
        // What a button does is written down by whoever administers the machine; whoever presses it
        // chooses nothing. Terminals of people who logged in stay theirs.
        Principal::Button { .. } => &[
            Capability::Use,
            Capability::Open,
            Capability::Message,
            Capability::Power,
            Capability::Hook,
        ],
        // The administrator of a kiosk without other users is its owner at a distance.
        Principal::User { user } if user.way == Way::Local => &Capability::ALL,
        Principal::Owner {} | Principal::User { .. } => &[],
    };
    for capability in granted {
        root.put(&["allow", capability.key()], yes());
    }
    match root.kind {
        Kind::Table(table) => table,
        _ => Table::default(),
    }
}

/// The blocks that apply, laid over `base` in their order.
pub(super) fn overlay(blocks: &[Block], base: Table, applies: impl Fn(&Block) -> bool) -> Table {
    let mut merged = base;
    for block in blocks.iter().filter(|block| applies(block)) {
        merge(&mut merged, &block.sections);
    }
    merged
}

/// The merged sections as plain values.
pub(super) fn settings(merged: &Table) -> Result<Settings, Fault> {
    Settings::deserialize(&Value::table(merged.clone(), Origin::Default))
}

fn block(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Block> {
    let name = format!("{:?}", entry.key);
    let scope = Scope::parse(&entry.key)
        .map_err(|message| problems.push(Problem::error(&entry.origin, &name, message)))
        .ok();
    match &entry.value.kind {
        Kind::Table(sections) => Some(Block {
            scope: scope?,
            name,
            origin: entry.origin.clone(),
            sections: sections.clone(),
        }),
        Kind::Null => None,
        other => {
            // A key without a scope in front of it is the likeliest mistake.
            if scope.is_some() {
                let message = format!("{} where a table of sections is expected", other.name());
                problems.push(Problem::error(&entry.value.origin, &name, message));
            }
            None
        }
    }
}
