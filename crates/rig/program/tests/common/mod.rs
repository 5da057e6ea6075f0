//! A rig in a folder of one test's own.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod secured;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rig::cluster::Cluster;
use rig::place::Place;

/// How long anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How long a command may take that starts no server.
pub const AT_ONCE: Duration = Duration::from_secs(10);

/// How long another program of this clone may take that cargo may have to build first.
const BUILD_LIMIT: Duration = Duration::from_secs(300);

/// The versions that the rig's program was built with.
const VERSIONS: &str = include_str!("../../../../../versions.env");

/// Settings of the caller by which containers are had.
const OF_CONTAINERS: [&str; 3] = ["DOCKER_HOST", "TIDEMARK_REGISTRY", "TIDEMARK_CONTAINER_MIB"];

/// Settings of the caller that would change what a test sees.
const FOREIGN: [&str; 17] = [
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_SSL_CA_LOCATION",
    "DATABASE_URL",
    "TIDEMARK_PREFIX",
    "TIDEMARK_REPLICATION",
    "TIDEMARK_IDLE_SECONDS",
    "TIDEMARK_WAIT_SECONDS",
    "TIDEMARK_KAFKA_PORT",
    "TIDEMARK_POSTGRES_PORT",
    "TIDEMARK_POSTGRES_BIN",
    "KAFKA_HOME",
    "JAVA_HOME",
    "MAVEN_OPTS",
];

/// How many more rigs may have servers now. Each test program says how many may at once.
static TURNS: Mutex<usize> = Mutex::new(crate::RIGS_AT_ONCE);

/// Told whenever a rig has given its turn back.
static TURN_IS_FREE: Condvar = Condvar::new();

/// The right of one rig, and of those beside it, to have servers.
struct Turn;

impl Turn {
    fn take() -> Turn {
        let free = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let free = TURN_IS_FREE.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        TURN_IS_FREE.notify_one();
    }
}

/// A folder under `/var/tmp`, and the rig in it. Ends with the test.
pub struct OwnRig {
    folder: PathBuf,
    settings: HashMap<&'static str, String>,
    _turn: Option<Turn>,
}

impl OwnRig {
    /// A rig that was not started yet. Its Kafka is the one that was fetched for the clone.
    pub fn new(test: &str) -> OwnRig {
        let turn = Turn::take();
        let mut rig = OwnRig::that_stays_down(test);
        rig._turn = Some(turn);
        rig
    }

    /// A rig whose servers are never started, so that it need not wait for others.
    pub fn that_stays_down(test: &str) -> OwnRig {
        let folder = own_folder(test);
        let mut rig = OwnRig { folder, settings: HashMap::new(), _turn: None };
        rig.set("TIDEMARK_RIG_DIR", rig.folder.display().to_string());
        rig.set("TIDEMARK_RIG", "local");
        // Not the clone's own `.env`.
        rig.set("TIDEMARK_ENV_FILE", "/dev/null");
        rig.set("KAFKA_HOME", kafka_home().display().to_string());
        rig
    }

    /// A second rig with the same settings, in a folder of its own, within the turn of this one.
    pub fn beside(&self, test: &str) -> OwnRig {
        let mut settings = self.settings.clone();
        let folder = own_folder(test);
        settings.insert("TIDEMARK_RIG_DIR", folder.display().to_string());
        OwnRig { folder, settings, _turn: None }
    }

    /// Whether its servers are forced to come from containers.
    pub fn uses_containers(&self) -> bool {
        self.settings.get("TIDEMARK_RIG").is_some_and(|provider| provider == "containers")
    }

    /// Sets a variable of the environment for every later command.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.insert(name, value.into());
    }

    pub fn unset(&mut self, name: &'static str) {
        self.settings.remove(name);
    }

    /// The variables that every command of this rig has.
    pub fn settings(&self) -> &HashMap<&'static str, String> {
        &self.settings
    }

    pub fn place(&self) -> Place {
        Place::at(&self.folder)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
        command.args(arguments);
        self.with_settings(command)
    }

    fn with_settings(&self, mut command: Command) -> Command {
        for name in FOREIGN {
            command.env_remove(name);
        }
        if !self.uses_containers() {
            for name in OF_CONTAINERS {
                command.env_remove(name);
            }
        }
        command.envs(&self.settings).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the rig's program runs")
    }

    /// Runs and expects success.
    #[track_caller]
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "rig {arguments:?} failed: {}", said(&output));
        said(&output)
    }

    /// Runs and expects a failure and one sentence, at once.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str]) -> String {
        self.fails_within(AT_ONCE, arguments).0
    }

    /// Runs and expects a failure within this time. Returns its sentence, and what was said before.
    #[track_caller]
    pub fn fails_within(&self, limit: Duration, arguments: &[&str]) -> (String, String) {
        let output = ended_within(limit, self.command(arguments));
        assert!(!output.status.success(), "rig {arguments:?} went well: {}", said(&output));
        let sentence = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(sentence.lines().count(), 1, "expected one sentence, found: {}", said(&output));
        let before = String::from_utf8_lossy(&output.stderr).into_owned();
        let trace = before.lines().find(|line| line.contains("\tat ") || line.contains("panicked"));
        assert_eq!(trace, None, "a stack trace: {before}");
        (sentence, before)
    }

    pub fn cluster(&self) -> Cluster {
        Cluster::read(&self.place()).expect("the rig is up")
    }

    /// The processes that work for this rig, by their command lines.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let within = self.folder.display().to_string();
        processes().into_iter().filter(|(_, line)| line.contains(&within)).collect()
    }

    /// Kills one process as a power cut would; one that is gone already is fine.
    pub fn kill(&self, pid: i32) {
        let _ = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    }

    /// Stops a process, so that it is there and does nothing.
    pub fn freeze(&self, pid: i32) {
        signal::kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("the process is there");
    }

    /// Lets a process go on that was stopped.
    pub fn thaw(&self, pid: i32) {
        signal::kill(Pid::from_raw(pid), Signal::SIGCONT).expect("the process is there");
    }

    /// The process of this rig whose command line has this word.
    #[track_caller]
    pub fn process(&self, word: &str) -> i32 {
        let found = self.processes().into_iter().find(|(_, line)| line.contains(word));
        found.unwrap_or_else(|| panic!("no process of the rig has `{word}`")).0
    }

    #[track_caller]
    pub fn has_no_process(&self) {
        wait_for("all processes of the rig to be gone", || self.processes().is_empty());
    }

    #[track_caller]
    pub fn leaves_nothing(&self) {
        self.has_no_process();
        assert!(!self.folder.exists(), "{} is still there", self.folder.display());
    }
}

