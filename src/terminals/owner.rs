//! The task that owns the list of terminals. It never waits for a keeper: slow things happen in
//! tasks of their own that send a message when they are done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::time::Instant;

use crate::action::TerminalInfo;
use crate::base::{TerminalId, UserName};
use crate::wire::launch::{DEFAULT_SCROLLBACK, Launch};
use crate::wire::message::Request;

use super::held::Held;
use super::last_words;
use super::link::{self, End, Link, MAX_PENDING, Reply};
use super::watch::{FolderWatch, scan};
use super::{Open, Starter, TerminalError, TerminalLimits, launch, socket_path};

/// Messages to the owner that may wait; senders wait when it is full.
const QUEUE: usize = 256;
/// Seconds an ended terminal nobody watches is kept to be seen: a day.
const LINGER: u64 = 24 * 60 * 60;

/// How many lost terminals are remembered, for the pages that showed them.
const MAX_LOST: usize = 32;

/// What the owner is told and asked.
pub(super) enum Message {
    /// Answer when the terminals found at the start have answered.
    Settled(oneshot::Sender<()>),
    /// Answer with the list.
    List(oneshot::Sender<Vec<TerminalInfo>>),
    /// Open a terminal.
    Open(Open, oneshot::Sender<Result<TerminalId, TerminalError>>),
    /// Keep a connection to a login helper.
    Hold(UserName, Held, oneshot::Sender<()>),
    /// Answer whether one of this user is there.
    Holds(UserName, oneshot::Sender<bool>),
    /// A keeper has been started, or not.
    Launched(
        TerminalId,
        Result<(), String>,
        oneshot::Sender<Result<TerminalId, TerminalError>>,
    ),
    /// Ask a keeper.
    Request(TerminalId, Request, Reply),
    /// End a terminal.
    Close(TerminalId, oneshot::Sender<Result<(), TerminalError>>),
    /// A keeper has said something about its terminal.
    Known(Box<TerminalInfo>),
    /// A keeper is gone.
    Gone(TerminalId, End),
    /// Answer which of these were lost.
    Lost(Vec<TerminalId>, oneshot::Sender<Vec<TerminalId>>),
}

struct Entry {
    info: Option<TerminalInfo>,
    link: mpsc::Sender<(Request, Reply)>,
    opening: Vec<oneshot::Sender<Result<TerminalId, TerminalError>>>,
    closing: Vec<oneshot::Sender<Result<(), TerminalError>>>,
}

struct Owner {
    folder: Arc<Path>,
    keeper: PathBuf,
    limits: TerminalLimits,
    terminals: HashMap<TerminalId, Entry>,
    /// Keepers being started: their sockets may be there before somebody listens on them.
    launching: HashSet<TerminalId>,
    settling: Vec<oneshot::Sender<()>>,
    /// Terminals whose keepers went without a word, the latest first.
    lost: VecDeque<TerminalId>,
    /// Connections to login helpers, by whose they are; the dead ones are cleared away on the way.
    held: HashMap<UserName, Vec<Held>>,
    changes: latest::Sender<u64>,
    own: mpsc::Sender<Message>,
}

/// Starts the owner, which runs as long as the runtime does.
pub(super) fn start(
    folder: Arc<Path>,
    keeper: PathBuf,
    limits: TerminalLimits,
) -> (mpsc::Sender<Message>, latest::Receiver<u64>) {
    let (own, mailbox) = mpsc::channel(QUEUE);
    let (changes, watcher) = latest::channel(0);
    let owner = Owner {
        folder,
        keeper,
        limits,
        terminals: HashMap::new(),
        launching: HashSet::new(),
        settling: Vec::new(),
        lost: VecDeque::new(),
        held: HashMap::new(),
        changes,
        own: own.clone(),
    };
    tokio::spawn(owner.run(mailbox));
    (own, watcher)
}

