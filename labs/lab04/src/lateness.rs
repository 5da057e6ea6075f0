//! Step 2: late, or on time.

use std::time::Duration;

use crate::watermark::BoundedWatermark;

// ANCHOR: judged
/// A record, and what was said of it when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Its event time, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
    /// The watermark that all *earlier* records had made; `None` where there was none.
    pub watermark_ms: Option<i64>,
    /// How far behind that watermark it is; `None` when it is on time.
    pub late_by: Option<Duration>,
}
// ANCHOR_END: judged

/// How many records there were of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that were not behind the watermark.
    pub on_time: u64,
    /// Records that were.
    pub late: u64,
}

/// A stream of records in one order, judged one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    watermark: BoundedWatermark,
    counts: Counts,
}

/// Judges a record against a watermark: it is late when its timestamp is smaller. The watermark is
/// exclusive, so a record at the watermark itself is on time. Where there is no watermark yet,
/// nothing is late.
pub fn judge(timestamp_ms: i64, watermark_ms: Option<i64>) -> Judged {
    // The watermark is exclusive: it speaks of *smaller* timestamps. `span::between` gives the distance
    // of two instants, also where it does not fit into an i64.
    todo!("step 2: judge a record of {timestamp_ms} ms against the watermark {watermark_ms:?}")
}

impl Judged {
    /// Whether the record was behind the watermark.
    pub fn is_late(&self) -> bool {
        self.late_by.is_some()
    }
}

impl Counts {
    /// Counts one more record.
    pub fn add(&mut self, judged: &Judged) {
        if judged.is_late() {
            self.late += 1;
        } else {
            self.on_time += 1;
        }
    }
}

impl Arrivals {
    /// A stream before its first record.
    pub fn new(bound: Duration) -> Arrivals {
        Arrivals { watermark: BoundedWatermark::new(bound), counts: Counts::default() }
    }

    /// Judges a record against the watermark of all earlier records, counts it, and only then lets
    /// it move the watermark. A late record moves nothing.
    pub fn on_record(&mut self, timestamp_ms: i64) -> Judged {
        // Three things happen to a record. In which order, so that it is judged by earlier records alone?
        todo!("step 2: judge, count and observe a record of {timestamp_ms} ms")
    }

    /// The watermark now, in milliseconds since the epoch, UTC; `None` before the first record.
    pub fn watermark_ms(&self) -> Option<i64> {
        self.watermark.current_ms()
    }

    /// The records so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}
