//! title: A partition wakes up behind its own record
//! file: idle.rs
//! caught by: step5_idle::who_wakes_up_alone_decides_alone
//!
//! The record moves its partition and the combined watermark, and then it is noted that nobody is idle here. In between
//! the partition that has spoken is left out, and its first record moves nothing.

impl CombinedWatermark {
    pub fn on_record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> Judged {
        use crate::lateness::judge;

        let judged = judge(timestamp_ms, self.current_ms);
        self.counts.add(&judged);
        self.heard.insert(partition, clock);
        self.partitions.observe(partition, timestamp_ms);
        self.advance();
        self.idle.remove(&partition);
        judged
    }
}
