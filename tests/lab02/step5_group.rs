//! Step 5: who owns which partition, and what is read twice.
//!
//! - A partition has one owner in a group at a time; all partitions have one.
//! - A change is noted at the moment at which it counts: what goes before it goes, what comes when
//!   it has come.
//! - What a member read and did not commit is read again by the next owner, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use lab02::group::{
    Change, GroupEvent, ReadTwice, What, change_after, change_before, owners, read_twice,
};
use lab02::member::{MemberConfig, run};
use lab02::picture::draw;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Rebalance;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use testkit::{TestKafka, rule, until, with_kafka};
use tokio_util::sync::CancellationToken;

use super::at_hand::{BOUND, put, record};

fn event(member: &str, what: What) -> GroupEvent {
    GroupEvent { member: member.to_owned(), what }
}

fn assigned(member: &str, partitions: &[i32]) -> GroupEvent {
    event(member, What::Rebalanced(Change::Assigned(partitions.to_vec())))
}

fn revoked(member: &str, partitions: &[i32]) -> GroupEvent {
    event(member, What::Rebalanced(Change::Revoked(partitions.to_vec())))
}

fn read(member: &str, partition: i32, offset: i64) -> GroupEvent {
    event(member, What::Read { partition, offset })
}

/// Events as a story: `a is assigned 0 1 2 · a reads 0@5`.
fn story(events: &[GroupEvent]) -> String {
    let list =
        |numbers: &[i32]| numbers.iter().map(i32::to_string).collect::<Vec<String>>().join(" ");
    let tell = |GroupEvent { member, what }: &GroupEvent| match what {
        What::Rebalanced(Change::Assigned(new)) => format!("{member} is assigned {}", list(new)),
        What::Rebalanced(Change::Revoked(old)) => format!("{member} is revoked {}", list(old)),
        What::Rebalanced(Change::Failed(reason)) => format!("{member}: {reason}"),
        What::Read { partition, offset } => format!("{member} reads {partition}@{offset}"),
        What::Committed => format!("{member} commits"),
        What::Left => format!("{member} leaves"),
        What::Killed => format!("{member} is killed"),
    };
    events.iter().map(tell).collect::<Vec<String>>().join(" · ")
}

/// Owners as a line: `0: a; 1: nobody; 2: a b`.
fn line(owners: &BTreeMap<i32, BTreeSet<String>>) -> String {
    let of_partition = |(partition, members): (&i32, &BTreeSet<String>)| {
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let members = if members.is_empty() { "nobody".to_owned() } else { members.join(" ") };
        format!("{partition}: {members}")
    };
    owners.iter().map(of_partition).collect::<Vec<String>>().join("; ")
}

fn partitions(numbers: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for number in numbers {
        list.add_partition("flights", *number);
    }
    list
}

#[test]
fn what_goes_is_noted_before_it_goes_and_what_comes_when_it_has_come() {
    let list = partitions(&[2, 0]);
    let failure = KafkaError::Rebalance(RDKafkaErrorCode::IllegalGeneration);
    let text = failure.to_string();
    let cases = [
        ("Assign of 0 and 2", Rebalance::Assign(&list), None, Some(Change::Assigned(vec![0, 2]))),
        ("Revoke of 0 and 2", Rebalance::Revoke(&list), Some(Change::Revoked(vec![0, 2])), None),
        ("Error", Rebalance::Error(failure), Some(Change::Failed(text)), None),
    ];
    for (what, rebalance, before, after) in cases {
        rule(
            "What is about to go, and a failure, is noted before the client acts. Nothing else is.",
        )
        .picture(what)
        .ask("When is the last moment at which a member may still commit for this partition?")
        .same(change_before(&rebalance), before);
        rule("What has come is noted when it has come. Nothing is noted twice.")
            .picture(what)
            .same(change_after(&rebalance), after);
    }
}

