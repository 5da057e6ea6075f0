//! title: The end is marked first, and its results follow
//! file: turn.rs
//! caught by: step4_turn::wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated
//!
//! The last checkpoint is marked as finished and committed, and then the last results are written. If
//! the machine stops between the two, the next start finds that there is nothing to do.

pub async fn finish<E: Effects>(effects: &mut E) -> Result<(), E::Error> {
    let mut checkpoint = effects.snapshot();
    checkpoint.finished = true;
    effects.write(&checkpoint).await?;
    effects.commit().await?;
    let outcome = effects.end();
    effects.emit(outcome);
    let again = effects.snapshot();
    effects.write(&Checkpoint { finished: true, ..again }).await?;
    effects.commit().await
}
