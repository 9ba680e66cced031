//! YAML, read into the tree: what Raspberry Pi Imager writes for cloud-init. No anchors, tags or several
//! documents, so that nothing in a file can grow when it is read.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::policy::Problem;
use crate::policy::tree::{Entry, Kind, MAX_DEPTH, Origin, Table, Value};

use super::syntax::Places;

/// Reads YAML; the first thing that is wrong with it otherwise.
pub(super) fn parse(text: &str, places: &Places<'_>) -> Result<Value, Problem> {
    let mut reader = Reader::new(text, places);
    let value = reader.document()?;
    reader.end()?;
    Ok(value)
}

/// Where texts stand, with their quotes.
pub(super) fn texts(text: &str) -> Vec<Range<usize>> {
    let bytes = Bytes::new(text);
    let events = Parser::new_from_str(text).map_while(Result::ok);
    let texts = events.filter_map(|(event, span)| match event {
        Event::Scalar(..) => Some(bytes.range(span)),
        _ => None,
    });
    texts.collect()
}

/// From characters, which the scanner counts, to bytes.
struct Bytes {
    starts: Vec<usize>,
    end: usize,
}

impl Bytes {
    fn new(text: &str) -> Self {
        Self {
            starts: text.char_indices().map(|(at, _)| at).collect(),
            end: text.len(),
        }
    }

    fn at(&self, character: usize) -> usize {
        self.starts.get(character).copied().unwrap_or(self.end)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start.index())..self.at(span.end.index())
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    places: &'a Places<'a>,
    bytes: Bytes,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, places: &'a Places<'a>) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            places,
            bytes: Bytes::new(text),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Origin), Problem> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start.index()))),
            Some(Err(error)) => {
                let at = self.place(error.marker().index());
                Err(Problem::error(
                    &at,
                    "",
                    format!("not YAML: {}", error.info()),
                ))
            }
            None => Ok((Event::StreamEnd, self.place(usize::MAX))),
        }
    }

    fn place(&self, character: usize) -> Origin {
        self.places.at(self.bytes.at(character))
    }

    /// The one document of a file; an empty file is an empty table.
    fn document(&mut self) -> Result<Value, Problem> {
        loop {
            match self.next()? {
                (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
                (Event::StreamEnd, at) => return Ok(Value::table(Table::default(), at)),
                (event, at) => {
                    let mut value = self.value(event, at, 0)?;
                    if value.kind == Kind::Null {
                        value.kind = Kind::Table(Table::default());
                    }
                    return Ok(value);
                }
            }
        }
    }

    fn end(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::Nothing | Event::DocumentEnd, _) => {}
                (_, at) => return Err(Problem::error(&at, "", "more than one YAML document")),
            }
        }
    }

    fn value(&mut self, event: Event<'a>, origin: Origin, depth: usize) -> Result<Value, Problem> {
        let wrong = |message: String| Err(Problem::error(&origin, "", message));
        if depth > MAX_DEPTH {
            return wrong(format!(
                "more than {MAX_DEPTH} tables and lists inside one another"
            ));
        }
        let kind = match event {
            Event::Alias(_) => return wrong("anchors (&…, *…) are not read".to_owned()),
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _) => {
                return wrong("anchors (&…, *…) are not read".to_owned());
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return wrong("tags (!…) are not read".to_owned());
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => Kind::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Kind::List(list),
                        (event, at) => list.push(self.value(event, at, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => Kind::Table(self.table(depth)?),
            _ => return wrong("not YAML: it ends too early".to_owned()),
        };
        Ok(Value { kind, origin })
    }

    fn table(&mut self, depth: usize) -> Result<Table, Problem> {
        let mut table = Table::default();
        loop {
            let (key, origin) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(table),
                (Event::Scalar(text, _, 0, None), at) => (text.into_owned(), at),
                (_, at) => return Err(Problem::error(&at, "", "a key has to be a plain text")),
            };
            if table.get(&key).is_some() {
                return Err(Problem::error(&origin, key, "stands here twice"));
            }
            let (event, at) = self.next()?;
            let value = self.value(event, at, depth + 1)?;
            table.0.push(Entry { key, origin, value });
        }
    }
}

/// What a word without quotes is. Numbers stay text: nothing that is read is a number, and a password of
/// digits has to keep its zeros.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        text => Kind::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Syntax, parse, texts};

    fn read(text: &str) -> Result<Value, String> {
        parse(Syntax::Yaml, text, Path::new("x")).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn tables_lists_and_words_are_read_with_their_places() {
        let tree = read("#cloud-config\nä: [1, 'b']\nwifi:\n  \"my \\\"net\\\"\":\n    hidden: true\n    pin: 00123\n    none:\n").unwrap();
        let net = tree.at(&["wifi", "my \"net\""]).unwrap();
        assert_eq!(net.at(&["hidden"]).unwrap().kind, Kind::Bool(true));
        assert_eq!(net.at(&["pin"]).unwrap().kind, Kind::Text("00123".into()));
        assert_eq!(net.at(&["pin"]).unwrap().origin.to_string(), "x:6:10");
        assert_eq!(net.at(&["none"]).unwrap().kind, Kind::Null);
        assert!(matches!(&tree.at(&["ä"]).unwrap().kind, Kind::List(list) if list.len() == 2));
        for empty in ["", "#cloud-config\n", "---\n"] {
            assert_eq!(read(empty).unwrap().kind, Kind::Table(Table::default()));
        }
    }

    #[test]
    fn what_could_grow_or_mean_two_things_is_refused_with_its_line() {
        for (text, says) in [
            ("a: &x [1]\nb: *x\n", "x:1:4: anchors"),
            ("a: !!binary aGk=\n", "x:1:4: tags"),
            ("a: 1\na: 2\n", "x:2:1: a: stands here twice"),
            ("a: 1\n---\nb: 2\n", "more than one YAML document"),
            ("a: [1\n", "not YAML"),
            ("a: \"b\n", "not YAML"),
            ("{a: 1}: 2\n", "a key has to be"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
        let deep = "[".repeat(MAX_DEPTH + 2) + &"]".repeat(MAX_DEPTH + 2);
        assert!(
            read(&format!("a: {deep}\n"))
                .unwrap_err()
                .contains("inside one another")
        );
    }

    #[test]
    fn the_place_of_a_text_is_the_place_of_its_bytes() {
        for (syntax, text) in [
            (
                Syntax::Yaml,
                "ö: x\nb: \"s3cret\"\nc: 's3cret'\nd: s3cret # no\ne: [s3cret]\n",
            ),
            (
                Syntax::Toml,
                "\"ö\" = 'x'\nb = \"s3cret\"\nc = 's3cret'\n[d]\ne = [\"s3cret\"] # no\n",
            ),
        ] {
            let found: Vec<_> = texts(syntax, text, Path::new("x"))
                .into_iter()
                .map(|(at, range)| (at.line().0, text[range].to_owned()))
                .filter(|(_, text)| text.contains("s3cret"))
                .collect();
            assert!(found.len() >= 3, "{found:?}");
            for (line, text) in found {
                assert_eq!(text.trim_matches(['"', '\'']), "s3cret", "line {line}");
            }
        }
    }
}
