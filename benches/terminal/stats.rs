//! Medians and percentiles.

use std::time::Duration;

/// The value at this share (0 to 1) of the sorted values; not a number if there are none.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a list of at most some thousands"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Millions of bytes.
#[expect(clippy::cast_precision_loss, reason = "sizes of test data")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Units of 1024 bytes, as memory is counted.
#[expect(clippy::cast_precision_loss, reason = "sizes of processes")]
pub(crate) fn kibibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}
