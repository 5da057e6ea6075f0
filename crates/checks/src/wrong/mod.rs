//! `checks wrong`: every wrong answer is caught by the test that it names, and the message that a
//! learner then reads is the one that was reviewed.

mod answer;
mod message;
mod snapshot;
mod switch;
mod workspace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::at_once::two_at_once;
use crate::cargo::{self, Built, Run};
use crate::libtest::{self, Kind, Verdict};
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::Repo;
use answer::{Head, WrongAnswer};
use switch::VARIABLE;
use workspace::Workspace;

/// How long the tests of one wrong answer may take. Some mistakes never come to an end.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// Runs the wrong answers of all labs, of one, or a single one.
///
/// # Errors
/// When there is none, or cargo cannot be started.
pub fn run(repo: &Repo, lab: Option<&str>, slug: Option<&str>) -> Result<Outcome, NotRun> {
    let asked: Vec<String> = lab.into_iter().map(str::to_owned).collect();
    let workspace = Workspace::generate(repo)?;
    snapshot::silence_insta();
    let mut tally = Tally::default();
    let mut answers_seen = 0;
    for lab in repo.chosen_labs(&asked)? {
        let folder = repo.root.join("tests").join(&lab).join("wrong");
        let answers = match WrongAnswer::all(&folder) {
            Ok(answers) => answers,
            Err(error) => {
                tally.fail(error);
                continue;
            }
        };
        answers_seen += check_lab(
            &LabRun { repo, workspace: &workspace, lab: &lab },
            &answers,
            slug,
            &mut tally,
        )?;
        if slug.is_none() {
            let folder = folder.join("snapshots");
            tally.count(snapshot::none_is_left_over(&folder, &answers));
        }
    }
    if answers_seen == 0 && tally.failures.is_empty() {
        return Err("no wrong answer in `tests/*/wrong`".into());
    }
    let verdict = "each caught by its named test, messages unchanged";
    Ok(tally.outcome(plural(answers_seen, "wrong answer"), verdict))
}

/// One lab in the generated workspace.
struct LabRun<'a> {
    repo: &'a Repo,
    workspace: &'a Workspace,
    lab: &'a str,
}

/// The lab's test program, built, and how to start it as cargo does.
struct TestProgram {
    path: PathBuf,
    package: PathBuf,
    environment: Vec<(String, PathBuf)>,
}

/// Returns how many wrong answers were judged.
fn check_lab(
    run: &LabRun<'_>,
    answers: &[WrongAnswer],
    slug: Option<&str>,
    tally: &mut Tally,
) -> Result<usize, NotRun> {
    let lab = run.lab;
    if answers.is_empty() {
        tally.fail(format!("{lab}: no wrong answer in tests/{lab}/wrong"));
        return Ok(0);
    }
    let started = Instant::now();
    let program = match build(run, answers)? {
        Ok(program) => program,
        Err(why) => {
            tally.fail(format!("{lab}: {why}"));
            return Ok(0);
        }
    };
    let build_time = started.elapsed();
    let unchanged = start(&program, None, &named_tests(answers))?;
    let right = libtest::verdicts(&unchanged.output)?;

    let started = Instant::now();
    let heads = answers.iter().map(|answer| &answer.head);
    let asked: Vec<&Head> =
        heads.filter(|head| slug.is_none_or(|slug| head.slug == slug)).collect();
    let judged = asked.len();
    let results = two_at_once(&asked, |answer| match right.get(&answer.caught_by) {
        None => Ok(Err("there is no such test".to_owned())),
        Some(Verdict::Passed) => judge(run, &program, answer),
        Some(_) => Ok(Err(format!("the unchanged solution fails it\n{}", unchanged.output))),
    });
    for (answer, result) in asked.iter().zip(results) {
        let name = format!("{lab}, wrong answer `{}`, {}", answer.slug, answer.caught_by);
        tally.count(result?.map_err(|why| format!("{name}: {why}")));
    }
    if let Some(slug) = slug.filter(|_| judged == 0) {
        tally.fail(format!("{lab}: no wrong answer `{slug}`"));
    }
    if slug.is_none() {
        tally.count(every_step_has_one(&program, answers)?.map_err(|why| format!("{lab}: {why}")));
    }
    let (build, runs) = (build_time.as_secs_f64(), started.elapsed().as_secs_f64());
    println!("{lab}: built in {build:.1} s, {} in {runs:.1} s", plural(judged, "wrong answer"));
    Ok(judged)
}

