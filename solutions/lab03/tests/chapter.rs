//! The chapter shows what the program and Kafka's own tools print.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rig::Rig;
use testkit::page::{gallery_shows_every_wrong_answer, with_prefix, without_prefix};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab03-solution");

const DEADLINE: Duration = Duration::from_secs(30);

/// The week's topic is filled once, for all tests: a run that had to wait for it would say so.
static FILLED: LazyLock<()> = LazyLock::new(|| {
    let output = Command::new(PROGRAM).arg("groups").output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands of a section's blocks that show what is printed, each with that.
fn shown(heading: &str) -> Vec<(String, String)> {
    let chapter = std::fs::read_to_string(root().join("book/src/03-offsets.md")).unwrap();
    let section = chapter.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("the chapter has no section `{heading}`"));
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in section.split("```console\n").skip(1) {
        for line in block.lines().take_while(|line| *line != "```") {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => *output += &format!("{line}\n"),
                (None, None) => panic!("a block begins with a command, found `{line}`"),
            }
        }
    }
    commands
}

/// Runs a command of the chapter, for the reference answer and a group of this test's own, and
/// gives what it prints, errors too, with the names of the chapter.
fn printed(command: &str, group: &str) -> String {
    LazyLock::force(&FILLED);
    let own = command
        .replace("cargo run -q -p lab03 --", PROGRAM)
        .replace("lab03.calm", &with_prefix("lab03-solution.calm"))
        .replace("--group look", &format!("--group {group}"))
        .replace("scratch-gone", &format!("{group}-gone"))
        .replace("/tmp/gone.json", &format!("$TMPDIR/{group}.json"));
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {own}; }} 2>&1")])
        .current_dir(root())
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stdout)
        .replace(&format!("{group}-gone"), "scratch-gone")
        .replace(group, "look");
    let said = without_prefix(&said).replace("lab03-solution", "lab03");
    said.lines().filter(|line| is_of_the_command(line)).map(|line| format!("{line}\n")).collect()
}

/// Whether a line is none of those that depend on what else goes on.
fn is_of_the_command(line: &str) -> bool {
    // The rig's; where the prefix has a point, the tools warn of it; where another lab's tests fill
    // their topic, a run waits.
    let others = ["rig: ", "WARNING: Due to", "waiting to look at topic "];
    !others.iter().any(|begin| line.starts_with(begin))
}

/// The words of each line: Kafka's tools choose the width of a column by the length of the names.
fn words(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|words| !words.is_empty()).collect()
}

/// A group of one test's own. The name of a process is taken again one day, so it is random.
fn group(test: &str) -> String {
    use std::hash::BuildHasher;

    with_prefix(&format!("{test}-{:x}", std::hash::RandomState::new().hash_one(test)))
}

#[test]
fn the_chapter_shows_the_crash_tables_as_they_are_printed() {
    let chapter = std::fs::read_to_string(root().join("book/src/03-offsets.md")).unwrap();
    let tables = Command::new(PROGRAM).arg("crashes").output().expect("the program runs").stdout;
    let tables = String::from_utf8_lossy(&tables);
    assert!(chapter.contains(tables.trim_end()), "the chapter does not show:\n{tables}");
}

#[test]
fn a_first_run_prints_what_the_chapter_shows() {
    let chapter = std::fs::read_to_string(root().join("book/src/03-offsets.md")).unwrap();
    let section = chapter.split("\n## ").find(|section| section.starts_with("Now run it"));
    let block = section.and_then(|section| section.split("```text\n").nth(1)?.split("```").next());
    let group = group("chapter-run");
    LazyLock::force(&FILLED);
    let run = Command::new(PROGRAM).args(["--group", &group]).output().expect("the program runs");
    let said = String::from_utf8_lossy(&run.stdout);
    let said = without_prefix(&said.replace(&group, "lab03")).replace("lab03-solution", "lab03");
    assert_eq!(said.replace("lab03_solution", "lab03"), block.expect("the section shows a run"));
}

#[test]
fn kafkas_own_tools_print_what_the_chapter_shows() {
    let group = group("chapter-look");
    let commands = shown("Look with Kafka's own tools");
    assert!(commands.len() > 5, "the section has lost its commands");
    for (command, output) in commands {
        let said = printed(&command, &group);
        assert_eq!(words(&said), words(&output), "{command}\n{said}");
    }
}

#[test]
fn a_group_in_use_is_refused_in_the_words_of_the_chapter() {
    let group = group("chapter-use");
    LazyLock::force(&FILLED);
    let rig = Rig::up().expect("the rig is up");
    let member: BaseConsumer = rig.kafka().set("group.id", &group).create().unwrap();
    member.subscribe(&[&with_prefix("lab03-solution.calm")]).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while member.assignment().unwrap().count() < 3 {
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} for three partitions");
        if let Some(Err(error)) = member.poll(Duration::from_millis(100)) {
            panic!("the member cannot poll: {error}");
        }
    }
    // The first command is the member itself, which runs until somebody ends it.
    for (command, output) in shown("A group in use").into_iter().skip(1) {
        let said = printed(&command, &group);
        assert_eq!(words(&said), words(&output), "{command}\n{said}");
    }
}

#[test]
fn the_gallery_shows_every_wrong_answer() {
    let answers = gallery_shows_every_wrong_answer("lab03");
    let chapter = std::fs::read_to_string(root().join("book/src/03-offsets.md")).unwrap();
    let sentence = format!("gallery of mistakes](lab03-mistakes.md): {answers} answers");
    assert!(chapter.contains(&sentence), "the chapter does not say {sentence:?}");
}
