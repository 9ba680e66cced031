//! Later wins, tables merge key by key, everything else is replaced.

use super::{Kind, Table, Value};

/// Deepest nesting of tables and lists; what is deeper is refused when it is read, so that nothing
/// here runs out of stack.
pub const MAX_DEPTH: usize = 32;

/// Lays `over` over `under`. Nothing (`null`) takes a key away, as if it had not been written.
pub fn merge(under: &mut Table, over: &Table) {
    for entry in &over.0 {
        let at = under.0.iter().position(|known| known.key == entry.key);
        match (at.and_then(|at| under.0.get_mut(at)), &entry.value.kind) {
            (Some(_), Kind::Null) => {
                under.0.retain(|known| known.key != entry.key);
            }
            (None, Kind::Null) => {}
            (Some(known), Kind::Table(table)) => {
                if let Kind::Table(below) = &mut known.value.kind {
                    merge(below, table);
                } else {
                    known.clone_from(entry);
                }
            }
            (Some(known), _) => known.clone_from(entry),
            (None, Kind::Table(table)) => {
                // Copied by merging, so that a null inside of it means the same at any depth.
                let mut fresh = entry.clone();
                fresh.value = Value::table(Table::default(), entry.value.origin.clone());
                if let Kind::Table(below) = &mut fresh.value.kind {
                    merge(below, table);
                }
                under.0.push(fresh);
            }
            (None, _) => under.0.push(entry.clone()),
        }
    }
}
