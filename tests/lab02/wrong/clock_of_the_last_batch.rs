//! title: The clock goes on when the batch is taken
//! file: batch.rs
//! caught by: step1_batch::the_next_batch_has_a_clock_of_its_own
//!
//! The items are taken, and the moment stays. So the next batch is due too early, by the time of the
//! one before it, and comes out with a single item.

impl<T> Batch<T> {
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.items)
    }
}