/// Builds the generated lab. What comes from a registry must be found built: by then the real lab
/// has built it.
fn build(run: &LabRun<'_>, answers: &[WrongAnswer]) -> Result<Result<TestProgram, String>, NotRun> {
    if let Err(why) = run.workspace.add_lab(run.repo, run.lab, answers) {
        return Ok(Err(why));
    }
    let real =
        cargo::build(cargo::cargo(&run.repo.root).args(["test", "-p", run.lab, "--no-run"]))?;
    if !real.success {
        return Ok(Err(format!("the lab itself does not build\n{}", real.said)));
    }
    let built = cargo::build(&mut run.workspace.build(run.repo, run.lab))?;
    if !built.success {
        let hint = "with the wrong answers switched in, the solution does not build";
        return Ok(Err(format!("{hint}\n{}", built.said)));
    }
    let again: Vec<&str> = built
        .compiled
        .iter()
        .filter(|package| cargo::is_from_registry(package))
        .map(String::as_str)
        .collect();
    if !again.is_empty() {
        return Ok(Err(format!("dependencies were built again: {}", again.join(", "))));
    }
    Ok(test_program(run, &built).ok_or_else(|| "the build made no test program".to_owned()))
}

fn test_program(run: &LabRun<'_>, built: &Built) -> Option<TestProgram> {
    let (_, path) = built.tests.iter().find(|(name, _)| name == run.lab)?;
    let package = run.workspace.root.join("labs").join(run.lab);
    let mut environment = vec![
        ("CARGO_PKG_NAME".to_owned(), PathBuf::from(run.lab)),
        ("CARGO_MANIFEST_DIR".to_owned(), package.clone()),
    ];
    for (name, program) in &built.programs {
        environment.push((format!("CARGO_BIN_EXE_{name}"), program.clone()));
    }
    Some(TestProgram { path: path.clone(), package, environment })
}

/// Runs the named tests and no others, with a wrong answer or without.
fn start(program: &TestProgram, wrong: Option<&str>, tests: &[&str]) -> Result<Run, NotRun> {
    let mut command = command(program);
    command.arg("--exact").args(tests);
    if let Some(slug) = wrong {
        command.env(VARIABLE, slug);
    }
    cargo::run_within(&mut command, ANSWER_LIMIT)
}

