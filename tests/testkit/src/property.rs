//! A rule that holds for every input, tried on many that are made up.
//!
//! It is there with the feature `property`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// How many inputs are tried, unless the environment variable `PROPTEST_CASES` says otherwise.
pub const CASES: u32 = 64;

/// Which inputs are tried, as a number: others than those of every usual run.
const SEED: &str = "PROPTEST_RNG_SEED";

thread_local! {
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread looks for the smallest input that breaks a rule: then a panic is no news.
pub(crate) fn is_searching() -> bool {
    SEARCHING.get()
}

/// Tries the rule that `check` asserts on inputs of the strategy, the same ones in every run unless
/// the environment variable `PROPTEST_RNG_SEED` is set. Where one breaks it, the smallest input that
/// can be found is given to `check` once more: so a learner reads one message, and it is about that
/// input.
pub fn for_all<S: Strategy>(strategy: S, check: impl Fn(S::Value))
where
    S::Value: Clone,
{
    let cases = number("PROPTEST_CASES").unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng(number(SEED)));

    SEARCHING.set(true);
    let outcome = runner.run(&strategy, |input| {
        catch_unwind(AssertUnwindSafe(|| check(input)))
            .map_err(|_| TestCaseError::fail("the rule is broken"))
    });
    SEARCHING.set(false);
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(_, smallest)) => {
            check(smallest);
            panic!("a rule was broken once and not again: the code or the check keeps a state");
        }
        Err(TestError::Abort(why)) => panic!("no inputs could be made: {why}"),
    }
}

/// A number from the environment, if it is set.
fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{variable}: expected a number, found `{text}`")))
}

fn rng(seed: Option<u64>) -> TestRng {
    let Some(seed) = seed else { return TestRng::deterministic_rng(RngAlgorithm::ChaCha) };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::Rng;

    use super::*;

    #[test]
    fn the_smallest_input_is_checked_last() {
        let seen = RefCell::new(Vec::new());
        let check = |number: u32| {
            seen.borrow_mut().push(number);
            assert!(number < 1_000);
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| for_all(0..=100_000_u32, check)));
        assert!(outcome.is_err());
        assert_eq!(seen.borrow().last(), Some(&1_000));
        assert!(!is_searching());
    }

    #[test]
    fn a_seed_chooses_the_inputs() {
        let first = |seed| rng(seed).next_u64();
        assert_eq!(first(None), first(None));
        assert_eq!(first(Some(7)), first(Some(7)));
        assert_ne!(first(Some(7)), first(Some(8)));
        assert_ne!(first(Some(0)), first(None));
    }

    #[test]
    fn a_rule_that_holds_is_tried_on_many_inputs() {
        let count = Cell::new(0);
        for_all(0..=9_u8, |digit| {
            count.set(count.get() + 1);
            assert!(digit < 10);
        });
        assert_eq!(count.get(), CASES);
    }
}
