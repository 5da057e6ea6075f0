//! A database whose disk is full in fact. Not part of `cargo test`, since only root may mount a small
//! one: `cargo test -p rig-check --test disk_full`, on Linux.

mod named;
mod sql;

use std::fs::File;
use std::io::{ErrorKind, repeat};
use std::path::Path;
use std::process::Command;

use rig::Private;

use crate::named::command_named;
use crate::sql::sql;

/// Names the small disk to the process that can see it.
const DISK: &str = "TIDEMARK_SMALL_DISK";

/// Room for a few databases.
const SIZE: &str = "64m";

#[test]
fn a_database_on_a_full_disk_is_told_of_with_its_fix() {
    match std::env::var_os(DISK) {
        Some(disk) => the_labs_cannot_use_it(Path::new(&disk)),
        None => with_a_small_disk(),
    }
}

/// Runs this test once more, in a process that has a small disk of its own.
fn with_a_small_disk() {
    // PostgreSQL's own user must be able to reach it.
    let disk = tempfile::tempdir_in("/var/tmp").expect("a folder can be made");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]);
    command.arg(
        "mount -t tmpfs -o mode=1777,size=$0 tmpfs \"$1\" || exit 77; exec \"$2\" --nocapture",
    );
    command.arg(SIZE).arg(disk.path());
    command.arg(std::env::current_exe().expect("a test has a program"));
    let output = command.env(DISK, disk.path()).output().expect("unshare is here");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_ne!(output.status.code(), Some(77), "this test needs Linux, and root to mount: {said}");
    assert!(output.status.success(), "{said}");
    print!("{said}");
}

/// The databases alone are on the small disk: a PostgreSQL that can't write its log has ended.
fn the_labs_cannot_use_it(disk: &Path) {
    let own = Private::start().expect("a private rig starts");
    let space = disk.join("space").display().to_string();
    // Made by PostgreSQL, since it has to own it.
    sql(own.database_url(), &format!("COPY (SELECT 1) TO PROGRAM 'mkdir {space}'"));
    sql(own.database_url(), &format!("CREATE TABLESPACE small LOCATION '{space}'"));
    sql(own.database_url(), "ALTER DATABASE template0 SET TABLESPACE small");
    let well = check(&own);
    assert!(well.contains("ok        databases "), "{well}");
    let mut filler = File::create(disk.join("filler")).expect("there is room for a name");
    let full = std::io::copy(&mut repeat(0), &mut filler).expect_err("the disk has an end");
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let said = check(&own);
    let line = said.lines().find(|line| line.starts_with("MISSING   databases ")).unwrap_or(&said);
    println!("{line}");
    for words in ["has no room left (", "No space left on device", "; make room on its disk"] {
        assert!(line.contains(words), "{line}");
    }
}

/// What `check-cluster` prints of these servers.
fn check(own: &Private) -> String {
    let kafka = own.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let mut check = command_named(brokers, own.database_url(), "5");
    let output = check.output().expect("check-cluster runs");
    String::from_utf8(output.stdout).expect("it is text")
}
