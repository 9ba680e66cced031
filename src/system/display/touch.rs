//! Touch screens are turned with the picture: a finger has to hit what it points at.

use x11rb::connection::Connection as _;
use x11rb::protocol::xinput::{
    self, Device, DeviceClassData, DeviceType, ValuatorMode, XIChangePropertyAux, XIDeviceInfo,
};
use x11rb::protocol::xproto::{ConnectionExt as _, PropMode};
use x11rb::rust_connection::RustConnection;

use super::DisplayError;
use crate::base::Rotate;

/// The property by which the X server turns what a device says (xf86-input-libinput and -evdev have it).
const PROPERTY: &[u8] = b"Coordinate Transformation Matrix";

/// Three rows of three: where a point of the panel (0 to 1) is in the picture.
const fn matrix(rotate: Rotate) -> [f32; 9] {
    match rotate {
        Rotate::Not => [1., 0., 0., 0., 1., 0., 0., 0., 1.],
        Rotate::Right => [0., 1., 0., -1., 0., 1., 0., 0., 1.],
        Rotate::Half => [-1., 0., 1., 0., -1., 1., 0., 0., 1.],
        Rotate::Left => [0., -1., 1., 1., 0., 0., 0., 0., 1.],
    }
}

/// Turns every device that says where on the panel, not how far.
pub(super) fn turn(connection: &RustConnection, rotate: Rotate) -> Result<(), DisplayError> {
    let property = connection.intern_atom(true, PROPERTY)?;
    let float = connection.intern_atom(true, b"FLOAT")?;
    let (property, float) = (property.reply()?.atom, float.reply()?.atom);
    if property == x11rb::NONE || float == x11rb::NONE {
        return Ok(());
    }
    let numbers: Vec<u32> = matrix(rotate).iter().map(|cell| cell.to_bits()).collect();
    let value = XIChangePropertyAux::Data32(numbers);
    let devices = xinput::xi_query_device(connection, Device::ALL)?.reply()?;
    for device in devices.infos.iter().filter(|device| is_absolute(device)) {
        let changing = xinput::xi_change_property(
            connection,
            device.deviceid,
            PropMode::REPLACE,
            property,
            float,
            9,
            &value,
        )?;
        // A device may go while we speak of it.
        if let Err(error) = changing.check() {
            tracing::debug!(%error, "a touch screen was not turned");
        }
    }
    connection.flush()?;
    Ok(())
}

fn is_absolute(device: &XIDeviceInfo) -> bool {
    let pointer = device.type_ == DeviceType::SLAVE_POINTER;
    // What tests and remote hands move is in the picture's own coordinates.
    let virtual_ = device.name.windows(5).any(|part| part == b"XTEST");
    let absolute = device.classes.iter().any(|class| match &class.data {
        DeviceClassData::Touch(_) => true,
        DeviceClassData::Valuator(axis) => axis.mode == ValuatorMode::ABSOLUTE,
        _ => false,
    });
    pointer && absolute && !virtual_
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the panel's own point is in the picture.
    fn seen(rotate: Rotate, x: f32, y: f32) -> (f32, f32) {
        let cells = matrix(rotate);
        let row = |row: usize| cells[row * 3] * x + cells[row * 3 + 1] * y + cells[row * 3 + 2];
        (row(0), row(1))
    }

    #[test]
    fn a_finger_on_the_panels_own_corner_is_in_the_corner_that_is_there_now() {
        // The panel's own left upper corner. With the picture turned clockwise on it, the picture's left
        // lower corner is there.
        let corner = |rotate| seen(rotate, 0., 0.);
        assert_eq!(corner(Rotate::Not), (0., 0.));
        assert_eq!(corner(Rotate::Right), (0., 1.));
        assert_eq!(corner(Rotate::Half), (1., 1.));
        assert_eq!(corner(Rotate::Left), (1., 0.));
        for rotate in [Rotate::Not, Rotate::Right, Rotate::Half, Rotate::Left] {
            assert_eq!(seen(rotate, 0.5, 0.5), (0.5, 0.5), "the middle stays");
        }
    }
}
