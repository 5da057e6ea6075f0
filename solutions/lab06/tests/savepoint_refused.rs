//! A savepoint that the file system does not take: one sentence, nothing lost, and no part of it left.

mod program;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::unistd::geteuid;
use program::{refused_under, said};
use rig::Rig;
use tempfile::TempDir;

/// A shell that lets the program make files of at most 1,024 bytes, and a write beyond be an error and
/// no signal. A savepoint of the storm week has more.
const FULL_DISK: [&str; 3] = ["bash", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""];

/// So that permissions hold for root too.
const SETPRIV: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/// Lets nothing be done that the permissions of a folder forbid.
fn without_privileges() -> &'static [&'static str] {
    if geteuid().is_root() { &SETPRIV } else { &[] }
}

/// A run of the week whose savepoint is refused, in these words; then a second try in good order.
fn refused_and_tried_again(job: &str, starter: &[&str], folder: &TempDir, mode: u32, reason: &str) {
    // A server that is started here would have the limits as well.
    Rig::up().expect("the rig is up");
    let path = folder.path().join("board.savepoint");
    let file = path.to_str().expect("it is text");
    let of_job = ["--partitions", "1", "--job", job, "--savepoint", file];
    let seldom = [&of_job[..], &["--checkpoint-every", "3600"]].concat();
    set_mode(folder.path(), mode);
    let shown = refused_under(starter, &seldom, 1);
    set_mode(folder.path(), 0o755);
    let expected =
        format!("error: savepoint {file}: {reason}; checkpoint 1 is in the database all the same");
    assert!(shown.ends_with(&expected), "{shown}");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("it can be read").collect();
    assert!(left.is_empty(), "{left:?}");

    let again = said(&[&of_job[..], &["--resume"]].concat());
    for line in [
        format!("savepoint {file}: checkpoint 1, "),
        "Checkpoint 1: 5173 records read, 0 of them by this run".to_owned(),
        "     4675 in 331 rows of ".to_owned(),
    ] {
        assert!(again.contains(&line), "{line}\n{again}");
    }
}

fn set_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).expect("the folder is ours");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system gives a folder")
}

#[test]
fn a_full_disk() {
    let reason = "File too large (os error 27)";
    refused_and_tried_again("lab06_full_disk", &FULL_DISK, &folder(), 0o755, reason);
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    let (starter, reason) = (without_privileges(), "Permission denied (os error 13)");
    refused_and_tried_again("lab06_read_only", starter, &folder(), 0o555, reason);
}

/// The file gets its name, and then the folder cannot be opened to bring it to the disk.
#[test]
fn a_folder_that_cannot_be_brought_to_the_disk() {
    let (starter, reason) = (without_privileges(), "Permission denied (os error 13)");
    refused_and_tried_again("lab06_not_on_disk", starter, &folder(), 0o333, reason);
}
