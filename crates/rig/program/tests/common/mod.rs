//! A rig in a folder of one test's own.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rig::cluster::Cluster;
use rig::place::Place;

/// How long anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Taken by each rig in turn: several Kafkas that start at once make each other slow.
static TURN: Mutex<()> = Mutex::new(());

/// A folder under `/var/tmp`, and the rig in it. Ends with the test.
pub struct OwnRig {
    folder: PathBuf,
    settings: HashMap<&'static str, String>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl OwnRig {
    /// A rig that was not started yet. Its Kafka is the one that was fetched for the clone.
    pub fn new(test: &str) -> OwnRig {
        let folder = own_folder(test);
        // A test that failed leaves the lock poisoned, and nothing behind that could disturb.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rig = OwnRig { folder, settings: HashMap::new(), _turn: Some(turn) };
        rig.set("TIDEMARK_RIG_DIR", rig.folder.display().to_string());
        rig.set("TIDEMARK_RIG", "local");
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
        for name in ["KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "TIDEMARK_IDLE_SECONDS"] {
            command.env_remove(name);
        }
        command.args(arguments).envs(&self.settings).stdin(Stdio::null());
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

    /// Runs and expects one sentence and a failure.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "rig {arguments:?} went well: {}", said(&output));
        let sentence = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(sentence.lines().count(), 1, "expected one sentence, found: {sentence}");
        sentence
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
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }

    #[track_caller]
    pub fn leaves_nothing(&self) {
        wait_for("all processes of the rig to be gone", || self.processes().is_empty());
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

/// Kafka's jars as they were fetched for the clone, in the form of an unpacked Kafka.
fn kafka_home() -> PathBuf {
    let fetched = Command::new(env!("CARGO_BIN_EXE_rig")).arg("fetch").output();
    let fetched = fetched.expect("the rig's program runs");
    assert!(fetched.status.success(), "rig fetch failed: {}", said(&fetched));
    let shared = Place::of_this_clone();
    let jars = fs::read_dir(shared.folder())
        .expect("the rig has a folder")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("kafka-jars"));
    let Some(jars) = jars else {
        let home = std::env::var_os("KAFKA_HOME").expect("jars were fetched, or KAFKA_HOME is set");
        return PathBuf::from(home);
    };
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka-home");
    fs::create_dir_all(&home).expect("the folder for tests can be written");
    let link = home.join("libs");
    let draft = home.join(format!("libs-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::os::unix::fs::symlink(jars, &draft).expect("a link can be made");
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
