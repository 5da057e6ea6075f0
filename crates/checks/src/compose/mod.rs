//! `checks compose`: what `docker-compose.yml` says, and what its servers do.
//!
//! Each form of compose that is here, `docker compose` and the older `docker-compose`, is tried under
//! a project name and on ports of its own. Both start the same images, so the tests of all labs run
//! on the servers of the first, and those of lab 01 on the other's.

mod project;
mod settings;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo;
use crate::engine;
use crate::outcome::{NotRun, Outcome, Suites, Tally};
use crate::repo::Repo;
use crate::solutions::{self, Labs};
use project::Project;

/// How long the servers may take until both are healthy.
const HEALTHY_TIMEOUT: Duration = Duration::from_secs(90);

/// A topic that has to outlive a stop.
const TOPIC: &str = "kept-by-compose";

/// A form of compose: the words with which it is called.
#[derive(Debug, Clone, Copy)]
pub struct Form(&'static [&'static str]);

const FORMS: [Form; 2] = [Form(&["docker", "compose"]), Form(&["docker-compose"])];

impl Form {
    /// A call of it, from the root of the repository.
    pub fn command(self, repo: &Repo) -> Command {
        let mut command = Command::new(self.0[0]);
        command.args(&self.0[1..]).current_dir(&repo.root);
        command
    }

    /// `docker compose 2.40.3`; `None` where this form is not here.
    fn version(self, repo: &Repo) -> Option<String> {
        let output = self.command(repo).args(["version", "--short"]).output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then(|| format!("{} {version}", self.0.join(" ")))
    }
}

/// Judges the settings in every form, and has the servers of each serve the labs' tests.
///
/// # Errors
/// When a program cannot be started or no port is free.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    if let Some(why) = engine::missing(repo)? {
        return Ok(Outcome::left_out(why));
    }
    let here = |form: &Form| Some((*form, form.version(repo)?));
    let forms: Vec<(Form, String)> = FORMS.iter().filter_map(here).collect();
    if forms.is_empty() {
        return Ok(Outcome::left_out("neither `docker compose` nor `docker-compose` is here"));
    }
    let mut tally = Tally::default();
    let mut suites = None;
    for (form, version) in &forms {
        println!("{version}");
        settings::check(repo, *form, &mut tally)?;
        let labs = if suites.is_none() { Labs::All } else { Labs::First };
        let took = serve(&Project::new(repo, *form)?, labs, &mut tally)?;
        suites = suites.or(took);
    }
    let versions: Vec<String> = forms.into_iter().map(|(_, version)| version).collect();
    let outcome = tally.outcome(versions.join(", "), "serves, keeps its data, leaves nothing");
    Ok(Outcome { suites, ..outcome })
}

/// Up, the labs' tests, a stop that keeps a topic, down. Returns what the tests took.
fn serve(project: &Project<'_>, labs: Labs, tally: &mut Tally) -> Result<Option<Suites>, NotRun> {
    let began = Instant::now();
    tally.count(project.succeeds(&["up", "--detach"]));
    let healthy = project.wait_until_healthy(HEALTHY_TIMEOUT);
    let is_up = healthy.is_ok();
    tally.count(healthy);
    if !is_up {
        return Ok(None);
    }
    println!("healthy after {:.1} s", began.elapsed().as_secs_f32());
    let addresses = project.addresses();
    let environment: Vec<(&str, &str)> =
        addresses.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (suites, said) = solutions::suites(project.repo, labs, &environment, tally)?;
    let used_them = said.iter().any(|said| said.contains("(external: named by the environment)"));
    tally.count(used_them.then_some(()).ok_or("no test used compose's servers".to_owned()));

    tally.count(tool(project, &["--create", "--topic", TOPIC]).map(|_| ()));
    tally.count(project.succeeds(&["stop"]));
    tally.count(project.succeeds(&["start"]));
    tally.count(project.wait_until_healthy(HEALTHY_TIMEOUT));
    tally.count(tool(project, &["--list"]).and_then(|topics| {
        let is_kept = topics.lines().any(|topic| topic == TOPIC);
        is_kept.then_some(()).ok_or(format!("stop and start lost {TOPIC}; there are: {topics}"))
    }));
    tally.count(project.succeeds(&["down", "--volumes"]));
    tally.count(project.is_gone());
    Ok(Some(suites))
}

/// Kafka's own tool for topics, on the servers of the project.
fn tool(project: &Project<'_>, arguments: &[&str]) -> Result<String, String> {
    let mut tool = Command::new(project.repo.root.join("bin/kafka-topics"));
    cargo::learners_environment(&mut tool);
    tool.args(arguments).envs(project.addresses()).current_dir(&project.repo.root);
    let run = cargo::run_apart(&mut tool).map_err(|error| error.0)?;
    if run.status.success() { Ok(run.output) } else { Err(run.output) }
}
