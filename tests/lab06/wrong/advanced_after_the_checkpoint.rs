//! title: The offset moves behind the checkpoint
//! file: turn.rs
//! caught by: step4_turn::wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated
//!
//! The record is done when its checkpoint is made, so its offset moves then. The checkpoint has the
//! record in its state and not behind its offset: the next job counts it twice.

pub async fn turn<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    let inputs = effects.poll().await?;
    for input in &inputs {
        let outcome = effects.process(input)?;
        effects.emit(outcome);
        if effects.is_due() {
            checkpoint(effects).await?;
        }
        if let Input::Record(record) = input {
            effects.advance(record);
        }
    }
    Ok(inputs.len())
}
