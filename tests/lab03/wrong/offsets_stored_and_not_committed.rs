//! title: The offsets are noted, and never committed
//! file: reset.rs
//! caught by: step6_reset::a_group_without_members_is_set_to_where_it_was_told
//!
//! A consumer that is assigned at the offsets stands there, and it feels as if the group did. The
//! place is in the memory of this client; the broker has heard nothing.

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
    let _ = CommitMode::Sync;
    outsider.consumer.assign(&list).map_err(failed)?;
    Ok(offsets)
}
