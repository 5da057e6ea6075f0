//! title: The clock of a batch begins anew with each item
//! file: batch.rs
//! caught by: step1_batch::a_batch_is_due_so_long_after_its_first_item
//!
//! It is what `timeout(age, next_item())` in a loop does: the time counts from the latest item. As
//! long as items come a little faster than that, the first one waits for ever.

impl<T> Batch<T> {
    pub fn push(&mut self, item: T, now: Instant) -> Option<Vec<T>> {
        self.items.push(item);
        self.due = Some(now + self.limits.age);
        (self.items.len() >= self.limits.items.get()).then(|| self.take())
    }
}
