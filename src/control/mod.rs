//! The only place where actions happen: every door hands its asks in here, the policy judges them,
//! and each leaves one line in the audit log.

mod at_kiosk;
mod audit;
mod care;
mod error;
mod hold;
mod hooks;
mod judge;
mod logins;
mod messages;
mod open;
mod run;
mod setup;
mod shares;
mod strangers;
mod update;
mod watchers;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::action::{Action, Ask, Health, KioskDoes, Outcome, TerminalInfo, Which, find};
use crate::auth::Auth;
use crate::base::{Access, Door, Principal, TerminalId};
use crate::hardware::Lamps;
use crate::policy::Rules;
use crate::policy::settings::Capability;
use crate::system::hook::Hooks;
use crate::system::setup::Setup;
use crate::system::update::Updates;
use crate::system::{Doctor, Maintenance, Power, Screen, power};
use crate::terminals::{Attached, Browser, KeeperStream, TerminalError, Terminals};
use crate::wire::message::{Attach, Mode, Request};
use crate::wire::provision::Report;

use at_kiosk::{AtKiosk, is_at_kiosk};
pub use audit::{Audit, AuditError, Line};
pub use error::ControlError;
pub use hooks::{HookState, HookStates};
use shares::Shares;
pub use watchers::Seat;
use watchers::Watchers;

/// Orders a page that is slow may still have to hear: more than anybody presses in a second.
const ORDERS: usize = 16;

/// Most text one `SendText` types, in bytes.
pub const MAX_TEXT: usize = crate::wire::frame::MAX_INPUT;

/// Carries out what the policy granted.
#[derive(Debug, Clone)]
pub struct Control {
    terminals: Terminals,
    rules: watch::Receiver<Arc<Rules>>,
    audit: Audit,
    power: Arc<dyn Power>,
    hooks: Arc<hooks::Running>,
    updates: Updates,
    maintenance: Maintenance,
    setup: Setup,
    locked: Option<Arc<str>>,
    lamps: Lamps,
    auth: Option<Arc<Auth>>,
    watchers: Arc<Watchers>,
    shares: Arc<Shares>,
    at_kiosk: Arc<AtKiosk>,
    /// Counts the orders to load the kiosk's page anew. Only such pages listen.
    reloads: watch::Sender<u64>,
    /// What that page is to do.
    orders: broadcast::Sender<KioskDoes>,
    /// Counts what has become of the machine that its own screen shows.
    machine: watch::Sender<u64>,
    screen: Arc<Screen>,
    doctor: Arc<Doctor>,
}

impl Control {
    /// The executor over these terminals, by the rules in force at the time.
    pub fn new(terminals: Terminals, rules: watch::Receiver<Arc<Rules>>) -> Self {
        Self {
            terminals,
            rules,
            audit: Audit::default(),
            power: power(None),
            hooks: Arc::new(hooks::Running::new(Hooks::Absent)),
            updates: Updates::default(),
            maintenance: Maintenance::default(),
            setup: Setup::default(),
            locked: None,
            lamps: Lamps::default(),
            auth: None,
            watchers: Arc::default(),
            shares: Arc::default(),
            at_kiosk: Arc::default(),
            reloads: watch::Sender::new(0),
            orders: broadcast::Sender::new(ORDERS),
            machine: watch::Sender::new(0),
            screen: Arc::default(),
            doctor: Arc::new(Doctor::new("/", "/")),
        }
    }

    /// With somebody who looks how the machine is.
    #[must_use]
    pub fn with_doctor(mut self, doctor: Doctor) -> Self {
        self.doctor = Arc::new(doctor);
        self
    }

    /// The machine's own screen, for whoever looks after it.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// How the machine is.
    pub async fn health(&self) -> Health {
        let (doctor, screen) = (self.doctor.clone(), self.screen.clone());
        // A card that is failing may keep whoever reads from it waiting.
        let looking = tokio::task::spawn_blocking(move || doctor.look(&screen));
        looking.await.unwrap_or_else(|_| Health::of(Vec::new()))
    }

    /// What came of the files on the card's first partition, where there are any.
    pub async fn provisioning(&self) -> Option<Report> {
        let doctor = self.doctor.clone();
        let looking = tokio::task::spawn_blocking(move || doctor.provisioning());
        looking.await.ok().flatten()
    }

    /// With power over the machine.
    #[must_use]
    pub fn with_power(mut self, power: Arc<dyn Power>) -> Self {
        self.power = power;
        self
    }

