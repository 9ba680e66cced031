//! A machine with one account, and the servers it logs in at.

use std::fs;

use gatepost::action::TerminalInfo;
use gatepost::base::TerminalId;
use gatepost::terminals::{TerminalError, Terminals};
use tokio_util::sync::CancellationToken;

use super::support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root};

/// A login helper, and an account to log in with.
pub(crate) struct Machine {
    pub(crate) account: Account,
    pub(crate) place: LoginPlace,
}

impl Machine {
    /// Only where accounts can be made.
    pub(crate) fn new() -> Option<Self> {
        is_root().then(|| Self {
            place: LoginPlace::new(UNIX),
            account: Account::new(),
        })
    }

    /// What a command prints as this account, to its end.
    pub(crate) fn run(&self, command: &[&str]) -> String {
        self.place.run_as(&self.account.name, command)
    }

    /// The keeper of the only terminal.
    pub(crate) fn keeper(&self) -> u32 {
        let keeper = self.place.path("gatepost-keeper");
        let found = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            (executable == keeper).then_some(pid)
        });
        let found: Vec<u32> = found.collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    /// A server, as after a restart.
    pub(crate) fn server(&self) -> Server<'_> {
        Server {
            machine: self,
            terminals: self.place.terminals(),
        }
    }
}

/// The server's side of terminals.
pub(crate) struct Server<'a> {
    machine: &'a Machine,
    terminals: Terminals,
}

impl Server<'_> {
    /// Logs the account in; what ends the login.
    pub(crate) fn log_in(&self) -> CancellationToken {
        let (place, name) = (&self.machine.place, &self.machine.account.name);
        let entry = place.enter(name, &[PASSWORD]);
        place.hold(&self.terminals, name, entry)
    }

    pub(crate) fn open(&self, command: &[&str]) -> Result<TerminalId, TerminalError> {
        let (place, name) = (&self.machine.place, &self.machine.account.name);
        place.open(&self.terminals, name, command)
    }

    pub(crate) fn close(&self, terminal: TerminalId) {
        let closed = self.terminals.close(terminal);
        self.machine.place.runtime.block_on(closed).unwrap();
    }

    pub(crate) fn list(&self) -> Vec<TerminalInfo> {
        let list = self.terminals.list();
        self.machine.place.runtime.block_on(list).unwrap()
    }
}
