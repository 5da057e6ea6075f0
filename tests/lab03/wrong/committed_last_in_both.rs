//! title: At most once commits last, as at least once does
//! file: guarantee.rs
//! caught by: step2_guarantee::at_most_once_repeats_nothing_wherever_it_crashes
//!
//! To commit what is not done yet goes against the grain. But a crash between the write and the
//! commit repeats what was written, and a letter that must not be sent twice is sent twice.

pub async fn at_most_once<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    at_least_once(effects).await
}
