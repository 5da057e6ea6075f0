//! Step 1: all state of a job as a checkpoint, and a checkpoint as bytes.
//!
//! Invariants:
//! 1. A job that was restored gives the same results for every further record as one that never
//!    ended, wherever it was cut.
//! 2. What was written is read again, whatever it holds. What was damaged is never read.
//! 3. A refusal names what is wrong.

use std::time::Duration;

use lab05::board::BoardConfig;
use lab06::checkpoint::{
    FORMAT, FormatError, JobState, RestoreError, VERSION, decode, encode, restore, take,
};
use lab06::state::{Checkpoint, Fingerprint, SavedCounts, SavedKey, SavedPartition, SavedWindow};
use lab06::turn::{Input, Record};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use testkit::{for_all, rule};

use super::at_hand::{
    TOPIC, at, board, clock, eventful, eventful_checkpoint, flight, go_through, minutes, no_flight,
    record, record_of, told, with_head, with_head_of,
};

#[test]
fn a_checkpoint_holds_all_that_a_job_must_remember() {
    let (got, expected) = (take(&eventful(), 7, TOPIC), eventful_checkpoint());
    let the_rule = |what: &str| {
        rule(format!("A checkpoint holds {what}.")).picture(
            "partition 0  100 LGA 06:40 · 101 LGA 07:30 · 102 JFK 05:10 · 103 JFK 23:00, at 06:30\n\
             partition 1  0 EWR 06:10 · 1 no flight · 2 EWR 07:20 · 3 EWR 06:50\n\
             partition 2  nothing, and idle",
        )
    };
    the_rule("its number and its topic").same((got.id, got.topic), (expected.id, expected.topic));
    for (got, expected) in got.partitions.iter().zip(&expected.partitions) {
        the_rule("how far each partition was processed, and its largest timestamp").same(
            (got.partition, got.next_offset, got.last_record, got.max_timestamp_ms),
            (
                expected.partition,
                expected.next_offset,
                expected.last_record,
                expected.max_timestamp_ms,
            ),
        );
        the_rule("which partitions are idle").same(got.idle, expected.idle);
    }
    the_rule("every partition, also those that have not spoken")
        .same(got.partitions.len(), expected.partitions.len());
    the_rule("the watermark as it was given out last")
        .same_bytes(clock(got.watermark_ms), clock(expected.watermark_ms));
    the_rule("the windows that may still change").same(got.windows, expected.windows);
    the_rule("the counters, that of the records which are no flight among them")
        .ask("The board counts what it sees. Who counts what it never sees?")
        .same(got.counts, expected.counts);
    the_rule("the allowed lateness by which windows were let go")
        .same(got.allowed_lateness_ms, expected.allowed_lateness_ms);
}

#[test]
fn the_watermark_is_the_one_given_out_and_not_the_smallest_of_the_partitions() {
    let mut state = JobState::begin(&[(0, 0), (1, 0)].into(), &board()).expect("an hour");
    go_through(
        &mut state,
        &[
            Input::EndOf(1),
            Input::Record(record(0, 0, "LGA", "08:00", 0)),
            Input::Record(record(1, 0, "EWR", "06:00", 0)),
        ],
    );
    let taken = take(&state, 1, TOPIC);
    let question = "The smallest is 05:45 now. Which windows have fired already?";
    let picture = "0 is at 08:00, nobody waited for 1; then 1 wakes up with 06:00. Bound 15 min";
    rule("A checkpoint holds the watermark that was given out: it never goes back.")
        .picture(picture)
        .ask(question)
        .same_bytes(clock(taken.watermark_ms), "07:45");
    let restored = rule("A job can be restored.").succeeds(restore(&taken, &board()));
    rule("A restored job has the watermark that was given out: it never goes back.")
        .picture(picture)
        .ask(question)
        .same_bytes(clock(restored.board.watermark().current_ms()), "07:45");
}

