//! title: The progress is told before the batch is written
//! file: job.rs
//! caught by: step6_job::a_batch_is_written_when_it_is_due
//!
//! A record came, so there is something to tell. What the write changes is told with the next record.
//! On a quiet topic that is hours later, and the job seems to hold what it wrote long ago.

pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, JobError> {
    use rdkafka::error::KafkaError::PartitionEOF;
    use tokio::time::{Instant, sleep_until};

    use crate::dead_letters::{is_reconnecting, read};
    use crate::record::ReceivedRecord;

    async fn is_due(at: Option<Instant>) {
        match at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    let mut work = Work::open(config).await?;
    while !(config.end == End::CaughtUp && work.is_caught_up()) {
        // Only waiting may be broken off. A record that has come is dealt with to its end, below.
        let received = tokio::select! {
            received = work.consumer.recv() => {
                Some(received.map(|message| ReceivedRecord::of_message(&message)))
            }
            () = is_due(work.held.due()) => None,
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
        work.progress.held = work.held.len();
        on_progress(&work.progress);
        if let Some(batch) = complete {
            work.write_and_commit(batch).await?;
        }
    }
    work.follow_rebalances()?;
    let rest = work.held.take();
    work.write_and_commit(rest).await?;
    Ok(work.progress.summary)
}
