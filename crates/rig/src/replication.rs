//! On how many brokers the labs' topics are kept, on a Kafka that the environment names.
//!
//! One is enough to learn, and what the rig's own servers have. Many a managed cluster takes three
//! alone; so three are asked for where one is refused.

use rdkafka::error::RDKafkaErrorCode;

use crate::RigError;
use crate::env_file::Variables;

/// The variable that says which replication factor topics get.
pub const VARIABLE: &str = "TIDEMARK_REPLICATION";

/// The factors that are tried in turn where the variable is not set.
const USUAL: [i32; 2] = [1, 3];

/// The broker's setting that says how many brokers must have a record before it counts as written.
const IN_SYNC: &str = "min.insync.replicas";

/// What a broker says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It would make such a topic.
    Taken,
    /// It would not, for this reason.
    Refused(RDKafkaErrorCode),
    /// It has not said it in time.
    Silent,
}

/// What is asked of a broker, and not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The replication factor of a topic.
    pub factor: i32,
    /// Whether the topic is to keep its records forever, by `retention.ms=-1`.
    pub keeps_forever: bool,
}

/// What the variable says; `None` where it is not set.
///
/// # Errors
/// When it is no replication factor.
pub fn wanted(variables: &Variables) -> Result<Option<i32>, RigError> {
    variables.text(VARIABLE).map(|text| parse(&text)).transpose()
}

fn parse(text: &str) -> Result<i32, RigError> {
    // As wide as in Kafka's protocol.
    let factor = text.parse::<i16>().ok().filter(|factor| *factor > 0);
    let refused = || {
        RigError(format!(
            "{VARIABLE} is `{text}`, expected a replication factor, 1 or more; 3 for example"
        ))
    };
    factor.map(i32::from).ok_or_else(refused)
}

/// The factor that is `wanted`, else the first usual one, that the broker takes. `in_sync` is its
/// `min.insync.replicas`, where it tells; `ask` asks it.
///
/// # Errors
/// With what follows Kafka's address in a sentence, when it takes none or does not say it.
pub fn agree(
    wanted: Option<i32>,
    in_sync: Option<i32>,
    ask: impl Fn(Question) -> Reply,
) -> Result<i32, String> {
    let factors = wanted.map_or(USUAL.to_vec(), |factor| vec![factor]);
    let in_sync = in_sync.unwrap_or(1);
    let mut why = String::new();
    for factor in factors {
        if factor < in_sync {
            why = too_few(factor, in_sync);
            continue;
        }
        match ask(Question { factor, keeps_forever: true }) {
            Reply::Silent => return Err(silent(factor)),
            Reply::Refused(code) if is_policy(code) => {
                match ask(Question { factor, keeps_forever: false }) {
                    Reply::Silent => return Err(silent(factor)),
                    Reply::Taken => return Err(another_retention(code)),
                    Reply::Refused(_) => why = another_factor(factor, wanted, code),
                }
            }
            // Whether it may be made at all is asked elsewhere.
            Reply::Refused(_) | Reply::Taken => return Ok(factor),
        }
    }
    Err(why)
}

/// What follows Kafka's address in a sentence, when it does not say whether it takes a topic.
pub fn silent(factor: i32) -> String {
    format!(
        "answers, but did not say in time whether it takes topics with replication.factor {factor}; run it \
         again, with a larger TIDEMARK_WAIT_SECONDS where it is slow"
    )
}

fn is_policy(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{InvalidConfig, InvalidReplicationFactor, PolicyViolation};
    matches!(code, InvalidConfig | InvalidReplicationFactor | PolicyViolation)
}

fn too_few(factor: i32, in_sync: i32) -> String {
    format!(
        "has {IN_SYNC}={in_sync}, and topics with replication.factor {factor} could never be written; \
         set {VARIABLE}={in_sync} or more, or ask who runs it for another {IN_SYNC}"
    )
}

fn another_retention(code: RDKafkaErrorCode) -> String {
    format!(
        "does not take topics with retention.ms=-1 ({code}), and would soon delete flights of 2013; \
         ask who runs it for that setting, or set TIDEMARK_RIG=local to use servers of the rig's own"
    )
}

