//! RandR: what outputs there are, and having them show what was decided.

use x11rb::connection::Connection as _;
use x11rb::protocol::randr::{
    self, Connection as Plug, Crtc, GetOutputInfoReply, GetScreenResourcesCurrentReply, ModeFlag,
    ModeInfo, Rotation, SetConfig,
};
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;
use x11rb::{CURRENT_TIME, NONE};

use super::DisplayError;
use super::layout::{self, Mode, Monitor};
use crate::base::{DisplaySettings, Rotate};
use crate::wire::display::Output;

/// Pixels to the millimetre at 96 pixels to the inch, in thousandths: the size pages reckon with.
const PIXELS_PER_METRE: u32 = 3780;

/// One output and what is known of it.
struct Found {
    id: randr::Output,
    name: String,
    info: GetOutputInfoReply,
}

struct Outputs {
    resources: GetScreenResourcesCurrentReply,
    found: Vec<Found>,
}

fn find(connection: &RustConnection, root: Window) -> Result<Outputs, DisplayError> {
    let resources = randr::get_screen_resources_current(connection, root)?.reply()?;
    let mut found = Vec::new();
    for &id in &resources.outputs {
        let info = randr::get_output_info(connection, id, resources.config_timestamp)?.reply()?;
        let name = String::from_utf8_lossy(&info.name).into_owned();
        found.push(Found { id, name, info });
    }
    Ok(Outputs { resources, found })
}

/// The outputs there are.
pub(super) fn list(connection: &RustConnection, root: Window) -> Result<Vec<Output>, DisplayError> {
    let Outputs { resources, found } = find(connection, root)?;
    let mut out = Vec::new();
    for output in found {
        let size = if output.info.crtc == NONE {
            None
        } else {
            let stamp = resources.config_timestamp;
            let crtc = randr::get_crtc_info(connection, output.info.crtc, stamp)?.reply()?;
            (crtc.mode != NONE).then_some((crtc.width, crtc.height))
        };
        let connected = is_connected(&output.info);
        // Drivers name a dozen sockets that a board doesn't have.
        if connected || size.is_some() {
            out.push(Output {
                name: output.name,
                connected,
                size,
            });
        }
    }
    Ok(out)
}

/// Whoever doesn't know (a virtual screen) has one.
fn is_connected(info: &GetOutputInfoReply) -> bool {
    info.connection != Plug::DISCONNECTED
}

const fn rotation(rotate: Rotate) -> Rotation {
    match rotate {
        Rotate::Not => Rotation::ROTATE0,
        // RandR counts the other way round.
        Rotate::Right => Rotation::ROTATE270,
        Rotate::Half => Rotation::ROTATE180,
        Rotate::Left => Rotation::ROTATE90,
    }
}

fn rate(mode: &ModeInfo) -> u64 {
    let dots = u64::from(mode.htotal) * u64::from(mode.vtotal);
    let rate = u64::from(mode.dot_clock).saturating_mul(1000);
    let rate = rate.checked_div(dots).unwrap_or(0);
    if mode.mode_flags.contains(ModeFlag::INTERLACE) {
        // Half a picture each time.
        rate / 2
    } else {
        rate
    }
}

fn monitor(output: &Found, shown: Option<randr::Mode>, known: &[ModeInfo]) -> Monitor {
    let all = &output.info.modes;
    // A screen that likes nothing best (a virtual one) shows what it was started with.
    let first = shown.filter(|mode| output.info.num_preferred == 0 && all.contains(mode));
    let modes = first.iter().chain(all).filter_map(|id| {
        let mode = known.iter().find(|mode| mode.id == *id)?;
        Some(Mode {
            id: mode.id,
            width: mode.width,
            height: mode.height,
            rate: rate(mode),
        })
    });
    Monitor {
        name: output.name.clone(),
        modes: modes.collect(),
    }
}

/// One picture a CRTC sends to an output.
struct Picture {
    crtc: Crtc,
    output: randr::Output,
    name: String,
    mode: Mode,
}

/// Has the outputs show what is configured; touches nothing that is so already. What can't be is said.
pub(super) fn arrange(
    connection: &RustConnection,
    root: Window,
    settings: &DisplaySettings,
) -> Result<Vec<String>, DisplayError> {
    let outputs = find(connection, root)?;
    let connected: Vec<_> = outputs
        .found
        .iter()
        .filter(|output| is_connected(&output.info))
        .collect();
    let mut monitors = Vec::new();
    for output in &connected {
        let shown = match output.info.crtc {
            NONE => None,
            crtc => {
                let stamp = outputs.resources.config_timestamp;
                Some(randr::get_crtc_info(connection, crtc, stamp)?.reply()?.mode)
            }
        };
        monitors.push(monitor(output, shown, &outputs.resources.modes));
    }
    let mut plan = layout::plan(settings, &monitors);
    let mut pictures: Vec<Picture> = Vec::new();
    for (number, mode) in plan.shown {
        let Some(output) = connected.get(number) else {
            continue;
        };
        let free = |crtc: &&Crtc| pictures.iter().all(|picture| picture.crtc != **crtc);
        // The one it has, so that nothing flickers.
        let own = Some(&output.info.crtc).filter(|crtc| **crtc != NONE);
        let mut candidates = own.into_iter().chain(&output.info.crtcs);
        match candidates.find(free) {
            Some(&crtc) => pictures.push(Picture {
                crtc,
                output: output.id,
                name: output.name.clone(),
                mode,
            }),
            None => plan.trouble.push(format!(
                "{} stays dark: the graphics unit sends no more pictures at a time",
                output.name
            )),
        }
    }
    if pictures.is_empty() {
        return Ok(plan.trouble);
    }
    if show(
        connection,
        root,
        &outputs.resources,
        &pictures,
        settings.rotate,
    )? {
        return Ok(plan.trouble);
    }
    // Better the wrong way up than dark.
    let names: Vec<_> = pictures.iter().map(|one| one.name.as_str()).collect();
    let shown = show(connection, root, &outputs.resources, &pictures, Rotate::Not)?;
    plan.trouble.push(if shown {
        let degrees = u16::from(settings.rotate);
        format!("{} can't be turned by {degrees} degrees", names.join(", "))
    } else {
        format!("{} can't be set", names.join(", "))
    });
    Ok(plan.trouble)
}

