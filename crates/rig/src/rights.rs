//! Whether the user may do what the labs do, on a Kafka that the environment names.
//!
//! Asked before the first test, in questions that change nothing: a learner reads one sentence, and
//! not each test's own words for it.

use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::RigError;
use crate::cluster::Cluster;
use crate::replication::{self, Question};

/// Asks whether topics can be made, and groups be used and deleted, whose names begin with the
/// cluster's prefix. Whether topics can be deleted is only known when one is there. Gives the
/// replication factor that topics get.
///
/// # Errors
/// When one of it is refused. An answer that does not come is none: the test that needs it says so.
pub fn ask(cluster: &Cluster, limit: Duration) -> Result<i32, RigError> {
    // Nobody has a topic or a group of this name.
    let name = format!("{}tidemark-rights-{}", cluster.prefix, std::process::id());
    let check = |action, refused: Option<RDKafkaErrorCode>| match refused
        .and_then(|code| in_words(action, code, &cluster.prefix))
    {
        Some(why) => Err(RigError(format!("Kafka at {} {why}", cluster.bootstrap()))),
        None => Ok(()),
    };
    let refused = |question| refused_topic(cluster, &name, question, limit);
    let factor = replication::agree(cluster.replication, in_sync(cluster, limit), refused)
        .map_err(|why| RigError(format!("Kafka at {} {why}", cluster.bootstrap())))?;
    check("make topics", refused(Question { factor, keeps_forever: true }))?;
    check("use and delete consumer groups", refused_group(cluster, &name, limit))?;
    Ok(factor)
}

/// A topic as the labs make theirs.
fn refused_topic(
    cluster: &Cluster,
    name: &str,
    Question { factor, keeps_forever }: Question,
    limit: Duration,
) -> Option<RDKafkaErrorCode> {
    let mut topic = NewTopic::new(name, 3, TopicReplication::Fixed(factor));
    if keeps_forever {
        topic = topic.set("retention.ms", "-1");
    }
    let only_asked = options(limit).validate_only(true);
    code_of(block_on(admin(cluster)?.create_topics([&topic], &only_asked)))
}

/// `min.insync.replicas` as topics have it where they say nothing of it. `None` where the broker does
/// not tell this user.
fn in_sync(cluster: &Cluster, limit: Duration) -> Option<i32> {
    let admin = admin(cluster)?;
    let broker = admin.inner().fetch_metadata(None, limit).ok()?.brokers().first()?.id();
    let question = ResourceSpecifier::Broker(broker);
    let answers = block_on(admin.describe_configs([&question], &options(limit))).ok()?;
    let config = answers.into_iter().next()?.ok()?;
    config.get("min.insync.replicas")?.value.as_ref()?.parse().ok()
}

fn admin(cluster: &Cluster) -> Option<AdminClient<DefaultClientContext>> {
    cluster.kafka().create().ok()
}

fn options(limit: Duration) -> AdminOptions {
    AdminOptions::new().request_timeout(Some(limit))
}

fn code_of(answer: Result<Vec<TopicResult>, KafkaError>) -> Option<RDKafkaErrorCode> {
    answer.ok()?.pop()?.err().map(|(_, code)| code)
}

/// To delete a group that is not there takes the right to delete one; tests end with that.
fn refused_group(cluster: &Cluster, name: &str, limit: Duration) -> Option<RDKafkaErrorCode> {
    code_of(block_on(admin(cluster)?.delete_groups(&[name], &options(limit))))
}

/// A sentence for what only somebody else can mend; `None` for the rest.
fn in_words(action: &str, code: RDKafkaErrorCode, prefix: &str) -> Option<String> {
    use RDKafkaErrorCode::{
        ClusterAuthorizationFailed, GroupAuthorizationFailed, TopicAuthorizationFailed,
    };
    match code {
        ClusterAuthorizationFailed | GroupAuthorizationFailed | TopicAuthorizationFailed => {
            let names = match prefix {
                "" => "; if you may with names that begin with a prefix, set TIDEMARK_PREFIX"
                    .to_owned(),
                prefix => format!(" whose names begin with `{prefix}`, your TIDEMARK_PREFIX"),
            };
            Some(format!("does not let you {action}{names}; ask who runs it for this right"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_is_missing_is_named_with_its_fix() {
        let refused = RDKafkaErrorCode::TopicAuthorizationFailed;
        assert_eq!(
            in_words("make topics", refused, "amelia.").unwrap(),
            "does not let you make topics whose names begin with `amelia.`, your TIDEMARK_PREFIX; \
             ask who runs it for this right"
        );
        assert_eq!(
            in_words("use and delete consumer groups", refused, "").unwrap(),
            "does not let you use and delete consumer groups; if you may with names that begin with a \
             prefix, set TIDEMARK_PREFIX; ask who runs it for this right"
        );
        assert_eq!(in_words("", RDKafkaErrorCode::UnknownTopicOrPartition, ""), None);
    }
}
