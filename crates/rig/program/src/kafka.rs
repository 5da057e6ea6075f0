//! Apache Kafka on this machine's Java: one node, broker and controller in one (KRaft).

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::failure::Failure;
use crate::folder;
use crate::jars::Jars;
use crate::ports;
use crate::process::Server;
use crate::random::random_word;
use rig::patience::patience;

/// How long Kafka may take from its start to its first answer, unless `TIDEMARK_WAIT_SECONDS` says
/// otherwise.
const START_TIMEOUT: Duration = Duration::from_secs(60);

const LOGGING: &str = "\
Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: \"%d %p %m (%c)%n\"}
  Loggers:
    Root: {level: WARN, AppenderRef: [{ref: out}]}
";

/// Whether the broker at this address serves: it answers, and its cluster knows it.
pub fn serves(address: SocketAddr) -> bool {
    let asked = ClientConfig::new().set("bootstrap.servers", address.to_string()).create();
    let asked: BaseConsumer = asked.expect("a client with nothing but an address can be made");
    let answer = asked.fetch_metadata(None, Duration::from_secs(1));
    answer.is_ok_and(|metadata| !metadata.brokers().is_empty())
}

/// A Kafka of one folder.
#[derive(Debug)]
pub struct Kafka {
    java: PathBuf,
    jars: Jars,
    folder: PathBuf,
    address: SocketAddr,
    controller: SocketAddr,
}

impl Kafka {
    /// Chooses the ports. Nothing is written or started yet.
    ///
    /// # Errors
    /// When no port is free, or the one of `TIDEMARK_KAFKA_PORT` is taken.
    pub fn new(java: PathBuf, jars: Jars, folder: &Path) -> Result<Kafka, Failure> {
        let address = ports::free("TIDEMARK_KAFKA_PORT")?;
        let controller = ports::any()?;
        Ok(Kafka { java, jars, folder: folder.to_owned(), address, controller })
    }

    /// Its version, such as `4.3.1`.
    pub fn version(&self) -> &str {
        &self.jars.version
    }

    /// Its version for people.
    pub fn description(&self) -> String {
        self.jars.description()
    }

    /// Where clients reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it and waits until it answers. Data of an earlier start are kept.
    ///
    /// # Errors
    /// When it ends instead or takes too long; the sentence names its log. Also when what starts beside
    /// it has failed.
    pub fn start(&self, failed_beside: &OnceLock<Failure>) -> Result<Server, Failure> {
        let data = self.folder.join(format!("kafka-{}", self.jars.version));
        if !data.exists() {
            self.format(&data)?;
        }
        let settings = self.write_settings("kafka.properties", &data)?;
        let mut command = self.java();
        command.arg("kafka.Kafka").arg(settings);
        let log = self.folder.join("kafka.log");
        let mut server = Server::start("Kafka", command, Signal::SIGTERM, &log)?;
        // Kafka's client would log each refused connection.
        let is_there = || TcpStream::connect(self.address).is_ok() && serves(self.address);
        server.wait_until(patience(START_TIMEOUT)?, failed_beside, is_there)?;
        Ok(server)
    }

    /// Makes the folder of the data. It appears whole or not at all.
    fn format(&self, data: &Path) -> Result<(), Failure> {
        let draft = data.with_extension("draft");
        folder::remove(&draft)?;
        let settings = self.write_settings("kafka-format.properties", &draft)?;
        // The id is 16 bytes in base64, 22 characters of which the last has four bits to spare.
        // Hexadecimal digits are base64 too, and a Java start is saved.
        let id = format!("{}A", &random_word()?[..21]);
        self.format_storage(&id, &settings)?;
        fs::rename(&draft, data).map_err(Failure::of_file("write", data))
    }

    fn format_storage(&self, id: &str, settings: &Path) -> Result<(), Failure> {
        let output = self
            .java()
            .args(["kafka.tools.StorageTool", "format", "--cluster-id", id, "--config"])
            .arg(settings)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure(format!("cannot run Java: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().last().unwrap_or("it said nothing");
        Err(Failure(format!("Kafka could not format its folder: {reason}")).with_fix())
    }

    fn java(&self) -> Command {
        let mut command = Command::new(&self.java);
        // The small heap and the quick compiler are for a broker that lives for an evening.
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.arg("-cp").arg(self.jars.class_path());
        let logging = self.folder.join("log4j2.yaml");
        command.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
        command
    }

    fn write_settings(&self, name: &str, data: &Path) -> Result<PathBuf, Failure> {
        let logging = self.folder.join("log4j2.yaml");
        fs::write(&logging, LOGGING).map_err(Failure::of_file("write", &logging))?;
        let path = self.folder.join(name);
        fs::write(&path, self.settings(data)).map_err(Failure::of_file("write", &path))?;
        Ok(path)
    }

    /// The broker's settings. Each line that is not about addresses is there for short tests or
    /// for a cluster of one.
    fn settings(&self, data: &Path) -> String {
        let Kafka { address, controller, .. } = self;
        let data = data.display();
        format!(
            "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{address},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{address}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
log.retention.check.interval.ms=1000
"
        )
    }
}
