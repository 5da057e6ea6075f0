//! Killed with -9 at any moment, the rig comes up clean the next time.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{OwnRig, said, wait_for};

/// Moments of a start, in milliseconds; a start takes about two seconds on two cores. Drawn once
/// at random and written down, so that a failure can be had again.
const MOMENTS_MS: [u64; 10] = [12, 95, 240, 430, 610, 870, 1_130, 1_420, 1_760, 2_300];

#[test]
fn a_start_that_was_killed_alone_is_followed_by_a_clean_one() {
    // As by Ctrl-C.
    killed_starts_are_followed_by_clean_ones(0, |_| false);
}

#[test]
fn a_start_that_was_killed_with_its_keeper_is_followed_by_a_clean_one() {
    killed_starts_are_followed_by_clean_ones(1, |line| line.contains(" keep "));
}

#[test]
fn a_start_that_was_killed_with_everything_is_followed_by_a_clean_one() {
    killed_starts_are_followed_by_clean_ones(2, |_| true);
}

/// Kills a start at every third moment, from `first` on, and those of its processes whose command
/// lines are to go too.
fn killed_starts_are_followed_by_clean_ones(first: usize, goes_too: fn(&str) -> bool) {
    for moment_ms in MOMENTS_MS.into_iter().skip(first).step_by(3) {
        let rig = OwnRig::new(&format!("killed-{moment_ms}"));
        let mut start = rig
            .command(&["up"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the rig's program runs");
        let until = Instant::now() + Duration::from_millis(moment_ms);
        wait_for("the moment to come", || Instant::now() >= until);
        start.kill().expect("the start can be killed");
        start.wait().expect("the start was killed");
        for (pid, line) in rig.processes() {
            if goes_too(&line) {
                rig.kill(pid);
            }
        }
        let output = rig.run(&["up"]);
        assert!(output.status.success(), "after {moment_ms} ms: {}", said(&output));
        let log = std::fs::read_to_string(rig.place().keeper_log()).unwrap_or_default();
        assert!(rig.cluster().answers(), "after {moment_ms} ms: {}{log}", said(&output));
        rig.succeeds(&["down"]);
        rig.leaves_nothing();
    }
}

#[test]
fn servers_whose_keeper_was_killed_are_ended_by_down() {
    let rig = OwnRig::new("keeper-killed");
    rig.succeeds(&["up"]);
    rig.kill(rig.process(" keep "));
    assert!(rig.succeeds(&["down"]).contains("have ended"));
    rig.leaves_nothing();
}
