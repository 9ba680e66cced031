//! Helpers shared by the integration tests. Each test file uses some of them.
#![allow(
    dead_code,
    reason = "every test file includes all helpers and uses some"
)]
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "helpers of tests are no interface of a library"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::large_stack_arrays,
    clippy::format_push_string,
    clippy::cast_possible_truncation,
    reason = "a helper that fails fails its test, loudly"
)]
#![allow(
    clippy::allow_attributes,
    reason = "an `expect` would fail in the file that uses everything"
)]

pub mod keeper;
pub mod login;
pub mod server;
pub mod tls;
pub mod web;
