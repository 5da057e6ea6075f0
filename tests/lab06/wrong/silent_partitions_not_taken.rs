//! title: A partition that has not spoken is left out
//! file: checkpoint.rs
//! caught by: step1_checkpoint::a_checkpoint_holds_all_that_a_job_must_remember
//!
//! Where nothing was read there is nothing to keep, it seems. The restored job then does not know the
//! partition, and does not wait for it.

pub fn take(state: &JobState, id: u64, topic: &str) -> Checkpoint {
    use crate::state::{SavedCounts, SavedPartition, SavedWindow};
    use lab04::span::millis;

    let parts = state.board.parts();
    let partitions = state.positions.iter().map(|(&partition, position)| SavedPartition {
        partition,
        next_offset: position.next_offset,
        last_record: position.last_record,
        max_timestamp_ms: parts.max_timestamps_ms.get(&partition).copied().flatten(),
        idle: parts.idle.contains(&partition),
    });
    let partitions = partitions.filter(|saved| saved.last_record.is_some());
    Checkpoint {
        id,
        topic: topic.to_owned(),
        finished: false,
        partitions: partitions.collect(),
        watermark_ms: parts.watermark_ms,
        allowed_lateness_ms: millis(state.allowed_lateness),
        windows: SavedWindow::all_of(&parts.windows),
        counts: SavedCounts::of(&parts.counts, state.unreadable),
    }
}