impl Drop for OwnRig {
    fn drop(&mut self) {
        let _ = self.run(&["down"]);
    }
}

fn own_folder(test: &str) -> PathBuf {
    PathBuf::from(format!("/var/tmp/tidemark-test-{test}-{}", std::process::id()))
}

/// The value that versions.env gives to a name.
pub fn pinned(name: &str) -> &'static str {
    let value = |line: &'static str| line.strip_prefix(name)?.strip_prefix('=');
    VERSIONS.lines().find_map(value).expect("versions.env holds the name")
}

/// Runs a command to its end; one that takes longer than `limit` is killed, and the test fails.
#[track_caller]
pub fn ended_within(limit: Duration, mut command: Command) -> Output {
    let began = Instant::now();
    let arguments = command.get_args().collect::<Vec<_>>().join(" ".as_ref());
    let arguments = arguments.to_string_lossy().into_owned();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the command runs");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid fits in an i32"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(limit) else {
        let _ = signal::kill(pid, Signal::SIGKILL);
        panic!("{arguments} did not end within {} s", limit.as_secs());
    };
    println!("{arguments} took {:.1} s", began.elapsed().as_secs_f32());
    output.expect("the command was run")
}

/// What `make check-cluster` says of the servers of a rig.
#[track_caller]
pub fn check_cluster(rig: &OwnRig) -> String {
    let mut command = rig::cargo();
    command.args(["run", "--quiet", "--package", "rig-check"]);
    said(&ended_within(BUILD_LIMIT, rig.with_settings(command)))
}

/// A folder for one test's files, empty at first.
pub fn test_folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder for tests can be written");
    folder
}

/// A program of one test's own, in a folder of this name.
pub fn script(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder).expect("the folder for tests can be written");
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("a script can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is this user's");
}

/// A PATH on which the scripts of a folder come before the machine's programs.
pub fn path_before(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").expect("there is a PATH"))
}

/// The first program of this name on the PATH.
pub fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("there is a PATH");
    let mut found = std::env::split_paths(&path).map(|f| f.join(name)).filter(|f| f.exists());
    found.next().unwrap_or_else(|| panic!("no {name} on the PATH"))
}

/// All that a command has printed.
pub fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

/// Waits for something that happens in another process.
#[track_caller]
pub fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !happened() {
        assert!(Instant::now() < until, "waited {} s for {what}", DEADLINE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The jars that Maven has brought for the clone's own rig.
#[track_caller]
pub fn fetched_jars() -> PathBuf {
    fetch();
    let name = format!("kafka-jars-{}", pinned("KAFKA_VERSION"));
    let jars = Place::of_this_clone().folder().join(name);
    assert!(jars.exists(), "{} is not there: unset KAFKA_HOME for this test", jars.display());
    jars
}

/// Has the clone's own rig fetch its software, once.
fn fetch() {
    static FETCHED: OnceLock<()> = OnceLock::new();
    FETCHED.get_or_init(|| {
        let fetched = Command::new(env!("CARGO_BIN_EXE_rig")).arg("fetch").output();
        let fetched = fetched.expect("the rig's program runs");
        assert!(fetched.status.success(), "{}", said(&fetched));
    });
}

/// An unpacked Kafka: the caller's own, else the jars of the clone's own rig in the form of one.
fn kafka_home() -> PathBuf {
    if let Some(home) = rig::setting::setting("KAFKA_HOME") {
        return PathBuf::from(home);
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka-home");
    fs::create_dir_all(&home).expect("the folder for tests can be written");
    let link = home.join("libs");
    let draft = home.join(format!("libs-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::os::unix::fs::symlink(fetched_jars(), &draft).expect("a link can be made");
    fs::rename(draft, link).expect("a link can be renamed");
    home
}

fn processes() -> Vec<(i32, String)> {
    let listed = Command::new("ps").args(["-axww", "-o", "pid=,stat=,command="]).output();
    let listed = listed.expect("ps runs");
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let pid = words.next()?.parse().ok()?;
        let ended = words.next()?.starts_with('Z');
        (!ended).then(|| (pid, words.collect::<Vec<_>>().join(" ")))
    };
    lines.lines().filter_map(parse).collect()
}
