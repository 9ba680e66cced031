//! From a name to a verdict: PAM's conversation relayed to the server, account checks, credentials.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::account::Account;
use super::arguments::Arguments;
use super::line::Line;
use super::pam::{Answer, Call, Item, Library, Pam, PamFailure, Start, Talk};
use super::{best_effort, identities, log, unix, users};
use crate::base::{UserName, Way};
use crate::wire::login::{Admitted, FromHelper, MAX_GROUPS, Message, Purpose, Style, ToHelper};

/// How long the server may take for its first frame.
pub(super) const FIRST: Duration = Duration::from_secs(10);
/// Most text of session modules (a message of the day) kept for the terminal, in bytes: less than a
/// terminal takes without anybody reading.
const MAX_KEPT: usize = 2048;

/// What the conversation and the loop after it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) line: RefCell<Line>,
    /// When the last answer came; failures are timed from it.
    answered: Cell<Instant>,
    /// Whether the conversation is over: what modules say then is for the terminal.
    over: Cell<bool>,
    kept: RefCell<String>,
    answer: Duration,
}

impl Shared {
    pub(super) fn new(line: Line, answer: Duration) -> Rc<Self> {
        Rc::new(Self {
            line: RefCell::new(line),
            answered: Cell::new(Instant::now()),
            over: Cell::new(false),
            kept: RefCell::default(),
            answer,
        })
    }

    /// What session modules had to say, for the terminal; once.
    pub(super) fn take_kept(&self) -> String {
        self.kept.take()
    }

    fn keep(&self, messages: &[Message]) {
        let mut kept = self.kept.borrow_mut();
        for message in messages {
            if kept.len() + message.text.len() < MAX_KEPT {
                kept.push_str(message.text.trim_end());
                kept.push('\n');
            }
        }
    }

    fn ask(&self, messages: Vec<Message>) -> Option<Vec<Answer>> {
        let questions = messages.iter().filter(|m| m.style.is_question()).count();
        if self.over.get() {
            self.keep(&messages);
            return (questions == 0).then(Vec::new);
        }
        let mut line = self.line.borrow_mut();
        line.send(&FromHelper::Ask(messages)).ok()?;
        if questions == 0 {
            return Some(Vec::new());
        }
        let frame = line.receive(self.answer).ok()?;
        self.answered.set(Instant::now());
        match ToHelper::decode(&frame) {
            Ok(ToHelper::Answers(answers)) if answers.len() == questions => {
                let own = |answer: &[u8]| Zeroizing::new(answer.to_vec());
                Some(answers.into_iter().map(own).collect())
            }
            _ => None,
        }
    }
}

/// Passes a module's questions on.
struct Relay(Rc<Shared>);

impl Talk for Relay {
    fn ask(&mut self, messages: Vec<Message>) -> Option<Vec<Answer>> {
        self.0.ask(messages)
    }
}

/// Somebody who may have terminals.
pub(super) struct Admission {
    pub(super) pam: Box<dyn Pam>,
    pub(super) account: Account,
    /// Names of groups.
    groups: Vec<String>,
    /// The one command they may run; none: whatever they like.
    pub(super) command: Option<Vec<String>>,
    /// Whether terminals follow.
    pub(super) purpose: Purpose,
    pub(super) remote: String,
}

impl Admission {
    /// What the server is told.
    pub(super) fn announcement(&self) -> Admitted {
        let shell = self.command.as_ref().and_then(|words| words.first());
        let own = || self.account.shell.to_string_lossy().into_owned();
        let mut groups = self.groups.clone();
        groups.truncate(MAX_GROUPS);
        Admitted {
            account: self.account.name.clone(),
            uid: self.account.uid,
            shell: shell.cloned().unwrap_or_else(own),
            groups,
        }
    }
}

