//! What `docker-compose.yml` says: profiles, images, addresses, passwords.

use std::collections::{BTreeMap, BTreeSet};

use super::Form;
use crate::cargo;
use crate::outcome::{NotRun, Tally};
use crate::repo::Repo;

const MIRROR: &str = "mirror.example.org";

/// The profiles that the book names, and the servers that each starts beside PostgreSQL.
const PROFILES: [(&[&str], &[&str]); 3] = [
    (&[], &["KAFKA"]),
    (&["redpanda"], &["REDPANDA"]),
    (&["kafka", "ui"], &["KAFKA", "TOPIC_BROWSER", "DATABASE_BROWSER"]),
];

/// Judges the settings of one form of compose.
///
/// # Errors
/// When versions.env cannot be read or compose cannot be started.
pub fn check(repo: &Repo, form: Form, tally: &mut Tally) -> Result<(), NotRun> {
    let file = std::fs::read_to_string(repo.root.join("docker-compose.yml"))?;
    tally.count(only_on_loopback(&file));
    let versions = std::fs::read_to_string(repo.root.join("versions.env"))?;
    let pinned = pinned(&versions);
    for (profiles, servers) in PROFILES {
        for mirror in [None, Some(MIRROR)] {
            let said = config(repo, form, profiles, mirror, Some("secret"))?;
            tally.count(names_the_pinned(&said, servers, &pinned, mirror));
        }
    }
    let refusal = match config(repo, form, &[], None, None)? {
        Ok(_) => Err("starts without a password".to_owned()),
        Err(said) if said.contains("export it as POSTGRES_PASSWORD") => Ok(()),
        Err(said) => Err(format!("without a password it says: {said}")),
    };
    tally.count(refusal);
    Ok(())
}

/// `config` of compose: the settings as they hold, or why they don't.
fn config(
    repo: &Repo,
    form: Form,
    profiles: &[&str],
    mirror: Option<&str>,
    password: Option<&str>,
) -> Result<Result<String, String>, NotRun> {
    let mut command = form.command(repo);
    command.args(["--env-file", "versions.env"]);
    for variable in ["COMPOSE_PROFILES", "POSTGRES_PASSWORD", "TIDEMARK_REGISTRY"] {
        command.env_remove(variable);
    }
    for profile in profiles {
        command.args(["--profile", profile]);
    }
    command.envs(mirror.map(|mirror| ("TIDEMARK_REGISTRY", mirror)));
    command.envs(password.map(|password| ("POSTGRES_PASSWORD", password)));
    let run = cargo::run(command.arg("config"))?;
    Ok(if run.status.success() { Ok(run.output) } else { Err(run.output) })
}

/// `KAFKA_VERSION` and its like.
fn pinned(versions: &str) -> BTreeMap<&str, &str> {
    versions.lines().filter_map(|line| line.split_once('=')).collect()
}

/// The images are those of versions.env, all from the mirror where one is set. The older form
/// lists the servers of every profile, so more than the expected ones may be there.
fn names_the_pinned(
    said: &Result<String, String>,
    servers: &[&str],
    pinned: &BTreeMap<&str, &str>,
    mirror: Option<&str>,
) -> Result<(), String> {
    let said = said.as_ref().map_err(|said| format!("compose config failed: {said}"))?;
    let image = |server: &str| {
        let of = |what: &str| pinned.get(format!("{server}_{what}").as_str()).copied();
        let (image, version) = (of("IMAGE").unwrap_or_default(), of("VERSION").unwrap_or_default());
        format!("{}/{image}:{version}", mirror.unwrap_or("docker.io"))
    };
    let lines = said.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let found: BTreeSet<&str> = lines.collect();
    for server in servers.iter().chain(&["POSTGRES"]) {
        if !found.contains(image(server).as_str()) {
            return Err(format!("expected the image {}, found {found:?}", image(server)));
        }
    }
    let registry = format!("{}/", mirror.unwrap_or("docker.io"));
    match found.iter().find(|image| !image.starts_with(&registry)) {
        Some(other) => Err(format!("{other} does not come from {registry}")),
        None => Ok(()),
    }
}

/// Every published port is bound to the loopback address.
fn only_on_loopback(file: &str) -> Result<(), String> {
    let mut in_ports = false;
    for line in file.lines().map(str::trim) {
        let is_entry = line.starts_with("- ");
        if in_ports && is_entry && !line.starts_with("- \"127.0.0.1:") {
            return Err(format!("a port is not on the loopback address: {line}"));
        }
        in_ports = line == "ports:" || in_ports && is_entry;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_for_everybody_is_found() {
        let file = "command:\n  - start\nports:\n  - \"127.0.0.1:9092:9092\"\nvolumes:\n  - a:/b\n";
        assert_eq!(only_on_loopback(file), Ok(()));
        let open = file.replace("127.0.0.1:9092:9092", "9092:9092");
        assert!(only_on_loopback(&open).unwrap_err().contains("9092:9092"));
    }

    #[test]
    fn an_image_that_versions_env_does_not_name_is_found() {
        let pinned = pinned(
            "KAFKA_IMAGE=apache/kafka-native\nKAFKA_VERSION=4.3.1\n\
            POSTGRES_IMAGE=postgres\nPOSTGRES_VERSION=17.9\n",
        );
        let said =
            "  image: docker.io/apache/kafka-native:4.3.1\n  image: docker.io/postgres:17.9\n";
        let judge = |said: &str, mirror| {
            names_the_pinned(&Ok(said.to_owned()), &["KAFKA"], &pinned, mirror)
        };
        assert_eq!(judge(said, None), Ok(()));
        assert!(judge(&said.replace("4.3.1", "latest"), None).is_err());
        assert!(judge(said, Some("mirror.example.org")).is_err());
    }
}
