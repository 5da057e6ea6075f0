//! What a rig has on this machine: processes, containers, volumes, ports, shared memory, files.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use rig::cluster::Cluster;
use sysinfo::{Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use crate::common::OwnRig;

/// All that belongs to one rig at one moment.
#[derive(Debug, Default)]
pub struct Traces {
    processes: Vec<(i32, String)>,
    containers: BTreeSet<String>,
    volumes: BTreeSet<String>,
    addresses: BTreeSet<String>,
    shared_memory: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Traces {
    /// Looks at what there is now.
    pub fn of(rig: &OwnRig) -> Traces {
        let processes: Vec<(i32, String)> = all_processes(rig).collect();
        let containers = containers(rig);
        Traces {
            volumes: containers.iter().flat_map(|container| volumes_of(container)).collect(),
            addresses: addresses(rig),
            shared_memory: processes.iter().flat_map(|(pid, _)| shared_memory_of(*pid)).collect(),
            files: files(rig),
            processes,
            containers,
        }
    }

    /// The processes of a rig whose command lines hold a word.
    pub fn processes(rig: &OwnRig, word: &str) -> impl Iterator<Item = (i32, String)> {
        all_processes(rig).filter(move |(_, line)| line.split([' ', '/']).any(|part| part == word))
    }

    /// What `ps`, `docker ps` and the like would show must be found by this test too, or it would
    /// find nothing left of anything.
    #[track_caller]
    pub fn is_there(&self) {
        assert!(!self.processes.is_empty() && !self.files.is_empty(), "{self:?}");
        assert!(self.addresses.len() >= 3, "{self:?}");
        let has_java = self.processes.iter().any(|(_, line)| line.contains("kafka.Kafka"));
        assert!(has_java || self.containers.len() == 2, "{self:?}");
    }

    /// Whether there is a container, running or not.
    pub fn has_container(&self) -> bool {
        !self.containers.is_empty()
    }

    /// How many Kafkas there are.
    pub fn brokers(&self, rig: &OwnRig) -> usize {
        let java = self.processes.iter().filter(|(_, line)| line.contains("kafka.Kafka")).count();
        java + labelled(rig, &["--filter", "label=tidemark.server=kafka"]).len()
    }

    /// The addresses at which somebody still listens.
    pub fn open_ports(&self) -> Vec<&String> {
        self.addresses.iter().filter(|address| TcpStream::connect(address).is_ok()).collect()
    }

    /// What is still there, and what has come since.
    pub fn left(&self, rig: &OwnRig) -> Vec<String> {
        let now = Traces::of(rig);
        let processes = now.processes.iter().map(|(pid, line)| format!("process {pid}: {line}"));
        let containers = now.containers.iter().map(|name| format!("container {name}"));
        let files = now.files.iter().map(|path| format!("file {path}"));
        let volumes =
            self.volumes.iter().filter(|name| docker(&["volume", "inspect", name]).is_some());
        let ports = self.open_ports().into_iter();
        let memory = self.shared_memory.iter().filter(|piece| is_in_memory(piece));
        processes
            .chain(containers)
            .chain(files)
            .chain(volumes.map(|name| format!("volume {name}")))
            .chain(ports.map(|address| format!("port {address}")))
            .chain(memory.map(|piece| format!("shared memory {piece}")))
            .collect()
    }
}

/// A process belongs to a rig when the rig's folder is named in its environment, which every
/// process inherits, or when it works in it: PostgreSQL writes its titles over its environment.
fn all_processes(rig: &OwnRig) -> impl Iterator<Item = (i32, String)> + use<> {
    let folder = rig.folder().to_owned();
    let mut system = System::new().expect("processes can be listed");
    let what = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let marker = format!("TIDEMARK_RIG_DIR={}", folder.display());
    let belongs = |process: &&Process| {
        let runs = !matches!(process.status(), ProcessStatus::Zombie);
        let is_thread = process.thread_kind().is_some();
        let is_marked = process.environ().iter().any(|variable| *variable == *marker);
        runs && !is_thread && (is_marked || process.cwd().is_some_and(|c| c.starts_with(&folder)))
    };
    let line = |process: &Process| {
        let words = process.cmd().iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    };
    let found: Vec<(i32, String)> = system
        .processes()
        .values()
        .filter(belongs)
        .map(|process| (process.pid().as_u32().cast_signed(), line(process)))
        .collect();
    found.into_iter()
}

fn containers(rig: &OwnRig) -> BTreeSet<String> {
    labelled(rig, &[])
}

fn labelled(rig: &OwnRig, filter: &[&str]) -> BTreeSet<String> {
    if !rig.uses_containers() {
        return BTreeSet::new();
    }
    let label = format!("label=tidemark.rig={}", rig.folder().display());
    let arguments = [&["ps", "--all", "--quiet", "--filter", &label], filter].concat();
    let listed = docker(&arguments).expect("docker lists containers");
    listed.lines().map(str::to_owned).collect()
}

fn volumes_of(container: &str) -> Vec<String> {
    let format = "{{range .Mounts}}{{.Name}} {{end}}";
    let listed = docker(&["inspect", "--format", format, container]).unwrap_or_default();
    listed.split_whitespace().map(str::to_owned).collect()
}

/// What docker prints; `None` when it fails.
pub fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where the servers and the keeper listen; none while they are starting.
fn addresses(rig: &OwnRig) -> BTreeSet<String> {
    let Some(cluster) = Cluster::read(&rig.place()) else { return BTreeSet::new() };
    let (kafka, database) = (cluster.bootstrap().to_owned(), cluster.database_address().to_owned());
    let settings = fs::read_to_string(rig.folder().join("kafka.properties")).unwrap_or_default();
    let controller = settings.lines().find_map(|line| line.split_once("CONTROLLER://"));
    [Some(kafka), Some(database)]
        .into_iter()
        .chain([cluster.control.map(|address| address.to_string())])
        .chain([controller.map(|(_, address)| address.to_owned())])
        .flatten()
        .collect()
}

/// The folder of the rig, and all beside it that bears its name.
fn files(rig: &OwnRig) -> BTreeSet<String> {
    let (parent, name) = (rig.folder().parent().unwrap(), rig.folder().file_name().unwrap());
    let entries = fs::read_dir(parent).expect("the folder above can be read").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|found| found.starts_with(&*name.to_string_lossy())).collect()
}

/// The shared memory of a process, as Linux shows it: files in `/dev/shm`, and pieces of System V
/// memory, whose number stands in the place of a file's. None on other systems.
fn shared_memory_of(pid: i32) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let piece = |line: &str| {
        let mut words = line.split_whitespace().skip(4);
        match (words.next()?, words.next()?) {
            (number, path) if path.starts_with("/SYSV") => Some(number.to_owned()),
            (_, path) if path.starts_with("/dev/shm/") => Some(path.to_owned()),
            _ => None,
        }
    };
    maps.lines().filter_map(piece).collect()
}

fn is_in_memory(piece: &str) -> bool {
    if piece.starts_with('/') {
        return Path::new(piece).exists();
    }
    let pieces = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    pieces.lines().any(|line| line.split_whitespace().nth(1) == Some(piece))
}
