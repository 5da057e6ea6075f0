//! What Maven brings: Kafka's jars, and PostgreSQL where the machine has none.
//!
//! Maven checks each file that it downloads against its checksum and keeps it in its own repository,
//! so that a second fetch needs no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::place::Place;
use rig::say::say;

use crate::failure::Failure;
use crate::folder;
use crate::versions;

const KAFKA_POM: &str = include_str!("../maven/kafka.xml");
const POSTGRES_POM: &str = include_str!("../maven/postgres.xml");

/// Fills this folder with Kafka's jars, from Maven's own repository or the network.
///
/// # Errors
/// When Maven is missing or cannot get them.
pub fn fetch_kafka(folder: &Path) -> Result<(), Failure> {
    let version = format!("-Dkafka.version={}", versions::kafka());
    fetch(folder, KAFKA_POM, "copy-dependencies", &[version])
}

/// The folder with PostgreSQL's programs as Maven has them for this machine.
///
/// # Errors
/// When there are none for this kind of machine, or Maven is missing or cannot get them.
pub fn postgres_programs(software: &Place) -> Result<PathBuf, Failure> {
    let version = versions::postgres();
    let folder = software.folder().join(format!("postgres-programs-{version}"));
    if !folder.exists() {
        say(&format!(
            "rig: taking PostgreSQL {version} from Maven: from its local repository, \
             or else 15 MB over the network"
        ));
        let machine = machine()?;
        let packed = software.folder().join("postgres-packed");
        folder::remove(&packed)?;
        let settings =
            [format!("-Dpostgres.version={version}"), format!("-Dpostgres.machine={machine}")];
        fetch(&packed, POSTGRES_POM, "unpack-dependencies", &settings)?;
        unpack(&packed, &folder)?;
        folder::remove(&packed)?;
    }
    Ok(folder.join("bin"))
}

fn machine() -> Result<&'static str, Failure> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-amd64"),
        ("linux", "aarch64") => Ok("linux-arm64v8"),
        ("macos", "x86_64") => Ok("darwin-amd64"),
        ("macos", "aarch64") => Ok("darwin-arm64v8"),
        (os, arch) => Err(Failure(format!(
            "no PostgreSQL found, and there is none to fetch for {os} on {arch}; install PostgreSQL"
        ))),
    }
}

/// A mirror that says nothing for so long is given up. Maven itself would wait half an hour.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(20);

/// What Maven 3.8 and Maven 3.9 call that time.
const SILENCE_SETTINGS: [&str; 2] = ["maven.wagon.rto", "aether.connector.requestTimeout"];

/// Runs a goal of Maven's dependency plugin that fills a folder. The folder appears whole or not
/// at all: what was killed half-way is begun anew.
fn fetch(folder: &Path, pom: &str, goal: &str, settings: &[String]) -> Result<(), Failure> {
    let draft = folder.with_extension("draft");
    folder::remove(&draft)?;
    fs::create_dir_all(&draft).map_err(Failure::of_file("make the folder", &draft))?;
    let pom_file = draft.join("pom.xml");
    fs::write(&pom_file, pom).map_err(Failure::of_file("write", &pom_file))?;
    let ran = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--strict-checksums", "--file"])
        .arg(&pom_file)
        // By its full name: the short one is looked for in repositories first, and where there is
        // no network Maven then says that there is no such plugin.
        .arg(format!("org.apache.maven.plugins:maven-dependency-plugin:{goal}"))
        .arg(format!("-DoutputDirectory={}", draft.display()))
        .args(SILENCE_SETTINGS.map(|name| format!("-D{name}={}", SILENCE_TIMEOUT.as_millis())))
        .args(settings)
        .stdin(Stdio::null())
        .output();
    let output = ran.map_err(|_| no_maven())?;
    if !output.status.success() {
        return Err(maven_failed(&String::from_utf8_lossy(&output.stdout)));
    }
    fs::rename(&draft, folder).map_err(Failure::of_file("write", folder))
}

fn no_maven() -> Failure {
    Failure::new(
        "no Maven found, which fetches Kafka. Debian, Ubuntu: sudo apt install maven. \
         macOS: brew install maven. Or unpack Kafka yourself and set KAFKA_HOME",
    )
}

const TRANSFER: &str = "Could not transfer artifact";

/// Maven says what went wrong at the end of its first line of errors; the others repeat it at
/// length.
fn maven_failed(said: &str) -> Failure {
    let reason = said.lines().find_map(|line| line.split_once("ERROR")).map_or("", |(_, r)| r);
    let reason = reason.trim_start_matches(|c: char| !c.is_alphanumeric());
    let reason = reason.split(" -> ").next().unwrap_or("");
    let reason = reason.rfind(TRANSFER).map_or(reason, |start| &reason[start..]);
    let failed = Failure(format!("Maven could not fetch it: {reason}"));
    let with_fix = failed.clone().with_fix();
    if with_fix != failed {
        return with_fix;
    }
    let fix = if reason.contains("hecksum") {
        "what comes between Maven and its repository changes the files; try another network"
    } else {
        "is there a network, and does `mvn` use the proxy?"
    };
    Failure(format!("{failed}; {fix}"))
}

/// Unpacks the one archive in the fetched folder.
fn unpack(packed: &Path, folder: &Path) -> Result<(), Failure> {
    let archive = fs::read_dir(packed)
        .map_err(Failure::of_file("read", packed))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "txz"))
        .ok_or(Failure(format!("no archive of PostgreSQL in {}", packed.display())))?;
    let file = fs::File::open(&archive).map_err(Failure::of_file("read", &archive))?;
    let draft = folder.with_extension("draft");
    folder::remove(&draft)?;
    let unpacked = lzma_rust2::XzReader::new(std::io::BufReader::new(file), true);
    tar::Archive::new(unpacked).unpack(&draft).map_err(Failure::of_file("unpack", &archive))?;
    fs::rename(&draft, folder).map_err(Failure::of_file("write", folder))
}

#[cfg(test)]
mod tests {
    use super::maven_failed;

    #[test]
    fn of_all_that_maven_says_the_reason_is_kept() {
        let said = "[ERROR] Failed to execute goal on project kafka: Could not resolve \
                    dependencies -> [Help 1]\n[ERROR] \n[ERROR] To see the full stack trace";
        let failure = maven_failed(said).to_string();
        assert!(failure.contains("fetch it: Failed to execute goal on project kafka: Could not"));
        assert!(!failure.contains("Help 1"));
    }
}
