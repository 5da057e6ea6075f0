//! title: Silence is counted from the first record
//! file: idle.rs
//! caught by: step5_idle::silence_counts_anew_after_each_record
//!
//! `entry(…).or_insert(…)` notes when a partition was heard *first*. Two seconds later every
//! partition is idle, busy or not, and each record wakes its partition up for a moment.

impl CombinedWatermark {
    pub fn on_record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> Judged {
        use crate::lateness::judge;

        let judged = judge(timestamp_ms, self.current_ms);
        self.counts.add(&judged);
        self.heard.entry(partition).or_insert(clock);
        self.idle.remove(&partition);
        self.partitions.observe(partition, timestamp_ms);
        self.advance();
        judged
    }
}
