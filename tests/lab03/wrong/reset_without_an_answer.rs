//! title: The reset does not wait for the broker's answer
//! file: reset.rs
//! caught by: step6_reset::a_group_in_use_is_not_reset
//!
//! An asynchronous commit returns at once and never fails. What the broker says to it, nobody
//! hears: a group in use is reported as reset.

pub fn reset(outsider: &Outsider, start: Start) -> Result<Offsets, ResetError> {
    use crate::broker::partition_list;
    use crate::start::resolve;
    use rdkafka::consumer::{CommitMode, Consumer};
    use rdkafka::error::RDKafkaErrorCode;

    let group = &outsider.group;
    let offsets = resolve(outsider, start)?;
    let failed = |source: KafkaError| match source.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownMemberId) => ResetError::InUse { group: group.clone() },
        _ => ResetError::Refused { group: group.clone(), source },
    };
    let list = partition_list(&outsider.topic, &offsets).map_err(failed)?;
    outsider.consumer.commit(&list, CommitMode::Async).map_err(failed)?;
    Ok(offsets)
}
