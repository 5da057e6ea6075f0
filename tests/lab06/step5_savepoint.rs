//! Step 5: a checkpoint as a file, for another version of the job, or for another machine.
//!
//! Invariants:
//! 1. Under its name there is a whole savepoint or none, and no file is ever replaced.
//! 2. A savepoint of version 1 says the same in this version. What it cannot say is noted.
//! 3. Contents that contradict themselves are refused, and nothing is made up.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use lab05::board::BoardConfig;
use lab06::checkpoint::{FormatError, JobState, encode, restore, take};
use lab06::savepoint::{
    Loaded, SavepointError, load, migrate, migrated_key, migrated_partition, migrated_windows,
    read, save,
};
use lab06::state::{Checkpoint, SavedCounts, SavedPartition};
use lab06::turn::Input;
use lab06::version1::{CheckpointV1, PartitionV1, RowV1, encode_version1};
use testkit::rule;

use super::at_hand::{
    TOPIC, at, board, eventful_checkpoint, go_through, is_named, key, minutes, record,
    refuses_naming, told, window, with_head_of,
};

/// A folder of the test's own. It goes when this is dropped.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("the system gives a folder")
}

/// The names of all files in a folder, in order, without the numbers of parts.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .map(|name| {
            let words = name.split('.').filter(|word| u64::from_str_radix(word, 16).is_err());
            words.collect::<Vec<_>>().join(".")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_savepoint_is_a_file_with_the_bytes_of_the_checkpoint() {
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    let bytes = b"any bytes";
    rule("A savepoint can be written.").succeeds(save(&path, bytes));
    let written = std::fs::read(&path).unwrap_or_default();
    rule("The file holds the bytes that were given.").same_bytes(written, bytes);
    rule("Nothing else is left in the folder.")
        .ask("What did the file stand under before it had its name?")
        .same(files(folder.path()), vec!["board.savepoint".to_owned()]);

    let path = folder.path().join("whole.savepoint");
    rule("A savepoint can be written.").succeeds(save(&path, &encode(&eventful_checkpoint())));
    let loaded = rule("A savepoint that was written can be loaded.").succeeds(load(&path));
    rule("A savepoint of this version is the checkpoint, and there is nothing to note.")
        .same(loaded, Loaded { checkpoint: eventful_checkpoint(), notes: Vec::new() });
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    std::fs::write(&path, b"the only copy").expect("the folder takes files");
    rule("A file of this name is refused by name.").refuses(
        save(&path, b"another one"),
        "Exists",
        |error| {
            matches!(error, SavepointError::Exists { path: named } if *named == path)
                && error.to_string().ends_with("there is a file of this name already")
        },
    );
    let kept = std::fs::read(&path).unwrap_or_default();
    rule("The file that was there is untouched, and nothing is left beside it.")
        .ask("It may be the only copy of yesterday's savepoint. What does a rename do with it?")
        .same(
            (kept, files(folder.path())),
            (b"the only copy".to_vec(), vec!["board.savepoint".to_owned()]),
        );
}

#[cfg(unix)]
#[test]
fn a_name_that_comes_into_use_meanwhile_is_not_replaced_either() {
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    // A link to nowhere: whoever looks through it finds no file, and yet the name is in use. So it is
    // for a file that comes between the look and the write.
    std::os::unix::fs::symlink("nowhere", &path).expect("the folder takes links");
    rule("A name that is in use is refused, also where a look beforehand has found no file.")
        .ask("Between the look and the write another process may write. Which call looks and writes in one?")
        .refuses(save(&path, b"another one"), "Exists", |error| {
            matches!(error, SavepointError::Exists { .. })
        });
    let link = std::fs::read_link(&path).ok();
    rule("What was there is untouched.").same(
        (link, files(folder.path())),
        (Some("nowhere".into()), vec!["board.savepoint".to_owned()]),
    );
}

#[test]
fn where_nothing_can_be_written_the_sentence_names_the_file() {
    let folder = folder();
    let missing = folder.path().join("no-such-folder").join("board.savepoint");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("the folder takes files");
    for (path, reason) in
        [(missing, "No such file or directory"), (file.join("board.savepoint"), "Not a directory")]
    {
        rule("A place that takes no file is named, with the system's reason.").refuses(
            save(&path, b"bytes"),
            "File",
            |error| {
                let sentence = error.to_string();
                matches!(error, SavepointError::File { path: named, .. } if *named == path)
                    && sentence.contains(reason)
            },
        );
    }
}

/// Names the file that the child process writes.
const FULL: &str = "TIDEMARK_LAB06_FULL_DISK";

/// More than a child process may write.
fn too_much() -> Vec<u8> {
    vec![b'x'; 64 * 1024]
}

