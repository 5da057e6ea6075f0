//! How long the rig waits for others.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::RigError;
use crate::setting::parsed_setting;

/// `TIDEMARK_WAIT_SECONDS`, for machines that are slower than any that was thought of; else
/// `usual`.
///
/// # Errors
/// When that variable is no number of seconds.
pub fn patience(usual: Duration) -> Result<Duration, RigError> {
    let expected = "a whole number of seconds, 1 or more";
    let seconds: Option<NonZeroU64> = parsed_setting("TIDEMARK_WAIT_SECONDS", expected)?;
    Ok(seconds.map_or(usual, |seconds| Duration::from_secs(seconds.get())))
}