/// An input that anybody may meet: records of two hours on three partitions, most of them flights.
fn input() -> impl Strategy<Value = (i32, u8, u16, i32)> {
    // Kind 0 is the end of a partition, 1 no flight, 2 a time of the far future, the rest flights.
    (0..3_i32, 0..12_u8, 0..120_u16, -20..200_i32)
}

fn made(chosen: &[(i32, u8, u16, i32)]) -> Vec<Input> {
    let mut next = [100, 0, 0];
    let mut inputs = Vec::new();
    for (partition, kind, minute, delay_min) in chosen {
        let offset = next[*partition as usize];
        let origin = ["EWR", "JFK", "LGA"][usize::from(*minute) % 3];
        let slot_ms = at("06:00") + i64::from(*minute) * 60_000;
        let record = match kind {
            0 => {
                inputs.push(Input::EndOf(*partition));
                continue;
            }
            1 => no_flight(*partition, offset),
            2 => Record {
                timestamp_ms: at("06:00"),
                ..record_of(*partition, offset, &flight(origin, at("23:00"), 0))
            },
            _ => record_of(*partition, offset, &flight(origin, slot_ms, *delay_min)),
        };
        next[*partition as usize] += 1;
        inputs.push(Input::Record(record));
    }
    inputs
}

/// One line an input, and a mark where the job was cut.
fn picture(inputs: &[Input], cut: usize) -> String {
    let mut lines: Vec<String> = inputs
        .iter()
        .map(|input| match input {
            Input::EndOf(partition) => format!("{partition}  read to its end, idle"),
            Input::Time(clock) => format!("clock {clock:?}"),
            Input::Record(record) => match lab01::event::decode(&record.payload) {
                Ok(flight) => {
                    let slot = &flights::utc::format(flight.scheduled_ms)[11..16];
                    format!("{}@{}  {} {slot}", record.partition, record.offset, flight.origin)
                }
                Err(_) => format!("{}@{}  no flight", record.partition, record.offset),
            },
        })
        .collect();
    lines.insert(cut, "--- checkpoint, end, restart".to_owned());
    lines.join("\n")
}

/// Cuts a job behind so many inputs, and compares it with one that was not cut.
fn cut_equals_uncut(inputs: &[Input], cut: usize) {
    let first = [(0, 100), (1, 0), (2, 0)].into();
    let mut uncut = JobState::begin(&first, &board()).expect("an hour is a window's length");
    let mut job = uncut.clone();
    go_through(&mut uncut, &inputs[..cut]);
    go_through(&mut job, &inputs[..cut]);
    let checkpoint = take(&job, 1, TOPIC);
    let stored = encode(&checkpoint);
    let read = rule("What was written can be read.").succeeds(decode(&stored));
    let mut restored = rule("A job can be restored.").succeeds(restore(&read, &board()));
    let mut got = go_through(&mut restored, &inputs[cut..]);
    let mut expected = go_through(&mut uncut, &inputs[cut..]);
    got.append(restored.end());
    expected.append(uncut.end());
    let question = "Which part of the state decided here, and is it in the checkpoint and back?";
    rule("A restored job gives the same results as one that never ended.")
        .picture(picture(inputs, cut))
        .ask(question)
        .same_bytes(told(&got), told(&expected));
    rule("A restored job has counted the same as one that never ended.")
        .picture(picture(inputs, cut))
        .ask(question)
        .same(
            (restored.board.counts(), restored.unreadable, &restored.positions),
            (uncut.board.counts(), uncut.unreadable, &uncut.positions),
        );
}

#[test]
fn a_restored_job_goes_on_as_if_there_had_been_no_end() {
    let inputs = vec(input(), 1..40);
    for_all((inputs, any::<proptest::sample::Index>()), |(chosen, cut)| {
        let inputs = made(&chosen);
        cut_equals_uncut(&inputs, cut.index(inputs.len() + 1));
    });
}

