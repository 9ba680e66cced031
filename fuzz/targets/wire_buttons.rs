//! Buttons on the control socket: what is read is the same after being written and read again.
#![no_main]

use gatepost::wire::buttons::{ButtonsCall, Happening, Hardware};
use libfuzzer_sys::fuzz_target;

fn same<T>(input: &[u8])
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    if let Ok(value) = serde_json::from_slice::<T>(input) {
        let text = serde_json::to_vec(&value).expect("can be written");
        assert_eq!(serde_json::from_slice::<T>(&text).expect("is read"), value);
    }
}

fuzz_target!(|input: &[u8]| {
    same::<ButtonsCall>(input);
    same::<Happening>(input);
    same::<Hardware>(input);
});
