//! What only a process of its own can show: signals, and a standard error that nobody reads. The
//! ignored tests are the programs; the others run them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use runs::{Figures, LiveLine, stop_on_signal};

const FIGURES: Figures<'_> = Figures { read: 3_412, lag: 0, counters: &[("dead letters", 3)] };

fn start(program: &str) -> Child {
    Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", program, "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test can start itself")
}

fn stderr_of(child: &mut Child) -> BufReader<ChildStderr> {
    BufReader::new(child.stderr.take().expect("it is piped"))
}

fn line_of(stderr: &mut impl BufRead) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).expect("the standard error is text");
    line
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("there is a kill").success());
}

#[test]
fn without_a_terminal_there_is_one_line_at_the_end() {
    let mut child = start("a_program_with_a_live_line");
    let mut said = String::new();
    stderr_of(&mut child).read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("lab02 · read 3,412 of 6,292 in "), "{said}");
    assert!(said.ends_with("/s · lag 0 · dead letters 3\n"), "{said}");
}

#[test]
fn a_line_that_nobody_reads_does_no_harm() {
    let mut child = start("a_program_with_a_live_line");
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "run by another test"]
fn a_program_with_a_live_line() {
    let mut line = LiveLine::begin("lab02", Some(6_292));
    for read in 0..FIGURES.read {
        line.show(&Figures { read, ..FIGURES });
    }
    line.end(&FIGURES);
}

#[test]
fn the_first_signal_lets_the_run_finish() {
    for signal in ["-INT", "-TERM"] {
        let mut child = start("a_program_that_finishes_when_asked");
        let mut stderr = stderr_of(&mut child);
        assert_eq!(line_of(&mut stderr), "listening\n");
        send(signal, &child);
        let asked = "stopping: finishing what is held; Ctrl-C again ends at once\n";
        assert_eq!(line_of(&mut stderr), asked);
        assert_eq!(line_of(&mut stderr), "finished\n");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
#[ignore = "run by another test"]
fn a_program_that_finishes_when_asked() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let stop = stop_on_signal().unwrap();
        rig::say::say("listening");
        stop.cancelled().await;
        rig::say::say("finished");
    });
}

#[test]
fn the_second_signal_ends_the_run_at_once() {
    let mut child = start("a_program_that_never_finishes");
    let mut stderr = stderr_of(&mut child);
    assert_eq!(line_of(&mut stderr), "listening\n");
    send("-INT", &child);
    assert!(line_of(&mut stderr).starts_with("stopping: "));
    send("-INT", &child);
    assert_eq!(line_of(&mut stderr), "ended at once; what was held is not finished\n");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
#[ignore = "run by another test"]
fn a_program_that_never_finishes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let _stop = stop_on_signal().unwrap();
        rig::say::say("listening");
        std::future::pending::<()>().await;
    });
}