fn command(program: &TestProgram) -> Command {
    let mut command = Command::new(&program.path);
    cargo::learners_environment(&mut command);
    command.current_dir(&program.package);
    command.envs(program.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn named_tests(answers: &[WrongAnswer]) -> Vec<&str> {
    let names: BTreeSet<&str> =
        answers.iter().map(|answer| answer.head.caught_by.as_str()).collect();
    names.into_iter().collect()
}

/// A learner is sent to the first step that fails. So the named test must fail by a wrong answer
/// of its own, and no test of an earlier step may fail before it.
fn judge(
    run: &LabRun<'_>,
    program: &TestProgram,
    answer: &Head,
) -> Result<Result<(), String>, NotRun> {
    let dir = tempfile::tempdir()?;
    let report = dir.path().join("report.jsonl");
    let mut command = command(program);
    command.args(["--exact", &answer.caught_by]);
    command.env(VARIABLE, &answer.slug).env("TIDEMARK_REPORT", &report);
    let told = cargo::run_within(&mut command, ANSWER_LIMIT)?;
    if libtest::verdicts(&told.output)?.get(&answer.caught_by) != Some(&Verdict::Failed) {
        return not_caught(program, answer, &told).map(Err);
    }
    let reports = libtest::reports(&std::fs::read_to_string(&report).unwrap_or_default())?;
    match reports.get(&answer.caught_by).map(|report| report.kind) {
        Some(Kind::Failure) => {}
        Some(Kind::Todo) => {
            return Ok(Err(format!("the wrong answer has a `todo!`\n{}", told.output)));
        }
        None => return Ok(Err(format!("testkit reported nothing of it\n{}", told.output))),
    }
    if let Some(earlier) = caught_earlier(run, program, answer)? {
        return Ok(Err(format!("{earlier} catches it first: a learner is sent there")));
    }
    Ok(compare(run, answer, &told.output))
}

fn compare(run: &LabRun<'_>, answer: &Head, output: &str) -> Result<(), String> {
    let message = message::of_test(output, &answer.caught_by)?;
    let message = message::stable(&message, &[&run.workspace.root, &run.repo.root]);
    let wrong = run.repo.root.join("tests").join(run.lab).join("wrong");
    snapshot::compare(&wrong.join("snapshots"), &answer.slug, &message)
}

/// Says which tests catch a wrong answer that its named test lets pass.
fn not_caught(program: &TestProgram, answer: &Head, told: &Run) -> Result<String, NotRun> {
    let all = cargo::run_within(command(program).env(VARIABLE, &answer.slug), ANSWER_LIMIT)?;
    let catching = failing(&all.output)?;
    let what = if catching.is_empty() {
        "no test catches it".to_owned()
    } else if catching.contains(&answer.caught_by) {
        "is caught only sometimes: this run passed and the next one failed".to_owned()
    } else {
        format!("is not caught by this test, but by {}", catching.join(", "))
    };
    Ok(format!("{what}\n{}", told.output))
}

/// A test of an earlier step that fails too. Only where the replaced module belongs to an earlier
/// step than the test can there be one; a module's step stands in its first line.
fn caught_earlier(
    run: &LabRun<'_>,
    program: &TestProgram,
    answer: &Head,
) -> Result<Option<String>, NotRun> {
    let source = run.repo.root.join("solutions").join(run.lab).join("src").join(&answer.file);
    let (Some(first), Some(named)) = (step_of_module(&source), libtest::step_of(&answer.caught_by))
    else {
        return Ok(None);
    };
    if first >= named {
        return Ok(None);
    }
    let mut command = command(program);
    command.args((first..named).map(|step| format!("step{step}_"))).env(VARIABLE, &answer.slug);
    let earlier = cargo::run_within(&mut command, ANSWER_LIMIT)?;
    Ok(failing(&earlier.output)?.into_iter().next())
}

/// 1 for a module that opens with `//! Step 1: …`.
fn step_of_module(source: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(source).ok()?;
    let (number, _) = text.strip_prefix("//! Step ")?.split_once(':')?;
    number.parse().ok()
}

fn failing(output: &str) -> Result<Vec<String>, NotRun> {
    let verdicts = libtest::verdicts(output)?;
    let failed = verdicts.into_iter().filter(|(_, verdict)| *verdict == Verdict::Failed);
    Ok(failed.map(|(test, _)| test).collect())
}

/// Every step that has a test has a wrong answer.
fn every_step_has_one(
    program: &TestProgram,
    answers: &[WrongAnswer],
) -> Result<Result<(), String>, NotRun> {
    let listed = cargo::run(command(program).args(["--list", "--format=terse"]))?;
    let tests = listed.output.lines().filter_map(|line| line.strip_suffix(": test"));
    let steps: BTreeSet<u32> =
        tests.filter(|test| !libtest::is_given(test)).filter_map(libtest::step_of).collect();
    let caught: BTreeSet<u32> =
        answers.iter().filter_map(|answer| libtest::step_of(&answer.head.caught_by)).collect();
    let without: Vec<String> = steps.difference(&caught).map(u32::to_string).collect();
    Ok(match without.is_empty() {
        true => Ok(()),
        false => Err(format!("no wrong answer for step {}", without.join(", "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modules_step_stands_in_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("event.rs");
        std::fs::write(&file, "//! Step 3: topics.\n").unwrap();
        assert_eq!(step_of_module(&file), Some(3));
        std::fs::write(&file, "//! Given.\n").unwrap();
        assert_eq!(step_of_module(&file), None);
    }
}
