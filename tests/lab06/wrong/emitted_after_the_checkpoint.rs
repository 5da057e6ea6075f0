//! title: A result is emitted behind the checkpoint
//! file: turn.rs
//! caught by: step4_turn::wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated
//!
//! First make it safe, then hand it out: for a lamp or a letter that is the right order. Here what is
//! handed out is part of what is made safe.

pub async fn turn<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    let inputs = effects.poll().await?;
    for input in &inputs {
        let outcome = effects.process(input)?;
        if let Input::Record(record) = input {
            effects.advance(record);
        }
        if effects.is_due() {
            checkpoint(effects).await?;
        }
        effects.emit(outcome);
    }
    Ok(inputs.len())
}
