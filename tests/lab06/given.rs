//! What is given, and what it promises to the steps.

use std::path::Path;
use std::time::Duration;

use lab05::board::BoardConfig;
use lab05::delays::Delays;
use lab05::firing::WindowResult;
use lab05::window::Window;
use lab06::checkpoint::{FormatError, Head, JobState, RestoreError, check_windows};
use lab06::crash::{
    CrashLine, CrashTable, Crashing, Effect, Log, Memory, MemoryError, RECORDS, Stopped, Tables,
};
use lab06::interval::Interval;
use lab06::last_record::fingerprints;
use lab06::recovery::RecoveryError;
use lab06::savepoint::sync_folder_of;
use lab06::state::{Checkpoint, SavedWindow};
use lab06::store::{Output, StoreError, ensure_tables};
use lab06::turn::{Effects, Input, Record};
use lab06::version1::{CheckpointV1, PartitionV1, RowV1, encode_version1};
use testkit::{with_database, with_kafka};

use super::at_hand::{
    at, board, eventful, eventful_checkpoint, fingerprint, go_through, key, minutes, no_flight,
    read_to, record, told, window,
};
use super::at_hand_job::put;

#[test]
fn given_windows_are_restored_as_they_were() {
    let saved = eventful_checkpoint().windows;
    assert_eq!(SavedWindow::all_of(&SavedWindow::restored(&saved)), saved);
    assert_eq!(SavedWindow::all_of(eventful().board.aggregation().state()), saved);
}

#[test]
fn given_one_input_changes_state_and_output_and_no_position() {
    let mut state = JobState::begin(&[(0, 41)].into(), &board()).expect("an hour");
    let before = state.positions.clone();
    let input = Input::Record(no_flight(0, 41));
    let output = state.process(&input, Duration::ZERO);
    assert_eq!((told(&output).as_str(), state.unreadable), ("no flight 0@41", 1));
    assert_eq!(state.positions, before);
    state.advance(&no_flight(0, 41));
    assert_eq!(state.positions[&0].next_offset, 42);
    assert_eq!(state.positions[&0].last_record, Some(fingerprint(&no_flight(0, 41))));
    let later = [record(0, 42, "EWR", "06:10", 3), record(0, 43, "EWR", "07:20", 0)];
    let output = go_through(&mut state, &later.map(Input::Record));
    assert_eq!(told(&output), "[06:00,07:00) EWR: 1 of 3 min, revision 1");
    assert_eq!(told(&state.end()), "[07:00,08:00) EWR: 1 of 0 min, revision 1");
}

#[test]
fn given_an_added_partition_is_waited_for_and_read_from_its_offset() {
    let mut state = JobState::begin(&[(0, 41)].into(), &board()).expect("an hour");
    state.add_partition(1, 7, Duration::ZERO);
    assert_eq!((state.positions[&1].next_offset, &state.positions[&1].last_record), (7, &None));
    let records = [record(0, 41, "EWR", "06:10", 3), record(0, 42, "EWR", "07:20", 0)];
    let output = go_through(&mut state, &records.map(Input::Record));
    assert_eq!(told(&output), "nothing", "the added partition has not spoken");
    let output = state.process(&Input::EndOf(1), Duration::ZERO);
    assert_eq!(told(&output), "[06:00,07:00) EWR: 1 of 3 min, revision 1");
}

#[test]
fn given_a_record_is_told_by_place_time_and_check_sum() {
    let flight = record(0, 41, "EWR", "06:10", 3);
    let check_sum = crc32fast::hash(&flight.payload);
    let expected =
        format!("at offset 41 a record of 2013-02-08T06:13:00Z with check sum {check_sum:08x}");
    assert_eq!(fingerprint(&flight).text(), expected);
}

#[test]
fn given_a_head_line_is_read_as_it_is_written() {
    let head = Head { version: 2, crc32: 0x0a1b_2c3d, bytes: 512 };
    assert_eq!(head.line(), "tidemark-checkpoint 2 crc32=0a1b2c3d bytes=512\n");
    assert_eq!(Head::parse(head.line().trim_end()), Some(head));
    assert_eq!(Head::parse("tidemark-checkpoint 2 crc32=0A1B2C3D bytes=512"), None);
    let longest = Head { version: u32::MAX, crc32: u32::MAX, bytes: usize::MAX };
    assert!(longest.line().len() < lab06::checkpoint::MAX_HEAD_BYTES);
}