/// Has these pictures, and no others, shown. False if the X server refuses one.
fn show(
    connection: &RustConnection,
    root: Window,
    resources: &GetScreenResourcesCurrentReply,
    pictures: &[Picture],
    rotate: Rotate,
) -> Result<bool, DisplayError> {
    let turned = |mode: &Mode| {
        if rotate.is_sideways() {
            (mode.height, mode.width)
        } else {
            (mode.width, mode.height)
        }
    };
    let sizes = pictures.iter().map(|picture| turned(&picture.mode));
    let (width, height) = sizes.fold((1, 1), |all, one| (all.0.max(one.0), all.1.max(one.1)));
    let stamp = resources.config_timestamp;
    let mut wrong = Vec::new();
    for &crtc in &resources.crtcs {
        let now = randr::get_crtc_info(connection, crtc, stamp)?.reply()?;
        let wanted = pictures.iter().find(|picture| picture.crtc == crtc);
        let right = match wanted {
            None => now.mode == NONE,
            Some(_) if !now.rotations.contains(rotation(rotate)) => return Ok(false),
            Some(picture) => {
                now.mode == picture.mode.id
                    && (now.x, now.y) == (0, 0)
                    && now.rotation == rotation(rotate)
                    && now.outputs == [picture.output]
            }
        };
        if !right {
            wrong.push((crtc, wanted));
        }
    }
    let size = connection.get_geometry(root)?.reply()?;
    if wrong.is_empty() && (size.width, size.height) == (width, height) {
        return Ok(true);
    }
    // Nobody sees the steps in between.
    connection.grab_server()?;
    let done = (|| {
        for (crtc, _) in &wrong {
            set(connection, stamp, *crtc, None, Rotate::Not)?;
        }
        if (size.width, size.height) != (width, height) {
            let millimetres = |pixels: u16| u32::from(pixels) * 1_000 / PIXELS_PER_METRE;
            let (w, h) = (millimetres(width).max(1), millimetres(height).max(1));
            let sizing = randr::set_screen_size(connection, root, width, height, w, h)?;
            if let Err(error) = sizing.check() {
                tracing::warn!(%error, width, height, "the X server's screen keeps its size");
            }
        }
        let mut all = true;
        for (crtc, picture) in &wrong {
            if picture.is_some() {
                all &= set(connection, stamp, *crtc, *picture, rotate)?;
            }
        }
        Ok(all)
    })();
    connection.ungrab_server()?;
    connection.flush()?;
    done
}

/// True if the X server did it.
fn set(
    connection: &RustConnection,
    stamp: u32,
    crtc: Crtc,
    picture: Option<&Picture>,
    rotate: Rotate,
) -> Result<bool, DisplayError> {
    let (mode, outputs) = picture.map_or((NONE, vec![]), |picture| {
        (picture.mode.id, vec![picture.output])
    });
    let asked = randr::set_crtc_config(
        connection,
        crtc,
        CURRENT_TIME,
        stamp,
        0,
        0,
        mode,
        rotation(rotate),
        &outputs,
    )?;
    match asked.reply() {
        Ok(reply) => Ok(reply.status == SetConfig::SUCCESS),
        Err(x11rb::errors::ReplyError::X11Error(error)) => {
            tracing::debug!(?error, "an output was not set");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Brightness in percent for every picture. False if no output has a gamma table.
pub(super) fn dim(
    connection: &RustConnection,
    root: Window,
    percent: u8,
) -> Result<bool, DisplayError> {
    let resources = randr::get_screen_resources_current(connection, root)?.reply()?;
    let mut any = false;
    for &crtc in &resources.crtcs {
        let size = randr::get_crtc_gamma_size(connection, crtc)?.reply()?.size;
        if size < 2 {
            continue;
        }
        let ramp = ramp(size, percent);
        randr::set_crtc_gamma(connection, crtc, &ramp, &ramp, &ramp)?;
        any = true;
    }
    connection.flush()?;
    Ok(any)
}

/// Evenly from black to so many percent of white.
fn ramp(size: u16, percent: u8) -> Vec<u16> {
    let last = u32::from(size.max(2)) - 1;
    let top = u32::from(u16::MAX) * u32::from(percent.min(100)) / 100;
    (0..=last)
        .map(|step| {
            u16::try_from(u64::from(top) * u64::from(step) / u64::from(last)).unwrap_or(u16::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gamma_table_goes_from_black_to_the_brightness() {
        let full = ramp(256, 100);
        assert_eq!((full.len(), full[0], full[255]), (256, 0, u16::MAX));
        assert_eq!(full[1], 257);
        assert_eq!(ramp(1024, 30)[1023], 19660);
        assert_eq!(ramp(2, 101), [0, u16::MAX]);
    }
}
