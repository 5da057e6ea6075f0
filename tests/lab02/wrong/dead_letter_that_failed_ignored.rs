//! title: A dead letter that failed is ignored
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_dead_letter_that_is_not_delivered_ends_the_loop
//!
//! "The loop never dies" is taken for all errors. It must not die of what is in a record. When a
//! record can be put nowhere, going on means losing it.

pub async fn read(queue: &DeadLetterQueue, received: ReceivedRecord) -> Result<Read, ReadError> {
    let reason = match as_flight(&received) {
        Ok(flight) => return Ok(Read::Flight(flight)),
        Err(reason) => reason,
    };
    let letter = dead_letter(&received, &reason);
    let _ = crate::producer::send_one(&queue.producer, &queue.topic, &letter).await;
    Ok(Read::DeadLetter { place: received.place, reason })
}
