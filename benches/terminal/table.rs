//! The table: samples, verdicts, and how they are printed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::rows::Bound::{self, Least, LeastOf, Most, MostOf};
use crate::rows::{ROWS, Row, number, say};
use crate::stats::median;

/// All samples of a run.
#[derive(Default)]
pub(crate) struct Figures {
    samples: BTreeMap<(&'static str, Peer), Vec<f64>>,
    notes: Vec<String>,
}

impl Figures {
    /// Adds a sample. Infinity: the measure's limit passed before it was over.
    pub(crate) fn add(&mut self, key: &'static str, peer: Peer, value: f64) {
        self.samples.entry((key, peer)).or_default().push(value);
    }

    /// Adds a sentence to print below the table, once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn median(&self, key: &'static str, peer: Peer) -> Option<f64> {
        self.samples.get(&(key, peer)).map(|values| median(values))
    }

    /// Whether a bound holds; `None` if there is nothing to compare.
    fn holds(&self, row: &Row, value: f64, bound: Bound) -> Option<bool> {
        let of = |peer| self.median(row.key, peer);
        Some(match bound {
            Most(most) => value <= most,
            Least(least) => value >= least,
            MostOf(times, peer) => value <= times * of(peer)?,
            LeastOf(times, peer) => value >= times * of(peer)?,
        })
    }

    fn verdict(&self, row: &Row) -> &'static str {
        let Some(value) = self.median(row.key, Peer::Gatepost) else {
            return "";
        };
        let broken = |bounds: &[Bound]| {
            bounds
                .iter()
                .any(|&bound| self.holds(row, value, bound) == Some(false))
        };
        if row.must.is_empty() && row.aim.is_empty() {
            ""
        } else if broken(row.must) {
            "MISSES MUST"
        } else if broken(row.aim) {
            "misses aim"
        } else {
            "ok"
        }
    }

    /// The table as text.
    pub(crate) fn print(&self, peers: &[Peer]) -> String {
        let mut lines = vec![cells(
            "",
            "unit",
            peers.iter().map(|p| p.name().to_owned()),
            "must",
            "aim",
            "verdict",
        )];
        for row in ROWS {
            if !peers
                .iter()
                .any(|&peer| self.median(row.key, peer).is_some())
            {
                continue;
            }
            let figures = peers.iter().map(|&peer| self.cell(row.key, peer));
            lines.push(cells(
                row.title,
                row.unit,
                figures,
                &say(row.must),
                &say(row.aim),
                self.verdict(row),
            ));
        }
        lines.push(String::new());
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }

    fn cell(&self, key: &'static str, peer: Peer) -> String {
        match self.samples.get(&(key, peer)) {
            None => "–".to_owned(),
            Some(values) if median(values).is_infinite() => "over limit".to_owned(),
            Some(values) => number(median(values)),
        }
    }

    /// Everything, samples included, as JSON.
    pub(crate) fn json(&self) -> Value {
        let rows = ROWS.iter().map(|row| {
            let of_row = self.samples.iter().filter(|((key, _), _)| *key == row.key);
            let peers: serde_json::Map<String, Value> = of_row
                .map(|((_, peer), values)| {
                    let samples: Vec<Option<f64>> = values
                        .iter()
                        .map(|value| value.is_finite().then_some(*value))
                        .collect();
                    let middle = median(values);
                    let median = middle.is_finite().then_some(middle);
                    (
                        peer.name().to_owned(),
                        json!({ "median": median, "samples": samples }),
                    )
                })
                .collect();
            json!({
                "key": row.key, "title": row.title, "unit": row.unit,
                "must": say(row.must), "aim": say(row.aim),
                "verdict": self.verdict(row), "peers": peers,
            })
        });
        json!({ "rows": rows.collect::<Vec<_>>(), "notes": self.notes })
    }
}

fn cells(
    title: &str,
    unit: &str,
    figures: impl Iterator<Item = String>,
    must: &str,
    aim: &str,
    verdict: &str,
) -> String {
    let mut line = format!("{title:<43}{unit:>6}");
    for figure in figures {
        line += &format!("{figure:>12}");
    }
    line += &format!("   {must:<12}{aim:<26}{verdict}");
    line.trim_end().to_owned()
}
