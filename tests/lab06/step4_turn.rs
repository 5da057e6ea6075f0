//! Step 4: a loop that survives a crash anywhere.
//!
//! Invariants:
//! 1. Wherever the loop crashes, also between a commit and its answer: the restarted one loses
//!    nothing and repeats nothing.
//! 2. Offsets, state and what was emitted are of one moment, between two inputs.
//! 3. An effect that fails ends the turn.
//! 4. The final watermark is in no checkpoint.

use std::cell::Cell;
use std::collections::BTreeMap;

use lab04::watermark::FINAL_WATERMARK_MS;
use lab06::checkpoint::decode;
use lab06::crash::{
    CHECKPOINT_RECORDS, CrashTable, Crashing, Effect, Log, Memory, POLL_RECORDS, RECORDS, Stopped,
    crash_table,
};
use lab06::state::Checkpoint;
use lab06::turn::{Effects, Input, Record, checkpoint, finish, turn};
use testkit::rule;

use super::at_hand::{TOPIC, read_to, record};

/// Notes each call as a word, gives out one batch, is due where it is told to be, and fails where
/// it is told to.
#[derive(Default)]
struct Noted {
    batch: Vec<Input>,
    /// Behind so many inputs a checkpoint is due.
    due_behind: Vec<usize>,
    fails_at: Option<&'static str>,
    processed: usize,
    next_offset: i64,
    calls: Vec<String>,
}

impl Noted {
    /// Three records and a reading of the clock; a checkpoint is due behind the second record.
    fn one_batch() -> Self {
        let record = |offset| Input::Record(record(0, offset, "EWR", "06:10", 0));
        let time = Input::Time(std::time::Duration::from_secs(1));
        let batch = vec![record(41), record(42), record(43), time];
        Self { batch, due_behind: vec![2], next_offset: 41, ..Self::default() }
    }

    fn call(&mut self, name: &'static str, what: String) -> Result<(), String> {
        self.calls.push(format!("{name}{what}"));
        if self.fails_at == Some(name) { Err(format!("{name} failed")) } else { Ok(()) }
    }

    fn told(&self) -> String {
        self.calls.join(", ")
    }
}

fn name(input: &Input) -> String {
    match input {
        Input::Record(record) => record.offset.to_string(),
        Input::Time(_) => "time".to_owned(),
        Input::EndOf(partition) => format!("end of {partition}"),
    }
}

impl Effects for Noted {
    type Outcome = String;
    type Error = String;

    async fn poll(&mut self) -> Result<Vec<Input>, String> {
        self.call("poll", String::new())?;
        Ok(std::mem::take(&mut self.batch))
    }

    fn process(&mut self, input: &Input) -> Result<String, String> {
        self.processed += 1;
        self.call("process", format!(" {}", name(input)))?;
        Ok(name(input))
    }

    fn advance(&mut self, record: &Record) {
        self.next_offset = record.offset + 1;
        self.calls.push(format!("advance {}", record.offset));
    }

    fn emit(&mut self, outcome: String) {
        // Both are in memory alone, so whoever writes the loop chooses which of the two comes first.
        let is_behind = self.calls.last() == Some(&format!("advance {outcome}"));
        let place = self.calls.len() - usize::from(is_behind);
        self.calls.insert(place, format!("emit {outcome}"));
    }

    fn end(&mut self) -> String {
        self.calls.push("end".to_owned());
        "final results".to_owned()
    }

    fn is_due(&self) -> bool {
        self.due_behind.contains(&self.processed)
    }

    fn snapshot(&mut self) -> Checkpoint {
        self.calls.push(format!("snapshot next={}", self.next_offset));
        read_to(1, TOPIC, self.next_offset)
    }

    async fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        let finished = if checkpoint.finished { " finished" } else { "" };
        self.call("write", format!("{finished} next={}", checkpoint.partitions[0].next_offset))
    }

    async fn commit(&mut self) -> Result<(), String> {
        self.call("commit", String::new())
    }
}

