//! The table of logins. Pure: the clock is passed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::base::{Principal, User, UserName, is_deceptive};
use crate::wire::logins::LoginInfo;

use super::store::Row;
use super::{AuthLimits, Fingerprint, Login, LoginId};

/// Longest description of a browser kept, in characters: what browsers send today is under 200.
const MAX_BROWSER: usize = 256;

/// Where a login was made: for the person who looks at the list of their logins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The address it came from, where there was one.
    pub address: Option<IpAddr>,
    /// What the browser calls itself. Anything can stand in it.
    pub browser: String,
}

impl Seen {
    /// From the address and the browser's own words, cut to a length and cleaned of characters that
    /// could rewrite the list they are shown in.
    pub fn new(address: Option<IpAddr>, browser: &str) -> Self {
        Self {
            address,
            browser: browser
                .chars()
                .filter(|c| !is_deceptive(*c))
                .take(MAX_BROWSER)
                .collect(),
        }
    }
}

/// Logins by the fingerprint of their cookie's secret.
#[derive(Debug)]
pub(super) struct Logins {
    limits: AuthLimits,
    table: HashMap<Fingerprint, Entry>,
}

#[derive(Debug)]
struct Entry {
    principal: Principal,
    seen: Seen,
    made: SystemTime,
    used: SystemTime,
    ended: CancellationToken,
}

impl Logins {
    pub(super) fn new(limits: AuthLimits, rows: Vec<Row>, now: SystemTime) -> Self {
        let table = rows
            .into_iter()
            .map(|row| {
                let entry = Entry {
                    principal: row.principal,
                    seen: Seen {
                        address: row.address,
                        browser: row.browser,
                    },
                    made: from_seconds(row.made),
                    used: from_seconds(row.used),
                    ended: CancellationToken::new(),
                };
                (row.fingerprint, entry)
            })
            .collect();
        let mut logins = Self { limits, table };
        logins.sweep(now);
        logins
    }

    /// Ends a person's logins, the one unused for longest first, until there are fewer than `most`;
    /// how many.
    pub(super) fn make_room(&mut self, principal: &Principal, most: u32) -> usize {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut theirs: Vec<_> = self
            .table
            .iter()
            .filter(|(_, entry)| same_person(principal, &entry.principal))
            .map(|(id, entry)| (entry.used, entry.made, *id))
            .collect();
        theirs.sort_unstable();
        let surplus = (theirs.len() + 1).saturating_sub(most.max(1));
        theirs.truncate(surplus);
        for (_, _, id) in &theirs {
            self.remove(*id);
        }
        theirs.len()
    }

    pub(super) fn insert(
        &mut self,
        id: Fingerprint,
        principal: Principal,
        seen: Seen,
        now: SystemTime,
    ) {
        while self.table.len() >= self.limits.max_logins.max(1) {
            let oldest = self.table.iter().min_by_key(|(_, entry)| entry.used);
            match oldest.map(|(id, _)| *id) {
                Some(id) => self.remove(id),
                None => break,
            }
        }
        let entry = Entry {
            principal,
            seen,
            made: now,
            used: now,
            ended: CancellationToken::new(),
        };
        self.table.insert(id, entry);
    }

    /// The login, if it is valid now, which it thereby proves to be used.
    pub(super) fn touch(&mut self, id: Fingerprint, now: SystemTime) -> Option<Login> {
        let limits = self.limits;
        let entry = self.table.get_mut(&id)?;
        if entry.over(limits, now) {
            self.remove(id);
            return None;
        }
        entry.used = entry.used.max(now);
        Some(Login {
            id,
            principal: entry.principal.clone(),
            ended: entry.ended.clone(),
        })
    }

    pub(super) fn remove(&mut self, id: Fingerprint) {
        if let Some(entry) = self.table.remove(&id) {
            entry.ended.cancel();
        }
    }

    /// The logins of `of`, or all; the one used last comes first.
    pub(super) fn list(&self, of: Option<&Principal>, now: SystemTime) -> Vec<LoginInfo> {
        let mut list: Vec<_> = self
            .table
            .iter()
            .filter(|(_, entry)| !entry.over(self.limits, now))
            .filter(|(_, entry)| of.is_none_or(|of| same_person(of, &entry.principal)))
            .map(|(id, entry)| LoginInfo {
                id: LoginId::of(*id).to_string(),
                principal: entry.principal.clone(),
                address: entry.seen.address,
                browser: entry.seen.browser.clone(),
                made: to_seconds(entry.made),
                used: to_seconds(entry.used),
            })
            .collect();
        list.sort_unstable_by_key(|info| (std::cmp::Reverse(info.used), info.made));
        list
    }

