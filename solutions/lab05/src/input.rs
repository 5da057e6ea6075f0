//! Given: the partitions of a topic, all of them read by one reader from their first records on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lab02::dead_letters::is_reconnecting;
use lab03::broker::{BrokerError, Outsider, partition_list};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// So long a broker that was lost is waited for. A restart takes some ten seconds.
pub const RECONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// So long a single question waits for a broker that was lost.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// When a job ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it has read all that the topic held at its start.
    TheEnd,
    /// Never: it waits for further records, and for further partitions.
    Stopped,
}

/// Why a topic could not be read, or not any longer.
#[derive(Debug, Error)]
pub enum InputError {
    /// The broker could not be asked, or there is no such topic.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The broker refused to give records, or is gone.
    #[error("cannot read topic `{topic}`: {source}")]
    Read {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// Records that were still to be read are no longer there.
    #[error("topic `{topic}`: records were deleted before they were read")]
    Gone {
        /// The topic.
        topic: String,
    },
}

/// A partition, and how far it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    /// The offset of the next record.
    next: i64,
    /// Where it ended when somebody last looked; where the input is bounded, at the start.
    end: i64,
}

/// A topic that is read. It belongs to no group, and nothing is noted on the broker: who reads it
/// again begins anew.
pub struct Input {
    topic: String,
    until: Until,
    consumer: Arc<StreamConsumer>,
    outsider: Arc<Outsider>,
    partitions: BTreeMap<i32, Reading>,
}

impl Input {
    /// Asks for the partitions of a topic and where they end now, and begins to read, each from its
    /// first record on.
    ///
    /// # Errors
    /// [`InputError`] when there is no such topic, or the broker does not answer.
    pub async fn open(
        kafka: &ClientConfig,
        topic: &str,
        until: Until,
    ) -> Result<Input, InputError> {
        Input::open_at(kafka, topic, until, &BTreeMap::new()).await
    }

