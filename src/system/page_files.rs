//! The files of the page, built into the executable: for browsers, and for the set-up access point.

use rust_embed::{EmbeddedFile, RustEmbed};

/// What `web/` was built into.
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Files;

/// One of them, by its path. Only names that were embedded exist: there is no path to climb.
pub fn page_file(path: &str) -> Option<EmbeddedFile> {
    Files::get(path)
}

/// Its type.
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
