//! The ways to log in that are open here, and how often somebody may try them.

use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::base::{Secret, User, UserName, UserNameError, Way};
use crate::policy::settings::auth::AuthSettings;

use super::api_keys::KeysError;
use super::conversation::{
    ConversationId, Conversations, Dialogue, Judge, MAX_PROMPTS, Note, Prompt, Step, Typed,
};
use super::local::{Fresh, LocalAdmin, LocalError};
use super::pam::{self, Entry, Helper, HelperLimits};
use super::throttle::{Throttle, Waiting, Whence, Who};
use super::vouch::Vouching;
use super::wstoken::TokenStoreError;
use super::x2go::X2goService;
use super::{AuthError, Fingerprint, random_secret};

/// Refusals that may wait to be written down: each costs whoever causes it seconds.
const TURNED: usize = 256;

/// What the room is told.
#[derive(Debug, Clone, Default)]
pub struct WaysOptions {
    /// The ways that are open (`server.auth`). None: only one-time addresses from `gatepost url`.
    pub open: Vec<Way>,
    /// Section `auth`.
    pub settings: AuthSettings,
    /// The folder for what has to be kept.
    pub state: PathBuf,
    /// Who judges names and passwords of this machine's accounts, if not the login helper.
    pub pam: Option<Arc<dyn Judge>>,
    /// Where systemd puts credentials (`CREDENTIALS_DIRECTORY`).
    pub credentials: Option<PathBuf>,
}

/// Why nobody was let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WayError {
    /// Whatever was wrong: always these words, and always after a while.
    #[error(
        "that was not right. Check it and try again; after several tries you have to wait a while"
    )]
    Refused,
    /// Too many conversations are under way.
    #[error("too many people are logging in just now; try again in a minute")]
    Busy,
    /// This way is not open.
    #[error("this way to log in is not open here ({0} is not in server.auth)")]
    Closed(Way),
    /// Whoever judges can't.
    #[error("logins can't be checked just now; the server's log says why")]
    Unavailable,
}

/// Where a conversation stands, for the browser.
#[derive(Debug)]
pub enum Turn {
    /// The person has to answer.
    Ask {
        /// What the conversation is called; known to this browser only.
        conversation: Secret,
        /// To show.
        notes: Vec<Note>,
        /// To answer.
        prompts: Vec<Prompt>,
    },
    /// They are who they say.
    In {
        /// Who.
        user: User,
        /// How terminals of their own account can be opened, if they can.
        entry: Option<Entry>,
    },
}

/// Somebody who was not let in.
#[derive(Debug, Clone)]
pub struct Turned {
    /// How they tried.
    pub way: Way,
    /// The name they claimed, if it was one.
    pub user: Option<UserName>,
    /// Where from.
    pub address: Who,
    /// Whether the name or the address has to wait from now on.
    pub locked: bool,
}

