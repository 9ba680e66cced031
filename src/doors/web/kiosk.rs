//! What the page on the machine's own screen is told: its settings, now and whenever they change.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header;
use rustix::fs::OFlags;
use serde::Serialize;

use crate::base::Principal;
use crate::policy::settings::Kiosk;
use crate::system;
use crate::system::setup::{AccessPoint, SetupFor};

use super::Web;
use super::login::only_screen;
use super::problem::Problem;

/// Largest picture, in bytes: a screenful, well compressed.
const MAX_PICTURE: u64 = 2 << 20;

/// The message, one of those of `ws/kiosk`.
#[derive(Serialize)]
struct Told<'a> {
    /// Section `kiosk` of the configuration as it is in force for the kiosk. It holds no secrets.
    kiosk: &'a Kiosk,
    machine: Machine<'a>,
    setup: SetUp,
}

/// How this machine can be set up by whoever stands in front of it.
#[derive(Serialize)]
struct SetUp {
    #[serde(flatten)]
    whom: SetupFor,
    access_point: Option<AccessPoint>,
}

/// What this machine is, for whoever stands in front of it.
#[derive(Serialize)]
struct Machine<'a> {
    /// Its name.
    name: String,
    /// Where browsers elsewhere find the server.
    address: &'a str,
    /// The addresses it has in its networks.
    addresses: Vec<IpAddr>,
    /// Whether nobody has noted yet what it says of itself, or logged in from elsewhere.
    first_use: bool,
    /// Whether its system can be written to, for maintenance.
    unlocked: bool,
}

/// What the kiosk's page is to know now.
pub(super) async fn told(web: &Web) -> String {
    let settings = web.control.settings_for(&Principal::Kiosk {});
    let told = Told {
        kiosk: &settings.kiosk,
        machine: Machine {
            name: system::host_name(),
            address: &web.base,
            addresses: system::addresses(),
            first_use: web.auth.is_first_use(),
            unlocked: system::is_unlocked(),
        },
        setup: SetUp {
            whom: web.control.may_set_up().await,
            access_point: web.control.access_point(),
        },
    };
    // Plain values all through, which JSON can hold.
    serde_json::to_string(&told).unwrap_or_default()
}

/// `GET api/kiosk/picture`: what the page shows while nobody is there, to the kiosk's own screen only.
pub(super) async fn picture(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = only_screen(&web, request.headers())?;
    let settings = web.control.settings_for(&login.principal);
    let path = settings.kiosk.attract.picture.clone();
    let path = path.ok_or_else(Problem::not_found)?;
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok((kind, bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, "no-store"),
            ];
            Ok((headers, bytes).into_response())
        }
        Err(error) => {
            // The configuration is the administrator's; the screen shows the page without it.
            tracing::warn!(path = shown, %error, "kiosk.attract.picture can't be shown");
            Err(Problem::not_found())
        }
    }
}

/// A picture and its type, told by how it begins.
fn read(path: &Path) -> io::Result<(&'static str, Vec<u8>)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_PICTURE + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_PICTURE) {
        return Err(io::Error::other("it has more than 2 MiB"));
    }
    let kind = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => return Err(io::Error::other("it is no PNG, JPEG, WebP or GIF")),
    };
    Ok((kind, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_of_a_sensible_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        let put = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path)
                .map(|(kind, _)| kind)
                .map_err(|error| error.to_string())
        };
        assert_eq!(put(b"\x89PNG\r\n"), Ok("image/png"));
        assert_eq!(put(b"RIFF0000WEBPVP8 "), Ok("image/webp"));
        assert!(
            put(b"<svg onload='alert(1)'/>")
                .unwrap_err()
                .contains("no PNG")
        );
        assert!(put(&vec![0xff; 2 << 20 | 1]).unwrap_err().contains("2 MiB"));
        assert!(
            read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("no file")
        );
    }
}
