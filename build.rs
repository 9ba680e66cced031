//! Builds Gatepost again when the page it embeds was built again. Without this, files that were not
//! there the last time would go unnoticed.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
}
