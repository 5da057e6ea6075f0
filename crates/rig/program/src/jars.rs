//! Kafka's jars: those on record in `maven/kafka.sha256`, or those that `KAFKA_HOME` names.
//!
//! A jar that a full disk or a power cut has left incomplete makes Java fail with words that help
//! nobody, so the jars are checked before each start.

use std::fs;
use std::path::{Path, PathBuf};

use rig::place::Place;
use rig::say::say;
use rig::setting::setting;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::folder;
use crate::maven;
use crate::versions;

/// As `sha256sum *.jar` prints it in a folder that Maven has filled.
const RECORD: &str = include_str!("../maven/kafka.sha256");

/// A Kafka as jars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jars {
    /// The folder with all of them.
    pub folder: PathBuf,
    /// Kafka's version.
    pub version: String,
}

impl Jars {
    /// What Java takes for the path of its classes.
    pub fn class_path(&self) -> PathBuf {
        self.folder.join("*")
    }

    /// The version for people, with the one that the course uses where it is another.
    pub fn description(&self) -> String {
        let (version, ours) = (&self.version, versions::kafka());
        if version == ours {
            return format!("Kafka {version}");
        }
        format!("Kafka {version} (of KAFKA_HOME; the course uses {ours})")
    }
}

/// The jars as they are, fetched first where there are none. `KAFKA_HOME` names the folder of a
/// Kafka that somebody has unpacked; then nothing is fetched.
///
/// # Errors
/// When Maven cannot get them, or when `KAFKA_HOME` has no jars or those of a Kafka too old.
pub fn find(software: &Place) -> Result<Jars, Failure> {
    if let Some(home) = setting("KAFKA_HOME") {
        return of_home(&PathBuf::from(home));
    }
    let jars = of_maven(software);
    if !jars.folder.exists() {
        fetch(&jars)?;
    }
    Ok(jars)
}

/// The jars after a check of every one that Maven has brought. Those that are damaged are fetched
/// anew.
///
/// # Errors
/// As [`find`], and when what Maven brings is not what is on record.
pub fn find_whole(software: &Place) -> Result<Jars, Failure> {
    let jars = find(software)?;
    if setting("KAFKA_HOME").is_some() {
        return Ok(jars);
    }
    if let Some(damaged) = first_damaged(&jars.folder) {
        say(&format!("rig: {damaged} in {} is damaged", jars.folder.display()));
        folder::remove(&jars.folder)?;
        fetch(&jars)?;
    }
    Ok(jars)
}

fn of_maven(software: &Place) -> Jars {
    let version = versions::kafka().to_owned();
    Jars { folder: software.folder().join(format!("kafka-jars-{version}")), version }
}

fn fetch(jars: &Jars) -> Result<(), Failure> {
    say(&format!(
        "rig: taking Kafka {} from Maven: from its local repository, or else 55 MB over the network",
        jars.version
    ));
    maven::fetch_kafka(&jars.folder)?;
    let Some(damaged) = first_damaged(&jars.folder) else { return Ok(()) };
    folder::remove(&jars.folder)?;
    Err(Failure(format!(
        "{damaged} from Maven is not the file on record, so it is damaged; remove it by \
         `find ~/.m2/repository -name {damaged} -delete`, then try again"
    )))
}

/// The name of a jar that is missing or has not the content on record.
fn first_damaged(folder: &Path) -> Option<&'static str> {
    let mut damaged = RECORD.lines().filter_map(|line| {
        let (checksum, name) = line.split_once("  ")?;
        let content = fs::read(folder.join(name)).unwrap_or_default();
        (hexadecimal(&Sha256::digest(&content)) != checksum).then_some(name)
    });
    damaged.next()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_home(home: &Path) -> Result<Jars, Failure> {
    let folder = home.join("libs");
    let Some(version) = version_in(&folder) else {
        return Err(Failure(format!(
            "KAFKA_HOME is {}, and no Kafka is there (no libs/kafka-clients-….jar); \
             set it to the folder of an unpacked Kafka, or unset it",
            home.display()
        )));
    };
    let oldest = versions::kafka_at_least();
    if numbers(&version) < numbers(oldest) {
        return Err(Failure(format!(
            "KAFKA_HOME is Kafka {version}, and the rig needs Kafka {oldest} or newer; \
             unset it, or set it to a newer one"
        )));
    }
    Ok(Jars { folder, version })
}

/// Reads `4.3.1` out of the name `kafka-clients-4.3.1.jar`.
fn version_in(folder: &Path) -> Option<String> {
    let names = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    let version = |name: std::ffi::OsString| {
        let version = name.to_str()?.strip_prefix("kafka-clients-")?.strip_suffix(".jar")?;
        Some(version.to_owned())
    };
    names.filter_map(version).next()
}

/// `4.3.1` as numbers that can be compared; what follows a `-` does not count.
fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('-').next().unwrap_or("");
    numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_of(version: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("libs")).unwrap();
        let jar = home.path().join(format!("libs/kafka-clients-{version}.jar"));
        fs::write(jar, "").unwrap();
        home
    }

    #[test]
    fn the_record_is_of_the_pinned_version() {
        let jar = format!("  kafka-clients-{}.jar", versions::kafka());
        assert!(RECORD.lines().any(|line| line.ends_with(&jar)), "make maven/kafka.sha256 anew");
    }

    #[test]
    fn another_kafka_of_a_folder_is_named_with_its_version() {
        let home = home_of("4.0.2");
        let jars = of_home(home.path()).unwrap();
        let ours = versions::kafka();
        let expected = format!("Kafka 4.0.2 (of KAFKA_HOME; the course uses {ours})");
        assert_eq!(jars.description(), expected);
        let jars = of_home(home_of(ours).path()).unwrap();
        assert_eq!(jars.description(), format!("Kafka {ours}"));
    }

    #[test]
    fn a_kafka_that_is_too_old_is_refused_with_its_version() {
        let refused = of_home(home_of("3.9.1").path()).unwrap_err().to_string();
        let expected = "KAFKA_HOME is Kafka 3.9.1, and the rig needs Kafka 4.0 or newer";
        assert!(refused.starts_with(expected), "{refused}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("4.10.0") > numbers("4.9.0"));
        assert!(numbers("4.0.0-rc1") >= numbers("4.0"));
        assert!(numbers("3.9.1") < numbers("4.0"));
    }
}
