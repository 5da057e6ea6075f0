//! `cargo run -p lab04`: what the program says.

use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab04-solution"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn one_partition_shows_the_watermark_that_the_book_counts_with() {
    for (week, figures) in [
        ("calm", "6,292 records read: 4,876 on time, 1,416 late, 0 refused, 0 unreadable"),
        ("storm", "5,173 records read: 4,103 on time, 1,070 late, 0 refused, 0 unreadable"),
    ] {
        let output = program(&["--week", week, "--partitions", "1"]);
        let said = text(&output.stdout);
        assert!(said.contains(figures), "{said}{}", text(&output.stderr));
    }
}

#[test]
fn an_empty_partition_leaves_three_partitions_without_a_watermark() {
    let off = ["--idle-after", "off", "--show", "3"];
    let said = text(&program(&off).stdout);
    let expected = "6,292 records read: 6,292 on time, 0 late, 0 refused, 0 unreadable\n\
        Watermark at the end: none, since nothing has come from partition 2\n\
        So nothing was late, and no window would ever fire.\n";
    assert!(said.ends_with(expected), "{said}");
    let many = text(&program(&[&off[..], &["--partitions", "20"]].concat()).stdout);
    assert!(many.contains("slowest  fastest"), "{many}");
    let widest = said.lines().chain(many.lines()).map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{said}{many}");
}

#[test]
fn the_curve_has_the_figures_of_the_book_and_is_drawn() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/lab04-run/curve.svg");
    let output = program(&["curve", "--svg", file]);
    let said = text(&output.stdout);
    for line in ["| 15 min | 1,416 | 695 (11.0 %) | ", "| 15 min | 1,070 | 498 (9.6 %) | "] {
        assert!(said.contains(line), "{said}{}", text(&output.stderr));
    }
    let drawing = std::fs::read_to_string(file).expect("it was drawn");
    assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"), "{drawing}");
}

#[test]
fn two_speeds_give_the_same_two_boards_in_every_run() {
    let said = text(&program(&["processing-time"]).stdout);
    assert!(said.contains("and so on: 18 and 13 lines"), "{said}");
    assert_eq!(text(&program(&["processing-time"]).stdout), said);
}

#[test]
fn a_bound_below_zero_and_an_odd_time_out_are_refused_in_a_sentence() {
    for (arguments, expected) in [
        (["--bound", "-3"], "-3 is not in 0..=525600"),
        (["--idle-after", "soon"], "expected a number of seconds, or `off`, found `soon`"),
        (["--idle-after", "NaN"], "expected a number of seconds, or `off`, found `NaN`"),
    ] {
        let output = program(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}
