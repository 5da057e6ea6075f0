//! title: `while let Ok` ends the loop without a word
//! file: dead_letters.rs
//! caught by: step4_dead_letters::an_error_of_the_broker_is_not_swallowed
//!
//! The pattern takes records as long as there are some. An error ends it as an end of the input
//! would, and the program leaves with success.

pub async fn consume<C: ConsumerContext + 'static>(
    consumer: &StreamConsumer<C>,
    queue: &DeadLetterQueue,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    while let Ok(message) = consumer.recv().await {
        let read = read(queue, ReceivedRecord::of_message(&message)).await?;
        if tell(Told::Read(read)).is_break() {
            break;
        }
    }
    Ok(())
}
