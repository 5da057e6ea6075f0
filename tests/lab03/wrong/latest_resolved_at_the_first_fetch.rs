//! title: Latest is resolved at the first fetch
//! file: start.rs
//! caught by: step3_start::what_is_written_between_the_start_and_the_first_poll_is_read
//!
//! The client knows a sign for the end, -1, and resolves it by itself. It does so when it first
//! fetches: what was written since the job was told to begin "now" is never read.

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
            Start::Latest => -1,
            Start::Time(_) => found.get(&partition).copied().unwrap_or(within.end),
            Start::Offset(_) if within.end == 0 => 0,
            Start::Offset(offset) => in_range(partition, offset, within)?,
            Start::Committed => match found.get(&partition) {
                Some(&offset) => in_range(partition, offset, within)?,
                None => within.first,
            },
        };
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}
