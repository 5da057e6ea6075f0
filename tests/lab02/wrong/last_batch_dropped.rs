//! title: Only a complete batch is given out
//! file: batch.rs
//! caught by: step1_batch::the_last_partial_batch_is_not_lost
//!
//! A batch is full or it isn't, so the end of the input is handled like any other moment. The last
//! few items of each run are gone, fewer than a batch, and nobody counts them.

impl<T> Batch<T> {
    pub fn take(&mut self) -> Vec<T> {
        if self.items.len() < self.limits.items.get()
            && self.due.is_none_or(|due| due > Instant::now())
        {
            return Vec::new();
        }
        self.due = None;
        std::mem::take(&mut self.items)
    }
}