/// The table of crashes, and how many turns have failed by a commit whose answer was lost.
async fn table_of(log: Log) -> (CrashTable, u64) {
    let (has_failed, unanswered) = (Cell::new(false), Cell::new(0));
    let turn = async |effects: &mut Crashing<Memory>| {
        rule("Whoever has heard of a failure is started again, with the last checkpoint.")
            .holds(effects.calls().is_empty() || !has_failed.get(), "a further turn");
        let result = turn(effects).await;
        rule("A turn begins with a poll, and the first crash is behind it.")
            .same(effects.calls().first(), Some(&Effect::Poll));
        has_failed.set(result.is_err());
        unanswered.set(unanswered.get() + u64::from(result.is_err() && !effects.is_over()));
        result
    };
    let finish = async |effects: &mut Crashing<Memory>| finish(effects).await;
    (crash_table(log, turn, finish).await, unanswered.get())
}

/// How often a loop calls its effects while it reads the log with one partition that has records,
/// and a second one that is empty.
fn calls_of_one_partition() -> BTreeMap<Effect, usize> {
    let (records, ends_of_partitions) = (RECORDS as usize, 2);
    let inputs = records + ends_of_partitions;
    let checkpoints = records / CHECKPOINT_RECORDS as usize + 1;
    BTreeMap::from([
        // Each partition could give half of a poll.
        (Effect::Poll, records.div_ceil(POLL_RECORDS / 2)),
        (Effect::Process, inputs),
        // The last results, of all windows that are open at the end.
        (Effect::Emit, inputs + 1),
        (Effect::Advance, records),
        (Effect::End, 1),
        (Effect::Snapshot, checkpoints),
        (Effect::Write, checkpoints),
        (Effect::Commit, checkpoints),
        (Effect::CommitUnanswered, checkpoints),
    ])
}

const MOMENT: &str = "Take a line that is not zero. At the moment of the crash: which records are in the state \
     that is stored, behind which do the stored offsets stand, and whose results are in the table?";

#[tokio::test]
async fn wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated() {
    let (table, unanswered) = table_of(Log::OnePartition).await;
    rule("Wherever the loop crashes, the restarted one loses nothing and repeats nothing.")
        .picture(format!("one partition, late and dropped records among them\n{table}"))
        .ask(MOMENT)
        .holds(table.is_all_zeros(), "a line that is not zero");
    let crashes = table.lines.iter().map(|line| (line.after, line.crashes));
    rule("The loop comes past each of its effects, and was crashed once behind each call.")
        .picture(format!("{table}\na poll gives 8 records, a checkpoint is due behind every 11th"))
        .ask("Which effect happens more often, or less often, than there is a reason for it?")
        .same(crashes.collect::<BTreeMap<_, _>>(), calls_of_one_partition());
    rule("The answer of each commit of a turn was lost once, and the turn has failed by that.")
        .picture(table.to_string())
        .same(unanswered, u64::from(RECORDS) / CHECKPOINT_RECORDS);
    println!("one partition: {table}");
}

#[tokio::test]
async fn with_two_partitions_nothing_is_lost_or_repeated_either() {
    let (table, _) = table_of(Log::TwoPartitions).await;
    rule("Wherever the loop crashes, the restarted one loses nothing and repeats nothing.")
        .picture(format!("two partitions, each with offsets of its own\n{table}"))
        .ask(MOMENT)
        .holds(table.is_all_zeros(), "a line that is not zero");
    println!("two partitions: {table}");
}

#[tokio::test]
async fn each_input_is_processed_emitted_and_advanced_before_the_next() {
    let mut effects = Noted { due_behind: Vec::new(), ..Noted::one_batch() };
    let inputs = turn(&mut effects).await;
    rule("A turn takes one input after the other. Where no checkpoint is due, none is made.")
        .ask("Every input brings something about; only a record has a place to stand behind.")
        .same_bytes(
            effects.told(),
            "poll, process 41, emit 41, advance 41, process 42, emit 42, advance 42, \
             process 43, emit 43, advance 43, process time, emit time",
        );
    rule("A turn gives the number of inputs.").same(inputs, Ok(4));
}

#[tokio::test]
async fn a_checkpoint_stands_behind_a_record_with_all_that_belongs_to_it() {
    let mut effects = Noted::one_batch();
    let _ = turn(&mut effects).await;
    rule("A checkpoint is made between two inputs, with the offset, the state and the results of one moment.")
        .picture("three records were polled, and a checkpoint is due behind the second, 42")
        .ask("Follow record 42. Is it in the state, in the results and behind the offset when the snapshot is taken? And 43?")
        .same_bytes(
            effects.told(),
            "poll, process 41, emit 41, advance 41, process 42, emit 42, advance 42, \
             snapshot next=43, write next=43, commit, \
             process 43, emit 43, advance 43, process time, emit time",
        );
}