#[test]
fn the_owners_follow_from_the_changes() {
    let steps = [
        (assigned("a", &[0, 1, 2]), "0: a; 1: a; 2: a"),
        (revoked("a", &[0, 1, 2]), "0: nobody; 1: nobody; 2: nobody"),
        (assigned("b", &[2]), "0: nobody; 1: nobody; 2: b"),
        (assigned("a", &[0]), "0: a; 1: nobody; 2: b"),
        // As the protocol "cooperative-sticky" does it: what comes is added to what is there.
        (assigned("a", &[1]), "0: a; 1: a; 2: b"),
        (revoked("a", &[0]), "0: nobody; 1: a; 2: b"),
        (assigned("b", &[0]), "0: b; 1: a; 2: b"),
        (event("b", What::Left), "0: nobody; 1: a; 2: nobody"),
        (assigned("a", &[0]), "0: a; 1: a; 2: nobody"),
        (assigned("a", &[2]), "0: a; 1: a; 2: a"),
    ];
    let mut events = Vec::new();
    for (event, expected) in steps {
        events.push(event);
        rule("A partition is a member's from the assignment on, until it is revoked or the member ends.")
            .picture(story(&events))
            .ask("Of how many partitions does the last event speak, and what of the others?")
            .same_bytes(line(&owners(&events)), expected);
    }
}

#[test]
fn two_may_believe_that_they_own_a_partition() {
    let events = [assigned("a", &[0]), assigned("b", &[0])];
    rule("Who was given up by the group hears of it late; until then two believe they are the owner.")
        .picture("a is assigned 0, and stands still for a minute; b is assigned 0")
        .ask("May the second owner take the first one's name away? Who would tell the first?")
        .same_bytes(line(&owners(&events)), "0: a b");
    let late = [assigned("a", &[0]), assigned("b", &[0]), revoked("a", &[0])];
    rule("What is revoked is one member's. The other one keeps it.")
        .picture(story(&late))
        .ask("Whose name does the last event take away?")
        .same_bytes(line(&owners(&late)), "0: b");
    let killed = [assigned("a", &[0]), event("a", What::Killed), assigned("b", &[0])];
    rule("Who was killed owns nothing.").same_bytes(line(&owners(&killed)), "0: b");
}

/// What was read twice, as a line: `0@6 by a, b`.
fn shown(twice: &[ReadTwice]) -> String {
    let line = |r: &ReadTwice| format!("{}@{} by {}", r.partition, r.offset, r.members.join(", "));
    twice.iter().map(line).collect::<Vec<String>>().join("; ")
}

#[test]
fn a_record_that_was_read_twice_is_listed_with_its_readers() {
    let events = [
        read("a", 0, 5),
        read("a", 1, 5),
        read("a", 0, 6),
        event("a", What::Killed),
        read("b", 1, 5),
        read("b", 0, 9),
        read("b", 0, 6),
        read("b", 0, 9),
        read("b", 0, 7),
        read("b", 0, 6),
    ];
    let twice = |partition, offset, members: &[&str]| ReadTwice {
        partition,
        offset,
        members: members.iter().map(|&member| member.to_owned()).collect(),
    };
    let expected =
        [twice(0, 6, &["a", "b", "b"]), twice(0, 9, &["b", "b"]), twice(1, 5, &["a", "b"])];
    rule(
        "A record is one place: a partition and an offset. Read more than once, it is listed once.",
    )
    .picture(story(&events))
    .ask("Offset 5 was read three times here. How many records was that? And in which order are they listed?")
    .same_bytes(shown(&read_twice(&events)), shown(&expected));
}

/// The history of a group, as its members tell it.
#[derive(Clone, Default)]
struct History(Arc<Mutex<Vec<GroupEvent>>>);

impl History {
    fn add(&self, event: GroupEvent) {
        self.0.lock().expect("nobody panicked").push(event);
    }

    fn events(&self) -> Vec<GroupEvent> {
        self.0.lock().expect("nobody panicked").clone()
    }

    async fn until_owned(&self, what: &str, expected: impl Fn(&[Vec<String>]) -> bool) {
        until(BOUND, what, async || {
            let owners = owners(&self.events());
            let owners: Vec<Vec<String>> =
                owners.into_values().map(|members| members.into_iter().collect()).collect();
            if expected(&owners) { Ok(()) } else { Err(format!("\n{}", draw(&self.events()))) }
        })
        .await;
    }
}

fn config(kafka: &TestKafka, topic: &str, group: &str, name: &str) -> MemberConfig {
    let mut client = kafka.quick_client();
    client.set("session.timeout.ms", "600").set("heartbeat.interval.ms", "100");
    MemberConfig {
        kafka: client,
        topic: topic.to_owned(),
        group: group.to_owned(),
        name: name.to_owned(),
        commit_every: 10.try_into().expect("it is not 0"),
    }
}

