//! What is wrong in a configuration, where, and what to do about it.

use std::fmt;

use super::tree::Origin;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it was written.
    pub origin: Origin,
    /// The key, with its scope and section in front; empty when it is about a whole file.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Works, but should be looked at.
    pub warning: bool,
}

impl Problem {
    /// Something that has to be mended.
    pub fn error(origin: &Origin, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            origin: origin.clone(),
            key: key.into(),
            message: message.into(),
            warning: false,
        }
    }

    /// Something that works and should be looked at.
    pub fn warning(origin: &Origin, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::error(origin, key, message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Default {
            write!(f, "{}: ", self.origin)?;
        }
        if self.warning {
            f.write_str("warning: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// `; did you mean "…"?` when one of the known words is close to what was written, else nothing.
pub(super) fn did_you_mean(written: &str, known: &[&str]) -> String {
    let written = written.to_lowercase().replace('_', "-");
    let nearest = known
        .iter()
        .map(|word| (distance(&written, &word.replace('_', "-")), word))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        // Two slips in a word of average length, one in a short one.
        Some((distance, word)) if distance <= 2.min(word.len().div_ceil(3)) => {
            format!("; did you mean {word:?}?")
        }
        _ => String::new(),
    }
}

/// Letters to change, add, drop or swap with their neighbour to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    /// Longest word compared; keys are far below it.
    const MAX: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(MAX).collect(), b.chars().take(MAX).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = get(&above, column) + usize::from(x != y);
            best = best
                .min(get(&above, column + 1) + 1)
                .min(get(&line, column) + 1);
            let swapped =
                row > 0 && column > 0 && a.get(row - 1) == Some(y) && b.get(column - 1) == Some(x);
            if swapped {
                best = best.min(get(&before, column - 1) + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        assert_eq!(
            did_you_mean("lisen", &["listen", "public_url"]),
            "; did you mean \"listen\"?"
        );
        assert_eq!(
            did_you_mean("public-url", &["public_url"]),
            "; did you mean \"public_url\"?"
        );
        assert_eq!(did_you_mean("ues", &["use"]), "; did you mean \"use\"?");
        assert_eq!(did_you_mean("zebra", &["listen", "public_url"]), "");
    }
}
