//! title: At least once commits what the turn before has polled
//! file: guarantee.rs
//! caught by: step2_guarantee::without_a_crash_each_record_is_written_once
//!
//! A commit at the head of the turn saves a line at its end: that is how a consumer with
//! automatic commits works. The last turn is never followed by another, and its records are read
//! again by every restart.

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
    }
    // What was polled before the first record of this turn is done.
    for record in records.iter().rev() {
        progress.processed(record.partition, record.offset);
    }
    let before = |(partition, next): (i32, i64)| {
        let polled = records.iter().filter(|record| record.partition == partition).count();
        (partition, next - polled as i64)
    };
    effects.commit(&progress.to_commit().into_iter().map(before).collect()).await?;
    effects.write(&rows).await?;
    Ok(records.len())
}
