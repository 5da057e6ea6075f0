//! Step 4: a loop that survives a crash anywhere.
//!
//! Invariants:
//! 1. Wherever the loop crashes, also between a commit and its answer: the restarted one loses
//!    nothing and repeats nothing.
//! 2. Offsets, state and what was emitted are of one moment, between two inputs.
//! 3. An effect that fails ends the turn.
//! 4. The final watermark is in no checkpoint.

use lab04::watermark::FINAL_WATERMARK_MS;
use lab06::checkpoint::decode;
use lab06::crash::{CrashTable, Crashing, Effect, Log, Memory, crash_table};
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
        self.calls.push(format!("emit {outcome}"));
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

async fn table_of(log: Log) -> CrashTable {
    let turn = async |effects: &mut Crashing<Memory>| turn(effects).await;
    let finish = async |effects: &mut Crashing<Memory>| finish(effects).await;
    crash_table(log, turn, finish).await
}

const MOMENT: &str = "Take a line that is not zero. At the moment of the crash: which records are in the state \
     that is stored, behind which do the stored offsets stand, and whose results are in the table?";

#[tokio::test]
async fn wherever_it_crashes_nothing_is_lost_and_nothing_is_repeated() {
    let table = table_of(Log::OnePartition).await;
    rule("Wherever the loop crashes, the restarted one loses nothing and repeats nothing.")
        .picture(format!("one partition, late and dropped records among them\n{table}"))
        .ask(MOMENT)
        .holds(table.is_all_zeros(), "a line that is not zero");
    rule("The loop comes past each of its effects, and was crashed behind each of them.")
        .picture(table.to_string())
        .same(table.lines.len(), Effect::CommitUnanswered as usize + 1);
    println!("one partition: {table}");
}

#[tokio::test]
async fn with_two_partitions_nothing_is_lost_or_repeated_either() {
    let table = table_of(Log::TwoPartitions).await;
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
        .same(records + memory.tables().dropped.len() as u64, u64::from(lab06::crash::RECORDS));
}