#[test]
fn an_idle_partition_is_idle_after_the_restart_too() {
    let mut state = JobState::begin(&[(0, 0), (1, 0)].into(), &idle_board()).expect("an hour");
    go_through(&mut state, &[Input::Record(record(0, 0, "LGA", "06:40", 0))]);
    go_through(&mut state, &[Input::Time(Duration::from_secs(1))]);
    state.process(&Input::Record(record(0, 1, "LGA", "06:50", 0)), Duration::from_secs(2));
    state.process(&Input::Time(Duration::from_secs(3)), Duration::from_secs(3));
    let taken = take(&state, 1, TOPIC);
    let mut restored = rule("A job can be restored.").succeeds(restore(&taken, &idle_board()));
    go_through(&mut restored, &[Input::Record(record(0, 2, "LGA", "07:30", 0))]);
    rule("Nobody waited for partition 1, and nobody waits for it after the restart.")
        .picture("idle after 2 s; partition 1 has never spoken; restart; then 07:30 on partition 0")
        .ask("Two seconds after every restart the board would stand still. Where is the idle mark?")
        .same_bytes(clock(restored.board.watermark().current_ms()), "07:15");
}

fn idle_board() -> BoardConfig {
    BoardConfig { idle_after: Some(Duration::from_secs(2)), ..board() }
}

#[test]
fn bound_and_guard_may_be_other_ones_after_the_restart() {
    let taken = take(&eventful(), 1, TOPIC);
    let wider = BoardConfig { bound: minutes(60), ..board() };
    let restored =
        rule("A job can be restored with another bound.").succeeds(restore(&taken, &wider));
    let each_ms = restored.board.watermark().each_ms();
    rule("A partition's watermark is its largest timestamp less the bound of today.")
        .picture("partition 0 has seen 07:30, partition 1 07:20; the bound was 15 min, now 60 min")
        .ask("What is kept of a partition: its watermark, or what its watermark stands on?")
        .same((clock(each_ms[&0]), clock(each_ms[&1])), ("06:30".to_owned(), "06:20".to_owned()));
}

#[test]
fn windows_of_another_length_are_refused() {
    let shorter = BoardConfig { window: minutes(15), ..board() };
    rule("A window that the configuration has not is no state of this job.")
        .ask("Its records are counted in an hour. In which quarter of it would you put them?")
        .refuses(restore(&take(&eventful(), 1, TOPIC), &shorter), "OtherWindow", |error| {
            error.to_string()
                == "the checkpoint has a window from 2013-02-08T06:00:00Z to \
                    2013-02-08T07:00:00Z, and windows of 15 min have none such"
        });
    let none = BoardConfig { window: Duration::ZERO, ..board() };
    rule("No window has the length zero.").refuses(
        restore(&take(&eventful(), 1, TOPIC), &none),
        "Size",
        |error| matches!(error, RestoreError::Size(_)),
    );
}

#[test]
fn the_allowed_lateness_can_become_shorter_and_not_longer() {
    let taken = take(&eventful(), 1, TOPIC);
    let shorter = BoardConfig { allowed_lateness: minutes(5), ..board() };
    let restored = rule("A shorter allowed lateness is fine.").succeeds(restore(&taken, &shorter));
    rule("From the next checkpoint on, the shorter one counts.")
        .picture("made with 30 min, restored with 5 min, then the next checkpoint")
        .ask("By which lateness are windows let go from now on?")
        .same(take(&restored, 2, TOPIC).allowed_lateness_ms, 5 * 60_000);
    let longer = BoardConfig { allowed_lateness: minutes(120), ..board() };
    rule("A longer allowed lateness is refused.")
        .ask("A window with 30 flights fired and was let go. Late records open it again: what does its row say after the first of them, and after the second?")
        .refuses(restore(&taken, &longer), "LongerLateness", |error| {
            error.to_string()
                == "the checkpoint was made with an allowed lateness of 30 min, which can become \
                    shorter, but not 2 h"
        });
}

/// A number that is most often at one of the ends.
fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1), Just(0), any::<i64>()]
}

