//! Everything a browser offers besides the page, refused: by WebKit's settings where there is one, by
//! answering its signals where there isn't.

use gtk::glib::Cast as _;
use gtk::prelude::WidgetExt as _;
use webkit2gtk::{
    AuthenticationRequestExt as _, CacheModel, ColorChooserRequestExt as _, DownloadExt as _,
    FileChooserRequestExt as _, HardwareAccelerationPolicy, MemoryPressureSettings,
    PolicyDecisionExt as _, PolicyDecisionType, ResponsePolicyDecision, ResponsePolicyDecisionExt,
    ScriptDialogType, SettingsExt as _, WebContext, WebContextExt as _, WebView, WebViewExt as _,
    WebsiteDataManager,
};

/// Of the memory limit: where WebKit begins to save memory, where it does so hard, where it ends the
/// process.
const SAVE: f64 = 0.5;
const SAVE_HARD: f64 = 0.75;
const END: f64 = 1.0;
/// Seconds between two looks at the memory.
const LOOK: f64 = 5.0;

/// A browser that keeps nothing, neither on disk nor from the page before, and whose processes end
/// when they take more than this many MiB.
pub(super) fn context(memory_limit: u32) -> WebContext {
    let mut memory = MemoryPressureSettings::new();
    memory.set_memory_limit(memory_limit);
    // WebKit wants them ordered at every step.
    memory.set_kill_threshold(END);
    memory.set_strict_threshold(SAVE_HARD);
    memory.set_conservative_threshold(SAVE);
    memory.set_poll_interval(LOOK);
    let context = WebContext::builder()
        .website_data_manager(&WebsiteDataManager::new_ephemeral())
        .memory_pressure_settings(&memory)
        .build();
    context.set_automation_allowed(false);
    context.set_spell_checking_enabled(false);
    context.set_cache_model(CacheModel::DocumentViewer);
    context.connect_download_started(|_, download| {
        tracing::warn!("a download was refused");
        download.cancel();
    });
    context
}

/// Locks a view down.
pub(super) fn lock(view: &WebView) {
    settings(view);
    signals(view);
    // Nothing may be dropped into the window; the page keeps things from being dragged out of it.
    view.drag_dest_unset();
    view.grab_focus();
}

fn settings(view: &WebView) {
    let Some(settings) = webkit2gtk::WebViewExt::settings(view) else {
        return;
    };
    // GTK 3 on X11 reads every accelerated frame back from the GPU, and on a Pi it is often
    // wrong or blank. By setting, not by environment: that would reach other programs.
    settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
    settings.set_enable_webgl(false);
    settings.set_enable_webaudio(false);
    settings.set_enable_media(false);
    settings.set_enable_media_stream(false);
    settings.set_enable_page_cache(false);
    settings.set_enable_developer_extras(false);
    settings.set_enable_smooth_scrolling(false);
    settings.set_enable_back_forward_navigation_gestures(false);
    settings.set_enable_caret_browsing(false);
    settings.set_enable_fullscreen(false);
    settings.set_enable_html5_database(false);
    settings.set_enable_html5_local_storage(false);
    settings.set_enable_tabs_to_links(true);
    settings.set_allow_file_access_from_file_urls(false);
    settings.set_allow_universal_access_from_file_urls(false);
    settings.set_allow_modal_dialogs(false);
    settings.set_allow_top_navigation_to_data_urls(false);
    settings.set_javascript_can_open_windows_automatically(false);
    settings.set_enable_write_console_messages_to_stdout(false);
    settings.set_zoom_text_only(false);
}

fn signals(view: &WebView) {
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_print(|_, _| true);
    view.connect_create(|_, _| None);
    view.connect_enter_fullscreen(|_| true);
    view.connect_show_notification(|_, _| true);
    view.connect_run_file_chooser(|_, request| {
        request.cancel();
        true
    });
    view.connect_run_color_chooser(|_, request| {
        request.cancel();
        true
    });
    view.connect_authenticate(|_, request| {
        request.cancel();
        true
    });
    view.connect_script_dialog(|_, dialog| {
        // Leaving is allowed, or a page could refuse to be replaced. All else is answered with "no".
        if dialog.dialog_type() == ScriptDialogType::BeforeUnloadConfirm {
            dialog.confirm_set_confirmed(true);
        }
        true
    });
    // What can't be shown as a page would become a download.
    view.connect_decide_policy(|_, decision, kind| {
        let shown = decision
            .downcast_ref::<ResponsePolicyDecision>()
            .is_none_or(ResponsePolicyDecisionExt::is_mime_type_supported);
        let refuse = match kind {
            PolicyDecisionType::Response => !shown,
            PolicyDecisionType::NewWindowAction => true,
            _ => false,
        };
        if refuse {
            decision.ignore();
        }
        refuse
    });
}
