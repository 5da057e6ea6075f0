//! title: A commit that has failed is tried again
//! file: turn.rs
//! caught by: step4_turn::an_effect_that_fails_ends_the_turn
//!
//! A network has hiccups, and a second try is polite. What failed may have been the answer: then the
//! second try writes what is there already, or finds no transaction and is told that all is well.

pub async fn checkpoint<E: Effects>(effects: &mut E) -> Result<(), E::Error> {
    let checkpoint = effects.snapshot();
    effects.write(&checkpoint).await?;
    match effects.commit().await {
        Ok(()) => Ok(()),
        Err(_) => effects.commit().await,
    }
}
