//! title: An empty partition has no offset that could be missing
//! file: start.rs
//! caught by: step3_start::an_offset_that_is_not_there_is_refused
//!
//! A partition to which nothing was ever written begins at 0, whatever offset is asked for. One whose records were all
//! deleted looks the same between its bounds. But it had the offset, and somebody asks for that record.

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
    // Only a partition that has such a record is in here: for the others the answer is "the end".
    let found = match start {
        Start::Time(time_ms) => {
            // To Kafka a time of -1 is "the end" and -2 "the beginning". No record is that old.
            let time_ms = time_ms.max(0);
            let question = bounds.keys().map(|partition| (*partition, time_ms)).collect();
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
            Start::Offset(_) if within.first == within.end => within.end,
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
