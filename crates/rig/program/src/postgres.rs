//! PostgreSQL on this machine: its own programs where it is installed, else Maven's.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use rig::place::Place;
use rig::setting::setting;

use crate::failure::Failure;
use crate::folder;
use crate::maven;
use crate::ports;
use crate::process::Server;
use crate::random::random_word;
use rig::patience::patience;

/// How long PostgreSQL may take from its start to its first answer, unless `TIDEMARK_WAIT_SECONDS`
/// says otherwise.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Where distributions put the server's programs, off the PATH.
const USUAL_FOLDERS: [&str; 5] = [
    "/usr/lib/postgresql",
    "/usr/pgsql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/home/linuxbrew/.linuxbrew/opt",
];

/// What a crash may cost the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Commits are not forced to the disk. Quicker, and enough for data of one test; after a
    /// crash of the machine the database may be unreadable.
    Throwaway,
    /// As in production: what was committed survives.
    Real,
}

/// A PostgreSQL of one folder.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    version: String,
    /// The user that runs it; `None` for the one who runs this program.
    owner: Option<User>,
    folder: PathBuf,
    address: SocketAddr,
    password: String,
    durability: Durability,
}

impl Postgres {
    /// Finds the programs and chooses the port. Nothing is written or started yet.
    ///
    /// # Errors
    /// When PostgreSQL is neither installed nor to be had, or when the port of
    /// `TIDEMARK_POSTGRES_PORT` is taken.
    pub fn new(
        software: &Place,
        folder: &Path,
        durability: Durability,
    ) -> Result<Postgres, Failure> {
        let programs = programs(software)?;
        Ok(Postgres {
            version: version(&programs)?,
            programs,
            owner: owner()?,
            folder: folder.join("postgres"),
            address: match durability {
                Durability::Throwaway => ports::free("TIDEMARK_POSTGRES_PORT")?,
                Durability::Real => ports::any()?,
            },
            password: random_word()?,
            durability,
        })
    }

    /// Its version, such as `17.9`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder in which all of its processes work.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of its first database, with the password.
    pub fn url(&self) -> String {
        format!("postgresql://tidemark:{}@{}/tidemark", self.password, self.address)
    }

    /// Starts it and waits until it answers. Data of an earlier start are kept.
    ///
    /// # Errors
    /// When it ends instead or takes too long; the sentence names its log. Also when what starts beside
    /// it has failed.
    pub fn start(&mut self, failed_beside: &OnceLock<Failure>) -> Result<Server, Failure> {
        let major = self.version.split('.').next().unwrap_or("");
        let data = self.folder.join(format!("data-{major}"));
        let password_file = self.folder.with_extension("password");
        if data.exists() {
            self.password = fs::read_to_string(&password_file)
                .map_err(Failure::of_file("read", &password_file))?;
        } else {
            folder::write_secret(&password_file, &self.password)?;
            self.make_data(&data)?;
        }
        let state_file = data.join("postmaster.pid");
        remove_stale(&state_file)?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(&data).args(self.settings());
        let log = self.folder.with_extension("log");
        // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        let mut server = Server::start("PostgreSQL", command, Signal::SIGINT, &log)?;
        server.wait_until(patience(START_TIMEOUT)?, failed_beside, || {
            fs::read_to_string(&state_file).is_ok_and(|state| state.trim_end().ends_with("ready"))
        })?;
        Ok(server)
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            format!("port={}", self.address.port()),
            format!("listen_addresses={}", self.address.ip()),
            "unix_socket_directories=".to_owned(),
            // In files of the data's folder, which goes. What lies in /dev/shm outlives a kill.
            "dynamic_shared_memory_type=mmap".to_owned(),
            "max_connections=200".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        if self.durability == Durability::Throwaway {
            settings.extend(
                ["fsync=off", "full_page_writes=off", "synchronous_commit=off"].map(str::to_owned),
            );
        }
        settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }

