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
use crate::replication::{self, Question, Reply};

type Admin = AdminClient<DefaultClientContext>;

/// Asks whether topics can be made, and groups be used and deleted, whose names begin with the
/// cluster's prefix. Whether topics can be deleted is only known when one is there. Gives the
/// replication factor that topics get.
///
/// # Errors
/// When one of it is refused, or when it is not said in time whether topics can be made. An answer about
/// groups that does not come is none: a broker that has had no group yet may be slow to give its first.
pub fn ask(cluster: &Cluster, limit: Duration) -> Result<i32, RigError> {
    // Nobody has a topic or a group of this name.
    let name = format!("{}tidemark-rights-{}", cluster.prefix, std::process::id());
    let said = |why: String| RigError(format!("Kafka at {} {why}", cluster.bootstrap()));
    let admin: Admin = cluster.kafka().create().map_err(|error| {
        said(format!("can't be asked for its rights, since the settings make no client: {error}"))
    })?;
    let refusal = |action, reply| match reply {
        Reply::Refused(code) => in_words(action, code, &cluster.prefix).map(said),
        Reply::Taken | Reply::Silent => None,
    };
    let topic = |question| ask_for_a_topic(&admin, &name, question, limit);
    let factor =
        replication::agree(cluster.replication, in_sync(&admin, limit), topic).map_err(said)?;
    let topics = match topic(Question { factor, keeps_forever: true }) {
        Reply::Silent => Some(said(replication::silent(factor))),
        reply => refusal("make topics", reply),
    };
    let refused = topics.or_else(|| {
        refusal("use and delete consumer groups", ask_for_a_group(&admin, &name, limit))
    });
    refused.map_or(Ok(factor), Err)
}

/// A topic as the labs make theirs.
fn ask_for_a_topic(
    admin: &Admin,
    name: &str,
    Question { factor, keeps_forever }: Question,
    limit: Duration,
) -> Reply {
    let mut topic = NewTopic::new(name, 3, TopicReplication::Fixed(factor));
    if keeps_forever {
        topic = topic.set("retention.ms", "-1");
    }
    let only_asked = options(limit).validate_only(true);
    reply(block_on(admin.create_topics([&topic], &only_asked)))
}

/// `min.insync.replicas` as topics have it where they say nothing of it. `None` where the broker does
/// not tell this user.
fn in_sync(admin: &Admin, limit: Duration) -> Option<i32> {
    let broker = admin.inner().fetch_metadata(None, limit).ok()?.brokers().first()?.id();
    let question = ResourceSpecifier::Broker(broker);
    let answers = block_on(admin.describe_configs([&question], &options(limit))).ok()?;
    let config = answers.into_iter().next()?.ok()?;
    config.get("min.insync.replicas")?.value.as_ref()?.parse().ok()
}

fn options(limit: Duration) -> AdminOptions {
    AdminOptions::new().request_timeout(Some(limit))
}

/// What was said of the one topic or group that was asked for.
fn reply(answer: Result<Vec<TopicResult>, KafkaError>) -> Reply {
    use RDKafkaErrorCode::{OperationTimedOut, RequestTimedOut};
    match answer.ok().and_then(|mut all| all.pop()) {
        None | Some(Err((_, OperationTimedOut | RequestTimedOut))) => Reply::Silent,
        Some(Err((_, code))) => Reply::Refused(code),
        Some(Ok(_)) => Reply::Taken,
    }
}

/// To delete a group that is not there takes the right to delete one; tests end with that.
fn ask_for_a_group(admin: &Admin, name: &str, limit: Duration) -> Reply {
    reply(block_on(admin.delete_groups(&[name], &options(limit))))
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
