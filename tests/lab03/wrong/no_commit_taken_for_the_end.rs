//! title: A group without a commit begins at the end
//! file: start.rs
//! caught by: step3_start::a_group_begins_where_it_committed
//!
//! `auto.offset.reset` is `latest` unless somebody says otherwise, and that default has found its
//! way into people's heads. A new group then begins with tomorrow's records, and the topic's
//! whole past is skipped.

pub fn resolve(outsider: &Outsider, start: Start) -> Result<Offsets, StartError> {
    use crate::broker::{Bounds, numbers, partition_list};
    use rdkafka::consumer::Consumer;

    let topic = &outsider.topic;
    let bounds = outsider.bounds()?;
    let in_range = |partition, offset, Bounds { first, end }| {
        if (first..=end).contains(&offset) {
            return Ok(offset);
        }
        Err(StartError::OutOfRange { topic: topic.clone(), partition, offset, first, end })
    };
    let found = match start {
        Start::Time(time_ms) => {
            let question = bounds.keys().map(|partition| (*partition, time_ms.max(0))).collect();
            let no_answer = |source| outsider.no_answer(source);
            let question = partition_list(topic, &question).map_err(no_answer)?;
            let answer = outsider.consumer.offsets_for_times(question, outsider.timeout());
            answer.and_then(|answer| numbers(&answer)).map_err(no_answer)?
        }
        Start::Committed => outsider.committed()?,
        _ => Offsets::new(),
    };
    let mut offsets = Offsets::new();
    for (&partition, &within) in &bounds {
        let offset = match start {
            Start::Earliest => within.first,
            Start::Latest => within.end,
            Start::Time(_) => found.get(&partition).copied().unwrap_or(within.end),
            Start::Offset(_) if within.end == 0 => 0,
            Start::Offset(offset) => in_range(partition, offset, within)?,
            Start::Committed => match found.get(&partition) {
                Some(&offset) => in_range(partition, offset, within)?,
                None => within.end,
            },
        };
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}
