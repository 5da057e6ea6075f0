//! title: Bound and allowed lateness are swapped
//! file: board.rs
//! caught by: step6_board::the_flights_slots_move_the_watermark_and_the_watermark_fires_the_windows
//!
//! Both are spans, both are about records that come late, and the compiler can't tell them apart. One
//! keeps results back, the other corrects them.

impl Board {
    pub fn new(partitions: &[i32], config: &BoardConfig) -> Result<Board, SizeError> {
        Ok(Board {
            guard: Guard::new(config.allowed_ahead),
            watermark: CombinedWatermark::new(
                partitions,
                config.allowed_lateness,
                config.idle_after,
            ),
            aggregation: Aggregation::new(config.window, config.bound)?,
            counts: BoardCounts::default(),
        })
    }
}
