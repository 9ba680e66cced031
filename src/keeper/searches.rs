//! Searches, done a part at a time: a terminal with a million lines goes on working meanwhile.

use serde_json::json;

use super::requests::Part;
use crate::base::Match;
use crate::screen::{Model, Search};
use crate::wire::message::{FailureKind, MAX_SEARCH};

/// Most matches of a search.
const MAX_MATCHES: u32 = 1000;
/// Most bytes of an answer to a search; what is found beyond is left for the next page.
const MAX_MATCH_BYTES: usize = 512 << 10;
/// Rows looked at in one turn of the loop: a few milliseconds on a small machine.
const ROWS_AT_A_TIME: usize = 2000;

/// A search on its way.
#[derive(Debug)]
pub(super) struct Searching {
    pub(super) id: u32,
    search: Search,
    before: Option<u64>,
    limit: usize,
    found: Vec<Match>,
    bytes: usize,
}

impl Searching {
    /// Begins a search, or says what is wrong with it.
    pub(super) fn begin(
        id: u32,
        text: &str,
        regex: bool,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Self, Part> {
        if text.len() > MAX_SEARCH {
            let message = format!("a text to look for has at most {MAX_SEARCH} bytes");
            return Err(Part::failed(id, FailureKind::Invalid, message));
        }
        let search = if regex {
            Search::regex(text)
        } else {
            Search::plain(text)
        };
        match search {
            Ok(search) => Ok(Self {
                id,
                search,
                before,
                limit: usize::try_from(limit.min(MAX_MATCHES)).unwrap_or_default(),
                found: Vec::new(),
                bytes: 0,
            }),
            Err(error) => Err(Part::failed(id, FailureKind::Invalid, error.to_string())),
        }
    }

    /// Looks at some more rows; the answer once it is complete.
    pub(super) fn go_on(&mut self, model: &impl Model) -> Option<Part> {
        // One more than wanted tells whether there are more.
        let wanted = (self.limit + 1).saturating_sub(self.found.len());
        let (found, next) = model.search_part(&self.search, self.before, wanted, ROWS_AT_A_TIME);
        self.bytes += found.iter().map(|found| found.text.len()).sum::<usize>();
        self.found.extend(found);
        let full = self.found.len() > self.limit || self.bytes > MAX_MATCH_BYTES;
        if let Some(next) = next
            && !full
        {
            self.before = Some(next);
            return None;
        }
        let mut bytes = 0;
        let fitting = self.found.iter().take(self.limit).take_while(|found| {
            bytes += found.text.len();
            bytes <= MAX_MATCH_BYTES
        });
        let fitting = fitting.count();
        let more = fitting < self.found.len() || next.is_some();
        self.found.truncate(fitting);
        let answer = json!({ "ok": { "matches": self.found, "more": more } });
        Some(Part::whole(self.id, &answer))
    }
}
