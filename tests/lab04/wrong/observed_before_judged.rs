//! title: The record moves the watermark before it is judged
//! file: lateness.rs
//! caught by: step2_lateness::each_record_is_judged_against_the_watermark_of_all_earlier_records
//!
//! The count of late records comes out right: with this kind of watermark no record makes itself
//! late. What is told is wrong: against which watermark the record was judged, and that the first
//! record had none to be judged by.

impl Arrivals {
    pub fn on_record(&mut self, timestamp_ms: i64) -> Judged {
        self.watermark.observe(timestamp_ms);
        let judged = judge(timestamp_ms, self.watermark.current_ms());
        self.counts.add(&judged);
        judged
    }
}
