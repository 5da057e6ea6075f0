//! title: The board knows only partitions that have spoken
//! file: board.rs
//! caught by: step6_board::several_partitions_fire_when_the_slowest_is_there
//!
//! Partitions introduce themselves with their first record, so why name them? Until the last of them has
//! spoken nobody waits for it, and at every start its first records are dropped.

impl Board {
    pub fn new(partitions: &[i32], config: &BoardConfig) -> Result<Board, SizeError> {
        Ok(Board {
            guard: Guard::new(config.allowed_ahead),
            watermark: CombinedWatermark::new(&partitions[..0], config.bound, config.idle_after),
            aggregation: Aggregation::new(config.window, config.allowed_lateness)?,
            counts: BoardCounts::default(),
        })
    }
}
