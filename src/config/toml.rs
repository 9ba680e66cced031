//! TOML, read into the tree.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::policy::Problem;
use crate::policy::tree::{Entry, Kind, MAX_DEPTH, Origin, Table, Value};

use super::syntax::Places;

/// Reads TOML; everything that is wrong with its syntax otherwise.
pub(super) fn parse(text: &str, places: &Places<'_>) -> Result<Value, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .into_iter()
            .map(|error| {
                let at = error.span().map_or(0, |span| span.start);
                Problem::error(&places.at(at), "", format!("not TOML: {}", error.message()))
            })
            .collect());
    }
    let origin = places.at(table.span().start);
    let table = read_table(table.get_ref(), places, 0).map_err(|problem| vec![problem])?;
    Ok(Value::table(table, origin))
}

/// Where texts stand, with their quotes.
pub(super) fn texts(text: &str) -> Vec<Range<usize>> {
    fn collect(value: &DeValue<'_>, span: Range<usize>, out: &mut Vec<Range<usize>>) {
        match value {
            DeValue::String(_) => out.push(span),
            DeValue::Array(list) => {
                for item in list {
                    collect(item.get_ref(), item.span(), out);
                }
            }
            DeValue::Table(table) => {
                for (_, value) in table {
                    collect(value.get_ref(), value.span(), out);
                }
            }
            _ => {}
        }
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut out = Vec::new();
    if errors.is_empty() {
        for (_, value) in table.get_ref() {
            collect(value.get_ref(), value.span(), &mut out);
        }
    }
    out
}

fn read_table(table: &DeTable<'_>, places: &Places<'_>, depth: usize) -> Result<Table, Problem> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let at = key.span().start;
        let origin = places.at(at);
        let value = read(
            value.get_ref(),
            &places.at(value.span().start),
            places,
            depth + 1,
        )?;
        entries.push((
            at,
            Entry {
                key: key.get_ref().to_string(),
                origin,
                value,
            },
        ));
    }
    // As written: the order of scopes counts.
    entries.sort_by_key(|(at, _)| *at);
    Ok(Table(entries.into_iter().map(|(_, entry)| entry).collect()))
}

fn read(
    value: &DeValue<'_>,
    origin: &Origin,
    places: &Places<'_>,
    depth: usize,
) -> Result<Value, Problem> {
    if depth > MAX_DEPTH {
        let message = format!("more than {MAX_DEPTH} tables and lists inside one another");
        return Err(Problem::error(origin, "", message));
    }
    let number = |text: &str, radix: u32| i64::from_str_radix(text, radix);
    let kind = match value {
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Integer(text) => Kind::Whole(
            number(text.as_str(), text.radix())
                .map_err(|_| Problem::error(origin, "", "this number is too large"))?,
        ),
        DeValue::Float(text) => Kind::Number(
            text.as_str()
                .parse()
                .map_err(|_| Problem::error(origin, "", "this is no number"))?,
        ),
        // No option is a date; as text it gets a message that says what is wanted.
        DeValue::Datetime(date) => Kind::Text(date.to_string()),
        DeValue::Array(list) => Kind::List(
            list.iter()
                .map(|item| {
                    read(
                        item.get_ref(),
                        &places.at(item.span().start),
                        places,
                        depth + 1,
                    )
                })
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Kind::Table(read_table(table, places, depth)?),
    };
    Ok(Value {
        kind,
        origin: origin.clone(),
    })
}
