//! title: Only records on time are counted
//! file: lateness.rs
//! caught by: step2_lateness::a_late_record_moves_nothing_and_is_counted
//!
//! A late record needs no work, so the function returns early. From then on nobody knows how many
//! there are, and a flood of late records looks like a quiet day.

impl Arrivals {
    pub fn on_record(&mut self, timestamp_ms: i64) -> Judged {
        let judged = judge(timestamp_ms, self.watermark.current_ms());
        if judged.is_late() {
            return judged;
        }
        self.counts.add(&judged);
        self.watermark.observe(timestamp_ms);
        judged
    }
}
