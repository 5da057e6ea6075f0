//! A disk that is full in fact. Not part of `cargo test`, since only root may mount a small one:
//! `cargo test -p rig-program --test disk_full`, on Linux.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{OwnRig, ended_within, said};

/// How many rigs may have servers at once.
const RIGS_AT_ONCE: usize = 1;

/// Runs `rig up` on a disk of this size, which only that command and what it starts can see.
/// Returns its sentence.
fn up_on_a_disk_of(size: &str, rig: &OwnRig, disk: &Path) -> String {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]);
    command.arg(
        "mount -t tmpfs -o mode=755,size=$0 tmpfs \"$1\" || exit 77; \"$2\" up; \
         code=$?; \"$2\" down >&2 || exit 78; exit $code",
    );
    command.arg(size).arg(disk).arg(env!("CARGO_BIN_EXE_rig"));
    command.envs(rig.settings()).stdin(Stdio::null());
    let output = ended_within(Duration::from_secs(60), command);
    match output.status.code() {
        Some(1) => {}
        Some(0) => panic!("the rig is up on a disk of {size}: {}", said(&output)),
        Some(78) => panic!("`rig down` failed on a full disk: {}", said(&output)),
        _ => panic!("this test needs Linux, and root to mount a disk: {}", said(&output)),
    }
    rig.has_no_process();
    String::from_utf8(output.stdout).unwrap()
}

fn rig_on(disk: &Path, test: &str) -> OwnRig {
    let mut rig = OwnRig::new(test);
    rig.set("TIDEMARK_RIG_DIR", disk.join("rig").display().to_string());
    rig
}

fn disk(test: &str) -> PathBuf {
    // Under /var/tmp: PostgreSQL's own user must be able to reach it.
    let disk = PathBuf::from(format!("/var/tmp/tidemark-test-{test}-{}-disk", std::process::id()));
    std::fs::create_dir_all(&disk).unwrap();
    disk
}

#[test]
fn a_full_disk_is_named_with_its_fix_and_down_still_clears_it() {
    // No room for the first file, for PostgreSQL's log, for its first database.
    for size in ["4k", "200k", "20m"] {
        let disk = disk("disk-full");
        let rig = rig_on(&disk, "disk-full");
        let sentence = up_on_a_disk_of(size, &rig, &disk);
        std::fs::remove_dir(&disk).unwrap();
        println!("{size}: {sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        assert!(sentence.contains("No space left on device"), "{sentence}");
        assert!(sentence.contains("make room on that disk"), "{sentence}");
    }
}
