//! title: Every error ends the loop
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_lost_connection_is_told_and_does_not_end_the_loop
//!
//! A question mark behind `recv()`: no error is swallowed. But the client also tells of connections
//! that it lost and is about to mend, so each restart of a broker ends every reader.

pub async fn consume<C: ConsumerContext + 'static>(
    consumer: &StreamConsumer<C>,
    queue: &DeadLetterQueue,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    loop {
        let message = consumer.recv().await?;
        let read = read(queue, ReceivedRecord::of_message(&message)).await?;
        if tell(Told::Read(read)).is_break() {
            return Ok(());
        }
    }
}
