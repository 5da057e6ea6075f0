//! title: At least once commits before it writes
//! file: guarantee.rs
//! caught by: step2_guarantee::at_least_once_loses_nothing_wherever_it_crashes
//!
//! The records are processed, so their offsets are committed; the write comes right behind it.
//! Between the two lines the machine may stop, and what was committed and not written is gone.
//! This is at most once under the name of at least once.

pub async fn at_least_once<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    use crate::progress::Progress;

    let records = effects.poll().await?;
    if records.is_empty() {
        return Ok(0);
    }
    let mut progress = Progress::default();
    let mut rows = Vec::with_capacity(records.len());
    for record in &records {
        progress.polled(record.partition, record.offset);
        rows.push(effects.process(record)?);
        progress.processed(record.partition, record.offset);
    }
    effects.commit(&progress.to_commit()).await?;
    effects.write(&rows).await?;
    Ok(records.len())
}
