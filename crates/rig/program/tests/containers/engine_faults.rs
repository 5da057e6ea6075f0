//! A Docker engine that is not there, does not answer, or may not be used.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::unistd::Uid;

use crate::common::{OwnRig, said};
use crate::{ends_in_the_next_provider, rig, run_within};

/// A socket in a folder that goes with the test.
fn socket(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("docker.sock")
}

fn rig_with_socket(test: &str, socket: &Path) -> OwnRig {
    let mut rig = rig(test);
    rig.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    rig
}

#[test]
fn a_socket_whose_daemon_never_answers_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let _listener = UnixListener::bind(socket(&folder)).unwrap();
    let rig = rig_with_socket("mute", &socket(&folder));
    ends_in_the_next_provider(
        Duration::from_secs(10),
        rig,
        "no Docker engine answers (5 s without a word)",
    );
}

#[test]
fn a_wait_for_the_daemon_is_not_silent() {
    let folder = tempfile::tempdir().unwrap();
    let _listener = UnixListener::bind(socket(&folder)).unwrap();
    let rig = rig_with_socket("slow", &socket(&folder));
    let output = run_within(Duration::from_secs(10), &rig, &["up"]);
    assert!(said(&output).contains("rig: waiting for the Docker engine …"), "{}", said(&output));
}

#[test]
fn a_socket_that_a_dead_daemon_left_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(socket(&folder)).unwrap());
    assert!(socket(&folder).exists(), "the file stays when nobody listens any more");
    let rig = rig_with_socket("stale", &socket(&folder));
    ends_in_the_next_provider(Duration::from_secs(5), rig, "no Docker engine answers");
}

#[test]
fn an_engine_of_another_machine_is_refused() {
    let mut rig = rig("elsewhere");
    // An address that is kept for documentation (RFC 5737); nothing is sent there.
    rig.set("DOCKER_HOST", "tcp://192.0.2.1:2375");
    let why = "DOCKER_HOST is `tcp://192.0.2.1:2375`, expected";
    ends_in_the_next_provider(Duration::from_secs(5), rig, why);
}

/// Root is denied nothing, so root runs the rig as `nobody` here, with a copy of the program and
/// of what `KAFKA_HOME` links to in a folder that `nobody` can reach.
#[test]
fn a_socket_without_permission_is_named_with_its_fix() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let _listener = UnixListener::bind(socket(&folder)).unwrap();
    fs::set_permissions(socket(&folder), fs::Permissions::from_mode(0o000)).unwrap();
    let mut rig = rig_with_socket("denied", &socket(&folder));
    let why = "no permission to use the Docker socket (add yourself to the group `docker`";
    if !Uid::effective().is_root() {
        return ends_in_the_next_provider(Duration::from_secs(5), rig, why);
    }
    let program = folder.path().join("rig");
    fs::copy(env!("CARGO_BIN_EXE_rig"), &program).unwrap();
    let jars = fs::canonicalize(Path::new(&rig.settings()["KAFKA_HOME"]).join("libs")).unwrap();
    std::os::unix::fs::symlink(jars, folder.path().join("libs")).unwrap();
    rig.set("KAFKA_HOME", folder.path().display().to_string());
    rig.set("TIDEMARK_RIG_DIR", folder.path().join("own").display().to_string());
    let as_nobody = |rig: &OwnRig, verb: &str| {
        let ids = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];
        let mut command = Command::new("setpriv");
        command.args(ids).arg("timeout").arg("40").arg(&program).arg(verb);
        let output = command.envs(rig.settings()).stdin(Stdio::null()).output();
        output.expect("setpriv runs")
    };

    let forced = as_nobody(&rig, "up");
    assert!(!forced.status.success(), "{}", said(&forced));
    let sentence = String::from_utf8_lossy(&forced.stdout).into_owned();
    assert!(sentence.starts_with(why) && sentence.lines().count() == 1, "{sentence}");

    rig.set("TIDEMARK_RIG", "");
    let free = as_nobody(&rig, "up");
    let down = as_nobody(&rig, "down");
    assert!(free.status.success(), "the local provider did not take over: {}", said(&free));
    let line = said(&free);
    let line = line.lines().find(|line| line.contains("from this machine")).unwrap_or_default();
    assert!(line.contains(why), "expected a line that says why: {}", said(&free));
    assert!(down.status.success(), "{}", said(&down));
}