impl Owner {
    async fn run(mut self, mut mailbox: mpsc::Receiver<Message>) {
        let watch = FolderWatch::new(&self.folder);
        self.scan();
        let settled = tokio::time::sleep_until(Instant::now() + self.limits.answer);
        tokio::pin!(settled);
        loop {
            tokio::select! {
                message = mailbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => return,
                },
                () = watch.changed() => self.scan(),
                () = &mut settled, if !self.settling.is_empty() => {
                    for reply in self.settling.drain(..) {
                        let _gave_up = reply.send(());
                    }
                }
            }
            self.settle();
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Settled(reply) => self.settling.push(reply),
            Message::List(reply) => {
                let _gave_up = reply.send(self.list());
            }
            Message::Open(open, reply) => self.open(open, reply),
            Message::Hold(owner, held, reply) => {
                self.clear_held();
                self.held.entry(owner).or_default().push(held);
                let _gave_up = reply.send(());
            }
            Message::Holds(owner, reply) => {
                let _gave_up = reply.send(self.held(&owner).is_some());
            }
            Message::Launched(terminal, result, reply) => {
                self.launching.remove(&terminal);
                match result {
                    Ok(()) => self.find(terminal).opening.push(reply),
                    Err(reason) => {
                        tracing::warn!(%terminal, %reason, "terminal not opened");
                        let _gave_up = reply.send(Err(TerminalError::Launch(reason)));
                    }
                }
                // It may have answered before this message came.
                self.opened(terminal);
            }
            Message::Request(terminal, request, reply) => self.request(terminal, request, reply),
            Message::Close(terminal, reply) => self.close(terminal, reply),
            Message::Known(info) => {
                let terminal = info.id;
                if let Some(entry) = self.terminals.get_mut(&terminal)
                    && entry.info.as_ref() != Some(&*info)
                {
                    entry.info = Some(*info);
                    self.changed();
                    self.opened(terminal);
                }
            }
            Message::Gone(terminal, end) => {
                if end == End::Lost {
                    self.lost.truncate(MAX_LOST - 1);
                    self.lost.push_front(terminal);
                }
                self.gone(terminal);
            }
            Message::Lost(mut terminals, reply) => {
                terminals.retain(|terminal| self.lost.contains(terminal));
                let _gave_up = reply.send(terminals);
            }
        }
    }

    fn clear_held(&mut self) {
        self.held.retain(|_, lines| {
            lines.retain(Held::is_alive);
            !lines.is_empty()
        });
    }

    /// The newest connection to a helper this user came through.
    fn held(&mut self, owner: &UserName) -> Option<Held> {
        self.clear_held();
        self.held.get(owner)?.last().cloned()
    }

    fn changed(&self) {
        self.changes
            .send_modify(|number| *number = number.wrapping_add(1));
    }

    fn list(&self) -> Vec<TerminalInfo> {
        let mut list: Vec<_> = self
            .terminals
            .values()
            .filter_map(|entry| entry.info.clone())
            .collect();
        list.sort_by_key(|info| (info.opened_ms, info.id));
        list
    }

    /// Looks for sockets of keepers we don't know yet. Those we know tell us when they go.
    fn scan(&mut self) {
        last_words::report(&self.folder);
        match scan(&self.folder) {
            Ok(found) => {
                for terminal in found {
                    if !self.launching.contains(&terminal) {
                        self.find(terminal);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "the folder of terminals can't be read");
            }
        }
    }

    /// The entry of a terminal, with a link to its keeper.
    fn find(&mut self, terminal: TerminalId) -> &mut Entry {
        self.terminals.entry(terminal).or_insert_with(|| {
            let (link, requests) = mpsc::channel(MAX_PENDING);
            let task = Link {
                terminal,
                socket: socket_path(&self.folder, terminal),
                limits: self.limits,
                owner: self.own.clone(),
                requests,
            };
            tokio::spawn(task.run());
            Entry {
                info: None,
                link,
                opening: Vec::new(),
                closing: Vec::new(),
            }
        })
    }

    fn open(&mut self, open: Open, reply: oneshot::Sender<Result<TerminalId, TerminalError>>) {
        if self.terminals.len() + self.launching.len() >= self.limits.max_terminals
            && !self.make_room()
        {
            let _gave_up = reply.send(Err(TerminalError::Limit(self.limits.max_terminals)));
            return;
        }
        let held = match open.starter {
            Starter::Keeper => None,
            Starter::Helper => {
                let held = open.owner.as_ref().and_then(|owner| self.held(owner));
                if held.is_none() {
                    let _gave_up = reply.send(Err(TerminalError::LogIn));
                    return;
                }
                held
            }
        };
        let mut random = [0; TerminalId::LENGTH];
        if let Err(error) = getrandom::fill(&mut random) {
            let _gave_up = reply.send(Err(TerminalError::Launch(error.to_string())));
            return;
        }
        let launch = Launch {
            id: TerminalId::from_random(random),
            folder: self.folder.to_path_buf(),
            name: open.name,
            owner: open.owner,
            command: open.command,
            directory: open.directory,
            environment: open.environment,
            size: open.size,
            scrollback: open.scrollback.unwrap_or(DEFAULT_SCROLLBACK),
            linger: LINGER,
            idle: open.idle,
            care: open.care,
            labels: open.labels,
            // A keeper of the helper's runs as another user than we do.
            peers: held
                .as_ref()
                .map(|_| rustix::process::geteuid().as_raw())
                .into_iter()
                .collect(),
        };
        self.launching.insert(launch.id);
        let (keeper, limit, own) = (self.keeper.clone(), self.limits.launch, self.own.clone());
        tokio::spawn(async move {
            let id = launch.id;
            let result = match held {
                None => launch::start(&keeper, launch, limit).await,
                Some(held) => held.open(launch).await,
            };
            let _stopping = own.send(Message::Launched(id, result, reply)).await;
        });
    }

    /// Ends the terminal whose program ended longest ago, if there is one that nobody watches.
    fn make_room(&mut self) -> bool {
        let ended = self
            .list()
            .into_iter()
            .filter(|info| info.exit_status.is_some() || info.exit_signal.is_some())
            .filter(|info| info.viewers == 0)
            .min_by_key(|info| info.last_output);
        let Some(info) = ended else { return false };
        tracing::info!(terminal = %info.id, "ended terminal removed to make room for a new one");
        let (reply, _nobody_waits) = oneshot::channel();
        self.close(info.id, reply);
        // Its keeper takes a moment to go, during which there is one terminal too many.
        if let Some(entry) = self.terminals.get_mut(&info.id) {
            entry.info = None;
        }
        self.changed();
        true
    }

    /// Answers whoever opened this terminal once it is in the list.
    fn opened(&mut self, terminal: TerminalId) {
        if let Some(entry) = self.terminals.get_mut(&terminal)
            && entry.info.is_some()
        {
            for reply in entry.opening.drain(..) {
                let _gave_up = reply.send(Ok(terminal));
            }
        }
    }

    fn request(&mut self, terminal: TerminalId, request: Request, reply: Reply) {
        let Some(entry) = self.terminals.get(&terminal) else {
            let _gave_up = reply.send(Err(TerminalError::NotFound(terminal)));
            return;
        };
        if let Err(refused) = entry.link.try_send((request, reply)) {
            let (_, reply) = refused.into_inner();
            let _gave_up = reply.send(Err(link::busy()));
        }
    }

    fn close(&mut self, terminal: TerminalId, reply: oneshot::Sender<Result<(), TerminalError>>) {
        let Some(entry) = self.terminals.get_mut(&terminal) else {
            let _gave_up = reply.send(Err(TerminalError::NotFound(terminal)));
            return;
        };
        let (ignored, _) = oneshot::channel();
        match entry.link.try_send((Request::Close {}, ignored)) {
            Ok(()) => entry.closing.push(reply),
            Err(_full) => {
                let _gave_up = reply.send(Err(link::busy()));
            }
        }
    }

    fn gone(&mut self, terminal: TerminalId) {
        let Some(entry) = self.terminals.remove(&terminal) else {
            return;
        };
        for reply in entry.closing {
            let _gave_up = reply.send(Ok(()));
        }
        for reply in entry.opening {
            let reason = "its keeper ended at once".to_owned();
            let _gave_up = reply.send(Err(TerminalError::Launch(reason)));
        }
        self.changed();
    }

    /// Tells whoever waits for it that everything found at the start has answered.
    fn settle(&mut self) {
        if !self.settling.is_empty() && self.terminals.values().all(|entry| entry.info.is_some()) {
            for reply in self.settling.drain(..) {
                let _gave_up = reply.send(());
            }
        }
    }
}
