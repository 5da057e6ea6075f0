//! title: The watermark is made anew from the partitions
//! file: checkpoint.rs
//! caught by: step1_checkpoint::the_watermark_is_the_one_given_out_and_not_the_smallest_of_the_partitions
//!
//! The combined watermark is the smallest of the partitions' own, so why keep it? Because it never
//! goes back, and a partition that has woken up may be far behind what was given out meanwhile.

pub fn restore(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<JobState, RestoreError> {
    use crate::state::{SavedPartition, SavedWindow};
    use lab05::board::BoardParts;

    check_windows(checkpoint, config)?;
    let partitions = &checkpoint.partitions;
    let parts = BoardParts {
        max_timestamps_ms: partitions.iter().map(|p| (p.partition, p.max_timestamp_ms)).collect(),
        idle: partitions.iter().filter(|p| p.idle).map(|p| p.partition).collect(),
        watermark_ms: lab04::partitions::combine(partitions.iter().map(|p| {
            p.max_timestamp_ms.map(|ms| ms - lab04::span::millis(config.bound))
        })),
        windows: SavedWindow::restored(&checkpoint.windows),
        counts: checkpoint.counts.board_counts(),
    };
    let position =
        |p: &SavedPartition| Position { next_offset: p.next_offset, last_record: p.last_record };
    Ok(JobState {
        board: Board::from_parts(parts, config)?,
        positions: partitions.iter().map(|p| (p.partition, position(p))).collect(),
        unreadable: checkpoint.counts.unreadable,
        allowed_lateness: config.allowed_lateness,
    })
}
