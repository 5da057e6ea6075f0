//! Work that waits for servers most of the time, two pieces at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does the work for each item, for two of them at a time, begun in order. Gives the results in the
/// order of the items.
pub fn two_at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work_off = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let result = work(item);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        scope.spawn(work_off);
        scope.spawn(work_off);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn each_item_has_its_result_in_its_place() {
        let items: Vec<u32> = (0..100).collect();
        let squares: Vec<u32> = items.iter().map(|item| item * item).collect();
        assert_eq!(two_at_once(&items, |item| item * item), squares);
        assert_eq!(two_at_once(&[], |item: &u32| *item), [0; 0]);
    }

    #[test]
    fn two_are_worked_off_at_the_same_time() {
        let both = Barrier::new(2);
        two_at_once(&[(); 2], |()| both.wait());
    }
}
