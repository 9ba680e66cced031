//! Who is there: one-time tokens, and the logins they are exchanged for.

mod api_keys;
mod cas;
mod certificate;
mod choices;
mod conversation;
pub(crate) mod fetch;
mod first_use;
mod judge;
mod kerberos;
mod limits;
mod local;
mod login_id;
mod logins;
mod object;
mod oidc;
pub mod pam;
mod prelogin;
mod query;
mod replay;
mod small_file;
mod sso;
mod store;
mod throttle;
mod tokens;
mod vouch;
mod ways;
mod wstoken;
pub mod x2go;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::base::{Principal, Secret, User, UserName};
use crate::wire::logins::LoginInfo;

pub use api_keys::{KeysError, NewKey};
pub use cas::{CasAnswerError, CasUser, read_lines, read_xml};
use choices::Choices;
pub use choices::{ChoicesError, MAX_CHOICES};
pub use conversation::{
    Dialogue, DialogueError, Judge, MAX_ANSWER, MAX_PROMPTS, Note, Prompt, Step, Stepping, Typed,
};
use first_use::FirstUse;
pub use limits::{AuthError, AuthLimits};
pub use local::{Fresh, LocalError};
use login_id::Fingerprint;
pub use login_id::{LoginId, ParseLoginIdError};
use logins::Logins;
pub use logins::Seen;
pub use object::{AuthObject, MAX_OBJECT, ObjectError, Vouched, WINDOW, sign};
pub use sso::{Departure, Offer, Sso, SsoError, SsoSettings, SsoSetupError};
use store::Store;
pub use throttle::{Waiting, Whence, Who};
use tokens::Tokens;
pub use ways::{Turn, Turned, WayError, Ways, WaysError, WaysOptions, browser_secret};
pub use wstoken::{TokenStoreError, WebToken};

/// A login found to be valid just now.
#[derive(Debug, Clone)]
pub struct Login {
    id: Fingerprint,
    /// Who logged in.
    pub principal: Principal,
    /// Cancelled when the login ends; whatever was opened with it has to end, too.
    pub ended: CancellationToken,
}

impl Login {
    /// Its name in lists.
    pub fn id(&self) -> LoginId {
        LoginId::of(self.id)
    }
}

/// Tokens and logins of one server.
#[derive(Debug)]
pub struct Auth {
    limits: AuthLimits,
    // A plain lock, never held across an await or a system call that can block.
    tables: Mutex<Tables>,
    store: Store,
    choices: Choices,
    ways: Ways,
    first_use: FirstUse,
}

#[derive(Debug)]
struct Tables {
    /// For a page load: who the login will be.
    page: Tokens<Principal>,
    /// For a WebSocket: which login asked.
    socket: Tokens<Fingerprint>,
    logins: Logins,
}

impl Auth {
    /// Reads the logins kept in `file`. A file that can't be read costs the logins, not the start.
    pub fn open(file: PathBuf, limits: AuthLimits, ways: Ways) -> Self {
        let first_use = file.with_file_name("noted");
        let choices = Choices::open(file.with_file_name("choices.json"));
        let store = Store::new(file);
        let kept = store.load();
        let used = kept.iter().any(|row| row.principal != Principal::Kiosk {});
        let logins = Logins::new(limits, kept, SystemTime::now());
        Self {
            limits,
            tables: Mutex::new(Tables {
                page: Tokens::new(limits),
                socket: Tokens::new(limits),
                logins,
            }),
            store,
            choices,
            ways,
            first_use: FirstUse::open(first_use, used),
        }
    }

    /// What somebody chose for the page; `None` while they chose nothing.
    pub fn choices(&self, of: &Principal) -> Option<Map<String, Value>> {
        self.choices.of(of)
    }

    /// Keeps what somebody chose for the page. Blocks on the disk.
    pub fn keep_choices(
        &self,
        of: &Principal,
        chosen: Map<String, Value>,
    ) -> Result<(), ChoicesError> {
        self.choices.keep(of, chosen)
    }

    /// The ways to log in.
    pub fn ways(&self) -> &Ways {
        &self.ways
    }