/// Whatever a checkpoint can hold, sense or nonsense.
fn any_checkpoint() -> impl Strategy<Value = Checkpoint> {
    let fingerprint =
        (extreme(), extreme(), any::<u32>()).prop_map(|(offset, timestamp_ms, crc)| Fingerprint {
            offset,
            timestamp_ms,
            payload_crc32: crc,
        });
    let partition =
        (any::<i32>(), extreme(), option::of(fingerprint), option::of(extreme()), any::<bool>());
    let partition =
        partition.prop_map(|(partition, next_offset, last_record, max_timestamp_ms, idle)| {
            SavedPartition { partition, next_offset, last_record, max_timestamp_ms, idle }
        });
    let key = (".{0,4}", any::<u64>(), extreme(), option::of(any::<i32>()), any::<u32>());
    let key = key.prop_map(|(key, count, sum_min, worst_min, revision)| SavedKey {
        key,
        count,
        sum_min,
        worst_min,
        over_15_min: count,
        revision,
    });
    let window = (extreme(), extreme(), any::<bool>(), vec(key, 0..3));
    let window = window.prop_map(|(start_ms, end_ms, has_fired, keys)| SavedWindow {
        start_ms,
        end_ms,
        has_fired,
        keys,
    });
    let counts =
        any::<[u64; 7]>().prop_map(|[read, late, gone, ahead, none, results, bad]| SavedCounts {
            read,
            late,
            window_gone: gone,
            too_far_ahead: ahead,
            no_window: none,
            results,
            unreadable: bad,
        });
    let head = (any::<u64>(), ".{0,9}", any::<bool>(), option::of(extreme()), extreme());
    (head, vec(partition, 0..4), vec(window, 0..4), counts).prop_map(
        |(
            (id, topic, finished, watermark_ms, allowed_lateness_ms),
            partitions,
            windows,
            counts,
        )| {
            Checkpoint {
                id,
                topic,
                finished,
                partitions,
                watermark_ms,
                allowed_lateness_ms,
                windows,
                counts,
            }
        },
    )
}

#[test]
fn what_was_written_is_read_again_whatever_it_holds() {
    // Nonsense does not become clearer by being small.
    for_all(any_checkpoint().no_shrink(), |checkpoint| {
        let read = rule("A checkpoint that was written can be read.")
            .succeeds(decode(&encode(&checkpoint)));
        rule("A checkpoint is read as it was written.").same(read, checkpoint);
    });
}

#[test]
fn the_bytes_are_text_with_a_head_line() {
    let bytes = encode(&eventful_checkpoint());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    rule("The head line says format, version, check sum and length of what follows.")
        .ask("Does what follows begin before or behind the line feed, and does it end with one?")
        .same_bytes(
            head,
            format!(
                "{FORMAT} {VERSION} crc32={:08x} bytes={}",
                crc32fast::hash(body.as_bytes()),
                body.len()
            ),
        );
    rule("What follows is JSON, indented, so that a person can read it and compare two of them.")
        .same_bytes(
            body.lines().take(3).collect::<Vec<_>>().join("\n"),
            "{\n  \"id\": 7,\n  \"topic\": \"flights\",",
        );
    rule("It ends with a line feed.").holds(body.ends_with("}\n"), "another end");
}

#[test]
fn a_byte_that_is_not_what_it_was_is_found_wherever_it_is() {
    let bytes = encode(&eventful_checkpoint());
    for place in 0..bytes.len() {
        for flip in [0x01, 0x20, 0xff] {
            let mut damaged = bytes.clone();
            damaged[place] ^= flip;
            let read = decode(&damaged);
            rule("A checkpoint in which a byte has changed is not read.")
                .picture(format!(
                    "byte {place} of {}: {:#04x} has become {:#04x}",
                    bytes.len(),
                    bytes[place],
                    damaged[place]
                ))
                .ask("Of which bytes is the check sum, and who looks at it?")
                .holds(read.is_err(), "a checkpoint that nobody has written");
        }
    }
}

