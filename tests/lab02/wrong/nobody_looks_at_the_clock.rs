//! title: The batch is looked at only when a record comes
//! file: job.rs
//! caught by: step6_job::a_batch_is_written_when_it_is_due
//!
//! `push` says when a batch is due, so the loop relies on it. On a quiet topic no record comes, and
//! the last few rows of the evening appear in the morning.

pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, JobError> {
    use rdkafka::error::KafkaError::PartitionEOF;
    use tokio::time::Instant;

    use crate::dead_letters::{is_reconnecting, read};
    use crate::record::ReceivedRecord;

    let mut work = Work::open(config).await?;
    while !(config.end == End::CaughtUp && work.is_caught_up()) {
        // Only waiting may be broken off. A record that has come is dealt with to its end, below.
        let received = tokio::select! {
            received = work.consumer.recv() => {
                Some(received.map(|message| ReceivedRecord::of_message(&message)))
            }
            () = work.rebalances.some() => None,
            () = stop.cancelled() => break,
        };
        work.follow_rebalances()?;
        let complete = match received {
            Some(Ok(received)) => {
                let read = read(&work.dead_letters, received).await?;
                work.count(&read);
                work.held.push(read, Instant::now())
            }
            Some(Err(PartitionEOF(partition))) => {
                work.at_end.insert(partition, true);
                None
            }
            Some(Err(error)) if is_reconnecting(&error) => {
                work.progress.trouble = Some(error.to_string());
                None
            }
            Some(Err(error)) => return Err(ReadError::from(error).into()),
            None => work.held.take_due(Instant::now()),
        };
        if let Some(batch) = complete {
            work.write_and_commit(batch).await?;
        }
        work.progress.held = work.held.len();
        on_progress(&work.progress);
    }
    work.follow_rebalances()?;
    let rest = work.held.take();
    work.write_and_commit(rest).await?;
    Ok(work.progress.summary)
}
