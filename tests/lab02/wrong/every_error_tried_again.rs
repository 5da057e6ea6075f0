//! title: Every error is tried again
//! file: producer.rs
//! caught by: step2_producer::only_some_errors_pass_with_time
//!
//! Try again on error, what else? A record that is too large today is too large tomorrow, and
//! whoever tries for ever holds up all records behind it.

pub fn is_retriable(code: RDKafkaErrorCode) -> bool {
    code != RDKafkaErrorCode::NoError
}
