//! `cargo run -p lab05`: what the program says.

use std::process::{Command, Output, Stdio};

use testkit::page::without_prefix;

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab05-solution"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One test: the runs share their tables.
#[test]
fn both_weeks_are_counted_and_a_second_run_doubles_nothing() {
    let storm: &[&str] = &["--partitions", "1"];
    let calm: &[&str] = &["--week", "calm", "--partitions", "1"];
    for (arguments, lines) in [
        (storm, ["5173 records read, 1070 of them late:", "4675 in 331 rows", "498 in "]),
        (storm, ["5173 records read, 1070 of them late:", "4675 in 331 rows", "498 in "]),
        (calm, ["6292 records read, 1416 of them late:", "5597 in ", "695 in "]),
    ] {
        let output = program(arguments);
        let (said, shown) = (without_prefix(&text(&output.stdout)), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {shown}");
        for line in lines {
            assert!(said.contains(line), "{line}\n{said}{shown}");
        }
        assert!(shown.contains(" · lag 0 · open windows 0 · kept windows 0 · late "), "{shown}");
        let widest = said.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{said}");
    }

    let three = text(&program(&[]).stdout);
    assert!(three.contains("5173 records read, "), "{three}");
    assert!(
        three.contains("        0 in windows that have not fired\n        0 dead letters\n"),
        "{three}"
    );

    let replayed = program(&["--speed", "1000000000", "--lateness", "60"]);
    let said = without_prefix(&text(&replayed.stdout));
    assert!(replayed.status.success(), "{}", text(&replayed.stderr));
    assert!(said.contains("topic lab05-solution.storm.1000000000x."), "{said}");
    assert!(said.contains("5173 records read, "), "{said}");

    // A stop fires nothing: the line ends with what is open, and what may still be corrected.
    let one = program(&["--speed", "1000000000", "--lateness", "60", "--partitions", "1"]);
    let shown = text(&one.stderr);
    assert!(one.status.success(), "{shown}");
    assert!(shown.contains(" · lag 0 · open windows 1 · kept windows 2 · late "), "{shown}");
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    for (arguments, status, expected) in [
        (["--bound", "-3"], 2, "-3 is not in 0..=525600"),
        (["--lateness", "-1"], 2, "-1 is not in 0..=525600"),
        (["--week", "summer"], 2, "summer"),
        (["--partitions", "0"], 2, "0 is not in 1..=100"),
        (["--speed", "0"], 2, "expected a speed from 1x to 1000000000x"),
        (["--idle-after", "soon"], 2, "expected a number of seconds, or `off`, found `soon`"),
        (["--window", "0"], 1, "expected a whole number of milliseconds"),
    ] {
        let output = program(&arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    for (option, expected) in
        [("--every", "0 is not in 1..=1440"), ("--back", "0 is not in 1..=168")]
    {
        let output = program(&["micro-batch", option, "0"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {said}");
        assert!(said.contains(expected), "{option}: {said}");
    }
}
