//! A group joined, committed for, listed and deleted.

use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use tokio::time::timeout;

use crate::records::consumer;
use crate::trial::Trial;

/// Goes through the life of a group.
///
/// # Errors
/// With a sentence.
pub async fn live(trial: &Trial) -> Result<String, String> {
    let member = consumer(&trial.kafka, &trial.name).map_err(|error| error.to_string())?;
    join_and_commit(trial, &member).await?;
    let listed = member
        .fetch_group_list(Some(&trial.name), trial.limit)
        .map_err(|error| format!("not listed: {error}"))?;
    if listed.groups().is_empty() {
        return Err("not listed although it has a member".to_owned());
    }
    // A group with a member cannot be deleted; to drop the member is to leave.
    member.unsubscribe();
    drop(member);
    let answers = trial.admin.delete_groups(&[&trial.name], &trial.options()).await;
    let answer = answers.map_err(|error| error.to_string())?.remove(0);
    answer
        .map_err(|(_, code)| format!("not deleted: {code}; ask for the right to delete groups"))?;
    Ok("joined, committed for, listed and deleted".to_owned())
}

async fn join_and_commit(trial: &Trial, member: &StreamConsumer) -> Result<(), String> {
    let refused = |error: KafkaError| {
        format!("{error}; ask for the right to read by groups that begin with your prefix")
    };
    member.subscribe(&[&trial.name]).map_err(refused)?;
    let read = timeout(trial.limit, member.recv()).await;
    let message = read
        .map_err(|_| format!("joined, but nothing was read within {} s", trial.limit.as_secs()))?
        .map_err(refused)?;
    member.commit_message(&message, CommitMode::Sync).map_err(refused)
}
