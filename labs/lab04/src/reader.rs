//! Step 7: a reader of a real topic, and the watermark that it sees.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flights::Flight;
use lab01::event::EventError;
use lab01::topic::broker_timeout;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use thiserror::Error;

use crate::guard::{Guard, TooFarAhead};
use crate::idle::CombinedWatermark;
use crate::lateness::Judged;

/// How long one call of [`Reader::read`] waits for a record.
pub const POLL: Duration = Duration::from_millis(20);

/// How often a reader asks whether partitions were added to its topic.
pub const LOOK: Duration = Duration::from_secs(1);

/// What is read, and how its watermark is made.
#[derive(Debug, Clone)]
pub struct ReaderConfig {
    /// What every Kafka client starts from.
    pub kafka: ClientConfig,
    /// The topic. It is read from its first record on, all of its partitions, those too that are added
    /// while it is read.
    pub topic: String,
    /// The allowed out-of-orderness.
    pub bound: Duration,
    /// After how long a silence a partition is idle; `None` when none ever is.
    pub idle_after: Option<Duration>,
    /// How far a slot may be ahead of the departure.
    pub allowed_ahead: Duration,
}

// ANCHOR: seen
/// What a reader sees.
#[derive(Debug)]
pub enum Seen {
    /// A record with a flight.
    Flight {
        /// Its partition.
        partition: i32,
        /// Its place in the partition.
        offset: i64,
        /// The flight.
        flight: Flight,
        /// Its event time against the combined watermark.
        judged: Judged,
        /// The combined watermark after it.
        watermark_ms: Option<i64>,
    },
    /// A record that the guard refused.
    Refused {
        /// Its partition.
        partition: i32,
        /// Its place in the partition.
        offset: i64,
        /// Why.
        reason: TooFarAhead,
    },
    /// A record that is no flight, or has no timestamp.
    Unreadable {
        /// Its partition.
        partition: i32,
        /// Its place in the partition.
        offset: i64,
        /// Why.
        reason: Unreadable,
    },
    /// Partitions have been silent for so long that nobody waits for them from now on.
    Idle {
        /// Those that were not idle before.
        partitions: Vec<i32>,
        /// The combined watermark without them.
        watermark_ms: Option<i64>,
    },
    /// Every record that lay on the topic when the reader began has been read. It is said once.
    CaughtUp,
}
// ANCHOR_END: seen

/// Why a record could not be read as a flight.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// Its payload is no flight.
    #[error(transparent)]
    Event(#[from] EventError),
    /// It says nothing of its arrival.
    #[error("record without a timestamp, expected its departure")]
    NoTimestamp,
}

/// Why a topic could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is no such topic.
    #[error("topic `{topic}` does not exist")]
    Missing {
        /// The topic.
        topic: String,
    },
    /// The broker could not be asked, or answered with an error.
    #[error("cannot read topic `{topic}`: {source}")]
    Broker {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
}

/// One consumer of all partitions of a topic. It belongs to no group and commits nothing.
///
/// Each call of [`read`](Reader::read) blocks its thread for [`POLL`] at most, and once in [`LOOK`] for
/// the answer to a question.
pub struct Reader {
    topic: String,
    consumer: BaseConsumer,
    /// How long a question waits for its answer.
    timeout: Duration,
    /// When the reader last asked for added partitions, by its clock.
    looked: Duration,
    /// The end of each partition that has records left from before the reader began.
    unread_ends: BTreeMap<i32, i64>,
    said_caught_up: bool,
    began: Instant,
    guard: Guard,
    watermark: CombinedWatermark,
}

impl Reader {
    /// Asks for the partitions of the topic and where they end now, and begins to read.
    ///
    /// # Errors
    /// [`ReadError::Missing`] when there is no such topic, [`ReadError::Broker`] when the broker
    /// cannot be asked.
    pub fn open(config: &ReaderConfig) -> Result<Reader, ReadError> {
        let topic = &config.topic;
        let broken = |source| ReadError::Broker { topic: topic.clone(), source };
        let consumer = new_consumer(config).map_err(broken)?;
        let timeout = broker_timeout(&config.kafka);
        let partitions = partitions_of(&consumer, topic, timeout).map_err(broken)?;
        if partitions.is_empty() {
            return Err(ReadError::Missing { topic: topic.clone() });
        }
        let mut start = TopicPartitionList::new();
        let mut unread_ends = BTreeMap::new();
        for partition in &partitions {
            let ends = consumer.fetch_watermarks(topic, *partition, timeout);
            let (first, end) = ends.map_err(broken)?;
            let from = start.add_partition_offset(topic, *partition, Offset::Offset(first));
            from.map_err(broken)?;
            if first < end {
                unread_ends.insert(*partition, end);
            }
        }
        consumer.incremental_assign(&start).map_err(broken)?;
        Ok(Reader {
            topic: topic.clone(),
            consumer,
            timeout,
            looked: Duration::ZERO,
            unread_ends,
            said_caught_up: false,
            began: Instant::now(),
            guard: Guard::new(config.allowed_ahead),
            watermark: CombinedWatermark::new(&partitions, config.bound, config.idle_after),
        })
    }

