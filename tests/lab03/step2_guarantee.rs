//! Step 2: at most once and at least once.
//!
//! Invariants:
//! 1. Without a crash, both loops write each record once.
//! 2. At least once: wherever it crashes, nothing is lost. What is repeated is one turn's records.
//! 3. At most once: wherever it crashes, nothing is repeated. What is lost is one turn's records.
//! 4. An effect that fails ends the turn.

use lab03::crash::{
    BATCH_RECORDS, Crash, CrashTable, Crashing, Effect, Memory, RECORDS, crash_table,
};
use lab03::guarantee::{Effects, Record, at_least_once, at_most_once};
use lab03::progress::Offsets;
use testkit::rule;

/// More turns than a loop needs.
const MAX_TURNS: usize = 2 * RECORDS;

/// Notes each call as a word, gives out the batches in turn, and fails where it is told to.
#[derive(Default)]
struct Noted {
    batches: Vec<Vec<Record>>,
    fails_at: Option<&'static str>,
    calls: Vec<String>,
}

impl Noted {
    /// One batch: two records of partition 0 and one of partition 1.
    fn one_batch() -> Self {
        let record =
            |(partition, offset)| Record { partition, offset, timestamp_ms: 0, payload: vec![] };
        Self { batches: vec![[(0, 41), (1, 900), (0, 42)].map(record).to_vec()], ..Self::default() }
    }

    fn call(&mut self, name: &'static str, what: &str) -> Result<(), String> {
        self.calls.push(format!("{name}{what}"));
        if self.fails_at == Some(name) { Err(format!("{name} failed")) } else { Ok(()) }
    }
}

impl Effects for Noted {
    type Row = (i32, i64);
    type Error = String;

    async fn poll(&mut self) -> Result<Vec<Record>, String> {
        self.call("poll", "")?;
        Ok(if self.batches.is_empty() { Vec::new() } else { self.batches.remove(0) })
    }

    fn process(&mut self, record: &Record) -> Result<(i32, i64), String> {
        let row = (record.partition, record.offset);
        self.call("process", &format!(" {}@{}", row.0, row.1))?;
        Ok(row)
    }

    async fn write(&mut self, rows: &[(i32, i64)]) -> Result<(), String> {
        let rows: Vec<String> = rows.iter().map(|(p, offset)| format!("{p}@{offset}")).collect();
        self.call("write", &format!(" {}", rows.join(" ")))
    }

    async fn commit(&mut self, next: &Offsets) -> Result<(), String> {
        let next: Vec<String> = next.iter().map(|(p, offset)| format!("{p}@{offset}")).collect();
        self.call("commit", &format!(" {}", next.join(" ")))
    }
}

async fn table_of_at_least_once() -> CrashTable {
    crash_table("at least once", async |effects: &mut Crashing<Memory>| {
        at_least_once(effects).await
    })
    .await
}

async fn table_of_at_most_once() -> CrashTable {
    crash_table("at most once", async |effects: &mut Crashing<Memory>| at_most_once(effects).await)
        .await
}

#[tokio::test]
async fn at_least_once_loses_nothing_wherever_it_crashes() {
    let table = table_of_at_least_once().await;
    println!("{table}");
    rule("At least once: wherever the loop crashes, nothing is lost.")
        .picture(table.to_string())
        .ask("Take the line that lost records. What had been promised to the broker by then, and what was still to be done?")
        .same(table.lost(), 0);
    rule("What is repeated was polled in one turn: every turn ends with a commit.")
        .picture(table.to_string())
        .ask("From where does the restart read on, and when was that last brought up to date?")
        .holds(
            (1..=BATCH_RECORDS).contains(&table.repeated()),
            format!("{} repeated, and a turn polls {BATCH_RECORDS}", table.repeated()),
        );
}

#[tokio::test]
async fn at_most_once_repeats_nothing_wherever_it_crashes() {
    let table = table_of_at_most_once().await;
    println!("{table}");
    rule("At most once: wherever the loop crashes, nothing is written twice.")
        .picture(table.to_string())
        .ask("Take the line that repeated rows. What was written by then that a restart polls again?")
        .same(table.repeated(), 0);
    rule("What is lost was polled in one turn.")
        .picture(table.to_string())
        .ask("How much was promised to the broker at once?")
        .holds(
            (1..=BATCH_RECORDS).contains(&table.lost()),
            format!("{} lost, and a turn polls {BATCH_RECORDS}", table.lost()),
        );
}

#[tokio::test]
async fn without_a_crash_each_record_is_written_once() {
    let mut memory = Crashing::new(Memory::unread(), Crash::Never);
    for _ in 0..MAX_TURNS {
        if at_least_once(&mut memory).await == Ok(0) {
            break;
        }
    }
    without_a_crash("at least once", memory.inner());
    let mut memory = Crashing::new(Memory::unread(), Crash::Never);
    for _ in 0..MAX_TURNS {
        if at_most_once(&mut memory).await == Ok(0) {
            break;
        }
    }
    without_a_crash("at most once", memory.inner());
}