/// Why the ways can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum WaysError {
    /// The local administrator.
    #[error("the administrator's password: {0}")]
    Local(#[from] LocalError),
    /// Their name.
    #[error("auth.local.user: {0}")]
    Name(UserNameError),
    /// API keys.
    #[error("API keys: {0}")]
    Keys(#[from] KeysError),
    /// The ledger of auth objects.
    #[error("{path}: {source}; without it what was used could be used again. If it is damaged, wait a minute and remove it", path = path.display())]
    Ledger {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// One-time tokens.
    #[error(transparent)]
    Tokens(#[from] TokenStoreError),
}

/// The ways of one server.
#[derive(Debug)]
pub struct Ways {
    open: Vec<Way>,
    settings: AuthSettings,
    pam: Option<Arc<dyn Judge>>,
    helper: Option<Helper>,
    local: Option<LocalAdmin>,
    vouching: Arc<Vouching>,
    turned: broadcast::Sender<Turned>,
    // Plain locks, never held across an await.
    throttle: Mutex<Throttle>,
    conversations: Mutex<Conversations>,
}

impl Ways {
    /// Opens the ways; makes what they need and isn't there yet. Blocks.
    pub fn open(options: WaysOptions) -> Result<Self, WaysError> {
        let WaysOptions {
            open,
            settings,
            state,
            pam,
            credentials,
        } = options;
        // Where there is a login helper, nobody's shell runs as the server itself.
        let socket = &settings.pam.socket;
        let there = std::fs::metadata(socket).is_ok_and(|found| found.file_type().is_socket());
        let helper = (there || open.contains(&Way::Pam)).then(|| {
            let parallel = settings.pam.conversations;
            let limits = HelperLimits {
                parallel,
                ..HelperLimits::default()
            };
            Helper::new(socket.clone(), limits)
        });
        let x2go = settings.pam.x2go.clone().map(|socket| {
            let service = settings.pam.x2go_service.clone();
            Arc::new(X2goService {
                socket,
                service,
                ..X2goService::default()
            }) as Arc<dyn Judge>
        });
        let pam = pam.or(x2go);
        let pam = pam.or_else(|| Some(Arc::new(helper.clone()?) as Arc<dyn Judge>));
        let local = if open.contains(&Way::Local) {
            let name = settings.local.user.parse().map_err(WaysError::Name)?;
            Some(LocalAdmin::open(state.join("admin.json"), name)?)
        } else {
            None
        };
        Ok(Self {
            vouching: Vouching::open(&state, &settings, credentials.as_deref())?,
            turned: broadcast::Sender::new(TURNED),
            throttle: Mutex::new(Throttle::new(settings.throttle)),
            conversations: Mutex::new(Conversations::new(settings.pam.clone())),
            open,
            settings,
            pam,
            helper,
            local,
        })
    }

    /// The ways that are open, in the order they are offered.
    pub fn offered(&self) -> &[Way] {
        &self.open
    }

    /// Whether this way is open.
    pub fn is_open(&self, way: Way) -> Result<(), WayError> {
        if self.open.contains(&way) {
            Ok(())
        } else {
            Err(WayError::Closed(way))
        }
    }

    /// Begins a conversation about `user` with the browser that has this secret, at this place.
    pub async fn begin(
        &self,
        user: &str,
        browser: &Secret,
        from: impl Into<Whence>,
    ) -> Result<Turn, WayError> {
        let began = Instant::now();
        let from = from.into();
        let address = Who::from(from);
        // What can't be a name is refused as a wrong one is.
        let Ok(user) = user.parse::<UserName>() else {
            return Err(self.failed(Way::Pam, None, address, began).await);
        };
        if self.waits(&user, &address) {
            return Err(self.late(began).await);
        }
        let dialogue = self.judge(&user, from.address)?;
        let conversation = random_secret().map_err(|_| WayError::Unavailable)?;
        let id = ConversationId::of(&conversation);
        self.conversations()
            .open(
                id.clone(),
                Fingerprint::of(browser),
                &address,
                user.clone(),
                began,
            )
            .map_err(|_| WayError::Busy)?;
        let held = Held { ways: self, id };
        self.step(conversation, held, dialogue, Vec::new(), user, address)
            .await
    }

    /// Goes on with a conversation.
    pub async fn answer(
        &self,
        conversation: &Secret,
        answers: Vec<Typed>,
        browser: &Secret,
        from: impl Into<Whence>,
    ) -> Result<Turn, WayError> {
        let began = Instant::now();
        let address = Who::from(from.into());
        let id = ConversationId::of(conversation);
        let fit = answers.len() <= MAX_PROMPTS && answers.iter().all(Typed::is_fit);
        let taken = self.conversations().take(
            &id,
            Fingerprint::of(browser),
            // No step asks this many: what is unfit ends the conversation.
            if fit { answers.len() } else { usize::MAX },
            began,
        );
        let Some((user, dialogue)) = taken else {
            return Err(self.late(began).await);
        };
        let held = Held { ways: self, id };
        self.step(conversation.clone(), held, dialogue, answers, user, address)
            .await
    }

    async fn step(
        &self,
        conversation: Secret,
        held: Held<'_>,
        mut dialogue: Box<dyn Dialogue>,
        answers: Vec<Typed>,
        user: UserName,
        address: Who,
    ) -> Result<Turn, WayError> {
        let began = Instant::now();
        // Somebody may have failed elsewhere since this conversation began.
        if self.waits(&user, &address) {
            return Err(self.late(began).await);
        }
        match dialogue.step(answers).await {
            Ok(Step::Ask { notes, prompts }) if (1..=MAX_PROMPTS).contains(&prompts.len()) => {
                held.keep(prompts.len(), dialogue);
                Ok(Turn::Ask {
                    conversation,
                    notes,
                    prompts,
                })
            }
            Ok(Step::In { user: who, entry }) => {
                self.throttle().came_in(user, &address);
                Ok(Turn::In { user: who, entry })
            }
            Ok(Step::Out {}) => Err(self.failed(Way::Pam, Some(user), address, began).await),
            Ok(Step::Ask { prompts, .. }) => {
                tracing::warn!(prompts = prompts.len(), "a login asked nothing or too much");
                Err(WayError::Unavailable)
            }
            Err(error) => {
                tracing::warn!(%error, "a login can't be checked");
                Err(WayError::Unavailable)
            }
        }
    }

    /// Who judges this user.
    fn judge(&self, user: &UserName, from: IpAddr) -> Result<Box<dyn Dialogue>, WayError> {
        let pam = self.open.contains(&Way::Pam);
        match (&self.local, &self.pam) {
            (Some(local), _) if !pam || user == local.name() => Ok(local.converse(user)),
            (_, Some(judge)) if pam => Ok(judge.begin(user, from)),
            _ => Err(WayError::Closed(Way::Pam)),
        }
    }

    /// Tells whom the ways turn away from now on.
    pub fn turned_away(&self) -> broadcast::Receiver<Turned> {
        self.turned.subscribe()
    }

    /// A failure of any way: noted, counted and answered after a while. `user` is the name that was
    /// claimed, if it was one.
    pub async fn failed(
        &self,
        way: Way,
        user: Option<UserName>,
        address: Who,
        began: Instant,
    ) -> WayError {
        let now = Instant::now();
        let (user_waits, address_waits) = {
            let mut throttle = self.throttle();
            (
                user.as_ref()
                    .is_some_and(|user| throttle.failed(Who::User(user.clone()), now)),
                throttle.failed(address.clone(), now),
            )
        };
        let turned = Turned {
            way,
            user,
            address,
            locked: user_waits || address_waits,
        };
        // Nobody writes it down in a test of this room alone.
        drop(self.turned.send(turned));
        self.late(began).await
    }

    /// Says no as late as any failure does.
    async fn late(&self, began: Instant) -> WayError {
        let unit = Duration::from_millis(self.settings.throttle.failure_milliseconds.max(1));
        let spent = began.elapsed();
        // PAM's own pause differs from try to try; up to the next whole unit nothing shows.
        let units = spent.as_nanos() / unit.as_nanos() + 1;
        let until = unit.saturating_mul(u32::try_from(units).unwrap_or(u32::MAX));
        tokio::time::sleep(until.saturating_sub(spent)).await;
        WayError::Refused
    }

    /// Whether this user or this address has to wait.
    pub fn waits(&self, user: &UserName, address: &Who) -> bool {
        let (throttle, now) = (self.throttle(), Instant::now());
        throttle.waits(&Who::User(user.clone()), now) || throttle.waits(address, now)
    }

    /// Whether users get their shells from the login helper, and from nowhere else.
    pub fn has_helper(&self) -> bool {
        self.helper.is_some()
    }

    /// How somebody who proved who they are without a password of this machine can open terminals:
    /// as the account, and with the command, that a file of root's names for them.
    pub async fn entry_for(&self, user: &User, from: IpAddr) -> Option<Entry> {
        let helper = self.helper.as_ref()?;
        let from = from.to_string();
        match helper.identity(user.way, &user.upn, &from).await {
            Ok(pam::Step::Admitted(entry)) => Some(entry),
            Ok(pam::Step::Failed | pam::Step::Ask(_)) => None,
            Err(error) => {
                tracing::warn!(%error, "no terminals for who logged in");
                None
            }
        }
    }

    /// Everybody who has to wait.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.throttle().waiting(Instant::now())
    }

    /// Lets a name or an address try again at once. Says whether it had failed.
    pub fn forgive(&self, who: &Who) -> bool {
        self.throttle().forgive(who)
    }

    /// The local administrator's name and the password nobody has noted yet, for the kiosk's screen.
    pub fn fresh_password(&self) -> Option<(&UserName, Fresh)> {
        let local = self.local.as_ref()?;
        Some((local.name(), local.fresh()?))
    }

    /// The password on the kiosk's screen has been noted. Blocks.
    pub fn password_noted(&self) -> Result<(), LocalError> {
        self.local.as_ref().map_or(Ok(()), LocalAdmin::noted)
    }

    /// Makes a new password for the local administrator; `None` where `local` is not open. Blocks.
    pub fn reset_password(&self) -> Result<Option<(&UserName, Fresh)>, LocalError> {
        match &self.local {
            Some(local) => Ok(Some((local.name(), local.renew(true)?))),
            None => Ok(None),
        }
    }

    pub(super) fn vouching(&self) -> &Arc<Vouching> {
        &self.vouching
    }

    pub(super) fn settings(&self) -> &AuthSettings {
        &self.settings
    }

    /// Forgets what is old.
    pub(super) fn sweep(&self) {
        self.vouching.sweep();
        let now = Instant::now();
        self.throttle().sweep(now);
        self.conversations().sweep(now);
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn conversations(&self) -> MutexGuard<'_, Conversations> {
        self.conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A conversation whose dialogue takes a step: over, unless the step asks. Also when the browser
/// goes away in between.
struct Held<'a> {
    ways: &'a Ways,
    id: ConversationId,
}

impl Held<'_> {
    fn keep(self, asked: usize, dialogue: Box<dyn Dialogue>) {
        let now = Instant::now();
        self.ways
            .conversations()
            .give_back(&self.id, asked, dialogue, now);
        std::mem::forget(self);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.ways.conversations().close(&self.id);
    }
}

/// A secret for the cookie that ties a login under way to its browser.
pub fn browser_secret() -> Result<Secret, AuthError> {
    random_secret()
}
