//! Waiting without sleeping: until something is there, at most until a deadline, and then with
//! a message that says what was awaited and what was seen.

use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, interval, timeout};

use crate::verdict::Verdict;

const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Awaits the future for at most `limit`; `what` ends the sentence "waited 5 s for …".
#[track_caller]
pub fn within<F: Future>(
    limit: Duration,
    what: impl Into<String>,
    future: F,
) -> impl Future<Output = F::Output> {
    let (what, asserted_at) = (what.into(), Location::caller());
    async move {
        match timeout(limit, future).await {
            Ok(output) => output,
            Err(_) => Verdict::broken_rule(
                format!("waited {limit:?} for {what}; it did not come\n"),
                asserted_at,
            ),
        }
    }
}

/// Looks again and again until `look` finds what it looks for, for at most `limit`. What it saw
/// instead, it says as its error; the last one is shown.
#[track_caller]
pub fn until<T>(
    limit: Duration,
    what: impl Into<String>,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> impl Future<Output = T> {
    let (what, asserted_at) = (what.into(), Location::caller());
    async move {
        let deadline = Instant::now() + limit;
        let mut looks = interval(PAUSE_BETWEEN_LOOKS);
        loop {
            looks.tick().await;
            match look().await {
                Ok(found) => return found,
                Err(seen) if Instant::now() >= deadline => Verdict::broken_rule(
                    format!("waited {limit:?} for {what}\nlast seen: {seen}\n"),
                    asserted_at,
                ),
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    async fn text_of(future: impl Future<Output = ()>) -> String {
        let panic = AssertUnwindSafe(future).catch_unwind().await.expect_err("it is too late");
        panic.downcast::<Verdict>().expect("it is a verdict").text
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_is_named() {
        let text = text_of(within(LIMIT, "a record", std::future::pending())).await;
        assert_eq!(text, "waited 3s for a record; it did not come\n");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_last_is_shown() {
        let mut looks = 0;
        let count = async || {
            looks += 1;
            Err::<(), String>(if looks < 3 { "nothing" } else { "2 of 3 partitions" }.to_owned())
        };
        let text = text_of(until(LIMIT, "3 partitions", count)).await;
        assert_eq!(text, "waited 3s for 3 partitions\nlast seen: 2 of 3 partitions\n");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_given_back() {
        assert_eq!(within(LIMIT, "7", async { 7 }).await, 7);
        let mut looks = 0;
        let third = async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(String::new()) }
        };
        assert_eq!(until(LIMIT, "the third look", third).await, 3);
    }
}
