//! The window itself: tao's window and event loop, which feed the state machine of `recovery` and do
//! what it says.

use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use gtk::gdk::WindowState;
use gtk::glib;
use gtk::prelude::*;
use tao::dpi::PhysicalSize;
use tao::event::{Event as Tao, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::platform::run_return::EventLoopExtRunReturn as _;
use tao::platform::unix::WindowExtUnix as _;
use tao::window::{Fullscreen, Window, WindowBuilder};

use crate::base::Cursor;
use crate::kiosk::admin::Admin;
use crate::kiosk::cover::Cover;
use crate::kiosk::input::Gate;
use crate::kiosk::link::{Given, News};
use crate::kiosk::navigation::Home;
use crate::kiosk::page::{Page, Said};
use crate::kiosk::pressure::Pressure;
use crate::kiosk::recovery::{self, Effect, Event, Recovery};
use crate::kiosk::{KioskError, Options, clipboard, link};
use crate::wire::kiosk::{FromPage, WindowSettings};

const BLACK: (u8, u8, u8, u8) = (0, 0, 0, 255);
/// Heights of screens, in pixels, from which everything is shown so much larger, if nobody said how.
const LARGE_SCREENS: [(u32, u16); 2] = [(2000, 200), (1300, 150)];

/// What happens outside the event loop's own thread, or inside a callback.
#[derive(Debug)]
enum Happening {
    /// The link has something to tell.
    Link(News),
    /// The terminal's page has.
    Page(Said),
    /// The administrator's page has.
    Admin(Said),
    /// The administrator's chord was pressed.
    AdminChord,
    /// Time passed.
    Tick,
}

/// Opens the window and runs until it is closed.
pub(super) fn run(options: Options) -> Result<u8, KioskError> {
    // tao would panic.
    gtk::init().map_err(|error| KioskError::NoDisplay(error.to_string()))?;
    // Pages that ask what is wished for are dark, too: nothing here is ever white.
    if let Some(wishes) = gtk::Settings::default() {
        wishes.set_gtk_application_prefer_dark_theme(true);
    }
    let mut events: EventLoop<Happening> = EventLoopBuilder::with_user_event().build();
    let window = open(&events, &options)?;
    let closable = options.closable;
    let mut kiosk = Kiosk::new(&window, options, events.create_proxy())?;
    kiosk.feed(Event::Opened)?;

    let mut failure = None;
    let code = events.run_return(|event, _, flow| {
        let done = match event {
            Tao::UserEvent(happening) => kiosk.happened(happening),
            Tao::WindowEvent {
                event: WindowEvent::CloseRequested,
                ..
            } if closable => {
                *flow = ControlFlow::Exit;
                return;
            }
            _ => return,
        };
        *flow = match done {
            Ok(()) if kiosk.given_up => ControlFlow::ExitWithCode(recovery::RESTART.into()),
            Ok(()) => ControlFlow::Wait,
            Err(error) => {
                failure = Some(error);
                ControlFlow::Exit
            }
        };
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(u8::try_from(code).unwrap_or(1)),
    }
}

/// A black window, shown at once: black is better to look at than what was there before.
fn open(events: &EventLoop<Happening>, options: &Options) -> Result<Window, KioskError> {
    let builder = WindowBuilder::new()
        .with_title("Gatepost")
        .with_background_color(BLACK)
        .with_focused(true);
    let builder = if let Some((width, height)) = options.size {
        builder.with_inner_size(PhysicalSize::new(width, height))
    } else {
        // The size too, for screens without a window manager to ask for "full-screen".
        let screen = events.primary_monitor().map(|monitor| monitor.size());
        builder
            .with_inner_size(screen.unwrap_or(PhysicalSize::new(800, 480)))
            .with_decorations(false)
            .with_fullscreen(Some(Fullscreen::Borderless(None)))
    };
    let window = builder
        .build(events)
        .map_err(|error| KioskError::Window(error.to_string()))?;
    if !options.closable && options.size.is_none() {
        // Whatever made it smaller or put it away, it comes back.
        window
            .gtk_window()
            .connect_window_state_event(|window, event| {
                let state = event.new_window_state();
                if state.contains(WindowState::ICONIFIED) {
                    window.deiconify();
                }
                if !state.contains(WindowState::FULLSCREEN) {
                    window.fullscreen();
                }
                glib::Propagation::Proceed
            });
    }
    Ok(window)
}

fn start_link(
    options: Options,
    events: EventLoopProxy<Happening>,
) -> Result<mpsc::SyncSender<bool>, KioskError> {
    let (want, wanted) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("link".to_owned())
        .spawn(move || {
            link::serve(&options.control_socket, &wanted, |news| {
                events.send_event(Happening::Link(news)).is_ok()
            });
        })
        .map_err(|error| KioskError::Window(format!("no thread for the link: {error}")))?;
    Ok(want)
}

/// Everything in the window.
struct Kiosk {
    events: EventLoopProxy<Happening>,
    want: mpsc::SyncSender<bool>,
    /// Tells the server that there is something to see.
    seen: link::Seen,
    cover: Cover,
    gate: Rc<Gate>,
    page: Page,
    /// With which limit the page was made.
    memory_limit: u32,
    admin: Option<Admin>,
    recovery: Recovery,
    /// Since the page was last heard.
    pressure: Pressure,
    settings: WindowSettings,
    /// What the server gave last; its address is used once.
    given: Option<Given>,
    home: Option<Home>,
    /// A page was lost, and the server doesn't know yet.
    lost: bool,
    /// When the next tick comes.
    armed: Option<(Instant, glib::SourceId)>,
    screen_height: u32,
    window: gtk::ApplicationWindow,
    given_up: bool,
}

impl Kiosk {
    fn new(
        window: &Window,
        options: Options,
        events: EventLoopProxy<Happening>,
    ) -> Result<Self, KioskError> {
        let area = window
            .default_vbox()
            .ok_or_else(|| KioskError::Window("it has no content area".to_owned()))?;
        let cover = Cover::over(area)?;
        let settings = WindowSettings::default();
        // Made before there is an address: starting its process takes longer than asking for one.
        let page = Page::open(&cover.place, settings.memory_limit, tell_page(&events))?;
        let gate = Gate::new();
        let chord = events.clone();
        Rc::clone(&gate).stand(move || tell(&chord, Happening::AdminChord));
        let screen = window.primary_monitor().map(|monitor| monitor.size());
        let seen = link::Seen::new(options.control_socket.clone());
        let want = start_link(options, events.clone())?;
        let memory_limit = settings.memory_limit;
        let mut kiosk = Self {
            events,
            want,
            seen,
            cover,
            gate,
            page,
            memory_limit,
            admin: None,
            recovery: Recovery::new(Instant::now()),
            pressure: Pressure::default(),
            settings: settings.clone(),
            given: None,
            home: None,
            lost: false,
            armed: None,
            screen_height: screen.map_or(0, |size| size.height),
            window: window.gtk_window().clone(),
            given_up: false,
        };
        kiosk.take(settings);
        Ok(kiosk)
    }

    fn happened(&mut self, happening: Happening) -> Result<(), KioskError> {
        let event = match happening {
            Happening::Link(News::Given(mut given)) => {
                if let Some(settings) = given.settings.take() {
                    self.take(settings);
                }
                self.home = Some(given.home.clone());
                self.given = Some(given);
                Event::Address
            }
            Happening::Link(News::NoServer) => Event::NoServer,
            Happening::Page(Said::Blank) => {
                self.page.is_blank();
                return Ok(());
            }
            Happening::Page(Said::Word(FromPage::Beat)) => {
                self.pressure.begin();
                Event::Beat
            }
            Happening::Page(Said::Word(FromPage::Painted)) => {
                self.seen.tell();
                Event::Painted
            }
            Happening::Page(Said::Word(FromPage::Login)) => Event::LoginGone,
            Happening::Page(Said::Word(FromPage::Admin)) => return self.admin_chord(),
            Happening::Page(Said::Word(FromPage::Forget)) => {
                clipboard::forget();
                return Ok(());
            }
            Happening::Page(Said::LoadFailed) => Event::LoadFailed,
            Happening::Page(Said::Ended) => Event::ProcessEnded,
            Happening::Page(Said::Responsive(yes)) => Event::Responsive(yes),
            Happening::Admin(said) => {
                self.admin_said(said);
                return Ok(());
            }
            Happening::AdminChord => {
                let done = self.admin_chord();
                self.gate.undecided.set(false);
                return done;
            }
            Happening::Tick => {
                self.armed = None;
                if self.admin_ends().is_some_and(|at| at <= Instant::now()) {
                    self.close_admin();
                }
                if let Some((passed, waited)) = self.pressure.since() {
                    self.feed(Event::Pressed { passed, waited })?;
                }
                Event::Tick
            }
        };
        self.feed(event)
    }

    /// Gives the machine an event and does what it says.
    fn feed(&mut self, event: Event) -> Result<(), KioskError> {
        self.lost |= event == Event::ProcessEnded;
        for effect in self.recovery.step(Instant::now(), event) {
            tracing::debug!(?event, ?effect, "recovery");
            match effect {
                Effect::Ask => {
                    // A full queue means that one is asked for already.
                    if self.want.try_send(self.lost).is_ok() {
                        self.lost = false;
                    }
                }
                Effect::Load => self.load()?,
                Effect::EndProcess => {
                    tracing::warn!("the page hangs; it is replaced");
                    self.page.end_process();
                }
                Effect::Cover(face) => {
                    self.cover.show(face);
                    if face == recovery::Cover::Off {
                        tracing::info!("the page is on the screen");
                        super::start::picture_is_there();
                        if self.admin.is_none() {
                            self.page.focus();
                        }
                    }
                }
                Effect::GiveUp => {
                    tracing::error!("the page is lost too often; the window starts anew");
                    self.given_up = true;
                }
            }
        }
        self.arm();
        Ok(())
    }

    fn load(&mut self) -> Result<(), KioskError> {
        let Some(given) = self.given.take() else {
            return Ok(());
        };
        if self.settings.memory_limit != self.memory_limit {
            self.memory_limit = self.settings.memory_limit;
            let tell = tell_page(&self.events);
            self.cover.clear();
            self.page = Page::open(&self.cover.place, self.memory_limit, tell)?;
            if let Some(admin) = &self.admin {
                self.page.no_keys();
                admin.focus();
            }
        }
        let percent = self.settings.zoom.unwrap_or_else(|| {
            let larger = LARGE_SCREENS
                .iter()
                .find(|(height, _)| self.screen_height >= *height);
            larger.map_or(100, |(_, percent)| *percent)
        });
        self.page.zoom(f64::from(percent) / 100.0);
        let cursor = match self.settings.cursor {
            Cursor::Always => "",
            Cursor::Never => "&cursor=never",
            Cursor::Idle => "&cursor=idle",
        };
        self.page.go(given.home, format!("{}{cursor}", given.url));
        Ok(())
    }

    /// Takes settings. What only counts for a new page waits for the next one.
    fn take(&mut self, settings: WindowSettings) {
        self.gate.blocked.replace(settings.blocked_chords.clone());
        self.gate.admin.replace(settings.admin_chord.clone());
        // Where no page is, there is nothing to point at.
        if let Some(window) = self.window.window() {
            let shown = settings.cursor == Cursor::Always;
            let display = window.display();
            let blank = gtk::gdk::Cursor::for_display(&display, gtk::gdk::CursorType::BlankCursor);
            window.set_cursor(blank.as_ref().filter(|_| !shown));
        }
        self.settings = settings;
    }

    fn admin_chord(&mut self) -> Result<(), KioskError> {
        if self.admin.is_some() {
            self.close_admin();
        } else if let Some(home) = &self.home {
            let events = self.events.clone();
            let told = move |said| tell(&events, Happening::Admin(said));
            let limit = self.settings.memory_limit;
            self.page.no_keys();
            self.admin = Some(Admin::open(
                &self.cover.place,
                home,
                self.settings.keys.as_deref(),
                limit,
                told,
            )?);
            self.arm();
        }
        Ok(())
    }

    fn admin_said(&mut self, said: Said) {
        match (said, &mut self.admin) {
            (Said::Blank, Some(admin)) => admin.is_blank(),
            // Whatever is wrong with it: the terminal is what belongs on this screen.
            (Said::LoadFailed | Said::Ended | Said::Responsive(false), Some(_)) => {
                self.close_admin();
            }
            _ => {}
        }
    }

    fn close_admin(&mut self) {
        if let Some(admin) = self.admin.take() {
            admin.close();
            self.page.focus();
        }
    }

    fn admin_ends(&self) -> Option<Instant> {
        let ends = Admin::ends(self.gate.last.get(), self.settings.admin_idle);
        self.admin.as_ref().map(|_| ends)
    }

    /// Sees to it that a tick comes when one is due. One that comes too early does no harm.
    fn arm(&mut self) {
        let due = [self.recovery.deadline(), self.admin_ends()];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        match self.armed.take() {
            Some((at, source)) if at <= due => {
                self.armed = Some((at, source));
                return;
            }
            Some((_, source)) => source.remove(),
            None => {}
        }
        let events = self.events.clone();
        let wait = due.saturating_duration_since(Instant::now());
        let source = glib::timeout_add_local_once(wait, move || tell(&events, Happening::Tick));
        self.armed = Some((due, source));
    }
}

fn tell_page(events: &EventLoopProxy<Happening>) -> impl Fn(Said) + Clone + 'static {
    let events = events.clone();
    move |said| tell(&events, Happening::Page(said))
}

fn tell(events: &EventLoopProxy<Happening>, what: Happening) {
    // Fails only after the loop has ended, when nothing matters any more.
    let _told = events.send_event(what);
}
