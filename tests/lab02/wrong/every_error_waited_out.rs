//! title: Every error of the client is waited out
//! file: job.rs
//! caught by: step6_job::an_error_of_the_broker_ends_the_job
//!
//! The client finds its way back from a lost connection, so the loop notes the trouble and goes on. It
//! does so with every error. A member that the broker refuses then waits for ever, and looks well.

pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, JobError> {
    use rdkafka::error::KafkaError::PartitionEOF;
    use tokio::time::{Instant, sleep_until};

    use crate::dead_letters::read;
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
            Some(Err(error)) => {
                work.progress.trouble = Some(error.to_string());
                None
            }
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