#[test]
fn given_windows_and_lateness_have_to_fit() {
    let checkpoint = eventful_checkpoint();
    assert_eq!(check_windows(&checkpoint, &board()), Ok(()));
    let longer = BoardConfig { allowed_lateness: minutes(31), ..board() };
    assert!(matches!(
        check_windows(&checkpoint, &longer),
        Err(RestoreError::LongerLateness { .. })
    ));
    let shifted = Checkpoint { windows: vec![window("06:30", false, vec![])], ..checkpoint };
    assert!(matches!(check_windows(&shifted, &board()), Err(RestoreError::OtherWindow { .. })));
}

#[test]
fn given_an_interval_is_due_by_time_or_by_changes() {
    let interval = Interval { every: Duration::from_secs(1), changes: 100 };
    let just_before = Duration::from_millis(999);
    for (elapsed, changes, expected) in [
        (just_before, 99, false),
        (Duration::from_secs(1), 1, true),
        (just_before, 100, true),
        (Duration::from_secs(9), 0, false),
    ] {
        assert_eq!(interval.is_due(elapsed, changes), expected, "{elapsed:?}, {changes}");
    }
}

#[tokio::test]
async fn given_nothing_happens_behind_a_crash() {
    let mut crashed = Crashing::after_call(Memory::unread(Log::OnePartition), 2);
    let inputs = crashed.poll().await.expect("the first call is carried out");
    crashed.process(&inputs[0]).expect("the second call is carried out");
    assert!(crashed.is_over());
    crashed.emit(Output::default());
    assert_eq!(crashed.poll().await, Err(Stopped::Crash));
    assert_eq!(crashed.commit().await, Err(Stopped::Crash));
    assert_eq!(crashed.calls(), [Effect::Poll, Effect::Process]);
}

#[tokio::test]
async fn given_a_commit_without_a_transaction_fails_in_memory() {
    let mut memory = Memory::unread(Log::TwoPartitions);
    assert_eq!(memory.commit().await, Err(MemoryError::NoTransaction));
}

#[test]
fn given_the_logs_in_memory_hold_what_they_promise() {
    for (log, dropped) in [(Log::OnePartition, true), (Log::TwoPartitions, false)] {
        let mut memory = Memory::unread(log);
        let mut counts = None;
        futures::executor::block_on(async {
            let config = log.board_config();
            let first = match log {
                Log::OnePartition => [(0, 100), (1, 100)].into(),
                Log::TwoPartitions => [(0, 100), (1, 100), (2, 100)].into(),
            };
            let mut state = JobState::begin(&first, &config).expect("an hour");
            while !memory.is_at_the_end() {
                let inputs = memory.poll().await.expect("nothing fails in memory");
                let output = go_through(&mut state, &inputs);
                assert!(output.unreadable.is_empty());
            }
            counts = Some(state.board.counts());
        });
        let counts = counts.expect("the log was read");
        assert_eq!(counts.read, u64::from(RECORDS));
        assert_eq!(counts.dropped.total() > 0, dropped, "{log:?}: {counts:?}");
        assert_eq!(counts.late > counts.dropped.total(), dropped, "{log:?}: {counts:?}");
    }
}

#[test]
fn given_version_1_refuses_what_it_did_not_know() {
    let bound = minutes(15);
    let known = Checkpoint {
        windows: vec![window("06:00", false, vec![key("EWR", [16], 0)])],
        watermark_ms: Some(at("05:55")),
        ..read_to(7, "flights", 42)
    };
    let bytes = encode_version1(&known, bound).expect("version 1 knew all of this");
    assert!(bytes.starts_with(b"tidemark-checkpoint 1 crc32="));
    let mut idle = known.clone();
    idle.partitions[0].idle = true;
    let mut unreadable = known.clone();
    unreadable.counts.unreadable = 1;
    let mut refused = known.clone();
    refused.counts.too_far_ahead = 1;
    let mut without_window = known.clone();
    without_window.counts.no_window = 1;
    let corrected = Checkpoint { allowed_lateness_ms: 1, ..known.clone() };
    let finished = Checkpoint { finished: true, ..known };
    for unknown in [idle, unreadable, refused, without_window, corrected, finished] {
        assert!(encode_version1(&unknown, bound).is_err(), "{unknown:?}");
    }
}

#[test]
fn given_a_fingerprint_is_that_of_the_record_at_the_place() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        let records = [record(0, 0, "LGA", "06:10", 0), record(0, 1, "LGA", "06:20", 5)];
        put(kafka, &topic, &records).await;
        put(kafka, &topic, &[record(1, 0, "EWR", "06:30", 7)]).await;
        let asked = [(0, 1), (1, 0)].into();
        let found = fingerprints(&kafka.client(), &topic, &asked).await.expect("they are there");
        let expected =
            [(0, fingerprint(&records[1])), (1, fingerprint(&record(1, 0, "EWR", "06:30", 7)))];
        assert_eq!(found, expected.into());
    });
}

