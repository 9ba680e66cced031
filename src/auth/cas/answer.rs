//! What a CAS server says of a ticket (CAS Protocol 3.0, section 2.4 to 2.6). Pure: text in, verdict out.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

/// The namespace of CAS answers. What looks alike in another one is not an answer.
const NAMESPACE: &str = "http://www.yale.edu/tp/cas";
/// Most elements and texts of an answer; three hundred groups are six hundred.
const MAX_NODES: u32 = 4096;
/// Most values of one attribute.
const MAX_VALUES: usize = 256;
/// Longest value, in bytes.
const MAX_VALUE: usize = 512;
/// Most attributes.
const MAX_ATTRIBUTES: usize = 128;

/// Why a ticket is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CasAnswerError {
    /// The server says no.
    #[error("the ticket is refused: {0}")]
    Refused(String),
    /// It is no answer.
    #[error("the answer can't be read: {0}")]
    Form(String),
    /// Somebody stands between.
    #[error("the ticket came through the service {0:?}, which is not in `proxies`")]
    Proxy(String),
}

/// Somebody the server vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasUser {
    /// Their name there.
    pub user: String,
    /// What else it says of them.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// Reads the two lines of protocol 1.
pub fn read_lines(text: &str) -> Result<CasUser, CasAnswerError> {
    let mut lines = text.lines();
    match (lines.next(), lines.next(), lines.next()) {
        (Some("yes"), Some(user), None) if good(user) => Ok(CasUser {
            user: user.to_owned(),
            attributes: BTreeMap::new(),
        }),
        (Some("no"), ..) => Err(CasAnswerError::Refused("no".to_owned())),
        _ => Err(form("it is neither yes and a name, nor no")),
    }
}

/// Reads the XML of protocols 2 and 3. There is no document type in an answer, so that nothing can be
/// expanded or fetched; names count only with their namespace; one verdict has to be in it, at its one place.
pub fn read_xml(text: &str, proxies: &[String]) -> Result<CasUser, CasAnswerError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|error| form(&error.to_string()))?;
    let root = document.root_element();
    if !is(root, "serviceResponse") {
        return Err(form("it is no serviceResponse"));
    }
    let mut verdicts = root.children().filter(Node::is_element);
    let (Some(verdict), None) = (verdicts.next(), verdicts.next()) else {
        return Err(form("it holds no verdict, or several"));
    };
    if is(verdict, "authenticationFailure") {
        let code = verdict.attribute("code").unwrap_or_default();
        let said = format!("{code} {}", verdict.text().unwrap_or_default().trim());
        return Err(CasAnswerError::Refused(said.chars().take(200).collect()));
    }
    if !is(verdict, "authenticationSuccess") {
        return Err(form("its verdict is neither success nor failure"));
    }
    // Somewhere deeper in it there must not be a second one either.
    let twins = document.descendants().filter(|node| {
        matches!(
            node.tag_name().name(),
            "authenticationSuccess" | "authenticationFailure"
        )
    });
    if twins.count() != 1 {
        return Err(form("it holds several verdicts"));
    }
    for proxy in elements(verdict, "proxies").flat_map(|list| elements(list, "proxy")) {
        let proxy = whole_text(proxy)?;
        if !proxies.contains(&proxy) {
            return Err(CasAnswerError::Proxy(proxy.chars().take(200).collect()));
        }
    }
    let mut users = elements(verdict, "user");
    let (Some(user), None) = (users.next(), users.next()) else {
        return Err(form("it names nobody, or several"));
    };
    let user = whole_text(user)?;
    if !good(&user) {
        return Err(form("the user's name is empty or too long"));
    }
    Ok(CasUser {
        user,
        attributes: attributes(verdict)?,
    })
}

fn attributes(verdict: Node<'_, '_>) -> Result<BTreeMap<String, Vec<String>>, CasAnswerError> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for list in elements(verdict, "attributes") {
        for attribute in list.children().filter(Node::is_element) {
            if attribute.tag_name().namespace() != Some(NAMESPACE) {
                continue;
            }
            let value = whole_text(attribute)?;
            let name = attribute.tag_name().name().to_owned();
            let values = out.entry(name).or_default();
            values.push(value);
            // Leaving some out could take a right away, or what takes one away.
            if values.len() > MAX_VALUES || values.iter().any(|value| value.len() > MAX_VALUE) {
                return Err(form("an attribute has too many values, or one too long"));
            }
        }
    }
    if out.len() > MAX_ATTRIBUTES {
        return Err(form("it has too many attributes"));
    }
    Ok(out)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().namespace() == Some(NAMESPACE) && node.tag_name().name() == name
}

fn elements<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| is(*child, name))
}

/// The text of an element. With a comment or an element in between, two readers could take different
/// parts of it for the name (`admin<!-- -->.evil`), so then there is none.
fn whole_text(node: Node<'_, '_>) -> Result<String, CasAnswerError> {
    let mut parts = node.children();
    match (parts.next(), parts.next()) {
        (None, _) => Ok(String::new()),
        (Some(text), None) if text.is_text() => {
            Ok(text.text().unwrap_or_default().trim().to_owned())
        }
        _ => Err(form("a text has something in it that is none")),
    }
}

fn good(user: &str) -> bool {
    !user.is_empty() && user.len() <= MAX_VALUE
}

