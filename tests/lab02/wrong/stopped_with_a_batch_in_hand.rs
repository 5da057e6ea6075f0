//! title: A job that is stopped drops what it holds
//! file: job.rs
//! caught by: step6_job::a_job_that_is_stopped_finishes_what_it_holds
//!
//! The loop ends, the function ends, the batch is dropped. The records were not committed, so a later
//! run reads them; until then the table lacks them, and the job has said that all went well.

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
        if let Some(batch) = complete {
            work.write_and_commit(batch).await?;
        }
        work.progress.held = work.held.len();
        on_progress(&work.progress);
    }
    Ok(work.progress.summary)
}
