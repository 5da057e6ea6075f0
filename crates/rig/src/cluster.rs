//! Servers that are up: what the rig's program writes and this client reads.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::BufReader;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

use nix::unistd::Uid;
use rdkafka::ClientConfig;
use rig_probe::{kafka_answers, postgres_answers};
use serde::{Deserialize, Serialize};

use crate::RigError;
use crate::place::Place;

/// Where the servers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The environment names them.
    External,
    /// They run in containers.
    Containers,
    /// They run on this machine.
    Local,
}

/// A Kafka and a PostgreSQL that are up.
#[derive(Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// Where they come from.
    pub provider: Provider,
    /// The settings of a Kafka client that reach the brokers.
    pub kafka: Vec<(String, String)>,
    /// Kafka's version; `unknown` for an external one.
    pub kafka_version: String,
    /// The address of a database whose user may create further databases. Holds a password.
    pub database_url: String,
    /// PostgreSQL's version; `unknown` for an external one.
    pub postgres_version: String,
    /// What every name of a test begins with.
    pub prefix: String,
    /// The replication factor that `TIDEMARK_REPLICATION` asks for; `None` where nobody asks.
    pub replication: Option<i32>,
    /// Where the program that keeps them listens; `None` where there is no such program.
    pub control: Option<SocketAddr>,
    /// What the program wants to hear first, so that no other program is taken for it.
    pub token: String,
}

impl Cluster {
    /// Reads what the program wrote in this place; `None` where there is nothing to read, and where
    /// another user wrote it or could read it: `/var/tmp` is open to everybody, and records are not
    /// sent to whatever address somebody has laid there.
    pub fn read(place: &Place) -> Option<Cluster> {
        let file = File::open(place.cluster_file()).ok()?;
        let found = file.metadata().ok()?;
        if !is_secret_of(Uid::effective(), &found) {
            return None;
        }
        serde_json::from_reader(BufReader::new(file)).ok()
    }

    /// What every Kafka client starts from.
    pub fn kafka(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in &self.kafka {
            config.set(name, value);
        }
        config
    }

    /// The brokers' addresses.
    pub fn bootstrap(&self) -> &str {
        let setting = self.kafka.iter().find(|(name, _)| name == "bootstrap.servers");
        setting.map_or("", |(_, servers)| servers)
    }

    /// The database's address without its password, for people.
    pub fn database_address(&self) -> &str {
        address_of(&self.database_url)
    }

    /// Whether both servers, on this machine, answer at this moment.
    pub fn answers(&self) -> bool {
        let kafka = self.bootstrap().parse().is_ok_and(kafka_answers);
        kafka && self.database_address().parse().is_ok_and(postgres_answers)
    }
}

/// What stands between user and path in a database's address. Nothing before its last `@` is in it,
/// so no password is, whatever signs it has.
pub fn address_of(database_url: &str) -> &str {
    let after_scheme = database_url.split_once("://").map_or("", |(_, rest)| rest);
    let after_user = after_scheme.rsplit('@').next().unwrap_or("");
    after_user.split(['/', '?']).next().unwrap_or("")
}

fn is_secret_of(user: Uid, file: &Metadata) -> bool {
    file.uid() == user.as_raw() && file.mode() & 0o077 == 0
}

impl FromStr for Provider {
    type Err = RigError;

    fn from_str(name: &str) -> Result<Provider, RigError> {
        match name {
            "external" => Ok(Provider::External),
            "containers" => Ok(Provider::Containers),
            "local" => Ok(Provider::Local),
            other => Err(RigError(format!("no provider is called `{other}`"))),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Provider::External => "external",
            Provider::Containers => "containers",
            Provider::Local => "local",
        })
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Kafka {} at {}, PostgreSQL {} at {}",
            self.kafka_version,
            self.bootstrap(),
            self.postgres_version,
            self.database_address()
        )
    }
}

/// Leaves out what is secret, so that a failed assertion can print a cluster.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const WRITTEN: &str = r#"{"provider": "local", "kafka": [], "kafka_version": "4.3.1",
        "database_url": "", "postgres_version": "17.9", "prefix": "", "control": null,
        "token": ""}"#;

    #[test]
    fn an_address_has_nothing_of_the_password() {
        for password in ["secret", "se/cret", "se?cret", "se@cret", "s@e/c?r@et"] {
            let url = format!("postgresql://amelia:{password}@db.example.org:5432/board?a=b");
            assert_eq!(address_of(&url), "db.example.org:5432");
        }
        assert_eq!(address_of("postgresql://db.example.org/board"), "db.example.org");
        assert_eq!(address_of("host=db.example.org password=secret"), "");
    }

    #[test]
    fn what_others_could_read_or_wrote_is_not_trusted() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path());
        write(place.cluster_file(), WRITTEN).unwrap();
        set_permissions(place.cluster_file(), Permissions::from_mode(0o644)).unwrap();
        assert!(Cluster::read(&place).is_none(), "a file that everybody can read was trusted");

        set_permissions(place.cluster_file(), Permissions::from_mode(0o600)).unwrap();
        assert!(Cluster::read(&place).is_some());

        let found = place.cluster_file().metadata().unwrap();
        let another = Uid::from_raw(Uid::effective().as_raw() + 1);
        assert!(!is_secret_of(another, &found), "a file of another user was trusted");
    }
}