/// Lets somebody in, or not: then the answer has been given, as late as every other.
pub(super) fn let_in(
    shared: &Rc<Shared>,
    library: &dyn Library,
    arguments: &Arguments,
) -> Option<Admission> {
    let frame = shared.line.borrow_mut().receive(FIRST).ok()?;
    shared.answered.set(Instant::now());
    let seconds = u32::try_from(arguments.total.as_secs()).unwrap_or(u32::MAX);
    unix::alarm(seconds);
    let verdict = match ToHelper::decode(&frame) {
        Ok(ToHelper::Begin {
            user,
            remote,
            purpose,
        }) => with_password(shared, library, arguments, user, remote).map(|admission| Admission {
            purpose,
            ..admission
        }),
        Ok(ToHelper::Identity { way, name, remote }) => {
            by_identity(shared, library, arguments, way, name, remote)
        }
        Ok(_) => Err("the first frame begins nothing".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    unix::alarm(0);
    shared.over.set(true);
    match verdict {
        Ok(admission) => {
            let (name, remote) = (&admission.account.name, &admission.remote);
            log(&format!("{name} let in from {remote:?}"));
            Some(admission)
        }
        Err(reason) => {
            log(&format!("nobody let in: {reason}"));
            let line = shared.line.borrow();
            line.idle_until(shared.answered.get() + arguments.failure);
            drop(line);
            // The server may have gone by now.
            best_effort(shared.line.borrow_mut().send(&FromHelper::Failed));
            None
        }
    }
}

fn with_password(
    shared: &Rc<Shared>,
    library: &dyn Library,
    arguments: &Arguments,
    user: &str,
    remote: &str,
) -> Result<Admission, String> {
    if user.parse::<UserName>().is_err() {
        // Asked like everybody else, and refused.
        let text = "Password: ".to_owned();
        let style = Style::Hidden;
        drop(shared.ask(vec![Message { style, text }]));
        return Err("a name that can't be one".to_owned());
    }
    let mut pam = begin(shared, library, arguments, user, remote)?;
    pam.call(Call::Authenticate).map_err(words)?;
    let name = pam.user().map_err(words)?;
    let account = Account::named(&name).ok_or("PAM knows them and the user database doesn't")?;
    let (ids, groups) = account.groups();
    if let Some(reason) = account.refuses_password(arguments.root_login, &arguments.shells) {
        return Err(format!("{name}: {reason}"));
    }
    match pam.call(Call::Account) {
        Err(PamFailure::NewPasswordWanted) => {
            pam.call(Call::ChangePassword)
                .map_err(|failure| format!("{name}: new password: {}", words(failure)))?;
        }
        other => other.map_err(|failure| format!("{name}: {}", words(failure)))?,
    }
    establish(pam.as_mut(), &ids)?;
    Ok(Admission {
        pam,
        account,
        groups,
        command: None,
        purpose: Purpose::Terminals,
        remote: remote.to_owned(),
    })
}

fn by_identity(
    shared: &Rc<Shared>,
    library: &dyn Library,
    arguments: &Arguments,
    way: Way,
    name: &str,
    remote: &str,
) -> Result<Admission, String> {
    name.parse::<UserName>()
        .map_err(|error| error.to_string())?;
    let identity = identities::find(&arguments.identities, way, name)?;
    let identity = identity.ok_or_else(|| {
        let file = arguments.identities.display();
        format!("no line of {file} fits {name} by {way}")
    })?;
    let account = Account::named(&identity.account)
        .ok_or_else(|| format!("there is no account {}", identity.account))?;
    let (ids, groups) = account.groups();
    if let Some(reason) = account.refuses_identity(&groups) {
        return Err(format!("{}: {reason}", account.name));
    }
    shared.over.set(true);
    let mut pam = begin(shared, library, arguments, &account.name, remote)?;
    pam.call(Call::Account)
        .map_err(|failure| format!("{}: {}", account.name, words(failure)))?;
    establish(pam.as_mut(), &ids)?;
    Ok(Admission {
        pam,
        account,
        groups,
        command: Some(identity.command),
        purpose: Purpose::Terminals,
        remote: remote.to_owned(),
    })
}

fn begin(
    shared: &Rc<Shared>,
    library: &dyn Library,
    arguments: &Arguments,
    user: &str,
    remote: &str,
) -> Result<Box<dyn Pam>, String> {
    let start = Start {
        service: &arguments.service,
        user,
        folder: arguments.pam_dir.as_deref(),
    };
    let talk = Box::new(Relay(shared.clone()));
    let mut pam = library.start(start, talk).map_err(words)?;
    // Modules that want to know a terminal get one before there is one, as with sshd.
    pam.set(Item::Tty, "gatepost").map_err(words)?;
    // An address; anything else could make a log line or a rule of pam_access look like another.
    if !remote.is_empty() && remote.chars().all(|c| c.is_ascii_graphic()) {
        pam.set(Item::RemoteHost, remote).map_err(words)?;
    }
    Ok(pam)
}

/// Groups first: modules may add to them (`pam_setcred(3)`).
fn establish(pam: &mut dyn Pam, groups: &[u32]) -> Result<(), String> {
    if rustix::process::geteuid().is_root() {
        users::take_groups(groups).map_err(|error| format!("groups: {error}"))?;
    }
    pam.call(Call::Establish).map_err(words)
}

fn words(failure: PamFailure) -> String {
    match failure {
        PamFailure::NewPasswordWanted => "a new password is wanted first".to_owned(),
        PamFailure::No(words) => words,
    }
}
