//! title: The offsets move behind all that was polled
//! file: turn.rs
//! caught by: step4_turn::wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated
//!
//! The consumer has given the records out, so its position is behind them, and its position is what one
//! stores. A checkpoint in the middle of a poll then stands behind records that are in no state.

pub async fn turn<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    let inputs = effects.poll().await?;
    for input in &inputs {
        if let Input::Record(record) = input {
            effects.advance(record);
        }
    }
    for input in &inputs {
        let outcome = effects.process(input)?;
        effects.emit(outcome);
        if effects.is_due() {
            checkpoint(effects).await?;
        }
    }
    Ok(inputs.len())
}