    /// With hooks.
    #[must_use]
    pub fn with_hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = Arc::new(hooks::Running::new(hooks));
        self
    }

    /// With somebody who may write to the other slot.
    #[must_use]
    pub fn with_updates(mut self, updates: Updates) -> Self {
        self.updates = updates;
        self
    }

    /// With somebody who may unlock the image's system.
    #[must_use]
    pub fn with_maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = maintenance;
        self
    }

    /// On a machine that has lost its lasting files, and why.
    #[must_use]
    pub fn locked(mut self, reason: Option<String>) -> Self {
        self.locked = reason.map(Into::into);
        self
    }

    /// The machine's lamps.
    pub fn lamps(&self) -> &Lamps {
        &self.lamps
    }

    /// With the table of logins, for whoever asks who is here.
    #[must_use]
    pub fn with_logins(mut self, auth: Arc<Auth>) -> Self {
        self.note_refusals(&auth);
        self.auth = Some(auth);
        self
    }

    /// Looks up the terminal that is meant, among those the asker sees, and submits.
    pub async fn submit_said(
        &self,
        action: Action<Which>,
        by: Principal,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<Outcome, ControlError> {
        let terminals = if action.names_a_terminal() {
            self.visible(by.clone(), door, from).await?
        } else {
            Vec::new()
        };
        let action = action.resolve(&terminals)?;
        self.submit(Ask {
            action,
            by,
            door,
            from,
        })
        .await
    }

    /// The terminals this asker sees.
    async fn visible(
        &self,
        by: Principal,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<Vec<TerminalInfo>, ControlError> {
        let ask = Ask {
            action: Action::ListTerminals {},
            by,
            door,
            from,
        };
        match self.submit(ask).await? {
            Outcome::Terminals { terminals } => Ok(terminals),
            _ => Ok(Vec::new()),
        }
    }

    /// Tells when the page on the machine's own screen is to be loaded anew: the number changes.
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// What the page on the machine's own screen is to do, as it is ordered.
    pub fn kiosk_orders(&self) -> broadcast::Receiver<KioskDoes> {
        self.orders.subscribe()
    }

    /// Tells when something has become of the machine that its own screen shows.
    pub fn machine_changes(&self) -> watch::Receiver<u64> {
        self.machine.subscribe()
    }

    fn machine_changed(&self) {
        self.machine.send_modify(|count| *count += 1);
    }

    /// Judges an ask, carries it out and writes it down.
    pub async fn submit(&self, ask: Ask) -> Result<Outcome, ControlError> {
        let (action, terminal) = (ask.action.name(), ask.action.terminal());
        // Looking changes nothing, and a page looks often.
        let looks = matches!(
            ask.action,
            Action::ListTerminals {} | Action::Who {} | Action::Health {}
        ) || matches!(ask.action, Action::Kiosk { does } if does.is_typing());
        let from = ask.from.map(|from| from.to_string());
        let line = Line::new(&ask.by, ask.door, from.as_deref(), action, terminal)
            .with_whom(ask.action.with().cloned());
        let doing = async {
            let granted = self.judge(ask).await?;
            self.granted(&line, looks).await?;
            self.run(granted).await
        };
        let result = doing.await;
        let opened = match &result {
            Ok(Outcome::Opened { terminal }) => Some(*terminal),
            _ => None,
        };
        if !looks || result.is_err() {
            self.note(line.about(opened), result.as_ref().err()).await;
        }
        result
    }

    /// Writes down that something is about to be done, where nothing may be done without.
    async fn granted(&self, line: &Line, looks: bool) -> Result<(), AuditError> {
        let settings = self.rules().machine().log.clone();
        if looks {
            return self.audit.may_look(&settings);
        }
        if settings.audit_required {
            let line = line.clone().with("granted", None);
            self.audit.write(line, &settings).await?;
        }
        Ok(())
    }

    /// Writes down what came of something.
    async fn note(&self, line: Line, error: Option<&ControlError>) {
        let line = match error {
            None => line.with("done", None),
            Some(error) => line.with(error.kind().name(), Some(error.to_string())),
        };
        self.finish(line).await;
    }

    async fn finish(&self, line: Line) {
        let settings = self.rules().machine().log.clone();
        if let Err(error) = self.audit.write(line, &settings).await {
            // What was to be refused was refused, and what was granted has its line.
            tracing::error!(%error, "audit");
        }
    }

    /// Becomes a viewer. What the attachment may do is cut down to what the policy allows, and its
    /// label and place are ours to say. `from` is where the viewer is, for whoever asks who is here; the
    /// seat has to be kept for as long as they watch.
    pub async fn attach(
        &self,
        terminal: TerminalId,
        mut attach: Attach,
        by: &Principal,
        door: Door,
        from: &str,
    ) -> Result<(KeeperStream, Seat), ControlError> {
        let place = (by, door, from);
        self.seated(terminal, &mut attach, place, async |attach| {
            self.terminals.attach(terminal, attach).await
        })
        .await
    }

    /// The same for a browser, whose connection is handed to the keeper if there is one to hand over and
    /// the keeper can take it.
    pub async fn attach_browser(
        &self,
        terminal: TerminalId,
        mut attach: Attach,
        by: &Principal,
        from: &str,
        browser: Option<Browser>,
    ) -> Result<(Attached, Seat), ControlError> {
        let place = (by, Door::Web, from);
        attach.hides_command = !self.settings_for(by).allow.has(Capability::AnyCommand);
        self.seated(terminal, &mut attach, place, async |attach| {
            let terminals = &self.terminals;
            terminals.attach_browser(terminal, attach, browser).await
        })
        .await
    }

    async fn seated<T>(
        &self,
        terminal: TerminalId,
        attach: &mut Attach,
        (by, door, from): (&Principal, Door, &str),
        connect: impl AsyncFnOnce(&Attach) -> Result<T, TerminalError>,
    ) -> Result<(T, Seat), ControlError> {
        let address = Some(from).filter(|from| !from.is_empty());
        let line = Line::new(by, door, address, "attach", Some(terminal));
        let attaching = async {
            let access = self.access(by, terminal).await?;
            attach.mode = match (attach.mode, access) {
                (Mode::Type, Access::Type) => Mode::Type,
                // Managing is the server's own business.
                (Mode::View | Mode::Manage, _) | (Mode::Type, Access::View) => Mode::View,
            };
            attach.kiosk = *by == Principal::Kiosk {} || attach.kiosk && is_at_kiosk(by);
            self.granted(&line, false).await?;
            let stream = connect(attach).await?;
            let seat = self.watchers.sit(terminal, attach.mode, by, door, from);
            if attach.kiosk {
                self.tend(terminal).await;
            }
            Ok((stream, seat))
        };
        let result = attaching.await;
        self.note(line, result.as_ref().err()).await;
        result
    }

    /// Asks a terminal's keeper something that only looks: the frames of the answer come on the
    /// returned connection, request number 1.
    pub async fn look(
        &self,
        terminal: TerminalId,
        request: Request,
        by: &Principal,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<KeeperStream, ControlError> {
        let allowed = async {
            self.access(by, terminal).await?;
            let settings = self.rules().machine().log.clone();
            Ok(self.audit.may_look(&settings)?)
        };
        if let Err(error) = allowed.await {
            let from = from.map(|from| from.to_string());
            let line = Line::new(by, door, from.as_deref(), "look", Some(terminal));
            self.note(line, Some(&error)).await;
            return Err(error);
        }
        if !request.only_looks() {
            return Err(ControlError::Invalid(
                "this changes something, so it has to come as an action".to_owned(),
            ));
        }
        let mut stream = self.terminals.attach(terminal, &Attach::manage()).await?;
        let sent = stream.request(1, request).await;
        sent.map_err(|_| TerminalError::NotFound(terminal))?;
        Ok(stream)
    }

    /// The terminal a person means by this text, among those they see.
    pub async fn meant(
        &self,
        text: &str,
        by: &Principal,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<TerminalId, ControlError> {
        Ok(find(&self.visible(by.clone(), door, from).await?, text)?)
    }

    /// Whether a terminal is still there. Who asks has watched it.
    pub async fn is_there(&self, terminal: TerminalId) -> bool {
        self.terminals.is_there(terminal).await
    }

    /// Which of these terminals were lost: their keepers were killed or broke. Who asks has seen them.
    pub async fn lost(&self, terminals: Vec<TerminalId>) -> Vec<TerminalId> {
        self.terminals.lost(terminals).await
    }

    /// Whether a program runs in any terminal of the machine.
    pub async fn has_living_terminal(&self) -> bool {
        let list = self.terminals.list().await.unwrap_or_default();
        let lives = |info: &TerminalInfo| info.exit_status.is_none() && info.exit_signal.is_none();
        list.iter().any(lives)
    }

    /// How many watch, besides the machine's own screen.
    pub fn watched(&self) -> watch::Receiver<usize> {
        self.watchers.others()
    }

    /// A number that changes whenever the list of terminals does.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.terminals.changes()
    }
}
