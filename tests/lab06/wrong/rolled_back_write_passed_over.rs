//! title: A write that was rolled back is passed over
//! file: turn.rs
//! caught by: step4_turn::an_effect_that_fails_ends_the_turn
//!
//! The next checkpoint will have it all, so this one may fail. The database has gone back, the memory
//! has not: it is ahead of every checkpoint, nobody hears of it, and what waits grows until one succeeds.

pub async fn turn<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    let inputs = effects.poll().await?;
    for input in &inputs {
        let outcome = effects.process(input)?;
        effects.emit(outcome);
        if let Input::Record(record) = input {
            effects.advance(record);
        }
        if effects.is_due() {
            let _ = checkpoint(effects).await;
        }
    }
    Ok(inputs.len())
}