    /// The limits in force.
    pub fn limits(&self) -> AuthLimits {
        self.limits
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every change is one insert or remove, so a panic elsewhere leaves no half-made state.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A one-time token for a page load by `principal`.
    pub fn page_token(&self, principal: Principal) -> Result<Secret, AuthError> {
        let secret = random_secret()?;
        self.tables()
            .page
            .insert(Fingerprint::of(&secret), principal, Instant::now())?;
        Ok(secret)
    }

    /// Uses up a page token; whose login it is good for.
    pub fn use_page_token(&self, token: &Secret) -> Option<Principal> {
        let token = Fingerprint::of(token);
        self.tables().page.take(&token, Instant::now())
    }

    /// Makes a login for somebody whose identity was just proved, and returns the secret for its
    /// cookie: always a new one, so that nobody can have planted it. The login of `instead_of`, the
    /// cookie the browser had, ends, and with more than `most` logins of theirs those unused for longest
    /// do, too. Blocks on the disk.
    pub fn admit(
        &self,
        principal: Principal,
        seen: Seen,
        instead_of: Option<&Secret>,
        most: Option<u32>,
    ) -> Result<Secret, AuthError> {
        let secret = random_secret()?;
        if principal != (Principal::Kiosk {}) {
            self.first_use.end();
        }
        {
            let mut tables = self.tables();
            if let Some(before) = instead_of {
                tables.logins.remove(Fingerprint::of(before));
            }
            let ended = most.map_or(0, |most| tables.logins.make_room(&principal, most));
            if ended > 0 {
                tracing::info!(%principal, ended, "older logins have ended: only so many are allowed");
            }
            if principal.user().is_some_and(User::is_at_kiosk) {
                // One screen, one person.
                tables.logins.end_at_kiosk(None);
            }
            let id = Fingerprint::of(&secret);
            tables.logins.insert(id, principal, seen, SystemTime::now());
        }
        self.save();
        Ok(secret)
    }

    /// The logins of `of`, or all of them; the one used last comes first.
    pub fn logins(&self, of: Option<&Principal>) -> Vec<LoginInfo> {
        self.tables().logins.list(of, SystemTime::now())
    }

    /// The logins made at the machine's own screen; there is hardly ever more than one.
    pub fn at_kiosk(&self) -> Vec<Login> {
        self.tables().logins.at_kiosk()
    }

    /// Ends the logins made at the machine's own screen, except the one with this cookie: a window that
    /// doesn't have it is another one than they were made in, and nobody knows who is in front of it.
    /// Blocks on the disk.
    pub fn end_at_kiosk(&self, but: Option<&Secret>) {
        let but = but.map(Fingerprint::of);
        if self.tables().logins.end_at_kiosk(but) > 0 {
            self.save();
        }
    }

    /// Ends all logins of a user and everything opened with them; how many. Blocks on the disk.
    pub fn revoke_user(&self, user: &UserName) -> u32 {
        let ended = self.tables().logins.revoke_user(user);
        if ended > 0 {
            self.save();
        }
        ended
    }

    /// Ends the login with this id and everything opened with it, if it belongs to `of` (or to
    /// anybody, with `None`). Says whether there was one. Blocks on the disk.
    pub fn revoke(&self, id: LoginId, of: Option<&Principal>) -> bool {
        let ended = self.tables().logins.revoke(id, of);
        if ended {
            self.save();
        }
        ended
    }

    /// The login this cookie secret belongs to; counts as a use of it.
    pub fn check(&self, secret: &Secret) -> Option<Login> {
        self.tables()
            .logins
            .touch(Fingerprint::of(secret), SystemTime::now())
    }

    /// Notes that a login is in use, as an open WebSocket does from time to time.
    pub fn still_used(&self, login: &Login) {
        self.tables().logins.touch(login.id, SystemTime::now());
    }

    /// Ends a login and everything opened with it. Blocks on the disk.
    pub fn log_out(&self, login: &Login) {
        self.tables().logins.remove(login.id);
        self.save();
    }

    /// A one-time token for one WebSocket of this login.
    pub fn socket_token(&self, login: &Login) -> Result<Secret, AuthError> {
        let secret = random_secret()?;
        self.tables()
            .socket
            .insert(Fingerprint::of(&secret), login.id, Instant::now())?;
        Ok(secret)
    }

    /// Uses up a WebSocket token. It must have been made by the same login.
    pub fn use_socket_token(&self, token: &Secret, login: &Login) -> Result<(), AuthError> {
        match self
            .tables()
            .socket
            .take(&Fingerprint::of(token), Instant::now())
        {
            Some(id) if id == login.id => Ok(()),
            _ => Err(AuthError::Token),
        }
    }

    /// Removes what is past its time. Called every minute; blocks on the disk when a login went.
    pub fn sweep(&self) {
        let changed = {
            let mut tables = self.tables();
            let now = Instant::now();
            tables.page.sweep(now);
            tables.socket.sweep(now);
            tables.logins.sweep(SystemTime::now())
        };
        self.ways.sweep();
        if changed {
            self.save();
        }
    }

    /// Writes the logins to the disk, with when they were last used. Blocks.
    pub fn save(&self) {
        self.store.save(|| self.tables().logins.rows());
    }
}

fn random_secret() -> Result<Secret, AuthError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(AuthError::Random)?;
    Ok(Secret::from_random(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_in(auth: &Auth, token: &Secret) -> (Secret, Principal) {
        let principal = auth.use_page_token(token).unwrap();
        let secret = auth.admit(principal.clone(), Seen::default(), None, None);
        (secret.unwrap(), principal)
    }

    fn closed(temp: &tempfile::TempDir) -> Ways {
        let state = temp.path().to_owned();
        let options = WaysOptions {
            state,
            ..WaysOptions::default()
        };
        Ways::open(options).unwrap()
    }

    fn auth(limits: AuthLimits) -> (tempfile::TempDir, Auth) {
        let temp = tempfile::tempdir().unwrap();
        let auth = Auth::open(temp.path().join("logins.json"), limits, closed(&temp));
        (temp, auth)
    }

    #[test]
    fn a_login_survives_a_restart_and_a_logout_does_too() {
        let (temp, auth) = auth(AuthLimits::default());
        let token = auth.page_token(Principal::Kiosk {}).unwrap();
        let (secret, _) = log_in(&auth, &token);
        let again = Auth::open(
            temp.path().join("logins.json"),
            AuthLimits::default(),
            closed(&temp),
        );
        let login = again.check(&secret).unwrap();
        assert_eq!(login.principal, Principal::Kiosk {});
        again.log_out(&login);
        assert!(login.ended.is_cancelled());
        let third = Auth::open(
            temp.path().join("logins.json"),
            AuthLimits::default(),
            closed(&temp),
        );
        assert!(third.check(&secret).is_none());
    }

    #[test]
    fn one_person_is_logged_in_at_the_kiosk_and_a_new_window_knows_nobody() {
        let (_temp, auth) = auth(AuthLimits::default());
        let admit = |name: &str, at_kiosk| {
            let mut user = User::new(name.parse().unwrap(), crate::base::Way::Pam);
            user.set_at_kiosk(at_kiosk);
            let principal = Principal::User { user };
            auth.admit(principal, Seen::default(), None, None).unwrap()
        };
        let (elsewhere, first) = (admit("alice", false), admit("alice", true));
        let opened = auth.check(&first).unwrap();
        let second = admit("bob", true);
        assert!(opened.ended.is_cancelled(), "its sockets close");
        assert!(auth.check(&first).is_none());
        auth.end_at_kiosk(Some(&second));
        assert!(auth.check(&second).is_some(), "the window still has it");
        auth.end_at_kiosk(None);
        assert!(auth.check(&second).is_none());
        assert!(auth.check(&elsewhere).is_some());
    }

    #[test]
    fn nothing_on_the_disk_lets_anybody_in() {
        let (temp, auth) = auth(AuthLimits::default());
        let token = auth.page_token(Principal::Owner {}).unwrap();
        let (secret, _) = log_in(&auth, &token);
        let file = std::fs::read_to_string(temp.path().join("logins.json")).unwrap();
        assert!(!file.contains(&secret.expose_hex()));
        assert!(!file.contains(&token.expose_hex()));
    }

    #[test]
    fn token_race_100_has_one_winner() {
        let (_temp, auth) = auth(AuthLimits::default());
        let token = auth.page_token(Principal::Owner {}).unwrap();
        let (secret, _) = log_in(&auth, &token);
        let login = auth.check(&secret).unwrap();
        let token = auth.socket_token(&login).unwrap();
        let winners = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|_| scope.spawn(|| auth.use_socket_token(&token, &login).is_ok()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(winners, 1);
    }

    #[test]
    fn a_socket_token_is_worth_nothing_to_another_login_and_is_used_up_by_the_attempt() {
        let (_temp, auth) = auth(AuthLimits::default());
        let login = || {
            let token = auth.page_token(Principal::Owner {}).unwrap();
            let (secret, _) = log_in(&auth, &token);
            auth.check(&secret).unwrap()
        };
        let (one, two) = (login(), login());
        let token = auth.socket_token(&one).unwrap();
        assert!(auth.use_socket_token(&token, &two).is_err());
        assert!(auth.use_socket_token(&token, &one).is_err());
    }

    #[test]
    fn a_damaged_file_costs_the_logins_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("logins.json");
        for damage in ["", "{", "[1]", "{\"logins\":[{\"fingerprint\":\"zz\"}]}"] {
            std::fs::write(&file, damage).unwrap();
            let auth = Auth::open(file.clone(), AuthLimits::default(), closed(&temp));
            assert!(auth.check(&random_secret().unwrap()).is_none());
        }
    }
}
