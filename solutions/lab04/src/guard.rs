//! Step 3: a guard against times from the future.

use std::time::Duration;

use flights::utc;
use thiserror::Error;
use timeline::span;

use crate::lateness::{Arrivals, Judged};

/// How far a flight's slot may be ahead of its departure. Real flights leave up to 43 minutes
/// before their slot.
pub const ALLOWED_AHEAD: Duration = Duration::from_secs(60 * 60);

// ANCHOR: guard
/// Refuses records whose event time is further ahead of their arrival than can be true.
///
/// One such record would take the watermark along, and make every record after it late. A watermark
/// never goes back, so nothing mends that later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    allowed_ahead: Duration,
    refused: u64,
}
// ANCHOR_END: guard

/// A record from the future. It moves no watermark and belongs to no window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "event time {} is {} ahead of the arrival {}, allowed are {}",
    utc::format(*timestamp_ms),
    span::text(*ahead),
    utc::format(*arrived_ms),
    span::text(*allowed_ahead)
)]
pub struct TooFarAhead {
    /// Its event time, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
    /// When it arrived: Kafka's CreateTime, in milliseconds since the epoch, UTC.
    pub arrived_ms: i64,
    /// How far the first is ahead of the second.
    pub ahead: Duration,
    /// How far it may be ahead.
    pub allowed_ahead: Duration,
}

impl Guard {
    /// A guard that has refused nothing yet.
    pub fn new(allowed_ahead: Duration) -> Guard {
        Guard { allowed_ahead, refused: 0 }
    }

    /// A guard that goes on after a restart, and has refused so many before.
    pub fn with_refused(allowed_ahead: Duration, refused: u64) -> Guard {
        Guard { allowed_ahead, refused }
    }

    /// Lets a record pass whose event time is at most the allowed span ahead of its arrival. How
    /// far it is behind does not matter here: a late record does no harm to a watermark.
    ///
    /// # Errors
    /// [`TooFarAhead`] for any other record, and the record is counted.
    pub fn check(&mut self, timestamp_ms: i64, arrived_ms: i64) -> Result<(), TooFarAhead> {
        use crate::span::between;

        let ahead = between(arrived_ms, timestamp_ms);
        if ahead <= self.allowed_ahead {
            return Ok(());
        }
        self.refused += 1;
        Err(TooFarAhead { timestamp_ms, arrived_ms, ahead, allowed_ahead: self.allowed_ahead })
    }

    /// How many records were refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

/// Gives a record to the stream if the guard lets it pass. A refused record leaves no trace in the
/// stream: its watermark and its counts are as before.
///
/// # Errors
/// Those of [`Guard::check`].
pub fn admit(
    guard: &mut Guard,
    arrivals: &mut Arrivals,
    timestamp_ms: i64,
    arrived_ms: i64,
) -> Result<Judged, TooFarAhead> {
    guard.check(timestamp_ms, arrived_ms)?;
    Ok(arrivals.on_record(timestamp_ms))
}
