//! Step 1: a batch that is full, or due, or the last.
//!
//! Time is handed in, so that no test has to wait for it.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;

// ANCHOR: batch
/// When a batch is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// It holds so many items.
    pub items: NonZeroUsize,
    /// Its first item came so long ago.
    pub age: Duration,
}

/// Items on their way into one statement.
///
/// Every item that is pushed comes out once, in the order of the pushes. A batch never holds as
/// many items as its limit: the last one takes all of them out.
#[derive(Debug)]
pub struct Batch<T> {
    limits: BatchLimits,
    items: Vec<T>,
    /// When the batch is due; `None` while it is empty.
    due: Option<Instant>,
}
// ANCHOR_END: batch

impl<T> Batch<T> {
    /// An empty batch.
    pub fn new(limits: BatchLimits) -> Batch<T> {
        Batch { limits, items: Vec::new(), due: None }
    }

    /// How many items it holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an item that came at `now`. Gives all items when the batch is complete with it: full,
    /// or due.
    #[must_use = "the items that come out are in the batch no longer"]
    pub fn push(&mut self, item: T, now: Instant) -> Option<Vec<T>> {
        // The item goes in first. Which two reasons are there to give the batch out, and which moment
        // does the second one count from?
        let _ = (item, now, &self.limits);
        todo!("step 1: push an item behind {} others", self.items.len())
    }

    /// When the batch is due: so long after its first item came as the limit says. `None` while it
    /// is empty.
    pub fn due(&self) -> Option<Instant> {
        // An empty batch is never due. Is there anything to compute here, or only to remember?
        todo!("step 1: say when a batch of {} items is due", self.items.len())
    }

    /// Gives all items when the batch is due at `now`.
    #[must_use = "the items that come out are in the batch no longer"]
    pub fn take_due(&mut self, now: Instant) -> Option<Vec<T>> {
        // The moment itself counts as due. What must hold of a batch that was just taken?
        let _ = now;
        todo!("step 1: take a batch of {} items if it is due", self.items.len())
    }

    /// Gives all items, complete or not: the last batch before a program ends. The batch is empty
    /// afterwards, and the next item begins a new one.
    #[must_use = "the items that come out are in the batch no longer"]
    pub fn take(&mut self) -> Vec<T> {
        // What does the next item have to find? See `std::mem::take`.
        todo!("step 1: take all {} items", self.items.len())
    }

    /// Keeps only the items that `keep` names, and says how many went. Step 6 forgets with it what
    /// is no longer its own.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) -> usize {
        let before = self.items.len();
        self.items.retain(keep);
        if self.items.is_empty() {
            self.due = None;
        }
        before - self.items.len()
    }
}
