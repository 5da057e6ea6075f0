//! title: The payload goes through a text
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_dead_letter_is_the_record_as_it_was
//!
//! A payload is JSON, JSON is text, so a `String` will hold it. What is here is just the payload
//! that isn't: `from_utf8_lossy` replaces the very bytes that somebody will look for, and a payload
//! that was not there becomes an empty one.

pub fn dead_letter(received: &ReceivedRecord, reason: &str) -> Record {
    let ReceivedRecord { place, record } = received;
    let text = |text: &dyn ToString| Some(text.to_string().into_bytes());
    let payload = String::from_utf8_lossy(record.payload.as_deref().unwrap_or_default());
    let mut letter = record.clone();
    letter.payload = Some(payload.into_owned().into_bytes());
    letter.headers.extend([
        (ERROR_TOPIC.to_owned(), text(&place.topic)),
        (ERROR_PARTITION.to_owned(), text(&place.partition)),
        (ERROR_OFFSET.to_owned(), text(&place.offset)),
        (ERROR_TIMESTAMP.to_owned(), record.timestamp_ms.and_then(|ms| text(&ms))),
        (ERROR_MESSAGE.to_owned(), text(&reason)),
    ]);
    letter
}
