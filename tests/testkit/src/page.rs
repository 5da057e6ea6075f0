//! A page of the book, held against what it speaks of.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

use crate::own::rig_up;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository, by its path from the root.
pub fn read(file: &str) -> String {
    let file = root().join(file);
    read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The page's blocks of code in a language.
pub fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let block = |rest: &'a str| rest.split("```").next().unwrap_or_default();
    page.split(begin.as_str()).skip(1).map(block).collect()
}

/// What a program or a tool says, with its names as the book shows them: without the prefix.
pub fn without_prefix(said: &str) -> String {
    let rig = rig_up();
    said.replace(rig.prefix(), "").replace(&rig.schema_name(""), "")
}

/// The name of a topic or a group with the prefix, on servers where names have one.
pub fn with_prefix(name: &str) -> String {
    rig_up().own_name(name)
}

/// The chapter holds this, as it is.
#[track_caller]
pub fn shows(chapter: &str, text: &str) {
    assert!(chapter.contains(text), "the chapter does not show:\n{text}");
}

/// The chapter says this. In a sentence a line break is a space.
#[track_caller]
pub fn says(chapter: &str, sentence: &str) {
    let sentences = chapter.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(sentences.contains(sentence), "the chapter does not say: {sentence}");
}

/// The chapter shows so many red runs, and each is the message of a wrong answer of the lab.
#[track_caller]
pub fn red_runs_are_on_record(lab: &str, chapter: &str, count: usize) {
    let folder = root().join("tests").join(lab).join("wrong/snapshots");
    let files = read_dir(folder).expect("the messages are there");
    let messages: Vec<String> =
        files.map(|file| read_to_string(file.unwrap().path()).unwrap()).collect();
    let red: Vec<&str> =
        blocks(chapter, "text").into_iter().filter(|block| block.starts_with("  Rule:")).collect();
    assert_eq!(red.len(), count, "the chapter has lost or won a red run");
    for block in red {
        let is_on_record = messages.iter().any(|message| message.contains(block));
        assert!(is_on_record, "no wrong answer gives this message:\n{block}");
    }
}

/// The lab's gallery of mistakes shows each of its wrong answers. Gives their number.
#[track_caller]
pub fn gallery_shows_every_wrong_answer(lab: &str) -> usize {
    let gallery = read(&format!("book/src/{lab}-mistakes.md"));
    let files = read_dir(root().join("tests").join(lab).join("wrong"));
    let files = files.expect("the wrong answers are there");
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    let answers: Vec<String> = names.filter(|name| name.ends_with(".rs")).collect();
    for answer in &answers {
        assert!(gallery.contains(&format!("wrong/{answer}}}}}")), "{answer} is missing");
    }
    answers.len()
}
