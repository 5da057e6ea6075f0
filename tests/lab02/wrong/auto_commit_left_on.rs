//! title: The client commits by itself
//! file: job.rs
//! caught by: step6_job::the_client_commits_nothing_by_itself
//!
//! It is the default, and it works in every example. The client commits what it has handed out,
//! every five seconds and when it is closed. It knows nothing of the rows.

pub fn consumer_config(config: &JobConfig) -> ClientConfig {
    let mut settings = config.kafka.clone();
    settings
        .set("group.id", &config.group)
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", (config.end == End::CaughtUp).to_string());
    settings
}