#[tokio::test]
async fn a_checkpoint_may_be_due_behind_each_input() {
    let mut effects = Noted { due_behind: vec![1, 4], ..Noted::one_batch() };
    let _ = turn(&mut effects).await;
    rule("A checkpoint that is due behind an input is made before the next, behind the time too.")
        .picture("three records and the time were polled; due behind the first, 41, and behind the time")
        .ask("The time fires windows as well. How often in a turn is it asked whether a checkpoint is due?")
        .same_bytes(
            effects.told(),
            "poll, process 41, emit 41, advance 41, snapshot next=42, write next=42, commit, \
             process 42, emit 42, advance 42, process 43, emit 43, advance 43, \
             process time, emit time, snapshot next=44, write next=44, commit",
        );
}

#[tokio::test]
async fn a_poll_that_gives_nothing_brings_nothing_about() {
    let mut effects = Noted { due_behind: vec![0], ..Noted::default() };
    let inputs = turn(&mut effects).await;
    rule("Where there is no input, there is nothing to keep.")
        .ask("What has changed since the last checkpoint when a poll has given nothing?")
        .same((inputs, effects.told()), (Ok(0), "poll".to_owned()));
}

#[tokio::test]
async fn an_effect_that_fails_ends_the_turn() {
    for fails_at in ["poll", "process", "write", "commit"] {
        let mut effects = Noted { fails_at: Some(fails_at), ..Noted::one_batch() };
        let result = turn(&mut effects).await;
        ended_by(fails_at, result, &effects);
    }
    for fails_at in ["write", "commit"] {
        let mut effects = Noted { fails_at: Some(fails_at), ..Noted::one_batch() };
        let result = checkpoint(&mut effects).await.map(|()| 0);
        ended_by(fails_at, result, &effects);
        let mut effects = Noted { fails_at: Some(fails_at), ..Noted::one_batch() };
        let result = finish(&mut effects).await.map(|()| 0);
        ended_by(fails_at, result, &effects);
    }
}

fn ended_by(fails_at: &str, result: Result<usize, String>, effects: &Noted) {
    let calls = effects.told();
    let last = effects.calls.last().and_then(|call| call.split(' ').next()).unwrap_or_default();
    rule("An effect that fails ends the turn, and none follows it.")
        .picture(format!("{fails_at} fails\ncalls: {calls}"))
        .ask("The memory is ahead of the database then. By how much, and who could tell?")
        .same_bytes(last, fails_at);
    let times = effects.calls.iter().filter(|call| call.starts_with(fails_at)).count();
    rule("What has failed is not tried again.")
        .picture(format!("{fails_at} fails\ncalls: {calls}"))
        .ask("A commit whose answer is lost may have happened. What would a second one write?")
        .same(times, 1);
    rule("The turn gives the error of the effect that failed.")
        .same(result, Err(format!("{fails_at} failed")));
}

#[tokio::test]
async fn the_end_is_one_transaction_with_the_state_before_it() {
    let mut effects = Noted::one_batch();
    let _ = finish(&mut effects).await;
    rule("At the end the last results are written, with the state as it was before they fired.")
        .ask("What does the state look like when the board has been told of the end? Could a job go on from there?")
        .same_bytes(
            effects.told(),
            "snapshot next=41, end, emit final results, write finished next=41, commit",
        );
}

/// Reads a log in memory to its end, and gives the checkpoint that is stored then.
async fn read_to_the_end() -> (Memory, Checkpoint) {
    let mut memory = Memory::unread(Log::OnePartition);
    while !memory.is_at_the_end() {
        turn(&mut memory).await.expect("nothing fails in memory");
    }
    finish(&mut memory).await.expect("nothing fails in memory");
    let bytes = memory.tables().checkpoint.clone();
    let bytes = bytes.unwrap_or_default();
    let stored = rule("At the end there is a checkpoint.").succeeds(decode(&bytes));
    (memory, stored)
}

