//! Given: a record as bytes, and its place.

use std::fmt;

use lab01::record::FlightRecord;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;

/// The headers of a record, in order. A header may have no value, and two may have one name.
pub type RecordHeaders = Vec<(String, Option<Vec<u8>>)>;

/// A record as bytes. Nothing is known yet of what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Its key, where it has one.
    pub key: Option<Vec<u8>>,
    /// Its payload. A record without one is a *tombstone*: on a compacted topic it deletes its key.
    pub payload: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: RecordHeaders,
    /// Its timestamp (CreateTime), in milliseconds since the epoch, UTC; where there is none, the
    /// producer sets the time of sending.
    pub timestamp_ms: Option<i64>,
}

/// Where a record lies. Shown as `lab02.calm[1]@412`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
}

/// A record that was read, and where it lay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRecord {
    /// Where it lies.
    pub place: Place,
    /// The record.
    pub record: Record,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

impl Record {
    /// The record that the client has read.
    pub fn of_message(message: &impl Message) -> Record {
        let headers = message.headers().map_or(Vec::new(), |headers| {
            let owned = |header: Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
            };
            headers.iter().map(owned).collect()
        });
        Record {
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers,
            timestamp_ms: message.timestamp().to_millis(),
        }
    }

    /// The record as the producer takes it.
    pub fn to_outgoing<'a>(&'a self, topic: &'a str) -> FutureRecord<'a, [u8], [u8]> {
        let headers = self.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_deref() })
        });
        FutureRecord {
            topic,
            partition: None,
            payload: self.payload.as_deref(),
            key: self.key.as_deref(),
            timestamp: self.timestamp_ms,
            headers: Some(headers),
        }
    }

    /// The key as a person reads it.
    pub fn key_text(&self) -> String {
        self.key.as_ref().map_or("none".to_owned(), |key| key.escape_ascii().to_string())
    }
}

impl ReceivedRecord {
    /// The record that a consumer has read.
    pub fn of_message(message: &impl Message) -> ReceivedRecord {
        let place = Place {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
        };
        ReceivedRecord { place, record: Record::of_message(message) }
    }
}

impl From<FlightRecord> for Record {
    fn from(flight: FlightRecord) -> Record {
        let header = |(name, value): (String, String)| (name, Some(value.into_bytes()));
        Record {
            key: Some(flight.key.into_bytes()),
            payload: Some(flight.payload),
            headers: flight.headers.into_iter().map(header).collect(),
            timestamp_ms: Some(flight.timestamp_ms),
        }
    }
}