/// Whether this is the child process: then it has saved, and has said how that went.
fn saved_as_the_child() -> bool {
    let Some(path) = std::env::var_os(FULL) else { return false };
    let result = save(Path::new(&path), &too_much());
    println!("saved: {}", result.err().map_or("ok".to_owned(), |error| error.to_string()));
    true
}

/// This very test once more, as a process that may write no more than 8 KB into a file. The shell does
/// something else before that.
fn as_a_child(before: &str, path: &Path) -> Output {
    let limited = format!("{before}; ulimit -f 16; exec \"$0\" --exact --nocapture \"$1\"");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().expect("a test has a program"))
        .arg(test)
        .env(FULL, path)
        .env_remove("TIDEMARK_REPORT")
        .output()
        .expect("there is a shell")
}

#[test]
fn a_full_disk_leaves_no_part_of_a_savepoint() {
    if saved_as_the_child() {
        return;
    }
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    rule("Where there is room, a savepoint is written.")
        .succeeds(save(&folder.path().join("room"), &too_much()));
    let child = as_a_child("trap '' XFSZ", &path);
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let said = said.lines().find(|line| line.contains("saved: ")).unwrap_or("nothing").to_owned();
    rule("A disk that takes no more is an error, with the system's reason.")
        .holds(said.contains("board.savepoint: File too large"), said);
    rule("Where the disk is full there is no savepoint under the name, and no part of one beside it.")
        .ask("A part of a savepoint takes room on a disk that has none. Who removes it?")
        .same(files(folder.path()), vec!["room".to_owned()]);
}

#[test]
fn who_dies_half_way_leaves_nothing_under_the_name() {
    if saved_as_the_child() {
        return;
    }
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    rule("Where nothing ends the process, a savepoint is written.")
        .succeeds(save(&folder.path().join("whole"), &too_much()));
    // Behind 8 KB the system ends it by a signal. It has no time to remove anything.
    let child = as_a_child("ulimit -c 0", &path);
    let signal = child.status.signal();
    assert!(signal.is_some(), "a child that a signal has ended, not {}", child.status);
    rule("Under the name there is all of a savepoint or nothing, also where the process dies half-way.")
        .picture("open · write 8 KB · the process is killed")
        .ask("Under which name do the bytes lie until the last of them is there?")
        .same(path.try_exists().ok(), Some(false));
}

#[test]
fn what_is_no_savepoint_is_named_with_its_path() {
    let folder = folder();
    let path = folder.path().join("board.savepoint");
    rule("A savepoint can be written.").succeeds(save(&path, b"no savepoint\n"));
    rule("A file that is no savepoint is named, with what is wrong.").refuses(
        load(&path),
        "Unreadable",
        |error| {
            error.to_string()
                == format!(
                    "savepoint {}: no checkpoint: expected it to begin with \
                     `tidemark-checkpoint`, found `no savepoint`",
                    path.display()
                )
        },
    );
    let missing = folder.path().join("missing");
    rule("A file that is not there is named.").refuses(
        load(&missing),
        "File",
        |error| matches!(error, SavepointError::File { path, .. } if *path == missing),
    );
}

fn partition(partition: i32, processed_offset: i64, watermark_ms: Option<i64>) -> PartitionV1 {
    PartitionV1 { partition, processed_offset, watermark_ms }
}

/// A row of an hour: the airport, its delays in minutes.
fn row<const N: usize>(start: &str, origin: &str, delays_min: [i32; N]) -> RowV1 {
    let saved = key(origin, delays_min, 0);
    RowV1 {
        start_ms: at(start),
        minutes: 60,
        origin: origin.to_owned(),
        count: saved.count,
        sum_s: saved.sum_min * 60,
        worst_s: i64::from(saved.worst_min.unwrap_or_default()) * 60,
        over_15_min: saved.over_15_min,
    }
}

/// Two partitions, two windows, rows in no order. The bound was 15 min.
fn old() -> CheckpointV1 {
    CheckpointV1 {
        id: 7,
        topic: TOPIC.to_owned(),
        bound_ms: 15 * 60_000,
        partitions: vec![partition(0, 103, Some(at("07:15"))), partition(1, 3, Some(at("07:05")))],
        rows: vec![
            row("08:00", "LGA", [-4]),
            row("07:00", "JFK", [0, 90]),
            row("07:00", "EWR", [-5, -3, 16]),
        ],
        read: 40,
        late: 9,
        dropped: 4,
        results: 17,
    }
}