fn without_a_crash(guarantee: &str, memory: &Memory) {
    rule("Without a crash each record is written once, and all of them are committed.")
        .picture(format!("{guarantee}, {RECORDS} records from offset 100 on: 40, 80 and none"))
        .ask("The loop ends when a turn gives 0. What does yours give?")
        .same(
            (memory.lost().len(), memory.repeated(), memory.committed().clone()),
            (0, 0, Offsets::from([(0, 140), (1, 180)])),
        );
}

#[tokio::test]
async fn a_turn_gives_the_number_of_records_that_it_polled() {
    for turn in [1, 2] {
        let mut effects = Noted::one_batch();
        let read = match turn {
            1 => at_least_once(&mut effects).await,
            _ => at_most_once(&mut effects).await,
        };
        rule("A turn gives the number of records that it polled.").same(read, Ok(3));
    }
}

fn one_write(calls: &[String]) {
    rule("The rows of a turn are one write, which is all or nothing.")
        .picture(format!("three records are polled\ncalls: {}", calls.join(", ")))
        .ask("The machine stops between two writes of the same turn. What is in the table?")
        .same(calls.iter().filter(|call| call.starts_with("write")).count(), 1);
}

#[tokio::test]
async fn at_least_once_commits_last() {
    let mut effects = Noted::one_batch();
    let _ = at_least_once(&mut effects).await;
    one_write(&effects.calls);
    rule("At least once: what is committed is written.")
        .ask("Between two of these calls the machine may be switched off. Which call makes a restart read on further back or further ahead?")
        .same_bytes(
            effects.calls.join(", "),
            "poll, process 0@41, process 1@900, process 0@42, write 0@41 1@900 0@42, \
             commit 0@43 1@901",
        );
}

#[tokio::test]
async fn at_most_once_commits_first() {
    let mut effects = Noted::one_batch();
    let _ = at_most_once(&mut effects).await;
    one_write(&effects.calls);
    rule("At most once: what may have been begun is committed.")
        .ask("A record that is half done when the machine stops must never be begun again. When must it be committed?")
        .same_bytes(
            effects.calls.join(", "),
            "poll, commit 0@43 1@901, process 0@41, process 1@900, process 0@42, \
             write 0@41 1@900 0@42",
        );
}

#[tokio::test]
async fn a_poll_that_finds_nothing_writes_and_commits_nothing() {
    let mut effects = Noted::default();
    let read = at_least_once(&mut effects).await;
    rule("Where there is nothing to do, nothing is done.")
        .same((read, effects.calls.join(", ")), (Ok(0), "poll".to_owned()));
    let mut effects = Noted::default();
    let read = at_most_once(&mut effects).await;
    rule("Where there is nothing to do, nothing is done.")
        .same((read, effects.calls.join(", ")), (Ok(0), "poll".to_owned()));
}

#[tokio::test]
async fn an_effect_that_fails_ends_the_turn() {
    for fails_at in ["poll", "process", "write", "commit"] {
        let mut effects = Noted { fails_at: Some(fails_at), ..Noted::one_batch() };
        let result = at_least_once(&mut effects).await;
        ended_by(fails_at, result, &effects.calls);
        let mut effects = Noted { fails_at: Some(fails_at), ..Noted::one_batch() };
        let result = at_most_once(&mut effects).await;
        ended_by(fails_at, result, &effects.calls);
    }
}

fn ended_by(fails_at: &str, result: Result<usize, String>, calls: &[String]) {
    let last = calls.last().and_then(|call| call.split(' ').next()).unwrap_or_default();
    rule("An effect that fails ends the turn, and none follows it.")
        .picture(format!("{fails_at} fails\ncalls: {}", calls.join(", ")))
        .ask("The write fails and the commit succeeds: where are those records?")
        .same_bytes(last, fails_at);
    rule("The turn gives the error of the effect that failed.")
        .same(result, Err(format!("{fails_at} failed")));
}

#[tokio::test]
async fn the_tables_differ_in_the_line_that_each_guarantee_gives_up() {
    let (least, most) = (table_of_at_least_once().await, table_of_at_most_once().await);
    let cost = |table: &CrashTable, effect| {
        let line = table.lines.iter().find(|line| line.after == effect);
        line.map_or((0, 0), |line| (line.lost, line.repeated))
    };
    let shown = |effect, least: (usize, usize), most: (usize, usize)| {
        format!(
            "crash behind {effect:?}: at least once {} lost, {} repeated; at most once {} lost, {} repeated",
            least.0, least.1, most.0, most.1
        )
    };
    // (lost, repeated), at least once and at most once.
    let expected = [
        (Effect::Poll, (0, 0), (0, 0)),
        (Effect::Process, (0, 0), (BATCH_RECORDS, 0)),
        (Effect::Write, (0, BATCH_RECORDS), (0, 0)),
        (Effect::Commit, (0, 0), (BATCH_RECORDS, 0)),
    ];
    for (effect, at_least_once, at_most_once) in expected {
        rule("The guarantee is decided by the place of the commit, and by nothing else.")
            .picture(format!("{least}\n\n{most}"))
            .ask("Look at the line named below, in both tables. What is done, what is promised?")
            .same_bytes(
                shown(effect, cost(&least, effect), cost(&most, effect)),
                shown(effect, at_least_once, at_most_once),
            );
    }
}
