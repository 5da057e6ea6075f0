//! title: The group is joined in order to reset it
//! file: reset.rs
//! caught by: step6_reset::a_group_in_use_is_not_reset
//!
//! A commit is refused while members live, but members may commit: so one becomes a member. The
//! others lose their partitions for a moment, get them back, and go on from their own positions;
//! their next commit undoes the reset.

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
    let mut settings = outsider.kafka.clone();
    settings.set("group.id", group).set("enable.auto.commit", "false");
    let member: rdkafka::consumer::BaseConsumer = settings.create().map_err(failed)?;
    member.subscribe(&[&outsider.topic]).map_err(failed)?;
    let is_member = || member.assignment().is_ok_and(|assigned| assigned.count() > 0);
    let deadline = std::time::Instant::now() + outsider.timeout();
    while !is_member() && std::time::Instant::now() < deadline {
        member.poll(std::time::Duration::from_millis(20));
    }
    member.commit(&list, CommitMode::Sync).map_err(failed)?;
    Ok(offsets)
}