#[test]
fn each_field_of_version_1_says_the_same_in_this_version() {
    let Loaded { checkpoint, .. } =
        rule("A savepoint of version 1 can be migrated.").succeeds(migrate(old()));
    let partition = |partition, next_offset, clock| SavedPartition {
        partition,
        next_offset,
        last_record: None,
        max_timestamp_ms: Some(at(clock)),
        idle: false,
    };
    rule("Version 1 kept the last processed offset, this version the next; version 1 a watermark, this version the largest timestamp.")
        .picture("processed 103 and 3 · watermarks 07:15 and 07:05 · bound 15 min")
        .ask("Which record would be read first after the restart, and was it read before? How far is a watermark behind the largest timestamp?")
        .same(checkpoint.partitions, vec![partition(0, 104, "07:30"), partition(1, 4, "07:20")]);
    rule("The watermark of all is the smallest of the partitions' own.")
        .same(checkpoint.watermark_ms, Some(at("07:05")));
    rule("Rows become windows in order, with their keys in order and their delays in minutes; none has fired.")
        .picture("08:00 LGA -240 s · 07:00 JFK 0, 5400 s · 07:00 EWR -300, -180, 960 s")
        .ask("`sum_s` and `sum_min`: what is between them?")
        .same(
            checkpoint.windows,
            vec![
                window("07:00", false, vec![key("EWR", [-5, -3, 16], 0), key("JFK", [0, 90], 0)]),
                window("08:00", false, vec![key("LGA", [-4], 0)]),
            ],
        );
    let counts =
        SavedCounts { read: 40, late: 9, window_gone: 4, results: 17, ..SavedCounts::default() };
    rule("Counters go on. Version 1 dropped for one reason alone.").same(checkpoint.counts, counts);
    rule("Number and topic stay, the input had not ended, and what was let go stays gone.").same(
        (
            checkpoint.id,
            checkpoint.topic.as_str(),
            checkpoint.finished,
            checkpoint.allowed_lateness_ms,
        ),
        (7, TOPIC, false, 0),
    );
}

#[test]
fn while_a_partition_of_version_1_has_not_spoken_there_is_no_watermark() {
    let silent = CheckpointV1 {
        partitions: vec![partition(0, 103, Some(at("07:15"))), partition(1, -1, None)],
        rows: Vec::new(),
        ..old()
    };
    let loaded = rule("A silent partition can be migrated.").succeeds(migrate(silent));
    rule("While a partition has not spoken, there is no watermark; it is read from its beginning.")
        .picture("partition 0: watermark 07:15 · partition 1: processed -1, no watermark")
        .ask("What is the smallest of two watermarks when one of them is not there yet? Which offset is behind -1?")
        .same(
            (loaded.checkpoint.watermark_ms, loaded.checkpoint.partitions[1].clone()),
            (
                None,
                SavedPartition {
                    partition: 1,
                    next_offset: 0,
                    last_record: None,
                    max_timestamp_ms: None,
                    idle: false,
                },
            ),
        );
}

#[test]
fn what_version_1_did_not_know_and_matters_is_noted() {
    let read_and_silent = CheckpointV1 {
        partitions: vec![
            partition(0, 103, Some(at("07:15"))),
            partition(1, -1, None),
            partition(2, 0, Some(at("07:05"))),
        ],
        ..old()
    };
    let loaded =
        rule("A savepoint of version 1 can be migrated.").succeeds(migrate(read_and_silent));
    let notes = loaded.notes;
    let named = notes.iter().zip(["0", "2"]).all(|(note, id)| is_named(note, id));
    rule("What an earlier version did not know, and what matters now, is said: a note for each partition that was read, with its number.")
        .picture("processed: partition 0 to 103, partition 1 nothing, partition 2 to 0")
        .ask("A fingerprint can't be made up. For which partitions is that a danger?")
        .holds(
            notes.len() == 2 && named,
            match notes.as_slice() {
                [] => "no notes".to_owned(),
                notes => notes.join("\n          "),
            },
        );
}

