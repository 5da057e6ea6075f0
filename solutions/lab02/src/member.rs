//! Given: one member of a consumer group at work, for a terminal of its own.

use std::num::NonZeroUsize;

use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use tokio_util::sync::CancellationToken;

use crate::dead_letters::is_reconnecting;
use crate::group::{GroupEvent, Rebalances, What};

/// A member of a group.
#[derive(Debug, Clone)]
pub struct MemberConfig {
    /// How the brokers are reached, and the member's session timeout.
    pub kafka: ClientConfig,
    /// The topic that the group shares.
    pub topic: String,
    /// The group.
    pub group: String,
    /// The member's name.
    pub name: String,
    /// It commits after each so many records.
    pub commit_every: NonZeroUsize,
}

/// Reads and commits until it is stopped, and tells all that it does. In the end it leaves the
/// group in good order; what it had not committed, the next owner reads again.
///
/// # Errors
/// When the consumer cannot be made, or the broker refuses to give records or to take a commit.
pub async fn run(
    config: &MemberConfig,
    stop: &CancellationToken,
    tell: &mut dyn FnMut(GroupEvent),
) -> Result<(), KafkaError> {
    let rebalances = Rebalances::default();
    let consumer: StreamConsumer<Rebalances> = config
        .kafka
        .clone()
        .set("group.id", &config.group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create_with_context(rebalances.clone())?;
    consumer.subscribe(&[&config.topic])?;

    let mut tell = |what| tell(GroupEvent { member: config.name.clone(), what });
    let mut read = 0;
    loop {
        let message = tokio::select! {
            message = consumer.recv() => Some(message),
            () = rebalances.some() => None,
            () = stop.cancelled() => break,
        };
        rebalances.take().into_iter().map(What::Rebalanced).for_each(&mut tell);
        match message {
            None => {}
            Some(Err(error)) if is_reconnecting(&error) => {}
            Some(Err(error)) => return Err(error),
            Some(Ok(message)) => {
                tell(What::Read { partition: message.partition(), offset: message.offset() });
                read += 1;
                if read % config.commit_every == 0 {
                    consumer.commit_consumer_state(CommitMode::Sync)?;
                    tell(What::Committed);
                }
            }
        }
    }
    drop(consumer);
    rebalances.take().into_iter().map(What::Rebalanced).for_each(&mut tell);
    tell(What::Left);
    Ok(())
}
