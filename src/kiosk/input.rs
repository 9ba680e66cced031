//! Keys and pointers on their way in: every event the display server sends passes here before any
//! widget sees it. What no terminal needs and a toolkit or browser would act on stops here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use gtk::gdk::{self, EventType, ModifierType, keys};

use crate::base::Chord;

/// The highest button a page gets: left, middle, right. More are "back" and "forward".
const LAST_BUTTON: u32 = 3;

/// What stops here, shared with the window, which changes it with the settings.
pub(super) struct Gate {
    /// Chords nobody gets.
    pub(super) blocked: RefCell<Vec<Chord>>,
    /// The administrator's chord.
    pub(super) admin: RefCell<Option<Chord>>,
    /// The administrator's chord was pressed and the window hasn't acted on it yet: whose keys these are is
    /// not decided, so they are nobody's.
    pub(super) undecided: Cell<bool>,
    /// The key of that chord while it is down; it repeats, and that means nothing.
    down: Cell<Option<u16>>,
    /// When there last was a key, a button, a touch or a movement.
    pub(super) last: Cell<Instant>,
    /// The finger that counts while it is down; a second one would zoom.
    finger: RefCell<Option<gdk::EventSequence>>,
}

impl Gate {
    /// One that lets through what isn't dangerous, until told more.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            blocked: RefCell::default(),
            admin: RefCell::default(),
            undecided: Cell::default(),
            down: Cell::default(),
            last: Cell::new(Instant::now()),
            finger: RefCell::default(),
        })
    }

    /// Stands before all widgets from now on; `admin` is called for the administrator's chord.
    pub(super) fn stand(self: Rc<Self>, admin: impl Fn() + 'static) {
        gdk::Event::set_handler(Some(move |event: &mut gdk::Event| {
            if self.lets_through(event, &admin) {
                gtk::main_do_event(event);
            }
        }));
    }

    fn lets_through(&self, event: &gdk::Event, admin: &impl Fn()) -> bool {
        match event.event_type() {
            kind @ (EventType::KeyPress | EventType::KeyRelease) => {
                self.last.set(Instant::now());
                self.key(event, kind == EventType::KeyPress, admin)
            }
            EventType::ButtonPress
            | EventType::DoubleButtonPress
            | EventType::TripleButtonPress
            | EventType::ButtonRelease => {
                self.last.set(Instant::now());
                event.button().is_none_or(|button| button <= LAST_BUTTON)
            }
            EventType::MotionNotify => {
                self.last.set(Instant::now());
                true
            }
            // With Ctrl it would zoom.
            EventType::Scroll => {
                self.last.set(Instant::now());
                let held = event.state().unwrap_or(ModifierType::empty());
                !held.contains(ModifierType::CONTROL_MASK)
            }
            EventType::TouchBegin
            | EventType::TouchUpdate
            | EventType::TouchEnd
            | EventType::TouchCancel => {
                self.last.set(Instant::now());
                self.touch(event)
            }
            EventType::TouchpadPinch | EventType::TouchpadSwipe => false,
            EventType::DragEnter
            | EventType::DragLeave
            | EventType::DragMotion
            | EventType::DragStatus
            | EventType::DropStart
            | EventType::DropFinished => false,
            _ => true,
        }
    }

    fn key(&self, event: &gdk::Event, pressed: bool, admin: &impl Fn()) -> bool {
        if !pressed && event.keycode() == self.down.get() {
            self.down.set(None);
        }
        let Some(chord) = chord_of(event) else {
            return true;
        };
        if self.admin.borrow().as_ref() == Some(&chord) {
            if pressed && self.down.replace(event.keycode()).is_none() {
                self.undecided.set(true);
                admin();
            }
            return false;
        }
        !self.undecided.get() && !self.blocked.borrow().contains(&chord)
    }

    fn touch(&self, event: &gdk::Event) -> bool {
        let mut finger = self.finger.borrow_mut();
        let this = event.event_sequence();
        match event.event_type() {
            EventType::TouchBegin if finger.is_none() => {
                *finger = this;
                true
            }
            EventType::TouchEnd | EventType::TouchCancel if *finger == this => {
                *finger = None;
                true
            }
            _ => *finger == this,
        }
    }
}

/// The chord of a key event: by what is printed on the key without Shift, in the first layout, so that
/// another layout or Caps Lock is no way around.
fn chord_of(event: &gdk::Event) -> Option<Chord> {
    let held = event.state()?;
    let code = event.keycode()?;
    let keymap = gdk::Keymap::for_display(&gdk::Display::default()?)?;
    let plain = keymap.translate_keyboard_state(u32::from(code), ModifierType::empty(), 0);
    let key = plain.map_or_else(|| event.keyval(), |(key, ..)| Some(key))?;
    let key = keys::Key::from(key);
    let name = match key.to_unicode() {
        Some(sign) if sign.is_ascii_graphic() => sign.to_string(),
        _ => our_name(key.name()?.as_str()).to_owned(),
    };
    let held = [
        ModifierType::CONTROL_MASK,
        ModifierType::MOD1_MASK,
        ModifierType::SHIFT_MASK,
        ModifierType::MOD4_MASK,
    ]
    .map(|one| held.contains(one));
    Chord::new(held, &name).ok()
}

/// X11's name of a key in [`Chord`]'s words.
fn our_name(name: &str) -> &str {
    match name {
        "space" => "Space",
        "BackSpace" => "Backspace",
        "Return" | "KP_Enter" => "Enter",
        "ISO_Left_Tab" => "Tab",
        "Page_Up" | "Prior" => "PageUp",
        "Page_Down" | "Next" => "PageDown",
        "Super_L" | "Super_R" => "Super",
        other => other,
    }
}
