//! title: The dead letter has the new headers only
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_dead_letter_is_the_record_as_it_was
//!
//! A record is rebuilt from its key and payload, and the headers are written anew. The old ones said
//! which schema the sender meant: just what one needs to know of a record that can't be read.

pub fn dead_letter(received: &ReceivedRecord, reason: &str) -> Record {
    let ReceivedRecord { place, record } = received;
    let text = |text: &dyn ToString| Some(text.to_string().into_bytes());
    Record {
        key: record.key.clone(),
        payload: record.payload.clone(),
        timestamp_ms: record.timestamp_ms,
        headers: vec![
            (ERROR_TOPIC.to_owned(), text(&place.topic)),
            (ERROR_PARTITION.to_owned(), text(&place.partition)),
            (ERROR_OFFSET.to_owned(), text(&place.offset)),
            (ERROR_TIMESTAMP.to_owned(), record.timestamp_ms.and_then(|ms| text(&ms))),
            (ERROR_MESSAGE.to_owned(), text(&reason)),
        ],
    }
}
