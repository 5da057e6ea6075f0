//! title: The last checkpoint is taken behind the end
//! file: turn.rs
//! caught by: step4_turn::the_final_watermark_is_in_no_checkpoint
//!
//! A checkpoint is taken when all is done. At the end that is one step too late: every window has fired
//! by a watermark that says that nothing comes any more, ever.

pub async fn finish<E: Effects>(effects: &mut E) -> Result<(), E::Error> {
    let outcome = effects.end();
    effects.emit(outcome);
    let mut checkpoint = effects.snapshot();
    checkpoint.finished = true;
    effects.write(&checkpoint).await?;
    effects.commit().await
}
