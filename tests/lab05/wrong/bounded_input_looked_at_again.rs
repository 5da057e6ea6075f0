//! title: A bounded input is looked at as well
//! file: job.rs
//! caught by: step8_job::a_bounded_input_ends_where_it_ended_however_long_the_job_takes
//!
//! Partitions may be added to any topic. But a look also finds where the partitions end by now, and with that a bounded
//! input has no end while somebody writes to its topic.

pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Progress, JobError> {
    use futures::{FutureExt, StreamExt};
    use tokio::time::timeout;

    let mut work = Work::open(config).await?;
    let consumer = work.input.consumer();
    let mut records = consumer.stream();
    let mut looked = Instant::now();
    for partition in work.input.ended() {
        work.end_partition(partition).await?;
    }
    while !work.input.is_at_end() {
        let first = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            first = timeout(TURN_WAIT, records.next()) => first.ok().flatten(),
        };
        let clock = work.clock();
        let (mut next, mut taken) = (first, 0);
        while let Some(record) = next {
            match record {
                Ok(message) => work.take(&message, clock).await?,
                Err(KafkaError::PartitionEOF(partition)) if work.input.read_to_end(partition) => {
                    work.end_partition(partition).await?;
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => work.sit_out(error, stop).await?,
            }
            taken += 1;
            // A record that the client has given out is read, or lost.
            next =
                if taken == TURN_RECORDS { None } else { records.next().now_or_never().flatten() };
        }
        let results = work.board.on_time(work.clock());
        work.hold(Outcome { results, dropped: None }).await?;
        if let Some(due) = work.held.take_due(Instant::now()) {
            work.write(due).await?;
        }
        if looked.elapsed() >= BETWEEN_LOOKS {
            tokio::select! {
                () = stop.cancelled() => break,
                look = work.look() => look?,
            }
            looked = Instant::now();
        }
        on_progress(&work.progress());
    }
    if work.input.is_at_end() {
        let results = work.board.on_end();
        work.hold(Outcome { results, dropped: None }).await?;
    }
    let rest = work.held.take();
    work.write(rest).await?;
    on_progress(&work.progress());
    Ok(work.progress())
}
