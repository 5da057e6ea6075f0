//! Step 5: how far behind a group is.

use crate::broker::{BrokerError, Outsider};

// ANCHOR: lag
/// Where a group is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionLag {
    /// The partition.
    pub partition: i32,
    /// The offset of the oldest record that is still there.
    pub first: i64,
    /// The log end offset: that of the next record to come.
    pub end: i64,
    /// The offset that the group committed: that of the next record to read. `None` where it has
    /// not committed yet.
    pub committed: Option<i64>,
}
// ANCHOR_END: lag

impl PartitionLag {
    /// The offsets from the committed one to the end. Without a commit, all that the log holds.
    ///
    /// Below 0 when the group committed an offset that this log does not have yet: it is another
    /// topic of the same name. Kafka's own tool shows the same number.
    pub fn lag(&self) -> i64 {
        self.end - self.committed.unwrap_or(self.first)
    }

    /// How many offsets from the committed one on were deleted before the group read them.
    pub fn gone(&self) -> i64 {
        self.committed.map_or(0, |committed| (self.first - committed).max(0))
    }
}

/// Where the outsider's group is in each of the topic's partitions, by partition. This call blocks its thread.
///
/// The group's members do not notice. While they are at work the answer is a moment old, and the
/// lag never looks smaller than it was at that moment.
///
/// # Errors
/// When the topic does not exist or the broker cannot be asked.
pub fn group_lag(outsider: &Outsider) -> Result<Vec<PartitionLag>, BrokerError> {
    // First the commits, then the ends: the other way round, a group that commits in between is
    // ahead of its log.
    let committed = outsider.committed()?;
    let mut lags = Vec::new();
    for (partition, bounds) in outsider.bounds()? {
        let (first, end) = (bounds.first, bounds.end);
        let committed = committed.get(&partition).copied();
        lags.push(PartitionLag { partition, first, end, committed });
    }
    Ok(lags)
}