fn another_factor(factor: i32, wanted: Option<i32>, code: RDKafkaErrorCode) -> String {
    let found = match wanted {
        Some(_) => format!("replication.factor {factor}, your {VARIABLE} ({code}); set it to"),
        None => {
            let [one, three] = USUAL;
            format!("replication.factor {one} or {three} ({code}); set {VARIABLE} to")
        }
    };
    format!("does not take topics with {found} what it takes, and no more than it has brokers")
}

#[cfg(test)]
mod tests {
    use RDKafkaErrorCode::{InvalidReplicationFactor, PolicyViolation, TopicAuthorizationFailed};

    use super::*;

    /// A broker that takes topics with these factors alone.
    fn takes(factors: &[i32]) -> impl Fn(Question) -> Reply {
        move |asked| match factors.contains(&asked.factor) {
            true => Reply::Taken,
            false => Reply::Refused(PolicyViolation),
        }
    }

    #[test]
    fn a_factor_is_a_whole_number_from_one_on() {
        assert_eq!(parse("3"), Ok(3));
        for bad in ["0", "-1", "three", "1.5", "99999"] {
            let sentence = parse(bad).unwrap_err().0;
            let expected =
                format!("TIDEMARK_REPLICATION is `{bad}`, expected a replication factor");
            assert!(sentence.starts_with(&expected), "{sentence}");
        }
    }

    #[test]
    fn three_are_taken_where_one_is_refused() {
        assert_eq!(agree(None, None, takes(&[1, 3])), Ok(1));
        assert_eq!(agree(None, None, takes(&[3])), Ok(3));
        assert_eq!(agree(None, Some(2), takes(&[1, 3])), Ok(3), "nothing could be written to one");
        assert_eq!(agree(Some(2), None, takes(&[2, 3])), Ok(2));
    }

    #[test]
    fn what_is_wanted_is_taken_or_refused_and_nothing_else() {
        let sentence = agree(Some(1), None, takes(&[3])).unwrap_err();
        let expected = "does not take topics with replication.factor 1, your TIDEMARK_REPLICATION \
                        (PolicyViolation";
        assert!(sentence.starts_with(expected), "{sentence}");
        let sentence = agree(Some(2), Some(3), takes(&[2])).unwrap_err();
        assert!(sentence.starts_with("has min.insync.replicas=3, and topics"), "{sentence}");
        assert!(sentence.contains("set TIDEMARK_REPLICATION=3 or more"), "{sentence}");
    }

    #[test]
    fn where_none_is_taken_the_variable_is_named() {
        let refused = |_: Question| Reply::Refused(InvalidReplicationFactor);
        let sentence = agree(None, None, refused).unwrap_err();
        let expected =
            "does not take topics with replication.factor 1 or 3 (InvalidReplicationFactor";
        assert!(sentence.starts_with(expected), "{sentence}");
        assert!(sentence.contains("set TIDEMARK_REPLICATION to what it takes"), "{sentence}");
        assert!(
            agree(None, Some(4), takes(&[1, 3])).unwrap_err().contains("min.insync.replicas=4")
        );
    }

    #[test]
    fn another_retention_is_named() {
        let refused = |asked: Question| match asked.keeps_forever {
            true => Reply::Refused(PolicyViolation),
            false => Reply::Taken,
        };
        let sentence = agree(None, None, refused).unwrap_err();
        assert!(sentence.starts_with("does not take topics with retention.ms=-1"), "{sentence}");
    }

    #[test]
    fn a_right_that_is_missing_says_nothing_of_factors() {
        assert_eq!(agree(None, None, |_| Reply::Refused(TopicAuthorizationFailed)), Ok(1));
    }

    #[test]
    fn no_answer_is_neither_a_yes_nor_a_refusal() {
        let never = |_: Question| Reply::Silent;
        let after_a_refusal = |asked: Question| match asked.keeps_forever {
            true => Reply::Refused(PolicyViolation),
            false => Reply::Silent,
        };
        for (sentence, factor) in [
            (agree(None, None, never).unwrap_err(), 1),
            (agree(Some(3), None, never).unwrap_err(), 3),
            (agree(None, None, after_a_refusal).unwrap_err(), 1),
        ] {
            let expected = format!(
                "answers, but did not say in time whether it takes topics with replication.factor {factor}; "
            );
            assert!(sentence.starts_with(&expected), "{sentence}");
        }
    }
}