fn form(what: &str) -> CasAnswerError {
    CasAnswerError::Form(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inside: &str) -> String {
        format!("<cas:serviceResponse xmlns:cas=\"{NAMESPACE}\">{inside}</cas:serviceResponse>")
    }

    fn success(inside: &str) -> String {
        answer(&format!(
            "<cas:authenticationSuccess>{inside}</cas:authenticationSuccess>"
        ))
    }

    fn read(text: &str) -> Result<CasUser, CasAnswerError> {
        read_xml(text, &[])
    }

    #[test]
    fn a_success_names_a_user_and_attributes() {
        let text = success(
            "\n <cas:user>alice</cas:user>\n<cas:attributes><cas:groups>ops</cas:groups>\
             <cas:groups>staff</cas:groups><x>no</x></cas:attributes>",
        );
        let user = read(&text).unwrap();
        assert_eq!(user.user, "alice");
        assert_eq!(user.attributes["groups"], ["ops", "staff"]);
        assert_eq!(user.attributes.len(), 1, "foreign namespaces say nothing");
    }

    #[test]
    fn a_failure_is_one() {
        let text = answer(
            "<cas:authenticationFailure code='INVALID_TICKET'> no </cas:authenticationFailure>",
        );
        assert_eq!(
            read(&text),
            Err(CasAnswerError::Refused("INVALID_TICKET no".to_owned()))
        );
    }

    #[test]
    fn cas_two_success_and_the_like_are_refused() {
        let alice =
            "<cas:authenticationSuccess><cas:user>alice</cas:user></cas:authenticationSuccess>";
        let failure = "<cas:authenticationFailure code='X'/>";
        for inside in [
            format!("{alice}{alice}"),
            format!("{alice}{failure}"),
            format!("{failure}{alice}"),
            format!("<cas:authenticationSuccess><cas:user>root</cas:user>{alice}</cas:authenticationSuccess>"),
            format!("<cas:x>{alice}</cas:x>"),
            String::new(),
            "<cas:authenticationSuccess/>".to_owned(),
            "<cas:authenticationSuccess><cas:user>a</cas:user><cas:user>b</cas:user></cas:authenticationSuccess>".to_owned(),
            "<cas:authenticationSuccess><cas:user> </cas:user></cas:authenticationSuccess>".to_owned(),
            "<cas:authenticationSuccess><cas:user>admin<!-- x -->.evil</cas:user></cas:authenticationSuccess>".to_owned(),
            "<cas:authenticationSuccess><cas:user>admin<b/></cas:user></cas:authenticationSuccess>".to_owned(),
        ] {
            assert!(matches!(read(&answer(&inside)), Err(CasAnswerError::Form(_) | CasAnswerError::Refused(_))), "{inside}");
        }
    }

    #[test]
    fn cas_wrong_ns_is_no_answer() {
        let good = success("<cas:user>alice</cas:user>");
        assert!(read(&good).is_ok());
        for other in [
            "http://www.yale.edu/tp/cas/",
            "HTTP://www.yale.edu/tp/cas",
            "urn:x",
        ] {
            assert!(read(&good.replace(NAMESPACE, other)).is_err(), "{other}");
        }
        let none = "<serviceResponse><authenticationSuccess><user>alice</user></authenticationSuccess></serviceResponse>";
        assert!(read(none).is_err());
        let default = none.replace(
            "<serviceResponse>",
            &format!("<serviceResponse xmlns='{NAMESPACE}'>"),
        );
        assert_eq!(
            read(&default).unwrap().user,
            "alice",
            "the prefix is anybody's choice"
        );
    }

    #[test]
    fn cas_xml_entity_is_refused_with_every_document_type() {
        for text in [
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}",
                success("<cas:user>&e;</cas:user>")
            ),
            format!(
                "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>{}",
                success("<cas:user>&b;</cas:user>")
            ),
            format!("<!DOCTYPE x>{}", success("<cas:user>alice</cas:user>")),
            success("<cas:user>&undefined;</cas:user>"),
        ] {
            assert!(
                matches!(read(&text), Err(CasAnswerError::Form(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn cas_proxy_ticket_is_good_only_from_listed_services() {
        let text = success(
            "<cas:user>alice</cas:user><cas:proxies><cas:proxy>https://a.example/p</cas:proxy></cas:proxies>",
        );
        assert!(matches!(read(&text), Err(CasAnswerError::Proxy(_))));
        let proxies = ["https://a.example/p".to_owned()];
        assert_eq!(read_xml(&text, &proxies).unwrap().user, "alice");
        let two = text.replace(
            "</cas:proxies>",
            "<cas:proxy>https://b.example/</cas:proxy></cas:proxies>",
        );
        assert!(
            read_xml(&two, &proxies).is_err(),
            "every one on the way counts"
        );
    }

    #[test]
    fn limits_hold() {
        let groups = |count: usize, length: usize| {
            let value = format!("<cas:g>{}</cas:g>", "x".repeat(length));
            read(&success(&format!(
                "<cas:user>a</cas:user><cas:attributes>{}</cas:attributes>",
                value.repeat(count)
            )))
        };
        assert!(groups(256, 512).is_ok());
        assert!(groups(257, 1).is_err());
        assert!(groups(1, 513).is_err());
        assert!(read(&"<a>".repeat(100_000)).is_err());
    }

    #[test]
    fn protocol_1_is_two_lines() {
        assert_eq!(read_lines("yes\nalice\n").unwrap().user, "alice");
        for bad in [
            "no\n\n",
            "",
            "yes",
            "yes\n\n",
            "YES\nalice",
            "yes\nalice\nroot\n",
            "yes alice",
        ] {
            assert!(read_lines(bad).is_err(), "{bad:?}");
        }
    }
}
