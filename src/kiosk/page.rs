//! A page in the window: wry's view in a browser that keeps nothing, allowed to be in one place only.

use std::cell::RefCell;
use std::rc::Rc;

use gtk::Overlay;
use gtk::prelude::WidgetExt as _;
use http::{HeaderMap, HeaderValue};
use webkit2gtk::{WebContext, WebViewExt as _};
use wry::{
    NewWindowResponse, PageLoadEvent, PermissionResponse, WebView, WebViewBuilder,
    WebViewBuilderExtUnix as _, WebViewExtUnix as _,
};

use crate::kiosk::navigation::{self, BLANK, Home};
use crate::kiosk::{KioskError, lockdown};
use crate::wire::kiosk::{FromPage, OWN_WINDOW};

const BLACK: (u8, u8, u8, u8) = (0, 0, 0, 255);

/// What a page has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The view shows the empty page.
    Blank,
    /// A word of the page itself.
    Word(FromPage),
    /// An address could not be loaded.
    LoadFailed,
    /// Its process ended.
    Ended,
    /// Its process answers, or doesn't.
    Responsive(bool),
}

/// The view and where it belongs.
pub(super) struct Page {
    view: WebView,
    /// Keeps the browser behind the view.
    _context: WebContext,
    /// The view leaves it for nothing else.
    home: Rc<RefCell<Option<Home>>>,
    /// To be gone to as soon as the view is empty. An address that differs from the present one in
    /// its fragment only would not load anything.
    next: Option<String>,
}

impl Page {
    /// An empty page in `place` whose process may take so many MiB.
    pub(super) fn open(
        place: &Overlay,
        memory_limit: u32,
        tell: impl Fn(Said) + Clone + 'static,
    ) -> Result<Self, KioskError> {
        let home = Rc::new(RefCell::new(None::<Home>));
        let allowed = Rc::clone(&home);
        let (blank, words) = (tell.clone(), tell.clone());
        let context = lockdown::context(memory_limit);
        // wry makes its own browser, without a memory limit. The one of a related view it takes, which keeps nothing.
        // Asked for one that keeps nothing itself, it would start a network process for it, to no end.
        let related = webkit2gtk::WebView::with_context(&context);
        let view = WebViewBuilder::new()
            .with_related_view(related)
            .with_background_color(BLACK)
            .with_devtools(false)
            .with_clipboard(true)
            .with_focused(true)
            .with_back_forward_navigation_gestures(false)
            .with_navigation_handler(move |address| {
                let ok = navigation::may_go(allowed.borrow().as_ref(), &address);
                if !ok {
                    let scheme = navigation::scheme(&address);
                    tracing::warn!(scheme, "the page tried to leave; refused");
                }
                ok
            })
            .with_new_window_req_handler(|_, _| NewWindowResponse::Deny)
            .with_download_started_handler(|_, _| false)
            .with_permission_handler(|_| PermissionResponse::Deny)
            .with_on_page_load_handler(move |event, address| {
                if matches!(event, PageLoadEvent::Finished) && address == BLANK {
                    blank(Said::Blank);
                }
            })
            .with_ipc_handler(move |message| {
                if let Some(word) = FromPage::parse(message.body()) {
                    words(Said::Word(word));
                }
            })
            .build_gtk(place)
            .map_err(|error| KioskError::Window(error.to_string()))?;
        lockdown::lock(&view.webview());
        listen(&view.webview(), tell);
        let page = Self {
            view,
            _context: context,
            home,
            next: None,
        };
        // WebKit starts the page's process with the first load, and that takes long.
        page.load(BLANK);
        Ok(page)
    }

    /// Goes to an address of this home.
    pub(super) fn go(&mut self, home: Home, address: String) {
        *self.home.borrow_mut() = Some(home);
        self.next = Some(address);
        self.load(BLANK);
    }

    /// The view is empty: where it was to go next, it goes now.
    pub(super) fn is_blank(&mut self) {
        if let Some(address) = self.next.take() {
            self.load(&address);
        }
    }

    /// Ends the page's process, however little it listens.
    pub(super) fn end_process(&self) {
        self.view.webview().terminate_web_process();
    }

    /// Makes everything larger or smaller.
    pub(super) fn zoom(&self, factor: f64) {
        if let Err(error) = self.view.zoom(factor) {
            tracing::error!(%error, "the view does not zoom");
        }
    }

    /// Runs a line of script in the page.
    pub(super) fn run(&self, script: &str) {
        if let Err(error) = self.view.evaluate_script(script) {
            tracing::error!(%error, "the view does not run a script");
        }
    }

    /// Lets the page have the keys.
    pub(super) fn focus(&self) {
        let view = self.view.webview();
        view.set_can_focus(true);
        view.grab_focus();
    }

    /// Keeps keys from the page, whatever else is in front of it does with them: a toolkit takes Tab to
    /// the next view that could have the keys, and nobody sees which one that is.
    pub(super) fn no_keys(&self) {
        self.view.webview().set_can_focus(false);
    }

    fn load(&self, address: &str) {
        let mut fields = HeaderMap::new();
        fields.insert(OWN_WINDOW, HeaderValue::from_static("1"));
        // wry hands the address to WebKit, whose failures arrive as signals.
        if let Err(error) = self.view.load_url_with_headers(address, fields) {
            tracing::error!(%error, "the view does not load");
        }
    }
}

/// Listens to what wry has no handler for.
fn listen(view: &webkit2gtk::WebView, tell: impl Fn(Said) + Clone + 'static) {
    let (failed, untrusted, ended) = (tell.clone(), tell.clone(), tell.clone());
    view.connect_load_failed(move |_, _, address, error| {
        // Going elsewhere while something loads is reported as a failure of what was loading.
        if !error.matches(webkit2gtk::NetworkError::Cancelled) && address != BLANK {
            failed(Said::LoadFailed);
        }
        true
    });
    view.connect_load_failed_with_tls_errors(move |_, _, _, _| {
        untrusted(Said::LoadFailed);
        true
    });
    view.connect_web_process_terminated(move |_, reason| {
        tracing::warn!(?reason, "the page's process ended");
        ended(Said::Ended);
    });
    view.connect_is_web_process_responsive_notify(move |view| {
        tell(Said::Responsive(view.is_web_process_responsive()));
    });
}
