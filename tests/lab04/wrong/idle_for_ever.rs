//! title: An idle partition stays idle when it speaks again
//! file: idle.rs
//! caught by: step5_idle::a_woken_partition_is_waited_for_again
//!
//! To call a partition idle is one line, and the board moves: done. What ends the idleness is a
//! line in another function, and it is missing. From now on the partition's records are late
//! whenever the others are ahead.

impl CombinedWatermark {
    pub fn on_record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> Judged {
        use crate::lateness::judge;

        let judged = judge(timestamp_ms, self.current_ms);
        self.counts.add(&judged);
        self.heard.insert(partition, clock);
        self.partitions.observe(partition, timestamp_ms);
        self.advance();
        judged
    }
}
