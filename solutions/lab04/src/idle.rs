//! Step 5: idle partitions, and what happens when one wakes up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::lateness::{Counts, Judged};
use crate::partitions::PartitionWatermarks;

// ANCHOR: combined_watermark
/// The watermark of a reader with several partitions, some of which may be idle.
///
/// Event time stands in the records. Whether a partition is idle does not: that is a matter of the
/// reader's own clock. Its readings are spans since the reader began, so that nobody can mistake
/// them for event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinedWatermark {
    partitions: PartitionWatermarks,
    /// After how long a silence a partition is idle; `None` when none ever is.
    idle_after: Option<Duration>,
    /// When each partition was last heard, by the reader's clock. At first: when the reader began.
    heard: BTreeMap<i32, Duration>,
    /// The partitions that nobody waits for.
    idle: BTreeSet<i32>,
    /// The watermark that was given out last. It never goes back.
    current_ms: Option<i64>,
    counts: Counts,
}
// ANCHOR_END: combined_watermark

/// All that a reader must remember of its watermarks to go on after a restart. It holds no reading
/// of a clock: a new reader counts silence anew. Lab 06 needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatermarkParts {
    /// The largest timestamp of each partition, in milliseconds since the epoch, UTC; `None` where
    /// it has not spoken yet.
    pub max_timestamps_ms: BTreeMap<i32, Option<i64>>,
    /// The partitions that nobody waits for.
    pub idle: BTreeSet<i32>,
    /// The watermark that was given out last.
    pub current_ms: Option<i64>,
    /// The records so far.
    pub counts: Counts,
}

impl CombinedWatermark {
    /// A reader that begins now, at zero of its clock.
    pub fn new(
        partitions: &[i32],
        bound: Duration,
        idle_after: Option<Duration>,
    ) -> CombinedWatermark {
        CombinedWatermark {
            partitions: PartitionWatermarks::new(partitions, bound),
            idle_after,
            heard: partitions.iter().map(|partition| (*partition, Duration::ZERO)).collect(),
            idle: BTreeSet::new(),
            current_ms: None,
            counts: Counts::default(),
        }
    }

    /// Given: a partition was added to the topic while its reader reads, found at this reading of the
    /// clock. From now on it is waited for, though it has not spoken; its silence counts from here. What
    /// was given out stays.
    pub fn add_partition(&mut self, partition: i32, clock: Duration) {
        self.partitions.add(partition);
        self.heard.entry(partition).or_insert(clock);
    }

    /// Judges a record against the combined watermark of all earlier records, counts it, and then
    /// lets it move its partition's watermark and the combined one.
    ///
    /// A partition that was idle is waited for again, from this record on. Its watermark may be far
    /// behind what was given out meanwhile. Then the combined one stands still until it has caught
    /// up, and its records are late.
    pub fn on_record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> Judged {
        use crate::lateness::judge;

        let judged = judge(timestamp_ms, self.current_ms);
        self.counts.add(&judged);
        self.heard.insert(partition, clock);
        self.idle.remove(&partition);
        self.partitions.observe(partition, timestamp_ms);
        self.advance();
        judged
    }

    /// Time has passed. A partition is idle when it has been silent for `idle_after` or longer. Idle
    /// partitions are not waited for; where all are idle, the watermark stays where it is.
    ///
    /// Those that have become idle since the last look did so one after the other, in the order in
    /// which they fell silent, and each time the others decided anew. So it does not matter how often
    /// somebody looks at the clock, as long as somebody does before each record, and the record counts
    /// as heard at that reading. Those that were last heard at the same moment fell silent together.
    pub fn on_time(&mut self, clock: Duration) {
        let Some(idle_after) = self.idle_after else { return };
        let mut silent: Vec<(Duration, i32)> = self
            .heard
            .iter()
            .filter(|(partition, _)| !self.idle.contains(partition))
            .filter(|(_, heard)| clock.saturating_sub(**heard) >= idle_after)
            .map(|(partition, heard)| (*heard, *partition))
            .collect();
        silent.sort_unstable();
        for at_once in silent.chunk_by(|one, next| one.0 == next.0) {
            self.idle.extend(at_once.iter().map(|(_, partition)| *partition));
            self.advance();
        }
    }

    /// Moves the combined watermark to the smallest of the partitions that are not idle, and never
    /// back. [`on_record`](CombinedWatermark::on_record) and [`on_time`](CombinedWatermark::on_time)
    /// end with it; to call it once more changes nothing.
    pub fn advance(&mut self) {
        use crate::partitions::combine;

        let each_ms = self.partitions.each_ms();
        let awake = each_ms.filter(|(partition, _)| !self.idle.contains(partition));
        let smallest_ms = combine(awake.map(|(_, watermark_ms)| watermark_ms));
        self.current_ms = self.current_ms.max(smallest_ms);
    }

    /// Given: says that a partition is silent because its reader has paused it. To be called before
    /// each [`on_time`](CombinedWatermark::on_time) while it is paused, for its silence counts from this
    /// reading of the clock. It does not end an idleness that has begun.
    pub fn on_paused(&mut self, partition: i32, clock: Duration) {
        self.heard.insert(partition, clock);
    }

    /// Says that a partition was read to its end and that no further record of it is expected:
    /// nobody waits for it. Should one come all the same, it is waited for again.
    pub fn on_end_of(&mut self, partition: i32) {
        self.idle.insert(partition);
        self.advance();
    }

    /// All that must be remembered to go on from here.
    pub fn parts(&self) -> WatermarkParts {
        WatermarkParts {
            max_timestamps_ms: self.partitions.max_timestamps_ms().collect(),
            idle: self.idle.clone(),
            current_ms: self.current_ms,
            counts: self.counts,
        }
    }

    /// A reader that goes on from there, at zero of its own clock. Its bound and its idle time-out
    /// may be other ones than before.
    pub fn from_parts(
        parts: &WatermarkParts,
        bound: Duration,
        idle_after: Option<Duration>,
    ) -> CombinedWatermark {
        let partitions: Vec<i32> = parts.max_timestamps_ms.keys().copied().collect();
        let mut watermark = CombinedWatermark::new(&partitions, bound, idle_after);
        for (partition, max_timestamp_ms) in &parts.max_timestamps_ms {
            if let Some(max_timestamp_ms) = max_timestamp_ms {
                watermark.partitions.observe(*partition, *max_timestamp_ms);
            }
        }
        watermark.idle.clone_from(&parts.idle);
        watermark.current_ms = parts.current_ms;
        watermark.counts = parts.counts;
        watermark
    }

    /// The combined watermark, in milliseconds since the epoch, UTC; `None` before the first.
    pub fn current_ms(&self) -> Option<i64> {
        self.current_ms
    }

    /// Each partition's own watermark, `None` where it has not spoken yet.
    pub fn each_ms(&self) -> BTreeMap<i32, Option<i64>> {
        self.partitions.each_ms().collect()
    }

    /// The partitions that nobody waits for.
    pub fn idle(&self) -> &BTreeSet<i32> {
        &self.idle
    }

    /// The records so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}
