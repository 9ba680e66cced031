//! What was copied or marked in the window, for programs and people to paste.

use gtk::gdk;

/// Forgets it, in both of X's places.
pub(super) fn forget() {
    for place in [gdk::SELECTION_CLIPBOARD, gdk::SELECTION_PRIMARY] {
        let clipboard = gtk::Clipboard::get(&place);
        // Only who owns it can empty it, and the page's process may have been its owner.
        clipboard.set_text("");
        clipboard.clear();
    }
}