#[test]
fn a_checkpoint_that_ends_early_is_refused_wherever_it_ends() {
    let bytes = encode(&eventful_checkpoint());
    for length in 0..bytes.len() {
        rule("A checkpoint that is cut off is not read.")
            .picture(format!("the first {length} of {} bytes", bytes.len()))
            .holds(decode(&bytes[..length]).is_err(), "a checkpoint");
    }
    let head = bytes.iter().position(|byte| *byte == b'\n').expect("there is a head line") + 1;
    let (expected, found) = (bytes.len() - head, 100);
    rule("Where the end is missing, the two lengths are named.")
        .ask("The check sum is another one too. Which of the two sentences helps more?")
        .refuses(decode(&bytes[..head + found]), "OtherLength", |error| {
            *error == FormatError::OtherLength { expected, found }
        });
}

#[test]
fn what_stands_behind_the_end_is_refused() {
    let mut bytes = encode(&eventful_checkpoint());
    bytes.extend_from_slice(b"{}\n");
    rule("Bytes behind the end are no part of a checkpoint, and nobody knows whose they are.")
        .ask("The head line names a length. Is it more than a hint of where to stop?")
        .refuses(decode(&bytes), "OtherLength", |error| {
            matches!(error, FormatError::OtherLength { expected, found } if expected + 3 == *found)
        });
}

#[test]
fn a_checkpoint_of_a_later_program_is_refused_by_its_version() {
    let newer = with_head_of(3, "{ \"id\": 7 }\n");
    rule("A checkpoint of a later program is named as one, and nothing of it is guessed.")
        .ask("It may well be JSON with fields that you know. Does it mean the same by them?")
        .refuses(decode(&newer), "Newer, version 3", |error| {
            error.to_string() == "checkpoint of version 3: this program reads versions up to 2"
        });
    let cut_off = &newer[..newer.len() - 4];
    rule("The version is looked at before the length.").refuses(
        decode(cut_off),
        "Newer",
        |error| *error == FormatError::Newer { found: 3 },
    );
    let unknown = format!("{FORMAT} 0 crc32=00000000 bytes=0\n");
    rule("There was never a version 0.").refuses(decode(unknown.as_bytes()), "BadHead", |error| {
        matches!(error, FormatError::BadHead { .. })
    });
}

#[test]
fn bytes_of_somebody_else_are_named_as_such() {
    for (bytes, found) in [
        ("", ""),
        ("{ \"id\": 7 }\n", "{ \"id\": 7 }"),
        (
            "tidemark-checkpoints 2 crc32=00000000 bytes=0\n",
            "tidemark-checkpoints 2 crc32=00000000 bytes=0",
        ),
    ] {
        rule("Bytes that do not begin as a checkpoint does are none.")
            .picture(format!("{bytes:?}"))
            .refuses(decode(bytes.as_bytes()), "Foreign", |error| {
                *error == FormatError::Foreign { found: found.to_owned() }
            });
    }
    rule("Bytes that are no text are no checkpoint either.").refuses(
        decode(&[0xff, 0xfe, b'\n']),
        "Foreign",
        |error| matches!(error, FormatError::Foreign { .. }),
    );
}

#[test]
fn a_line_without_an_end_is_not_quoted_to_its_end() {
    for begin in ["", "tidemark-checkpoint "] {
        let huge = format!("{begin}{}", "x".repeat(1_000_000));
        let error = decode(huge.as_bytes()).err();
        let sentence = error.map_or("no error".to_owned(), |error| error.to_string());
        rule("A sentence about a file that is something else is still a sentence.")
            .picture(format!("{begin:?}, and a million letters without a line feed"))
            .ask("How long is the longest head line that `encode` can write?")
            .holds(
                (1..=200).contains(&sentence.len()),
                format!("a sentence of {} bytes", sentence.len()),
            );
    }
    for (what, foreign) in [
        ("a thousand euro signs, of three bytes each", "€".repeat(1_000).into_bytes()),
        ("a thousand bytes that are no text", vec![0xff; 1_000]),
    ] {
        rule("Wherever the line is cut off, what is no checkpoint is refused.")
            .picture(what)
            .ask("Where it is cut, may there be the middle of a letter?")
            .refuses(decode(&foreign), "Foreign", |error| {
                matches!(error, FormatError::Foreign { .. })
            });
    }
}