#[test]
fn contents_that_contradict_themselves_are_refused() {
    let twice =
        CheckpointV1 { partitions: vec![partition(0, 1, None), partition(0, 2, None)], ..old() };
    let question =
        "Nobody can say which of two is right. What becomes of the job if you guess wrong?";
    rule("A partition that is there twice is refused.").ask(question).refuses(
        migrate(twice),
        "an error",
        |_| true,
    );
    for offset in [-2, i64::MAX] {
        refuses_naming(
            rule("An offset that no record has is refused."),
            migrated_partition(&partition(0, offset, None), 0),
            "an error",
            |_| true,
            &["0", &offset.to_string()],
        );
    }
    let rows = [row("07:00", "EWR", [1]), row("08:00", "EWR", [1]), row("07:00", "EWR", [2])];
    refuses_naming(
        rule("An airport that is twice in a window is refused.").ask(question),
        migrated_windows(&rows),
        "an error",
        |_| true,
        &["EWR"],
    );
    for minutes in [0, -60, i64::MAX] {
        let rows = [RowV1 { minutes, ..row("07:00", "EWR", [1]) }];
        refuses_naming(
            rule("A window without a length is refused."),
            migrated_windows(&rows),
            "an error",
            |_| true,
            &[&minutes.to_string()],
        );
    }
    for (changed, fact) in [
        (RowV1 { sum_s: 61, ..row("07:00", "EWR", [1]) }, "61"),
        (RowV1 { worst_s: -59, ..row("07:00", "EWR", [1]) }, "-59"),
        (RowV1 { worst_s: 60 * 2_147_483_648, ..row("07:00", "EWR", [1]) }, "128849018880"),
        (RowV1 { count: 0, ..row("07:00", "EWR", [1]) }, "EWR"),
    ] {
        refuses_naming(
            rule("A row that no flights can have made is refused.")
                .picture(format!("{changed:?}"))
                .ask(question),
            migrated_key(&changed),
            "an error",
            |_| true,
            &[fact],
        );
    }
}

#[test]
fn a_job_of_version_1_goes_on_as_if_it_had_not_been_upgraded() {
    let config = BoardConfig { allowed_lateness: minutes(0), ..board() };
    let first = [(0, 0), (1, 0)].into();
    let mut uncut = JobState::begin(&first, &config).expect("an hour is a window's length");
    let before = [
        record(1, 0, "EWR", "06:10", 16),
        record(0, 0, "LGA", "06:40", 0),
        record(1, 1, "EWR", "07:20", 30),
        record(0, 1, "LGA", "07:30", -4),
        record(1, 2, "JFK", "06:50", 40),
    ];
    let after = [
        record(0, 2, "JFK", "07:10", 3),
        record(1, 3, "EWR", "06:55", 0),
        record(1, 4, "EWR", "08:20", 0),
        record(0, 3, "EWR", "08:30", 0),
    ];
    go_through(&mut uncut, &before.map(Input::Record));
    let silent = rule("An empty savepoint can be migrated.").succeeds(migrate(CheckpointV1 {
        partitions: Vec::new(),
        rows: Vec::new(),
        ..old()
    }));
    rule("A savepoint of nothing has no watermark.").same(silent.checkpoint.watermark_ms, None);
    let bytes = encode_version1(&take(&uncut, 7, TOPIC), config.bound);
    let bytes = bytes.expect("version 1 knew all of this");
    let loaded = rule("Bytes of version 1 can be read.").succeeds(read(&bytes));
    let mut upgraded =
        rule("A migrated state can be restored.").succeeds(restore(&loaded.checkpoint, &config));
    let mut got = go_through(&mut upgraded, &after.clone().map(Input::Record));
    got.append(upgraded.end());
    let mut expected = go_through(&mut uncut, &after.map(Input::Record));
    expected.append(uncut.end());
    rule("A job that was upgraded gives the same results as one that was not.")
        .picture("version 1 to 07:30 on partition 0 and 07:20 on partition 1; then version 2")
        .same_bytes(told(&got), told(&expected));
    rule("It has counted the same.").same(upgraded.board.counts(), uncut.board.counts());
}

#[test]
fn a_damaged_savepoint_of_version_1_is_refused_like_any_other() {
    rule("A good one can be migrated.").succeeds(migrate(old()));
    let json = serde_json::to_string(&old()).expect("plain data can be written");
    let good = with_head_of(1, &json);
    rule("A savepoint of version 1 can be read.").succeeds(read(&good));
    let cut_off = &good[..good.len() - 3];
    rule("One that is cut off is refused.").refuses(read(cut_off), "OtherLength", |error| {
        matches!(error, FormatError::OtherLength { .. })
    });
    let twice = json.replacen("\"partition\":1", "\"partition\":0", 1);
    for contents in [twice, json.replacen("\"late\"", "\"lately\"", 1)] {
        rule("Contents that version 1 can't have written are refused.").refuses(
            read(&with_head_of(1, &contents)),
            "BadContents, version 1",
            |error| matches!(error, FormatError::BadContents { version: 1, .. }),
        );
    }
    let now: Checkpoint = eventful_checkpoint();
    let misnamed = with_head_of(1, &serde_json::to_string(&now).expect("plain data"));
    rule("A checkpoint of this version is not taken for one of version 1.").refuses(
        read(&misnamed),
        "BadContents, version 1",
        |error| matches!(error, FormatError::BadContents { version: 1, .. }),
    );
}
