//! title: Where all are idle, the furthest watermark is taken
//! file: idle.rs
//! caught by: step5_idle::where_all_are_idle_the_watermark_stays
//!
//! "Nobody has anything to say, so nobody holds anything back." It makes the last windows fire at
//! night. In the morning, the partition that was behind goes on where it was, and its records are
//! late.

impl CombinedWatermark {
    pub fn advance(&mut self) {
        use crate::partitions::combine;

        let each_ms: Vec<(i32, Option<i64>)> = self.partitions.each_ms().collect();
        let awake = each_ms.iter().filter(|(partition, _)| !self.idle.contains(partition));
        let smallest_ms = combine(awake.map(|(_, watermark_ms)| *watermark_ms));
        let furthest_ms = each_ms.iter().filter_map(|(_, watermark_ms)| *watermark_ms).max();
        let all_idle = self.idle.len() == each_ms.len();
        self.current_ms = self.current_ms.max(if all_idle { furthest_ms } else { smallest_ms });
    }
}