#[test]
fn a_head_line_is_as_it_is_written_or_it_is_none() {
    let right = String::from_utf8(with_head("{}")).expect("it is text");
    for (from, to) in [
        (" bytes=2", ""),
        (" bytes=2", " bytes=2 "),
        (" bytes=2", " bytes=+2"),
        (" bytes=2", " bytes=02"),
        (" bytes=2", " bytes=-2"),
        ("crc32=", "crc="),
        ("checkpoint 2", "checkpoint two"),
        ("\n", ""),
    ] {
        let damaged = right.replacen(from, to, 1);
        rule("A head line that `encode` can't have written is damaged.")
            .picture(damaged.lines().next().unwrap_or_default())
            .refuses(decode(damaged.as_bytes()), "BadHead", |error| {
                matches!(error, FormatError::BadHead { .. })
            });
    }
}

#[test]
fn contents_that_are_not_those_of_a_checkpoint_are_refused() {
    let json = serde_json::to_string(&eventful_checkpoint()).expect("plain data can be written");
    for (what, body) in [
        ("an unknown field", json.replacen("\"id\"", "\"colour\":\"red\",\"id\"", 1)),
        ("no number", json.replacen("\"id\":7,", "", 1)),
        ("a number below zero", json.replacen("\"id\":7", "\"id\":-7", 1)),
        ("no JSON", "checkpoint".to_owned()),
        ("nothing", String::new()),
    ] {
        rule("Bytes with the right check sum can still hold something else.")
            .picture(what)
            .refuses(decode(&with_head(&body)), "BadContents", |error| {
                matches!(error, FormatError::BadContents { version: VERSION, .. })
            });
    }
    rule("A checkpoint of version 1 is not read as one of version 2.").refuses(
        decode(&with_head_of(1, &json)),
        "BadContents",
        |error| {
            error.to_string()
                == "checkpoint of version 1 that does not hold what it should: it has to be \
                    migrated first"
        },
    );
}

#[test]
fn one_bit_in_the_contents_is_named_with_both_check_sums() {
    let body = "{ \"id\": 7 }\n";
    let mut bytes = with_head(body);
    let expected = crc32fast::hash(body.as_bytes());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let found = crc32fast::hash(&bytes[bytes.len() - body.len()..]);
    rule("Bytes that have changed are told by their check sum, before anybody reads them.")
        .ask("JSON with another digit in it is still JSON. Who finds that out?")
        .refuses(decode(&bytes), "OtherChecksum", |error| {
            *error == FormatError::OtherChecksum { expected, found }
        });
    bytes[last] = 0xff;
    rule("So are bytes that are no text any more.")
        .ask("The head line says that this is a checkpoint. What is the first to be looked at behind it?")
        .refuses(decode(&bytes), "OtherChecksum", |error| {
            matches!(error, FormatError::OtherChecksum { .. })
        });
}

#[test]
fn of_a_later_program_only_the_version_can_be_understood() {
    for head in ["3 crc64=0123456789abcdef bytes=17", "3 {", "3"] {
        let bytes = format!("{FORMAT} {head}\nwhatever it writes\n");
        rule("The version is looked at before the rest of the head line: a later program may have another one.")
            .picture(format!("{FORMAT} {head}"))
            .ask("What is told to somebody who only has to upgrade the program: that the checkpoint is damaged?")
            .refuses(decode(bytes.as_bytes()), "Newer, version 3", |error| {
                *error == FormatError::Newer { found: 3 }
            });
    }
    let no_text = [format!("{FORMAT} 3 bytes=1\n").as_bytes(), &[0xff]].concat();
    rule("A later program may write something else than text behind the head line.").refuses(
        decode(&no_text),
        "Newer, version 3",
        |error| *error == FormatError::Newer { found: 3 },
    );
}
