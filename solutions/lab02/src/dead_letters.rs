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
    let ReceivedRecord { place, record } = received;
    let digits = |number: &dyn ToString| Some(number.to_string().into_bytes());
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
    let mut letter = record.clone();
    letter.headers.extend([
        (ERROR_TOPIC.to_owned(), Some(place.topic.clone().into_bytes())),
        (ERROR_PARTITION.to_owned(), digits(&place.partition)),
        (ERROR_OFFSET.to_owned(), digits(&place.offset)),
        (ERROR_TIMESTAMP.to_owned(), record.timestamp_ms.and_then(|ms| digits(&ms))),
        (ERROR_MESSAGE.to_owned(), Some(reason.as_bytes().to_vec())),
    ]);
    letter
}

/// Reads a record as a flight, strictly: a payload that [`lab01::event::decode`] takes, and a
/// timestamp from 1970 to 2099, the years in which a flight may be.
///
/// # Errors
/// The reason, as a sentence, why it is none.
pub fn as_flight(received: &ReceivedRecord) -> Result<ReadFlight, String> {
    use flights::utc::SUPPORTED_MS;
    use lab01::event::decode;

    let ReceivedRecord { place, record } = received;
    let payload = record.payload.as_ref().ok_or("record without a payload")?;
    let flight = decode(payload).map_err(|error| error.to_string())?;
    let timestamp_ms = record.timestamp_ms.ok_or("record without a timestamp")?;
    if !SUPPORTED_MS.contains(&timestamp_ms) {
        return Err(format!("record with timestamp {timestamp_ms}, expected one of 1970 to 2099"));
    }
    Ok(ReadFlight { place: place.clone(), timestamp_ms, flight })
}

/// Reads one record: a flight, or else a dead letter, which the broker has when this returns.
///
/// A call that has begun must be awaited to its end. Dropped half-way, nobody knows whether the
/// dead letter is there.
///
/// # Errors
/// [`ReadError::DeadLetter`] when the dead letter was not delivered.
pub async fn read(queue: &DeadLetterQueue, received: ReceivedRecord) -> Result<Read, ReadError> {
    use crate::producer::send_one;

    let reason = match as_flight(&received) {
        Ok(flight) => return Ok(Read::Flight(flight)),
        Err(reason) => reason,
    };
    let sent = send_one(&queue.producer, &queue.topic, &dead_letter(&received, &reason)).await;
    let place = received.place;
    match sent {
        Ok(_) => Ok(Read::DeadLetter { place, reason }),
        Err(error) => Err(ReadError::DeadLetter { place, reason, source: Box::new(error) }),
    }
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
    loop {
        let told = match consumer.recv().await {
            Ok(message) => Told::Read(read(queue, ReceivedRecord::of_message(&message)).await?),
            Err(error) if is_reconnecting(&error) => Told::Reconnecting(error),
            Err(error) => return Err(error.into()),
        };
        if tell(told).is_break() {
            return Ok(());
        }
    }
}
