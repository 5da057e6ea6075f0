//! Step 4: a loop that no record can end.
//!
//! A topic with dead letters is a topic like any other. What it adds to a record are headers, so
//! that a person can find the original and a program can send it again.

use std::ops::ControlFlow;

use flights::Flight;
use rdkafka::consumer::{ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::FutureProducer;
use thiserror::Error;

use crate::producer::NotDelivered;
use crate::record::{Place, ReceivedRecord, Record};

// ANCHOR: headers
/// The header with the topic that the dead letter lay on. Kafka Connect's name for it, like the
/// next three, in `DeadLetterQueueReporter` of Apache Kafka's module `connect/runtime`.
pub const ERROR_TOPIC: &str = "__connect.errors.topic";
/// The header with its partition, in digits.
pub const ERROR_PARTITION: &str = "__connect.errors.partition";
/// The header with its offset, in digits.
pub const ERROR_OFFSET: &str = "__connect.errors.offset";
/// The header with the reason, a sentence.
pub const ERROR_MESSAGE: &str = "__connect.errors.exception.message";
/// The header with the record's own timestamp, in digits, in milliseconds since the epoch, UTC; no
/// value where it had none. Kafka Connect has no such header.
pub const ERROR_TIMESTAMP: &str = "__tidemark.errors.timestamp";
// ANCHOR_END: headers

/// The longest reason that is written, in bytes. A reason may quote the payload, and a header
/// counts towards the size of its record.
pub const MAX_REASON_BYTES: usize = 1024;

/// Where dead letters go.
pub struct DeadLetterQueue {
    /// Sends them.
    pub producer: FutureProducer,
    /// Their topic.
    pub topic: String,
}

// ANCHOR: read
/// A flight that was read, and the record around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFlight {
    /// Where it lies.
    pub place: Place,
    /// The record's timestamp, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
    /// The flight.
    pub flight: Flight,
}

/// What one record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A flight.
    Flight(ReadFlight),
    /// None. The record is on the topic of the dead letters: the broker has said so.
    DeadLetter {
        /// Where it lay.
        place: Place,
        /// Why it is no flight.
        reason: String,
    },
}

/// What the loop of [`consume`] has to tell.
#[derive(Debug)]
pub enum Told {
    /// A record was read.
    Read(Read),
    /// The client lost its broker and is looking for it. No record is lost by that.
    Reconnecting(KafkaError),
}
// ANCHOR_END: read

/// Why reading ended. The record that was read last may be read again.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The broker refused to give records.
    #[error("cannot read on: {0}")]
    Broker(#[from] KafkaError),
    /// A record is no flight, and could not be put aside either.
    #[error("{place} is no flight ({reason}), and its dead letter failed: {source}")]
    DeadLetter {
        /// Where the record lies.
        place: Place,
        /// Why it is no flight.
        reason: String,
        /// Why the dead letter was not delivered.
        source: Box<NotDelivered>,
    },
}

impl Read {
    /// Where the record lies.
    pub fn place(&self) -> &Place {
        match self {
            Read::Flight(ReadFlight { place, .. }) | Read::DeadLetter { place, .. } => place,
        }
    }

    /// The flight, if it is one.
    pub fn flight(&self) -> Option<&ReadFlight> {
        match self {
            Read::Flight(flight) => Some(flight),
            Read::DeadLetter { .. } => None,
        }
    }
}

/// Given: whether the client only tells that it has lost a broker, or has got no answer from it. It
/// finds its way back by itself: whoever waits loses nothing. The jobs of labs 05 and 06 go by this
/// rule too.
pub fn is_reconnecting(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve};

    matches!(
        error.rdkafka_error_code(),
        Some(AllBrokersDown | BrokerTransportFailure | OperationTimedOut | Resolve)
    )
}

/// Makes the dead letter of a record: key, payload, timestamp and headers as they were, and behind
/// those headers, in this order, [`ERROR_TOPIC`], [`ERROR_PARTITION`], [`ERROR_OFFSET`],
/// [`ERROR_TIMESTAMP`] and [`ERROR_MESSAGE`].
///
/// The reason is cut to [`MAX_REASON_BYTES`], between two characters.
pub fn dead_letter(received: &ReceivedRecord, reason: &str) -> Record {
    // What is added stands behind what was there. A reason may be longer than a header should be:
    // where may a text be cut? See `str::floor_char_boundary`.
    todo!("step 4: make the dead letter of {}, because: {reason}", received.place)
}

/// Reads a record as a flight, strictly: a payload that [`lab01::event::decode`] takes, and a
/// timestamp from 1970 to 2099, the years in which a flight may be.
///
/// # Errors
/// The reason, as a sentence, why it is none.
pub fn as_flight(received: &ReceivedRecord) -> Result<ReadFlight, String> {
    // Besides what lab 01's strict reader refuses, three things may be wrong: two may be missing, and
    // one may be out of range. `flights::utc::SUPPORTED_MS` are the years.
    todo!("step 4: read {} as a flight", received.place)
}

/// Reads one record: a flight, or else a dead letter, which the broker has when this returns.
///
/// A call that has begun must be awaited to its end. Dropped half-way, nobody knows whether the
/// dead letter is there.
///
/// # Errors
/// [`ReadError::DeadLetter`] when the dead letter was not delivered.
pub async fn read(queue: &DeadLetterQueue, received: ReceivedRecord) -> Result<Read, ReadError> {
    // A dead letter that was sent is not one that is there. `send_one` of step 2 knows the difference.
    let _ = &queue.producer;
    todo!("step 4: read {}, dead letters go to {}", received.place, queue.topic)
}

/// Reads record after record, in order, and tells each, until `tell` breaks off.
///
/// No record ends the loop, whatever is in it: what is no flight becomes a dead letter before the
/// next record is read.
///
/// # Errors
/// - [`ReadError::Broker`] for every error but those of [`is_reconnecting`], which are told.
/// - [`ReadError::DeadLetter`] when a dead letter was not delivered.
pub async fn consume<C: ConsumerContext + 'static>(
    consumer: &StreamConsumer<C>,
    queue: &DeadLetterQueue,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    // `consumer.recv()` gives a record or an error. Of the errors, some pass (`is_reconnecting`).
    // What becomes of the others, and how would anyone learn of them?
    let _ = (consumer, tell);
    todo!("step 4: consume, dead letters go to {}", queue.topic)
}
