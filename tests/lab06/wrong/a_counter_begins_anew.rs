//! title: The records that are no flight are counted from zero
//! file: checkpoint.rs
//! caught by: step1_checkpoint::a_restored_job_goes_on_as_if_there_had_been_no_end
//!
//! All counters come from the board, and this one is not the board's. After the first restart, records
//! read and records accounted for are not equal any more.

pub fn restore(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<JobState, RestoreError> {
    use crate::state::{SavedPartition, SavedWindow};
    use lab05::board::BoardParts;

    check_windows(checkpoint, config)?;
    let partitions = &checkpoint.partitions;
    let parts = BoardParts {
        max_timestamps_ms: partitions.iter().map(|p| (p.partition, p.max_timestamp_ms)).collect(),
        idle: partitions.iter().filter(|p| p.idle).map(|p| p.partition).collect(),
        watermark_ms: checkpoint.watermark_ms,
        windows: SavedWindow::restored(&checkpoint.windows),
        counts: checkpoint.counts.board_counts(),
    };
    let position =
        |p: &SavedPartition| Position { next_offset: p.next_offset, last_record: p.last_record };
    Ok(JobState {
        board: Board::from_parts(parts, config)?,
        positions: partitions.iter().map(|p| (p.partition, position(p))).collect(),
        unreadable: 0,
        allowed_lateness: config.allowed_lateness,
    })
}
