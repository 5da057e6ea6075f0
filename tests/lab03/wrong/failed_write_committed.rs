//! title: A write that fails is followed by the commit
//! file: guarantee.rs
//! caught by: step2_guarantee::an_effect_that_fails_ends_the_turn
//!
//! One failed write should not stop the job, so the error is put aside and the loop goes on. The
//! commit then says that the rows are there. They are nowhere.

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
    let written = effects.write(&rows).await;
    effects.commit(&progress.to_commit()).await?;
    written?;
    Ok(records.len())
}