    /// Given: gives what is seen next; `None` when nothing was seen within [`POLL`]. Once in [`LOOK`] it
    /// looks for added partitions before.
    ///
    /// # Errors
    /// [`ReadError::Broker`] when the broker cannot be asked, or answers with an error. Records that
    /// were deleted before they were read are an error too.
    pub fn read(&mut self) -> Result<Option<Seen>, ReadError> {
        self.add_partitions()?;
        self.see()
    }

    /// Partitions that were added to the topic are read from their first records on. From now on the
    /// watermark waits for them.
    fn add_partitions(&mut self) -> Result<(), ReadError> {
        let clock = self.began.elapsed();
        if clock.saturating_sub(self.looked) < LOOK {
            return Ok(());
        }
        self.looked = clock;
        let broken = |source| ReadError::Broker { topic: self.topic.clone(), source };
        let asked = Instant::now();
        let answer = partitions_of(&self.consumer, &self.topic, self.timeout);
        // Nobody reads while the question waits, so the clock of idleness stands still.
        self.began += asked.elapsed();
        let partitions = answer.map_err(broken)?;
        let known = self.watermark.each_ms();
        let mut added = TopicPartitionList::new();
        for partition in partitions.into_iter().filter(|id| !known.contains_key(id)) {
            let from = added.add_partition_offset(&self.topic, partition, Offset::Beginning);
            from.map_err(broken)?;
            self.watermark.add_partition(partition, clock);
        }
        if added.count() > 0 {
            self.consumer.incremental_assign(&added).map_err(broken)?;
        }
        Ok(())
    }

    /// Gives what is seen next; `None` when nothing was seen within [`POLL`]. In this order:
    ///
    /// 1. [`Seen::CaughtUp`], once, as soon as the last record from before the reader began was
    ///    given. For an empty topic that is at once.
    /// 2. [`Seen::Idle`], when partitions have become idle by now. Time also passes while other
    ///    partitions are busy. A call reads the clock once, before it polls, and a record that it
    ///    brings counts as heard at that reading.
    /// 3. The next record: [`Seen::Flight`], [`Seen::Refused`] or [`Seen::Unreadable`]. The last two
    ///    move no watermark.
    ///
    /// # Errors
    /// [`ReadError::Broker`] when the broker answers with an error.
    fn see(&mut self) -> Result<Option<Seen>, ReadError> {
        // The order of the three is in the contract above. A few things are easy to miss:
        // - A record that is no flight is a record: it may be the last one before the end.
        // - A busy partition never lets `poll` wait. When does a silent one become idle then?
        // - `poll(POLL)` of the consumer waits for a message; lab 01's `decode` reads a payload. A message
        //   without one is no flight either.
        // - Which of its two clocks does a record carry in its payload, and which beside it? A record that
        //   says nothing of its arrival can't be judged by the guard.
        let _ = (&self.topic, &self.consumer, self.began);
        todo!(
            "step 7: see; caught up: {}, left to read: {:?}",
            self.said_caught_up,
            self.unread_ends
        )
    }

    /// The watermarks as they are now.
    pub fn watermark(&self) -> &CombinedWatermark {
        &self.watermark
    }

    /// How many records the guard refused.
    pub fn refused(&self) -> u64 {
        self.guard.refused()
    }
}

fn new_consumer(config: &ReaderConfig) -> Result<BaseConsumer, KafkaError> {
    let mut settings = config.kafka.clone();
    settings
        // A consumer has to name a group, and may have to be allowed to. It joins none.
        .set("group.id", &config.topic)
        .set("enable.auto.commit", "false")
        // Where records are gone that were not read, the client says so and does not jump.
        .set("auto.offset.reset", "error")
        .create()
}

/// The partitions of a topic; none where there is no such topic.
fn partitions_of(
    consumer: &BaseConsumer,
    topic: &str,
    timeout: Duration,
) -> Result<Vec<i32>, KafkaError> {
    use rdkafka::error::RDKafkaErrorCode;

    let metadata = consumer.fetch_metadata(Some(topic), timeout)?;
    let mut partitions = Vec::new();
    for topic in metadata.topics() {
        match topic.error().map(RDKafkaErrorCode::from) {
            None => partitions.extend(topic.partitions().iter().map(|partition| partition.id())),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {}
            Some(code) => return Err(KafkaError::MetadataFetch(code)),
        }
    }
    Ok(partitions)
}
