//! title: A record is dealt with inside of select!
//! file: job.rs
//! caught by: step6_job::a_record_that_has_come_is_dealt_with_to_its_end
//!
//! To wait for a record and to read it look like one thing, so both stand in one branch. When the batch is due
//! while a dead letter is on its way, `select!` drops the branch, and with it the record: it is counted nowhere,
//! and the commit of the next one passes it.

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
        let next = async {
            let message = match work.consumer.recv().await {
                Ok(message) => message,
                Err(error) => return Ok(Err(error)),
            };
            let received = ReceivedRecord::of_message(&message);
            read(&work.dead_letters, received).await.map(Ok)
        };
        let received = tokio::select! {
            received = next => Some(received?),
            () = is_due(work.held.due()) => None,
            () = work.rebalances.some() => None,
            () = stop.cancelled() => break,
        };
        work.follow_rebalances()?;
        let complete = match received {
            Some(Ok(read)) => {
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
