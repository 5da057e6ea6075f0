//! title: Nobody waits for the dead letter's report
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_dead_letter_is_acknowledged_before_the_loop_goes_on
//!
//! To wait for each dead letter is slow, and there are few of them. The place behind the record is
//! committed while its copy is still in a queue of this process.

pub async fn read(queue: &DeadLetterQueue, received: ReceivedRecord) -> Result<Read, ReadError> {
    let reason = match as_flight(&received) {
        Ok(flight) => return Ok(Read::Flight(flight)),
        Err(reason) => reason,
    };
    let letter = dead_letter(&received, &reason);
    let _report = queue.producer.send_result(letter.to_outgoing(&queue.topic));
    Ok(Read::DeadLetter { place: received.place, reason })
}
