//! title: After a restart everybody is waited for
//! file: checkpoint.rs
//! caught by: step1_checkpoint::an_idle_partition_is_idle_after_the_restart_too
//!
//! A new reader has heard nobody yet, so nobody is idle yet: that is how a reader begins. A restored
//! one has heard for how long that partition was silent.

pub fn restore(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<JobState, RestoreError> {
    use crate::state::{SavedPartition, SavedWindow};
    use lab05::board::BoardParts;

    check_windows(checkpoint, config)?;
    let partitions = &checkpoint.partitions;
    let parts = BoardParts {
        max_timestamps_ms: partitions.iter().map(|p| (p.partition, p.max_timestamp_ms)).collect(),
        idle: std::collections::BTreeSet::new(),
        watermark_ms: checkpoint.watermark_ms,
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
