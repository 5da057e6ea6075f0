//! A disk that takes no more. The limit on the size of files (`ulimit -f`) makes it happen for
//! every user on every system; `disk_full.rs` does it with a disk that is full in fact.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{OwnRig, ended_within, said};

#[test]
fn servers_that_cannot_write_are_a_sentence_and_leave_no_process() {
    let rig = OwnRig::new("file-limit");
    // 2,048 blocks are 1 MiB or 2 MiB; a segment of PostgreSQL's log has 16.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 2048; exec \"$0\" up"]).arg(env!("CARGO_BIN_EXE_rig"));
    limited.envs(rig.settings()).stdin(Stdio::null());
    let output = ended_within(Duration::from_secs(45), limited);
    let sentence = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{}", said(&output));
    assert_eq!(sentence.lines().count(), 1, "{}", said(&output));
    assert!(sentence.contains("raise the limit that `ulimit -f` shows"), "{sentence}");
    rig.has_no_process();
    rig.succeeds(&["up"]);
    assert!(rig.cluster().answers());
}
