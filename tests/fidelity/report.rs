//! Mismatches, collected so that one fault that shows in many places is told once.

use std::collections::BTreeMap;

use crate::browser::Difference;

/// Comparisons told in full for each field that differs.
const EXAMPLES: usize = 4;

/// Mismatches found, told all at once: one fault shows in many places.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) compared: usize,
    pub(crate) failed: usize,
    /// How often each field differed, and the first examples.
    pub(crate) fields: BTreeMap<String, (usize, String)>,
}

impl Report {
    pub(crate) fn add(&mut self, what: &str, differences: &[Difference]) {
        self.compared += 1;
        if differences.is_empty() {
            return;
        }
        self.failed += 1;
        let mut fields: Vec<&str> = Vec::new();
        for difference in differences {
            let (count, examples) = self.fields.entry(difference.field.clone()).or_default();
            if !fields.contains(&difference.field.as_str()) {
                fields.push(&difference.field);
                *count += 1;
            }
            if *count <= EXAMPLES {
                examples.push_str(&["  ", what, ": ", &difference.to_string(), "\n"].concat());
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (field, (count, examples)) in &self.fields {
            text.push_str(&[field, ": ", &count.to_string(), "\n", examples, "\n"].concat());
        }
        text
    }

    pub(crate) fn check(&self) {
        assert!(
            self.failed == 0,
            "{} of {} comparisons failed:\n{}",
            self.failed,
            self.compared,
            self.text()
        );
    }
}