    /// Makes the folder of the data with one user and one database. It appears whole or not at
    /// all.
    fn make_data(&self, data: &Path) -> Result<(), Failure> {
        folder::remove(&self.folder)?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&self.folder)
            .map_err(Failure::of_file("make the folder", &self.folder))?;
        self.give_to_owner(&self.folder)?;
        let password = self.folder.join("password");
        folder::write_secret(&password, &self.password)?;
        self.give_to_owner(&password)?;
        let draft = data.with_extension("draft");
        let mut initdb = self.program("initdb");
        initdb
            .args(["--username=tidemark", "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .arg("-D")
            .arg(&draft);
        succeeded("initdb", initdb.stdin(Stdio::null()).output())?;
        self.make_database(&draft)?;
        fs::remove_file(&password).map_err(Failure::of_file("remove", &password))?;
        fs::rename(&draft, data).map_err(Failure::of_file("write", data))
    }

    /// Makes the database `tidemark` before the server is open to anyone.
    fn make_database(&self, data: &Path) -> Result<(), Failure> {
        use std::io::Write;

        let mut single = self.program("postgres");
        single.args(["--single", "-D"]).arg(data).arg("postgres");
        let started = single
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .and_then(|mut child| {
                let mut input = child.stdin.take().expect("the input is piped");
                input.write_all(b"CREATE DATABASE tidemark;\n")?;
                drop(input);
                child.wait_with_output()
            });
        succeeded("postgres --single", started)
    }

    fn give_to_owner(&self, path: &Path) -> Result<(), Failure> {
        let Some(owner) = &self.owner else { return Ok(()) };
        let (uid, gid) = (owner.uid.as_raw(), owner.gid.as_raw());
        chown(path, Some(uid), Some(gid)).map_err(Failure::of_file("give away", path))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        // A learner's own settings for other servers must not reach this one.
        for name in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGDATA"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir(&self.folder);
        if let Some(owner) = &self.owner {
            command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
        }
        command
    }
}

/// The folder with PostgreSQL's programs: this machine's own, else Maven's, fetched first where
/// they are not there yet. `TIDEMARK_POSTGRES_BIN` names a folder, or is `maven`.
///
/// # Errors
/// When PostgreSQL is neither installed nor to be had, or the named folder has no server.
pub fn programs(software: &Place) -> Result<PathBuf, Failure> {
    match setting("TIDEMARK_POSTGRES_BIN") {
        None => installed().map_or_else(|| maven::postgres_programs(software), Ok),
        Some(named) if named == "maven" => maven::postgres_programs(software),
        Some(named) if has_server(Path::new(&named)) => Ok(PathBuf::from(named)),
        Some(named) => Err(Failure(format!(
            "TIDEMARK_POSTGRES_BIN is {}, which has no initdb and postgres; \
             name a folder that has, or set it to `maven`",
            named.display()
        ))),
    }
}

/// The folder with `initdb` and `postgres`: on the PATH, or the newest of the usual folders.
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| has_server(folder));
    // The PATH may hold links; the programs look for their other files beside themselves.
    let real = |folder: PathBuf| {
        let program = fs::canonicalize(folder.join("postgres")).ok()?;
        Some(program.parent()?.to_owned())
    };
    on_path.and_then(real).or_else(|| {
        let mut found: Vec<(u32, PathBuf)> =
            USUAL_FOLDERS.iter().flat_map(|usual| versions_in(Path::new(usual))).collect();
        found.sort();
        found.pop().map(|(_, folder)| folder)
    })
}

/// Removes the state that a killed server left, which says `ready` for a process that is gone.
///
/// PostgreSQL itself takes it for a running server's as long as its process is a zombie, and in a
/// container nobody may take zombies away. The keeper holds the folder's lock and has ended every
/// process in it, so no server can be at work there.
fn remove_stale(state_file: &Path) -> Result<(), Failure> {
    match fs::remove_file(state_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::of_file("remove", state_file)(error))
        }
        _ => Ok(()),
    }
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// `15/bin`, `postgresql@17/bin` and their like, each with its number.
fn versions_in(usual: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(usual) else { return Vec::new() };
    let numbered = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let number = name.trim_start_matches("postgresql@").parse().ok()?;
        Some((number, entry.path().join("bin")))
    });
    numbered.filter(|(_, bin)| has_server(bin)).collect()
}

fn version(programs: &Path) -> Result<String, Failure> {
    let postgres = programs.join("postgres");
    let asked = Command::new(&postgres).arg("--version").output();
    let output = asked.map_err(Failure::of_file("run", &postgres))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let number =
        said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number
        .map(str::to_owned)
        .ok_or_else(|| Failure(format!("{} does not say its version", postgres.display())))
}

/// PostgreSQL refuses to run as root. Its own user is the natural one; `nobody` will do.
fn owner() -> Result<Option<User>, Failure> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    first_known(&["postgres", "nobody"]).map(Some)
}

fn first_known(names: &[&str]) -> Result<User, Failure> {
    let known = names.iter().find_map(|name| User::from_name(name).ok().flatten());
    known.ok_or_else(|| {
        Failure(format!(
            "PostgreSQL does not run as root, and there is no user `{}` to run it; \
             make one with `useradd --system postgres`",
            names.join("` or `")
        ))
    })
}

fn succeeded(name: &str, ran: std::io::Result<Output>) -> Result<(), Failure> {
    let output = ran.map_err(|error| Failure(format!("cannot run {name}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let telling = |line: &&str| ["rror", "FATAL", "PANIC"].iter().any(|word| line.contains(word));
    let reason = said.lines().find(telling).or(said.lines().last());
    Err(Failure(format!("{name} failed: {}", reason.unwrap_or("it said nothing"))).with_fix())
}

#[cfg(test)]
mod tests {
    use super::first_known;

    #[test]
    fn without_a_user_to_run_it_the_sentence_says_how_to_make_one() {
        assert_eq!(first_known(&["no-such-user-1", "root"]).unwrap().name, "root");
        let refused = first_known(&["no-such-user-1", "no-such-user-2"]).unwrap_err().to_string();
        assert!(refused.contains("no user `no-such-user-1` or `no-such-user-2`"), "{refused}");
        assert!(refused.contains("`useradd --system postgres`"), "{refused}");
    }
}
