//! What is seen instead of the page: black, or one word and a sentence, painted by the toolkit itself,
//! because the process that paints pages may be the one that is lost.

use gtk::prelude::*;
use gtk::{CssProvider, EventBox, Label, Orientation, Overlay, StyleContext};

use crate::kiosk::KioskError;
use crate::kiosk::recovery::Cover as Face;

/// Black everywhere: the toolkit's own background is light, and shows between two pages.
const STYLE: &[u8] = b"
window, window.background, overlay, .gatepost-cover { background: #000; }
.gatepost-cover label { color: #9a9a9a; font-family: sans-serif; font-size: 13pt; }
.gatepost-cover label.word { color: #d8d8d8; font-size: 20pt; }
";

/// The cover and the place of the page under it.
pub(super) struct Cover {
    /// Pages are put in here.
    pub(super) place: Overlay,
    sheet: EventBox,
    word: Label,
    sentence: Label,
}

impl Cover {
    /// A black cover over an empty place, in the window's content area.
    pub(super) fn over(area: &gtk::Box) -> Result<Self, KioskError> {
        let style = CssProvider::new();
        style
            .load_from_data(STYLE)
            .map_err(|error| KioskError::Window(error.to_string()))?;
        let screen = gtk::gdk::Screen::default();
        let screen = screen.ok_or_else(|| KioskError::NoDisplay("no screen".to_owned()))?;
        StyleContext::add_provider_for_screen(
            &screen,
            &style,
            gtk::STYLE_PROVIDER_PRIORITY_APPLICATION,
        );
        let (word, sentence) = (Label::new(None), Label::new(None));
        word.style_context().add_class("word");
        sentence.set_line_wrap(true);
        sentence.set_justify(gtk::Justification::Center);
        let text = gtk::Box::new(Orientation::Vertical, 8);
        text.set_valign(gtk::Align::Center);
        text.add(&word);
        text.add(&sentence);
        let sheet = EventBox::new();
        sheet.style_context().add_class("gatepost-cover");
        sheet.add(&text);
        let place = Overlay::new();
        place.add_overlay(&sheet);
        area.pack_start(&place, true, true, 0);
        let cover = Self {
            place,
            sheet,
            word,
            sentence,
        };
        cover.place.show_all();
        cover.show(Face::Black);
        Ok(cover)
    }

    /// Makes room for another page.
    pub(super) fn clear(&self) {
        if let Some(page) = self.place.child() {
            self.place.remove(&page);
        }
    }

    /// Shows this face.
    pub(super) fn show(&self, face: Face) {
        let (word, sentence) = match face {
            Face::Off | Face::Black => ("", ""),
            Face::Starting => ("Starting", ""),
            Face::Offline => (
                "Offline",
                "The server isn't there; trying again.\nWhat runs in the terminal goes on.",
            ),
            Face::Recovering => (
                "One moment",
                "The picture was lost and is coming back.\nWhat runs in the terminal goes on.",
            ),
        };
        self.word.set_text(word);
        self.sentence.set_text(sentence);
        self.sheet.set_visible(face != Face::Off);
    }
}
