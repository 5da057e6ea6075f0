//! How long a broker holds a producer back, as it does where a quota is reached.
//!
//! Such a broker confirms a record, and then answers nothing more for a while. The client says so in its
//! statistics alone.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::statistics::Statistics;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::timeout;

/// Tells the longest time that a broker has asked for so far, whenever there are statistics.
pub struct HeldBack(pub Sender<Duration>);

impl ClientContext for HeldBack {
    fn stats(&self, statistics: Statistics) {
        let told = statistics.brokers.values().filter_map(|broker| broker.throttle.as_ref());
        let longest_ms = told.map(|throttle| throttle.max).max().unwrap_or(0);
        let longest = Duration::from_millis(u64::try_from(longest_ms).unwrap_or(0));
        self.0.send_modify(|so_far| *so_far = longest.max(*so_far));
    }
}

/// What statistics say that are made from now on; what was told before where none come within `limit`.
pub async fn told(mut listener: Receiver<Duration>, limit: Duration) -> Duration {
    listener.mark_unchanged();
    // The first ones may have been on their way.
    for _ in 0..2 {
        let _ = timeout(limit, listener.changed()).await;
    }
    *listener.borrow()
}

/// For people, with what helps.
pub fn sentence(held_back: Duration) -> String {
    format!(
        "a quota is reached: after 900 kB the broker holds you back for {} s; ask who runs it for a larger \
         producer_byte_rate for your user",
        held_back.as_secs_f32().ceil()
    )
}
