//! `flights-data`, the program behind `make data`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use flights::Week;
use tempfile::TempDir;

const SOURCE: &str = "\
year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,1,1,544,545,-1,1004,1022,-18,B6,725,N804JB,JFK,BQN,183,1576,5,45,2013-01-01T10:00:00Z
2013,1,1,NA,700,NA,NA,900,NA,AA,791,NA,LGA,DFW,NA,1389,7,0,2013-01-01T12:00:00Z
2013,1,1,NA,630,NA,NA,900,NA,EV,4308,N18120,EWR,RDU,NA,416,6,30,2013-01-01T11:00:00Z
2013,1,1,544,540,4,923,850,33,AA,1141,NA,JFK,MIA,160,1089,5,40,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
";

/// By the minute of departure; B6 725 and AA 1141 left in the same and keep their order.
const CONVERTED: &str = "\
scheduled,carrier,flight,tail,origin,dest,distance_miles,delay_min
2013-01-01T10:15:00Z,UA,1545,N14228,EWR,IAH,1400,2
2013-01-01T10:45:00Z,B6,725,N804JB,JFK,BQN,1576,-1
2013-01-01T10:40:00Z,AA,1141,,JFK,MIA,1089,4
2013-01-01T11:30:00Z,EV,4308,N18120,EWR,RDU,416,
2013-01-01T12:00:00Z,AA,791,,LGA,DFW,1389,
";

/// Runs the program in a folder.
fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flights-data"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_refused(output: &Output, sentence: &str) {
    assert_eq!(str::from_utf8(&output.stderr).unwrap(), format!("flights-data: {sentence}\n"));
    assert_eq!(output.status.code(), Some(1));
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    names.sort();
    names
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::Builder::new().prefix("flüge 2013 ").tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_packages_flights_become_a_data_set_in_arrival_order() {
    let folder = folder_with(&[("flights.csv", SOURCE)]);
    let output = run(&folder, &["convert", "flights.csv", "year.csv"]);
    assert_eq!(str::from_utf8(&output.stdout).unwrap(), "5 flights: 3 departed, 2 cancelled\n");
    assert_eq!(fs::read_to_string(folder.path().join("year.csv")).unwrap(), CONVERTED);
    assert_eq!(file_names(folder.path()), ["flights.csv", "year.csv"]);
}

#[test]
fn a_bad_line_of_the_package_is_named_and_nothing_is_written() {
    let broken = SOURCE.replace(",5,40,", ",5,forty,");
    let folder = folder_with(&[("flights.csv", &broken), ("year.csv", "the one before")]);
    assert_refused(
        &run(&folder, &["convert", "flights.csv", "year.csv"]),
        "flights.csv, line 5, column 61, field `minute`: expected a minute from 0 to 59, \
         found `forty`",
    );
    assert_eq!(fs::read_to_string(folder.path().join("year.csv")).unwrap(), "the one before");
    assert_eq!(file_names(folder.path()), ["flights.csv", "year.csv"]);
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_named() {
    let folder = folder_with(&[("flights.csv", SOURCE)]);
    assert_refused(
        &run(&folder, &["convert", "no.csv", "year.csv"]),
        "cannot read no.csv: No such file or directory (os error 2)",
    );
    assert_refused(
        &run(&folder, &["convert", "flights.csv", "no/year.csv"]),
        "cannot write no/year.csv: No such file or directory (os error 2)",
    );
}

#[test]
fn a_log_becomes_lines_of_json_in_arrival_order() {
    let folder = folder_with(&[]);
    let lines = |log: &str| {
        let output = run(&folder, &["records", log, "log.jsonl"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        lines("calm")[0],
        concat!(
            r#"{"offset":0,"carrier":"EV","flight":5714,"tail":"N830AS","origin":"JFK","#,
            r#""dest":"IAD","distance_miles":228,"scheduled":"2013-02-18T00:00:00Z","#,
            r#""delay_min":-7}"#,
        )
    );
    for (log, records) in [("calm", 6292), ("storm", 5173), ("edges", 4811), ("1000", 1000)] {
        let lines = lines(log);
        assert_eq!(lines.len(), records, "{log}");
        let last = format!(r#"{{"offset":{},"#, records - 1);
        assert!(lines[records - 1].starts_with(&last), "{}", lines[records - 1]);
    }
}

#[test]
fn an_unknown_log_is_refused() {
    let folder = folder_with(&[]);
    assert_refused(
        &run(&folder, &["records", "windy", "log.jsonl"]),
        "expected `calm`, `storm`, `edges` or a number of made flights, found `windy`",
    );
    assert!(file_names(folder.path()).is_empty());
}

#[test]
fn other_arguments_are_refused() {
    let folder = folder_with(&[]);
    for arguments in [&[] as &[&str], &["convert", "flights.csv"], &["check"], &["chek", "data"]] {
        assert_refused(
            &run(&folder, arguments),
            "expected `convert FLIGHTS_CSV TARGET`, `check DATA`, `pin DATA`, \
             `records LOG TARGET` or `--help`",
        );
    }
}

#[test]
fn help_names_every_command_and_every_log() {
    let output = run(&folder_with(&[]), &["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{text}");
    let words = ["convert FLIGHTS_CSV TARGET", "check DATA", "pin DATA", "records LOG TARGET"];
    for word in words.into_iter().chain(["calm, storm", "edges", "a number"]) {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

#[test]
fn pinned_files_are_the_slices_of_the_year_and_a_change_is_found() {
    // A year of two weeks: every week's file must be found in it again.
    let year = Week::Storm.csv().to_owned() + Week::Calm.csv().split_once('\n').unwrap().1;
    let folder = folder_with(&[]);
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/flights-2013.csv"), &year).unwrap();

    assert!(run(&folder, &["pin", "."]).status.success());
    for week in Week::ALL {
        let pinned = fs::read_to_string(folder.path().join(week.file_name())).unwrap();
        assert!(pinned == week.csv(), "{} is another file", week.file_name());
    }
    assert!(run(&folder, &["check", "."]).status.success());

    // The second line of a file is taken out: the third stands in its place.
    let week = Week::Calm.csv();
    let [_, second, third] = [0, 1, 2].map(|line| week.lines().nth(line).unwrap());
    let changed = week.replacen(&format!("{second}\n"), "", 1);
    fs::write(folder.path().join("calm-week.csv"), changed).unwrap();
    assert_refused(
        &run(&folder, &["check", "."]),
        &format!(
            "./calm-week.csv is not what the full year gives, line 2: expected `{second}`, \
             found `{third}`; `scripts/data.sh --pin` writes it anew"
        ),
    );
}