    /// The same, but partitions that are named here are read from the offset that is given.
    ///
    /// # Errors
    /// Those of [`open`](Input::open).
    pub async fn open_at(
        kafka: &ClientConfig,
        topic: &str,
        until: Until,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<Input, InputError> {
        let consumer: StreamConsumer = consumer_config(kafka, topic, until)
            .create()
            .map_err(|source| InputError::Read { topic: topic.to_owned(), source })?;
        let mut input = Input {
            topic: topic.to_owned(),
            until,
            consumer: Arc::new(consumer),
            // No group is asked about: the topic's name stands for one.
            outsider: Arc::new(Outsider::new(kafka, topic, topic)?),
            partitions: BTreeMap::new(),
        };
        input.meet_brokers(input.outsider.timeout()).await?;
        input.add_partitions(offsets).await?;
        Ok(input)
    }

    /// A client that is told to read before it has reached a broker tries again a second later.
    async fn meet_brokers(&self, timeout: Duration) -> Result<(), InputError> {
        let (outsider, consumer) = (Arc::clone(&self.outsider), Arc::clone(&self.consumer));
        // The question blocks its thread.
        let met = spawn_blocking(move || {
            let answer = consumer.fetch_metadata(Some(&outsider.topic), timeout);
            answer.map_err(|source| outsider.no_answer(source))
        });
        met.await.expect("the question does not panic")?;
        Ok(())
    }

    /// Its partitions.
    pub fn partitions(&self) -> Vec<i32> {
        self.partitions.keys().copied().collect()
    }

    /// What gives out the records.
    pub fn consumer(&self) -> Arc<StreamConsumer> {
        Arc::clone(&self.consumer)
    }

    /// Asks the broker where the partitions end, and begins to read those that were added to the
    /// topic, from their first records on. Gives these, each with the offset of its first record: whoever
    /// keeps a watermark has to wait for them. A broker that is lost meanwhile is
    /// [waited for](Input::sit_out), and none is given: the next look finds them.
    ///
    /// # Errors
    /// [`InputError`] when the broker refuses, or does not come back.
    pub async fn look(&mut self) -> Result<BTreeMap<i32, i64>, InputError> {
        match self.add_partitions(&BTreeMap::new()).await {
            Err(InputError::Broker(BrokerError::NoAnswer { source, .. }))
                if is_reconnecting(&source) =>
            {
                self.sit_out(source).await?;
                Ok(BTreeMap::new())
            }
            looked => looked,
        }
    }

    /// Deals with an error of the consumer. Where that has only lost its broker, waits until one
    /// answers, for [`RECONNECT_TIMEOUT`] at most; the client then reads on where it was.
    ///
    /// # Errors
    /// - [`InputError::Broker`] when no broker answers in that time.
    /// - [`InputError::Read`] or [`InputError::Gone`] for every error but those of [`is_reconnecting`].
    pub async fn sit_out(&self, error: KafkaError) -> Result<(), InputError> {
        if !is_reconnecting(&error) {
            return Err(self.error(error));
        }
        let deadline = Instant::now() + RECONNECT_TIMEOUT;
        loop {
            match self.meet_brokers(QUESTION_TIMEOUT).await {
                Err(_) if Instant::now() < deadline => {}
                answered => return answered,
            }
        }
    }

    async fn add_partitions(
        &mut self,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<BTreeMap<i32, i64>, InputError> {
        let outsider = Arc::clone(&self.outsider);
        // The question blocks its thread.
        let bounds = spawn_blocking(move || outsider.bounds()).await;
        let bounds = bounds.expect("the question does not panic")?;
        let mut added = BTreeMap::new();
        for (partition, bounds) in bounds {
            let reading = self.partitions.entry(partition).or_insert_with(|| {
                let next = offsets.get(&partition).copied().unwrap_or(bounds.first);
                added.insert(partition, next);
                Reading { next, end: bounds.end }
            });
            reading.end = bounds.end;
        }
        if !added.is_empty() {
            partition_list(&self.topic, &added)
                .and_then(|added| self.consumer.incremental_assign(&added))
                .map_err(|source| self.error(source))?;
        }
        Ok(added)
    }

    /// Whether a record belongs to the input. Where the input is bounded, those do not that came
    /// behind the end that was seen at the start.
    pub fn contains(&self, partition: i32, offset: i64) -> bool {
        let end = self.partitions.get(&partition).map(|reading| reading.end);
        self.until == Until::Stopped || end.is_some_and(|end| offset < end)
    }

    /// A record was read, or the broker said that nothing is before this offset any more. Says
    /// whether a bounded input has come to the end of the partition by that.
    pub fn read_to(&mut self, partition: i32, next: i64) -> bool {
        let Some(reading) = self.partitions.get_mut(&partition) else { return false };
        let was_at_end = reading.next >= reading.end;
        reading.next = reading.next.max(next);
        self.until == Until::TheEnd && !was_at_end && reading.next >= reading.end
    }

    /// The client says that it is at the end of a partition: what is missing before the end are no
    /// records, but markers of transactions. Says the same as [`read_to`](Input::read_to).
    pub fn read_to_end(&mut self, partition: i32) -> bool {
        let end = self.partitions.get(&partition).map_or(0, |reading| reading.end);
        self.read_to(partition, end)
    }

    /// The partitions of a bounded input that are read to their end.
    pub fn ended(&self) -> Vec<i32> {
        let at_end = |reading: &Reading| reading.next >= reading.end;
        let ended = self.partitions.iter().filter(|(_, reading)| at_end(reading));
        ended.filter(|_| self.until == Until::TheEnd).map(|(partition, _)| *partition).collect()
    }

    /// Whether all of a bounded input was read.
    pub fn is_at_end(&self) -> bool {
        self.until == Until::TheEnd && self.ended().len() == self.partitions.len()
    }

    /// How many offsets lie between the next records and the ends that were seen last.
    pub fn lag(&self) -> u64 {
        let lag = |reading: &Reading| (reading.end - reading.next).max(0).unsigned_abs();
        self.partitions.values().map(lag).sum()
    }

    /// An error of the consumer as one of this module.
    fn error(&self, source: KafkaError) -> InputError {
        let topic = self.topic.clone();
        match source.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset) => InputError::Gone { topic },
            _ => InputError::Read { topic, source },
        }
    }
}

/// The settings of the consumer: it commits nothing, says where a partition ends if that matters, and
/// never jumps where a record is gone. It names a group because it has to, and joins none.
///
/// Unless `kafka` says otherwise, it holds about 2 MB of records that nobody has taken yet, where the
/// client's default is 64 MB, and asks for more 10 ms after it had enough, where the default is a
/// second. A million records through this job take 19 MB of memory so.
fn consumer_config(kafka: &ClientConfig, topic: &str, until: Until) -> ClientConfig {
    let mut settings = kafka.clone();
    settings
        .set("group.id", topic)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", (until == Until::TheEnd).to_string());
    for (name, value) in [
        ("queued.min.messages", "10000"),
        ("queued.max.messages.kbytes", "2048"),
        ("fetch.queue.backoff.ms", "10"),
    ] {
        if settings.get(name).is_none() {
            settings.set(name, value);
        }
    }
    settings
}