/// Three partitions, each owned by one of these.
fn shared_by(owners: &[Vec<String>], members: &[&str]) -> bool {
    let named: BTreeSet<&str> = owners.iter().flatten().map(String::as_str).collect();
    owners.len() == 3
        && owners.iter().all(|m| m.len() == 1)
        && named == members.iter().copied().collect()
}

#[test]
fn members_share_the_partitions_and_take_over_from_who_leaves() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let group = kafka.group("board");
        let history = History::default();
        let stop = [CancellationToken::new(), CancellationToken::new()];
        let member = |name: &'static str, stop: CancellationToken| {
            let (config, history) = (config(kafka, &topic, &group, name), history.clone());
            async move { run(&config, &stop, &mut |event| history.add(event)).await }
        };
        let (a, b) = (member("a", stop[0].clone()), member("b", stop[1].clone()));
        let script = async {
            history.until_owned("all partitions with a", |o| shared_by(o, &["a"])).await;
            // Only now does the second member join.
            let rest = async {
                history
                    .until_owned("the partitions shared by a and b", |o| shared_by(o, &["a", "b"]))
                    .await;
                stop[0].cancel();
                history.until_owned("all partitions with b", |o| shared_by(o, &["b"])).await;
                stop[1].cancel();
            };
            let (b, ()) = tokio::join!(b, rest);
            b
        };
        let (a, b) = tokio::join!(a, script);
        rule("A member works until it is stopped.").succeeds(a.and(b));
        let events = history.events();
        rule("In the end nobody owns anything.")
            .picture(draw(&events))
            .same_bytes(line(&owners(&events)), "0: nobody; 1: nobody; 2: nobody");
    });
}

/// Starts a member in a process of its own, which aborts when it has read so many records.
fn member_that_aborts(topic: &str, group: &str, records: u32) -> Vec<GroupEvent> {
    let program = std::env::var(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")))
        .expect("cargo says where the lab's program is");
    let mut child = Command::new(program)
        .args(["member", "--name", "a", "--topic", topic, "--group", group, "--json"])
        .args(["--session-timeout-ms", "600", "--commit-every", "10"])
        .args(["--abort-after", &records.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the lab's program runs");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let lines = output.lines().map(|line| line.expect("it is text"));
    let mut events: Vec<GroupEvent> =
        lines.map(|line| serde_json::from_str(&line).expect("it is an event")).collect();
    let status = child.wait().expect("it ends");
    assert!(!status.success(), "the member was to abort and ended with {status}");
    events.push(event("a", What::Killed));
    events
}

#[test]
fn what_a_killed_member_had_not_committed_is_read_twice() {
    // The learner's own code first: on an untouched lab it says so here.
    let _ = read_twice(&[]);
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let group = kafka.group("board");
        let records: Vec<_> = ["EWR", "LGA"]
            .iter()
            .flat_map(|key| {
                (0..20).map(move |number: u32| record(key, number.to_string().as_bytes()))
            })
            .collect();
        put(&kafka.client(), &topic, &records).await;

        // 25 records are read; after 10 and 20 of them everything was committed.
        let history = History::default();
        member_that_aborts(&topic, &group, 25).into_iter().for_each(|event| history.add(event));
        let (stop, config) = (CancellationToken::new(), config(kafka, &topic, &group, "b"));
        let mut tell = |event| history.add(event);
        let survivor = run(&config, &stop, &mut tell);
        let script = async {
            until(BOUND, "the survivor to read to the end", async || {
                let events = history.events();
                let of_b = |event: &&GroupEvent| {
                    event.member == "b" && matches!(event.what, What::Read { .. })
                };
                let seen = events.iter().filter(of_b).count();
                if seen >= 20 { Ok(()) } else { Err(format!("it has read {seen} of 20 records")) }
            })
            .await;
            stop.cancel();
        };
        let (outcome, ()) = tokio::join!(survivor, script);
        rule("A member works until it is stopped.").succeeds(outcome);

        let events = history.events();
        let twice = read_twice(&events);
        rule("Exactly the records behind the last commit are read twice.")
            .picture(draw(&events))
            .ask("Where does the next owner begin, and who wrote that place down?")
            .same(twice.len(), 5);
        let readers = ["a", "b"].map(str::to_owned).to_vec();
        rule("They are read by the one that was killed, then by the one that took over.")
            .holds(twice.iter().all(|record| record.members == readers), format!("{twice:?}"));
    });
}
