//! Logging in with CAS, protocols 1 to 3: off to the server's login page, back with a ticket, which the server
//! is asked about, once.
//!
//! CAS has no state of its own, so ours stands in the service address: the server gives tickets for
//! exactly that address, and so for the browser that was sent away with it. In its path, because some servers
//! don't look at the query.

mod answer;

use std::time::Instant;

use crate::base::{Secret, User, Way};
use crate::policy::settings::cas::{CasProtocol, CasServer};

use super::fetch::{self, Address};
use super::prelogin::Prelogins;
use super::query;
use super::sso::{Departure, SsoError};

pub use answer::{CasAnswerError, CasUser, read_lines, read_xml};

/// Longest ticket, in bytes (the protocol says that 256 have to be possible).
const MAX_TICKET: usize = 256;
/// The way's name in states.
const WAY: &str = "cas";

/// The server.
#[derive(Debug)]
pub(super) struct Cas {
    settings: CasServer,
    /// Its address, ending in `/`.
    url: String,
    /// Where others see this server, ending in `/`.
    base: String,
}

impl Cas {
    /// None without an address.
    pub(super) fn new(settings: CasServer, base: &str) -> Option<Self> {
        let url = format!("{}/", settings.url.as_ref()?.trim_end_matches('/'));
        Some(Self {
            settings,
            url,
            base: base.to_owned(),
        })
    }

    pub(super) fn title(&self) -> &str {
        &self.settings.title
    }

    fn service(&self, state: &str) -> String {
        format!("{}login/cas/{state}", self.base)
    }

    /// Where to send a browser that wants to log in.
    pub(super) fn begin(&self, prelogins: &Prelogins) -> Result<Departure, SsoError> {
        let prelogin = prelogins.begin(WAY, Instant::now())?;
        let service = self.service(&prelogin.state);
        let mut parameters = vec![("service", service.as_str())];
        if self.settings.renew {
            parameters.push(("renew", "true"));
        }
        // Judged like any address we would go to ourselves.
        let page = Address::parse(&format!("{}login", self.url))?;
        Ok(Departure {
            address: query::add(page.as_str(), &parameters),
            browser: prelogin.browser,
        })
    }

    /// Who came back with this query.
    pub(super) async fn finish(
        &self,
        state: &str,
        query: &str,
        browser: Option<&Secret>,
        prelogins: &Prelogins,
    ) -> Result<User, SsoError> {
        let parameters =
            query::decode(query).ok_or(SsoError::Invalid("the query is broken".to_owned()))?;
        let ticket = parameters.iter().find(|(name, _)| name == "ticket");
        let ticket = ticket.map_or("", |(_, value)| value.as_str());
        let prelogin = browser
            .and_then(|browser| prelogins.finish(WAY, state, browser, Instant::now()))
            .ok_or(SsoError::Stale)?;
        if !is_ticket(ticket, !self.settings.proxies.is_empty()) {
            return Err(SsoError::Invalid(
                "what came is no service ticket".to_owned(),
            ));
        }
        let answer = self.ask(&self.service(&prelogin.state), ticket).await?;
        let CasUser { user, attributes } = answer;
        let known = |name: &str| match name {
            "user" => Some(user.as_str()),
            other => match attributes.get(other).map(Vec::as_slice) {
                Some([one]) => Some(one.as_str()),
                _ => None,
            },
        };
        let name = self.settings.upn.fill(known);
        let mut found = User::new(
            name.map_err(|error| SsoError::Invalid(error.to_string()))?,
            Way::Cas,
        );
        let wanted = |name: &String| self.settings.attributes.contains(name);
        found.attributes = attributes
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect();
        Ok(found)
    }

    async fn ask(&self, service: &str, ticket: &str) -> Result<CasUser, SsoError> {
        let proxied = !self.settings.proxies.is_empty();
        let path = match (self.settings.protocol, proxied) {
            (CasProtocol::One, _) => "validate",
            (CasProtocol::Two, false) => "serviceValidate",
            (CasProtocol::Two, true) => "proxyValidate",
            (CasProtocol::Three, false) => "p3/serviceValidate",
            (CasProtocol::Three, true) => "p3/proxyValidate",
        };
        let mut parameters = vec![("service", service), ("ticket", ticket)];
        if self.settings.renew {
            parameters.push(("renew", "true"));
        }
        let address = query::add(&format!("{}{path}", self.url), &parameters);
        let address = Address::parse(&address)?;
        let answer = fetch::get(&address, self.settings.ca_file.as_deref(), &[]).await?;
        let body = answer.good(&address)?;
        let text = std::str::from_utf8(&body)
            .map_err(|_| SsoError::Invalid("the CAS server's answer is no text".to_owned()))?;
        let read = match self.settings.protocol {
            CasProtocol::One => read_lines(text),
            CasProtocol::Two | CasProtocol::Three => read_xml(text, &self.settings.proxies),
        };
        read.map_err(|error| SsoError::Invalid(error.to_string()))
    }
}

/// Whether it has a service ticket's form (`ST-…`); a proxy ticket's (`PT-…`) only where they are
/// allowed at all.
fn is_ticket(text: &str, proxied: bool) -> bool {
    let rest = text
        .strip_prefix("ST-")
        .or_else(|| text.strip_prefix("PT-").filter(|_| proxied));
    rest.is_some_and(|rest| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !rest.is_empty() && text.len() <= MAX_TICKET && rest.chars().all(allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_have_a_form() {
        assert!(is_ticket("ST-1-aB_c.d", false));
        assert!(is_ticket(&format!("ST-{}", "a".repeat(253)), false));
        for bad in [
            "",
            "ST-",
            "PT-1",
            "PGT-1",
            "st-1",
            "ST-a b",
            "ST-a&renew=",
            "ST-%41",
        ] {
            assert!(!is_ticket(bad, false), "{bad}");
        }
        assert!(!is_ticket(&format!("ST-{}", "a".repeat(254)), false));
        assert!(is_ticket("PT-1", true));
    }
}