    /// Ends all logins of a user; how many.
    pub(super) fn revoke_user(&mut self, user: &UserName) -> u32 {
        let theirs: Vec<_> = self
            .table
            .iter()
            .filter(|(_, entry)| {
                entry
                    .principal
                    .user()
                    .is_some_and(|found| found.upn == *user)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in &theirs {
            self.remove(*id);
        }
        u32::try_from(theirs.len()).unwrap_or(u32::MAX)
    }

    /// The logins made at the machine's own screen.
    pub(super) fn at_kiosk(&self) -> Vec<Login> {
        let found = self.table.iter().filter(|(_, entry)| entry.is_at_kiosk());
        let login = |(id, entry): (&Fingerprint, &Entry)| Login {
            id: *id,
            principal: entry.principal.clone(),
            ended: entry.ended.clone(),
        };
        found.map(login).collect()
    }

    /// Ends those, except this one; how many.
    pub(super) fn end_at_kiosk(&mut self, but: Option<Fingerprint>) -> usize {
        let others = self
            .at_kiosk()
            .into_iter()
            .filter(|login| Some(login.id) != but);
        let others: Vec<_> = others.map(|login| login.id).collect();
        for id in &others {
            self.remove(*id);
        }
        others.len()
    }

    /// Ends the login with this id, if `of` may: their own, or with `None` anybody's.
    pub(super) fn revoke(&mut self, id: LoginId, of: Option<&Principal>) -> bool {
        let found = self.table.iter().find(|(found, entry)| {
            LoginId::of(**found) == id && of.is_none_or(|of| same_person(of, &entry.principal))
        });
        match found.map(|(found, _)| *found) {
            Some(found) => {
                self.remove(found);
                true
            }
            None => false,
        }
    }

    /// Ends what is past its time; says whether there was any.
    pub(super) fn sweep(&mut self, now: SystemTime) -> bool {
        let limits = self.limits;
        let before = self.table.len();
        self.table.retain(|_, entry| {
            let over = entry.over(limits, now);
            if over {
                entry.ended.cancel();
            }
            !over
        });
        self.table.len() != before
    }

    /// The table as it is written to the disk.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self
            .table
            .iter()
            .map(|(id, entry)| Row {
                fingerprint: *id,
                principal: entry.principal.clone(),
                address: entry.seen.address,
                browser: entry.seen.browser.clone(),
                made: to_seconds(entry.made),
                used: to_seconds(entry.used),
            })
            .collect();
        rows.sort_unstable_by_key(|row| (row.made, row.fingerprint));
        rows
    }
}

impl Entry {
    fn is_at_kiosk(&self) -> bool {
        self.principal.user().is_some_and(User::is_at_kiosk)
    }

    fn over(&self, limits: AuthLimits, now: SystemTime) -> bool {
        // A clock that was set back (a machine without one starts in 1970) must not end logins.
        let age = |since| now.duration_since(since).unwrap_or(Duration::ZERO);
        age(self.used) > limits.login_idle || age(self.made) > limits.login_absolute
    }
}

/// Whether two logins belong to one person. Their attributes may have changed between them.
fn same_person(one: &Principal, other: &Principal) -> bool {
    match (one, other) {
        (Principal::User { user: one }, Principal::User { user: other }) => {
            (&one.upn, one.way) == (&other.upn, other.way)
        }
        (Principal::Owner {}, Principal::Owner {}) | (Principal::Kiosk {}, Principal::Kiosk {}) => {
            true
        }
        // A button is no person, and logs in nowhere.
        (
            Principal::Owner {}
            | Principal::Kiosk {}
            | Principal::Button { .. }
            | Principal::User { .. },
            _,
        ) => false,
    }
}

fn from_seconds(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn to_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn id(number: u8) -> Fingerprint {
        Fingerprint([number; 32])
    }

    fn logins(limits: AuthLimits) -> (Logins, SystemTime) {
        let now = from_seconds(1_800_000_000);
        let mut logins = Logins::new(limits, vec![], now);
        logins.insert(id(1), Principal::Owner {}, Seen::default(), now);
        (logins, now)
    }

    #[test]
    fn session_idle_timeout_ends_a_login_nobody_used() {
        let limits = AuthLimits::default();
        let (mut logins, now) = logins(limits);
        let login = logins.touch(id(1), now + limits.login_idle).unwrap();
        assert!(
            logins
                .touch(id(1), now + limits.login_idle * 2 + HOUR)
                .is_none()
        );
        assert!(login.ended.is_cancelled(), "its sockets close");
    }

    #[test]
    fn session_absolute_timeout_ends_a_login_however_busy() {
        let limits = AuthLimits::default();
        let (mut logins, start) = logins(limits);
        let mut now = start;
        while now + limits.login_idle <= start + limits.login_absolute {
            now += limits.login_idle;
            assert!(logins.touch(id(1), now).is_some());
        }
        assert!(logins.touch(id(1), start + limits.login_absolute).is_some());
        assert!(
            logins
                .touch(id(1), start + limits.login_absolute + HOUR)
                .is_none()
        );
    }

    #[test]
    fn a_clock_set_back_ends_no_login() {
        let (mut logins, _) = logins(AuthLimits::default());
        assert!(logins.touch(id(1), SystemTime::UNIX_EPOCH).is_some());
    }

    #[test]
    fn one_login_past_the_limit_ends_the_one_unused_for_longest() {
        let limits = AuthLimits {
            max_logins: 2,
            ..AuthLimits::default()
        };
        let (mut logins, now) = logins(limits);
        logins.insert(id(2), Principal::Owner {}, Seen::default(), now + HOUR);
        logins.touch(id(1), now + HOUR * 2).unwrap();
        logins.insert(id(3), Principal::Owner {}, Seen::default(), now + HOUR * 3);
        assert!(logins.touch(id(2), now + HOUR * 3).is_none());
        assert!(logins.touch(id(1), now + HOUR * 3).is_some());
    }
}