#[tokio::test]
async fn the_final_watermark_is_in_no_checkpoint() {
    let (memory, stored) = read_to_the_end().await;
    let question = "The input ended for this run. Does it end for a run that starts tomorrow, when records were added?";
    rule("The final watermark is in no checkpoint.").ask(question).holds(
        stored.watermark_ms.is_some_and(|ms| ms < FINAL_WATERMARK_MS),
        format!("the watermark {:?}", stored.watermark_ms),
    );
    let open = stored.windows.iter().filter(|window| !window.has_fired).count();
    rule("Windows that only the end has fired are open in the checkpoint: records may be added to them.")
        .ask(question)
        .holds(open > 0, "no open window");
    rule("The checkpoint says that the input was read to its end.").same(stored.finished, true);
    let records: u64 = memory.tables().results.values().map(|result| result.delays.count).sum();
    rule("After the end every record is in a result or among the dropped.")
        .same(records + memory.tables().dropped.len() as u64, u64::from(RECORDS));
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_has_happened_and_is_heard_of_as_a_failure() {
    // A checkpoint is three calls, so the sixth is the second commit.
    let mut job = Crashing::unanswered(Memory::unread(Log::OnePartition), 6);
    rule("A commit that is answered has happened.").same(checkpoint(&mut job).await, Ok(()));
    rule("A commit whose answer is lost is heard of as one that has failed.")
        .picture("checkpoint 1: answered · checkpoint 2: carried out, and its answer is lost")
        .ask("What does the loop know of the second commit, and what does the database?")
        .same(checkpoint(&mut job).await, Err(Stopped::Crash));
    let stored = job.inner().tables().checkpoint.as_deref().map(decode);
    rule("It has happened all the same.")
        .same(stored.map(|stored| stored.map(|stored| stored.id)), Some(Ok(2)));

    let mut job = Crashing::after_call(Memory::unread(Log::OnePartition), 3);
    let question = "Is a crash behind a call, or in the middle of it?";
    rule("A process that crashes behind its commit has got the answer.")
        .ask(question)
        .same(checkpoint(&mut job).await, Ok(()));
    rule("From then on it does nothing.")
        .ask(question)
        .same(checkpoint(&mut job).await, Err(Stopped::Crash));
}

#[tokio::test]
async fn an_input_is_finished_when_it_was_read_to_its_end_and_its_end_is_committed() {
    let mut memory = Memory::unread(Log::OnePartition);
    let _ = turn(&mut memory).await;
    let mut early = memory.clone();
    rule("Nothing fails in memory.").same(finish(&mut early).await, Ok(()));
    let is_finished = |memory: Memory| memory.restarted().was_finished();
    let question = "What would be missing in the tables if the next start did nothing?";
    rule("Where records were added behind the end, there is something to do.")
        .ask(question)
        .same(is_finished(early), false);
    while !memory.is_at_the_end() {
        let _ = turn(&mut memory).await;
    }
    rule("Nothing fails in memory.").same(checkpoint(&mut memory).await, Ok(()));
    rule("Where the last checkpoint has all records and not the end, there is something to do.")
        .ask(question)
        .same(is_finished(memory.clone()), false);
    rule("Nothing fails in memory.").same(finish(&mut memory).await, Ok(()));
    rule("Where the end is committed, there is nothing to do.").same(is_finished(memory), true);
}

#[tokio::test]
async fn offsets_that_move_before_the_records_are_processed_lose_some() {
    let _ = turn(&mut Memory::unread(Log::OnePartition)).await;
    let turn = async |effects: &mut Crashing<Memory>| {
        let inputs = effects.poll().await?;
        for input in &inputs {
            if let Input::Record(record) = input {
                effects.advance(record);
            }
        }
        for input in &inputs {
            let outcome = effects.process(input)?;
            effects.emit(outcome);
            if effects.is_due() {
                checkpoint(effects).await?;
            }
        }
        Ok(inputs.len())
    };
    let finish = async |effects: &mut Crashing<Memory>| finish(effects).await;
    let table = crash_table(Log::OnePartition, turn, finish).await;
    let lost: Vec<(Effect, u64, u64)> =
        table.lines.iter().map(|line| (line.after, line.lost, line.repeated)).collect();
    // The worst checkpoint is made behind the first record of a poll of 8.
    let all_but_the_end = lost.iter().all(|(after, lost, repeated)| match after {
        Effect::End => (*lost, *repeated) == (0, 0),
        _ => (*lost, *repeated) == (7, 0),
    });
    rule("A loop that moves the offsets a poll at a time loses what it has not processed.")
        .picture(format!("the offsets are moved behind each poll, of 8 records\n{table}"))
        .ask("The checkpoint is made behind the first of eight. Where does the next start read on?")
        .holds(all_but_the_end, "another table");
}
