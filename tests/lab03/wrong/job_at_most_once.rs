//! title: The job runs at most once
//! file: job.rs
//! caught by: step7_job::a_record_that_is_no_flight_stops_the_job_and_is_not_committed
//!
//! Both loops pass their tests, and the one that commits first is the one that never repeats. The
//! table makes repeats harmless; nothing makes losses harmless.

pub async fn run(
    config: &JobConfig,
    until: Until,
    go_on: &mut dyn FnMut(Done) -> bool,
) -> Result<Done, JobError> {
    use crate::guarantee::at_most_once;

    let mut job = KafkaToTable::open(config).await?;
    let mut done = Done::default();
    while until == Until::Stopped || !job.is_at_the_end() {
        done.records += at_most_once(&mut job).await?;
        done.new_rows = job.new_rows;
        if !go_on(done) {
            break;
        }
    }
    Ok(done)
}
