//! title: A poison pill is skipped with a line in a log
//! file: dead_letters.rs
//! caught by: step4_dead_letters::no_record_ends_the_loop_and_none_is_skipped
//!
//! The log has it, so it isn't lost. The log has a sentence; the record had a key, a payload and
//! headers, and the place behind it is committed a moment later.

pub async fn consume<C: ConsumerContext + 'static>(
    consumer: &StreamConsumer<C>,
    queue: &DeadLetterQueue,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let _ = queue;
    loop {
        let received = match consumer.recv().await {
            Ok(message) => ReceivedRecord::of_message(&message),
            Err(error) if is_reconnecting(&error) => {
                if tell(Told::Reconnecting(error)).is_break() {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // A line in a log would stand here.
        let Ok(flight) = as_flight(&received) else { continue };
        if tell(Told::Read(Read::Flight(flight))).is_break() {
            return Ok(());
        }
    }
}
