//! title: What version 1 did not know is passed over
//! file: savepoint.rs
//! caught by: step5_savepoint::what_version_1_did_not_know_and_matters_is_noted
//!
//! A field that is missing becomes `None`, and the program runs. Who has upgraded believes to be guarded
//! against a topic made anew, and is not.

pub fn migrate(old: CheckpointV1) -> Result<Loaded, String> {
    use crate::state::SavedCounts;
    use lab04::partitions::combine;

    let mut partitions: Vec<SavedPartition> = Vec::new();
    let notes = Vec::new();
    for saved in &old.partitions {
        let id = saved.partition;
        if partitions.iter().any(|partition| partition.partition == id) {
            return Err(format!("partition {id} is there twice"));
        }
        partitions.push(migrated_partition(saved, old.bound_ms)?);
    }
    let counts = SavedCounts {
        read: old.read,
        late: old.late,
        window_gone: old.dropped,
        results: old.results,
        ..SavedCounts::default()
    };
    let checkpoint = Checkpoint {
        watermark_ms: combine(old.partitions.iter().map(|partition| partition.watermark_ms)),
        windows: migrated_windows(&old.rows)?,
        id: old.id,
        topic: old.topic,
        finished: false,
        partitions,
        allowed_lateness_ms: 0,
        counts,
    };
    Ok(Loaded { checkpoint, notes })
}
