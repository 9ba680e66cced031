//! JSON with comments and trailing commas, as Gate One wrote it, read into the tree.

use crate::policy::Problem;
use crate::policy::tree::{Entry, Kind, MAX_DEPTH, Origin, Table, Value};

use super::syntax::Places;

/// Reads one value and what may stand around it; the first thing that is wrong otherwise.
pub(super) fn parse(text: &str, places: &Places<'_>) -> Result<Value, Problem> {
    let mut reader = Reader {
        text,
        at: text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len(),
        places,
    };
    reader.blank()?;
    if reader.peek().is_none() {
        // An empty file says nothing, which is not wrong.
        return Ok(Value::table(Table::default(), places.at(0)));
    }
    let value = reader.value(0)?;
    reader.blank()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.problem("something stands after the end of the value")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    places: &'a Places<'a>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn place(&self) -> Origin {
        self.places.at(self.at)
    }

    fn problem(&self, message: &str) -> Problem {
        Problem::error(&self.place(), "", format!("not JSON: {message}"))
    }

    /// Skips blanks and comments.
    fn blank(&mut self) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else {
                    return Err(self.problem("this comment has no end; close it with */"));
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} tables and lists inside one another");
            return Err(Problem::error(&self.place(), "", message));
        }
        let origin = self.place();
        let kind = match self.peek() {
            Some('{') => Kind::Table(self.table(depth)?),
            Some('[') => Kind::List(self.list(depth)?),
            Some('"') => Kind::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ if self.take("true") => Kind::Bool(true),
            _ if self.take("false") => Kind::Bool(false),
            _ if self.take("null") => Kind::Null,
            Some('\'') => return Err(self.problem("text stands in double quotes")),
            Some(_) => {
                return Err(self.problem(
                    "a value is expected: text in double quotes, a number, true, false, null, [list] or {table}",
                ));
            }
            None => return Err(self.problem("a value is missing at the end of the file")),
        };
        Ok(Value { kind, origin })
    }

    fn table(&mut self, depth: usize) -> Result<Table, Problem> {
        self.take("{");
        let mut table = Table::default();
        loop {
            self.blank()?;
            if self.take("}") {
                return Ok(table);
            }
            let origin = self.place();
            if self.peek() != Some('"') {
                return Err(self.problem("a key in double quotes, or } is expected"));
            }
            let key = self.string()?;
            if table.get(&key).is_some() {
                return Err(Problem::error(&origin, key, "stands here twice"));
            }
            self.blank()?;
            if !self.take(":") {
                return Err(self.problem("a : is expected after a key"));
            }
            self.blank()?;
            let value = self.value(depth + 1)?;
            table.0.push(Entry { key, origin, value });
            self.blank()?;
            if !self.take(",") && self.peek() != Some('}') {
                return Err(self.problem("a comma, or } is expected"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, Problem> {
        self.take("[");
        let mut list = Vec::new();
        loop {
            self.blank()?;
            if self.take("]") {
                return Ok(list);
            }
            list.push(self.value(depth + 1)?);
            self.blank()?;
            if !self.take(",") && self.peek() != Some(']') {
                return Err(self.problem("a comma, or ] is expected"));
            }
        }
    }

    fn number(&mut self) -> Result<Kind, Problem> {
        let letters = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let rest = self.rest();
        let word = rest.get(..rest.find(letters).unwrap_or(rest.len()));
        let word = word.unwrap_or_default();
        // The same rules for numbers as everywhere: no leading zero, no bare dot, nothing infinite.
        let kind = match serde_json::from_str::<serde_json::Number>(word) {
            Ok(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Kind::Whole(whole),
                (None, Some(number)) if number.is_finite() => Kind::Number(number),
                _ => return Err(self.problem("this number is too large")),
            },
            Err(_) => return Err(self.problem("this is no number")),
        };
        self.at += word.len();
        Ok(kind)
    }

    fn string(&mut self) -> Result<String, Problem> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes || *c == '\n'
        });
        let Some((end, '"')) = end else {
            return Err(self.problem("this text has no closing double quote in its line"));
        };
        let literal = rest.get(..=end).unwrap_or_default();
        match serde_json::from_str(literal) {
            Ok(text) => {
                self.at += literal.len();
                Ok(text)
            }
            Err(_) => Err(self.problem(
                "in text, write \\n \\t \\\\ \\\" or \\u0000 for what can't stand by itself",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        parse(text, &Places::new(text, Path::new("x.conf"))).map_err(|error| error.to_string())
    }

    #[test]
    fn gate_ones_files_are_read_with_comments_and_trailing_commas() {
        let text = "// This is Gate One's main settings file.\n{\n    /* a comment\n over lines */\n    \"*\": {\n        \"gateone\": { // inside\n            \"port\": 10443,\n            \"origins\": [\"localhost\", \"http://a//b\",],\n            \"cert\\u00e4\": null,\n        }\n    }\n}\n";
        let value = read(text).unwrap();
        let port = value.at(&["*", "gateone", "port"]).unwrap();
        assert_eq!(port.kind, Kind::Whole(10443));
        assert_eq!(port.origin.to_string(), "x.conf:7:21");
        let Kind::List(origins) = &value.at(&["*", "gateone", "origins"]).unwrap().kind else {
            panic!("no list");
        };
        assert_eq!(origins[1].kind, Kind::Text("http://a//b".to_owned()));
        assert_eq!(
            value.at(&["*", "gateone", "certä"]).unwrap().kind,
            Kind::Null
        );
        assert_eq!(
            read(" // nothing\n").unwrap().as_table().unwrap().0.len(),
            0
        );
    }

    #[test]
    fn every_mistake_says_where_it_is() {
        for (text, place) in [
            ("{\"a\": 1,, }", "1:9"),
            ("{\"a\" 1}", "1:6"),
            ("{\"a\": 01}", "1:7"),
            ("{\"a\": 1e999}", "1:7"),
            ("{\"a\": 'x'}", "1:7"),
            ("{\"a\": \"x\n\"}", "1:7"),
            ("{\"a\": \"\\x\"}", "1:7"),
            ("{\"a\": \"\\ud800\"}", "1:7"),
            ("{\n \"a\": 1,\n \"a\": 2}", "3:2"),
            ("{} {}", "1:4"),
            ("{ /* ", "1:3"),
            ("{\"a\": ", "1:7"),
            ("[1 2]", "1:4"),
            ("{a: 1}", "1:2"),
            ("tru", "1:1"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.starts_with(&format!("x.conf:{place}: ")),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn json_depth_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&nested(MAX_DEPTH + 1)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 2)).is_err());
        assert!(read(&nested(100_000)).is_err());
    }
}
