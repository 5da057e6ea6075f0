//! title: A full batch is given out by the next item
//! file: batch.rs
//! caught by: step1_batch::a_full_batch_comes_out_with_its_last_item
//!
//! "Is there room? Else make some, then put it in" reads naturally. But then a full batch lies there
//! until another item comes, and on a quiet topic that may be tomorrow.

impl<T> Batch<T> {
    pub fn push(&mut self, item: T, now: Instant) -> Option<Vec<T>> {
        let is_full = self.items.len() >= self.limits.items.get();
        let due = *self.due.get_or_insert(now + self.limits.age);
        let complete = (is_full || due <= now).then(|| self.take());
        self.due.get_or_insert(now + self.limits.age);
        self.items.push(item);
        complete
    }
}
