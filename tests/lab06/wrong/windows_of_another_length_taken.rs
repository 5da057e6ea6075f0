//! title: Windows are restored whatever the configuration says
//! file: checkpoint.rs
//! caught by: step1_checkpoint::windows_of_another_length_are_refused
//!
//! A window has its start and its end, and fires when it is time. But the records to come are counted in
//! other windows than those before them, and each of the two tells half of the story.

pub fn restore(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<JobState, RestoreError> {
    use crate::state::{SavedPartition, SavedWindow};
    use lab05::board::BoardParts;

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
        unreadable: checkpoint.counts.unreadable,
        allowed_lateness: config.allowed_lateness,
    })
}