#[test]
fn given_a_table_that_is_gone_is_not_made_anew_under_its_checkpoints() {
    with_database(async |database| {
        let client = database.connect().await;
        ensure_tables(&client).await.expect("the tables can be made");
        ensure_tables(&client).await.expect("they may be there");
        client.batch_execute("DROP TABLE processed_events_aggregated").await.expect("it is there");
        let error = ensure_tables(&client).await.expect_err("the results are lost");
        assert!(matches!(error, StoreError::Lost { .. }));
        assert_eq!(
            error.to_string(),
            "table `processed_events_aggregated` is gone, and other tables of this lab are there; \
             drop all but `job_epochs` to begin anew"
        );
        let others = "DROP TABLE dropped_records, checkpoints, dead_letters";
        client.batch_execute(others).await.expect("they are there");
        ensure_tables(&client).await.expect("a job may begin anew");
    });
}

#[test]
fn given_first_starts_at_once_make_the_tables_once() {
    with_database(async |database| {
        let (one, other) = (database.connect().await, database.connect().await);
        for round in 0..30 {
            let schema = format!("CREATE SCHEMA round_{round}");
            one.batch_execute(&schema).await.expect("the database makes a schema");
            for client in [&one, &other] {
                let path = format!("SET search_path = round_{round}");
                client.batch_execute(&path).await.expect("the path can be set");
            }
            let (first, second) = tokio::join!(ensure_tables(&one), ensure_tables(&other));
            first.expect("nobody else makes tables meanwhile");
            second.expect("the tables are there");
        }
    });
}

#[test]
fn given_a_record_without_an_arrival_is_no_flight() {
    let mut state = JobState::begin(&[(0, 0)].into(), &board()).expect("an hour");
    for timestamp_ms in [-1, i64::MIN, 4_102_444_800_000] {
        let without = Record { timestamp_ms, ..record(0, 0, "LGA", "06:10", 0) };
        let outcome = state.process(&Input::Record(without), Duration::ZERO);
        assert_eq!(outcome.unreadable.len(), 1, "arrival {timestamp_ms} ms");
    }
    assert_eq!((state.unreadable, state.board.counts().read), (3, 0));
}

#[test]
fn given_a_checkpoint_that_contradicts_itself_is_told() {
    let good = eventful_checkpoint();
    let with_id = |id| Checkpoint { id, ..good.clone() };
    let last = i64::MAX.unsigned_abs() - 1;
    for fine in [good.clone(), with_id(1), with_id(last)] {
        assert_eq!(fine.check(), Ok(()), "number {}", fine.id);
    }
    for id in [last + 1, last + 2, u64::MAX] {
        let reason = format!("number {id}, expected one below {}", i64::MAX);
        assert_eq!(with_id(id).check(), Err(reason));
    }
    let mut partitions = [good.clone(), good.clone()];
    partitions[0].partitions.swap(0, 1);
    partitions[1].partitions[1].partition = 0;
    let mut windows = [good.clone(), good.clone()];
    windows[0].windows.swap(0, 1);
    windows[1].windows[1] = windows[1].windows[0].clone();
    let mut airports = [good.clone(), good.clone()];
    airports[0].windows[1].keys.swap(0, 1);
    airports[1].windows[1].keys[1].key = "EWR".to_owned();
    for (both, reason) in [
        (partitions, "a partition is there twice, or out of order"),
        (windows, "a window is there twice, or out of order"),
        (airports, "an airport is twice in a window, or out of order"),
    ] {
        assert_eq!(both.map(|bad| bad.check()), [(); 2].map(|()| Err(reason.to_owned())));
    }
}

#[test]
fn given_a_damaged_checkpoint_is_told_with_the_good_one_before_it() {
    let told = |previous_good| {
        let (job, reason) = ("board".to_owned(), FormatError::Newer { found: 3 });
        RecoveryError::Unreadable { job, id: 11, reason, previous_good }.to_string()
    };
    let begin = "checkpoint 11 of job `board`: checkpoint of version 3: this program reads \
                 versions up to 2";
    assert_eq!(told(Some(9)), format!("{begin}; checkpoint 9 before it is good"));
    assert_eq!(told(None), format!("{begin}; there is no good one before it"));
}

#[test]
fn given_a_file_without_a_folder_lies_in_the_current_one() {
    sync_folder_of(Path::new("board.savepoint")).expect("there is a current folder");
    sync_folder_of(Path::new("no-such-folder/board.savepoint")).expect_err("there is no folder");
}

