//! A Kafka of one test's own that asks who one is, by `scripts/secured-cluster.sh`.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rig_probe::kafka_answers;

use super::{OwnRig, ended_within, said, wait_for};

/// To make passwords and certificates, format the data and start takes ten programs in Java.
const START_LIMIT: Duration = Duration::from_secs(300);

/// A broker's ports, and those before it that the script counts from.
const PORTS: u16 = 8;

/// A Kafka with users, passwords and access lists. It ends with the test.
pub struct Secured {
    folder: PathBuf,
    kafka_home: String,
}

impl Secured {
    /// Starts one beside a rig that is up, with settings of the script's own.
    pub fn up(servers: &OwnRig, settings: &[(&str, &str)]) -> Secured {
        let folder = PathBuf::from(format!("{}-secured", servers.folder().display()));
        let secured = Secured { folder, kafka_home: servers.settings()["KAFKA_HOME"].clone() };
        let mut command = secured.script("up");
        command.env("TIDEMARK_SECURED_PORT", free_ports().to_string());
        command.envs(settings.iter().copied());
        let output = ended_within(START_LIMIT, command);
        assert!(output.status.success(), "{}", said(&output));
        secured
    }

    /// A rig whose environment names this Kafka, for a user with a protocol, and the database of
    /// `servers`.
    pub fn rig(&self, servers: &OwnRig, user: &str, protocol: &str) -> OwnRig {
        let mut rig = servers.beside(&format!("{user}-{protocol}"));
        let file = self.file(&format!("{user}-{protocol}.env"));
        rig.set("TIDEMARK_RIG", "");
        rig.set("TIDEMARK_ENV_FILE", file.display().to_string());
        rig.set("DATABASE_URL", servers.cluster().database_url);
        rig
    }

    /// Starts the broker again with a certificate that is valid from a time on, in UTC, for so many days.
    pub fn start_with_certificate(&self, from: &str, days: &str) {
        let mut command = self.script("certificate");
        command.args([from, days]);
        let output = ended_within(START_LIMIT, command);
        assert!(output.status.success(), "{}", said(&output));
        let address = self.address("plain").parse().expect("it is a number");
        wait_for("the broker to answer again", || kafka_answers(address));
    }

    /// A file that the script has made.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the broker speaks a protocol.
    pub fn address(&self, protocol: &str) -> String {
        let settings = self.file(&format!("amelia-{protocol}.env"));
        let settings = fs::read_to_string(settings).expect("the script wrote it");
        let mut servers =
            settings.lines().filter_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP_SERVERS="));
        servers.next().expect("the servers are named").to_owned()
    }

    fn script(&self, verb: &str) -> Command {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../scripts/secured-cluster.sh");
        let mut command = Command::new("bash");
        command.arg(script).arg(verb).arg(&self.folder).env("KAFKA_HOME", &self.kafka_home);
        command
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = self.script("down").output();
    }
}

/// The first of some ports that are free, below those that the system gives to outgoing connections.
fn free_ports() -> u16 {
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 24_000 + u16::try_from(std::process::id() % 400).expect("it is small") * PORTS;
    let mut bases = (first..32_000).step_by(PORTS.into());
    bases.find(|base| (*base..*base + PORTS).all(is_free)).expect("some ports are free")
}