#[tokio::test]
async fn given_the_logs_in_memory_are_of_six_hours_on_the_partitions_that_they_name() {
    for (log, on_first, on_second) in
        [(Log::OnePartition, RECORDS, 0), (Log::TwoPartitions, 30, 60)]
    {
        assert_eq!(log.board_config().window, minutes(60));
        let (mut memory, mut records) = (Memory::unread(log), [0; 3]);
        let mut departed_ms = Vec::new();
        while !memory.is_at_the_end() {
            for input in memory.poll().await.expect("nothing fails in memory") {
                if let Input::Record(record) = input {
                    records[record.partition as usize] += 1;
                    departed_ms.push(record.timestamp_ms);
                }
            }
        }
        assert_eq!(records, [on_first, on_second, 0], "{log:?}");
        let [first_ms, last_ms] = [departed_ms.iter().min(), departed_ms.iter().max()];
        let hours = (last_ms.expect("a record") - first_ms.expect("a record")) / 3_600_000;
        // Four minutes from one slot to the next, and 90 minutes out of order at most.
        assert!((4..=7).contains(&hours), "{log:?}: {hours} h");
    }
}

/// A table with this many records in the results of two airports, and these places dropped.
fn tables(counts: [u64; 2], dropped: &[(i32, i64)]) -> Tables {
    let window = Window { start_ms: at("06:00"), end_ms: at("07:00") };
    let result = |(key, count): (&str, u64)| {
        let delays = Delays { count, ..Delays::default() };
        let result = WindowResult { window, key: key.to_owned(), delays, revision: 1 };
        ((window, key.to_owned()), result)
    };
    let results = ["EWR", "JFK"].into_iter().zip(counts).map(result);
    Tables { results: results.collect(), dropped: dropped.to_vec(), checkpoint: None }
}

#[test]
fn given_tables_are_compared_record_by_record() {
    let expected = tables([5, 9], &[(0, 41), (0, 42), (1, 43)]);
    assert_eq!(expected.compared_with(&expected), (0, 0));
    for (counts, dropped, lost, repeated) in [
        ([3, 5], [(0, 41), (0, 42), (1, 43)].as_slice(), 6, 0),
        ([7, 12], &[(0, 41), (0, 42), (1, 43)], 0, 5),
        ([5, 9], &[(1, 43)], 2, 0),
        ([5, 9], &[(0, 41), (0, 41), (0, 42), (1, 43), (1, 43), (1, 43)], 0, 3),
        ([3, 10], &[(0, 41), (0, 41), (1, 43), (2, 44)], 3, 3),
    ] {
        let got = tables(counts, dropped).compared_with(&expected);
        assert_eq!(got, (lost, repeated), "{counts:?}, {dropped:?}");
    }
    assert_eq!(Tables::default().compared_with(&expected), (14 + 3, 0));
    assert_eq!(expected.compared_with(&Tables::default()), (0, 14 + 3));
}

#[test]
fn given_a_table_of_crashes_has_a_line_for_each_effect() {
    let line = |after, lost, repeated| CrashLine { after, crashes: 12, lost, repeated };
    let lines = vec![line(Effect::Poll, 0, 0), line(Effect::CommitUnanswered, 3, 14)];
    let table = CrashTable { lines };
    assert_eq!(
        table.to_string(),
        "90 records, one crash, then a restart\n  \
         crash after          tried   lost   repeated\n  \
         poll                    12      0          0\n  \
         commit, unanswered      12      3         14"
    );
    for (lost, repeated, expected) in [(0, 0, true), (1, 0, false), (0, 1, false)] {
        let table = CrashTable { lines: vec![line(Effect::Write, lost, repeated)] };
        assert_eq!(table.is_all_zeros(), expected, "{table}");
    }
}

#[test]
fn given_version_1_kept_last_offsets_watermarks_and_seconds() {
    let mut known = read_to(7, "flights", 42);
    known.partitions[0].max_timestamp_ms = Some(at("06:30"));
    known.windows = vec![window("06:00", false, vec![key("EWR", [-4, 16], 0)])];
    let bytes = encode_version1(&known, minutes(15)).expect("version 1 knew all of this");
    let head = bytes.iter().position(|byte| *byte == b'\n').expect("there is a head line");
    let written: CheckpointV1 = serde_json::from_slice(&bytes[head..]).expect("of version 1");
    let row = RowV1 {
        start_ms: at("06:00"),
        minutes: 60,
        origin: "EWR".to_owned(),
        count: 2,
        sum_s: 720,
        worst_s: 960,
        over_15_min: 1,
    };
    let watermark_ms = Some(at("06:15"));
    let expected = CheckpointV1 {
        id: 7,
        topic: "flights".to_owned(),
        bound_ms: 900_000,
        partitions: vec![PartitionV1 { partition: 0, processed_offset: 41, watermark_ms }],
        rows: vec![row],
        read: 0,
        late: 0,
        dropped: 0,
        results: 0,
    };
    assert_eq!(written, expected);
}
