//! `checks skeletons`: a skeleton differs from its solution only inside the holes.
//!
//! A hole is a function of the skeleton whose body calls `todo!`. The bodies of holes are cut out
//! of both texts, by the places that the syntax tree gives. What is left must be the same text:
//! items, signatures, attributes, docs, comments, the bodies of given functions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::{Repo, files_below};
use crate::syntax::{Source, step_named};

/// Compares every lab with its solution.
///
/// # Errors
/// When there is nothing to compare.
pub fn run(repo: &Repo, asked: &[String]) -> Result<Outcome, NotRun> {
    let labs = repo.chosen_labs(asked)?;
    if labs.is_empty() {
        return Err("no lab in `labs`".into());
    }
    let mut tally = Tally::default();
    for lab in &labs {
        for difference in differences(&repo.root, lab)? {
            tally.count(difference);
        }
    }
    for solution in repo.solutions()? {
        if !repo.labs()?.contains(&solution) {
            tally.fail(format!("solutions/{solution} has no labs/{solution}"));
        }
    }
    let verdict = "equal to their solutions outside the holes";
    Ok(tally.outcome(plural(labs.len(), "lab"), verdict))
}

/// One result for each file of the pair.
fn differences(root: &Path, lab: &str) -> Result<Vec<Result<(), String>>, NotRun> {
    let ours = root.join("labs").join(lab);
    let theirs = root.join("solutions").join(lab);
    if !theirs.is_dir() {
        return Ok(vec![Err(format!("labs/{lab} has no solutions/{lab}"))]);
    }
    let mut results = vec![compare_manifests(root, lab), check_shim(root, lab)];
    let files: BTreeSet<PathBuf> = files_below(&ours.join("src"))?
        .into_iter()
        .chain(files_below(&theirs.join("src"))?)
        .collect();
    for file in files {
        results.push(compare_files(root, lab, &file));
    }
    Ok(results)
}

fn compare_files(root: &Path, lab: &str, file: &Path) -> Result<(), String> {
    let of = |tree: &str| format!("{tree}/{lab}/src/{}", file.display());
    let read = |tree: &str, other: &str| {
        std::fs::read_to_string(root.join(of(tree)))
            .map_err(|error| format!("{}: {error}, but {} is there", of(tree), of(other)))
    };
    let skeleton = read("labs", "solutions")?;
    let solution = read("solutions", "labs")?;
    if file.extension().is_none_or(|extension| extension != "rs") {
        let equal = skeleton == solution;
        return if equal { Ok(()) } else { Err(format!("{} differs", of("labs"))) };
    }
    let named = |name: String| move |error: String| format!("{name}: {error}");
    let skeleton = Source::parse(skeleton).map_err(named(of("labs")))?;
    let solution = Source::parse(solution).map_err(named(of("solutions")))?;
    check_holes(&skeleton).map_err(named(of("labs")))?;
    check_no_holes(&solution).map_err(named(of("solutions")))?;
    let extern_crate = format!("extern crate {lab}_solution as {lab};");
    let allowed = (file == Path::new("main.rs")).then_some(extern_crate.as_str());
    first_difference(&skeleton, &solution, allowed)
        .map_or(Ok(()), |difference| Err(difference.show(&of("labs"), &of("solutions"))))
}

/// A hole says what is to be done and in which step.
fn check_holes(skeleton: &Source) -> Result<(), String> {
    let holes: Vec<_> = skeleton.functions.iter().flat_map(|f| &f.todos).collect();
    for todo in skeleton.all_todos()? {
        let rule = "expected `todo!(\"step N: …\")`";
        let line = todo.line;
        match &todo.text {
            _ if !todo.is_todo => {
                return Err(format!("line {line}: {rule}, found `unimplemented!`"));
            }
            _ if !holes.contains(&&todo) => {
                return Err(format!("line {line}: `todo!` outside of a function's body"));
            }
            None => return Err(format!("line {line}: {rule}, found a bare `todo!`")),
            Some(text) if step_named(text).is_none() => {
                return Err(format!("line {line}: {rule}, found `todo!(\"{text}\")`"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_no_holes(solution: &Source) -> Result<(), String> {
    match solution.all_todos()?.first() {
        Some(todo) => Err(format!("line {}: a solution has no `todo!`", todo.line)),
        None => Ok(()),
    }
}

/// The first line outside of the holes that is not the same in both.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    skeleton: Option<Line>,
    solution: Option<Line>,
}

/// A line of a file, its number from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    number: usize,
    text: String,
}

impl Difference {
    fn show(&self, skeleton: &str, solution: &str) -> String {
        let line = |file: &str, line: &Option<Line>| match line {
            Some(line) => format!("  {file}:{}\n    {}", line.number, line.text.trim()),
            None => format!("  {file}\n    (the file ends here)"),
        };
        format!(
            "skeleton and solution differ outside of the holes:\n{}\n{}",
            line(skeleton, &self.skeleton),
            line(solution, &self.solution)
        )
    }
}

fn first_difference(
    skeleton: &Source,
    solution: &Source,
    allowed_line: Option<&str>,
) -> Option<Difference> {
    let holes: BTreeSet<&str> = skeleton
        .functions
        .iter()
        .filter(|function| !function.todos.is_empty())
        .map(|function| function.path.as_str())
        .collect();
    let ours = lines_outside(skeleton, &holes);
    let mut theirs = lines_outside(solution, &holes);
    if let Some(at) = allowed_line.and_then(|allowed| theirs.iter().position(|l| l.text == allowed))
    {
        theirs.remove(at);
        // The blank line below the allowed one belongs to it.
        if theirs.get(at).is_some_and(|line| line.text.is_empty()) {
            theirs.remove(at);
        }
    }
    let longest = ours.len().max(theirs.len());
    let index = (0..longest).find(|&index| {
        ours.get(index).map(|line| &line.text) != theirs.get(index).map(|line| &line.text)
    })?;
    Some(Difference { skeleton: ours.get(index).cloned(), solution: theirs.get(index).cloned() })
}

/// The lines of a file with the bodies of the holes cut out. Each keeps its number in the file.
fn lines_outside(source: &Source, holes: &BTreeSet<&str>) -> Vec<Line> {
    let mut kept = String::new();
    let mut from = 0;
    for function in source.functions.iter().filter(|f| holes.contains(f.path.as_str())) {
        kept.push_str(&source.text[from..function.body.start]);
        // The cut lines stay as marks, so that the numbers of the lines behind them are right.
        let cut = source.text[function.body.clone()].matches('\n').count();
        kept.push('\u{1}');
        kept.push_str(&"\n\u{1}".repeat(cut));
        from = function.body.end;
    }
    kept.push_str(&source.text[from..]);
    kept.lines()
        .zip(1..)
        .filter(|(text, _)| !text.starts_with('\u{1}'))
        .map(|(text, number)| Line { number, text: text.replace('\u{1}', "{ … }") })
        .collect()
}

/// The two manifests ask for the same, but for names, descriptions and the tests' place.
fn compare_manifests(root: &Path, lab: &str) -> Result<(), String> {
    let read = |tree: &str| {
        let name = format!("{tree}/{lab}/Cargo.toml");
        let text = std::fs::read_to_string(root.join(&name)).map_err(|e| format!("{name}: {e}"))?;
        let mut manifest: toml::Table = text.parse().map_err(|e| format!("{name}: {e}"))?;
        drop_what_may_differ(&mut manifest);
        Ok::<_, String>(Value::Table(manifest))
    };
    match differing_key(&read("labs")?, &read("solutions")?) {
        None => Ok(()),
        Some(key) => Err(format!("labs/{lab}/Cargo.toml and solutions/{lab}/Cargo.toml: {key}")),
    }
}

fn drop_what_may_differ(manifest: &mut toml::Table) {
    manifest.remove("test");
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        package.remove("name");
        package.remove("description");
    }
    for bin in manifest.get_mut("bin").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Table(bin) = bin {
            bin.remove("name");
        }
    }
}

/// The first key whose values differ, with both values.
fn differing_key(skeleton: &Value, solution: &Value) -> Option<String> {
    let (Value::Table(ours), Value::Table(theirs)) = (skeleton, solution) else {
        return (skeleton != solution).then(|| format!("{skeleton} against {solution}"));
    };
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.into_iter().find_map(|key| match (ours.get(key), theirs.get(key)) {
        (Some(ours), Some(theirs)) => {
            differing_key(ours, theirs).map(|inner| format!("{key}: {inner}"))
        }
        (ours, _) => {
            let missing = if ours.is_some() { "solution" } else { "lab" };
            Some(format!("{key}: missing in the {missing}"))
        }
    })
}

/// Both run the very same tests: the lab by its manifest, the solution by its shim.
fn check_shim(root: &Path, lab: &str) -> Result<(), String> {
    let name = format!("solutions/{lab}/tests/{lab}.rs");
    let text = std::fs::read_to_string(root.join(&name)).map_err(|e| format!("{name}: {e}"))?;
    let wanted = [
        format!("extern crate {lab}_solution as {lab};"),
        format!("#[path = \"../../../tests/{lab}/main.rs\"]"),
        "mod tests;".to_owned(),
    ];
    let code: Vec<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    if code != wanted {
        return Err(format!("{name}: expected nothing but\n{}", wanted.join("\n")));
    }
    let name = format!("labs/{lab}/Cargo.toml");
    let text = std::fs::read_to_string(root.join(&name)).map_err(|e| format!("{name}: {e}"))?;
    let manifest: toml::Table = text.parse().map_err(|e| format!("{name}: {e}"))?;
    let test = manifest.get("test").and_then(|tests| tests.get(0));
    let field = |key: &str| test.and_then(|test| test.get(key)).and_then(Value::as_str);
    let path = format!("../../tests/{lab}/main.rs");
    if field("name") != Some(lab) || field("path") != Some(path.as_str()) {
        return Err(format!("{name}: expected [[test]] with name `{lab}` and path `{path}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = "//! Step 1.\n\n/// Doubles.\npub fn double(n: u8) -> u8 {\n    \
        // How?\n    todo!(\"step 1: double {n}\")\n}\n\n/// Given.\npub fn given() -> u8 {\n    7\n}\n";
    const SOLUTION: &str = "//! Step 1.\n\n/// Doubles.\npub fn double(n: u8) -> u8 {\n    \
        n * 2\n}\n\n/// Given.\npub fn given() -> u8 {\n    7\n}\n";
    const MANIFEST: &str = "[package]\nname = \"lab01\"\n\n[[test]]\nname = \"lab01\"\n\
        path = \"../../tests/lab01/main.rs\"\n\n[dependencies]\nserde = \"1\"\n";

    fn tree(lab: &str, solution: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("labs/lab01/Cargo.toml", MANIFEST);
        write("solutions/lab01/Cargo.toml", &MANIFEST.replace("\"lab01\"", "\"lab01-solution\""));
        write(
            "solutions/lab01/tests/lab01.rs",
            "//! Shim.\n\nextern crate lab01_solution as lab01;\n\n\
             #[path = \"../../../tests/lab01/main.rs\"]\nmod tests;\n",
        );
        write("labs/lab01/src/lib.rs", lab);
        write("solutions/lab01/src/lib.rs", solution);
        write("labs/lab01/src/main.rs", "//! Runs.\n\nfn main() {}\n");
        write(
            "solutions/lab01/src/main.rs",
            "//! Runs.\n\nextern crate lab01_solution as lab01;\n\nfn main() {}\n",
        );
        dir
    }

    fn failures(dir: &tempfile::TempDir) -> Vec<String> {
        differences(dir.path(), "lab01").unwrap().into_iter().filter_map(Result::err).collect()
    }

    fn only_failure(lab: &str, solution: &str) -> String {
        let failures = failures(&tree(lab, solution));
        assert_eq!(failures.len(), 1, "{failures:?}");
        failures.into_iter().next().unwrap()
    }

    #[test]
    fn a_pair_that_differs_only_in_its_holes_is_equal() {
        assert_eq!(failures(&tree(LAB, SOLUTION)), Vec::<String>::new());
    }

    #[test]
    fn an_extra_public_item_is_shown_with_both_lines() {
        let solution =
            SOLUTION.replace("/// Given.", "/// More.\npub const MORE: u8 = 1;\n\n/// Given.");
        assert_eq!(
            only_failure(LAB, &solution),
            "skeleton and solution differ outside of the holes:\n  \
             labs/lab01/src/lib.rs:9\n    /// Given.\n  \
             solutions/lab01/src/lib.rs:8\n    /// More."
        );
    }

    #[test]
    fn a_changed_doc_attribute_signature_or_given_body_is_a_difference() {
        for (from, to) in [
            ("/// Doubles.", "/// Halves."),
            ("/// Given.", "/// Given.\n#[inline]"),
            ("(n: u8) -> u8", "(n: u8) -> u16"),
            ("    7", "    8"),
            ("//! Step 1.", "//! Step 1.\n// A note."),
        ] {
            let failure = only_failure(LAB, &SOLUTION.replace(from, to));
            assert!(failure.starts_with("skeleton and solution differ"), "{from}: {failure}");
        }
    }

    #[test]
    fn a_file_that_ends_early_is_a_difference() {
        let short = &SOLUTION[..SOLUTION.find("\n/// Given.").unwrap()];
        assert!(only_failure(LAB, short).ends_with("(the file ends here)"));
    }

    #[test]
    fn a_todo_in_the_solution_is_refused() {
        let failure = only_failure(LAB, LAB);
        assert_eq!(failure, "solutions/lab01/src/lib.rs: line 6: a solution has no `todo!`");
    }

    #[test]
    fn a_hole_must_name_its_step() {
        for (todo, found) in [
            ("todo!()", "found a bare `todo!`"),
            ("todo!(\"double {n}\")", "found `todo!(\"double {n}\")`"),
            ("unimplemented!(\"step 1: x\")", "found `unimplemented!`"),
        ] {
            let lab = LAB.replace("todo!(\"step 1: double {n}\")", todo);
            let failure = only_failure(&lab, SOLUTION);
            assert!(failure.ends_with(found), "{todo}: {failure}");
        }
    }

    #[test]
    fn a_todo_outside_of_a_function_is_refused() {
        let lab = format!("{LAB}\nconst X: u8 = todo!(\"step 1: x\");\n");
        assert!(only_failure(&lab, SOLUTION).contains("outside of a function's body"));
    }

    #[test]
    fn the_extern_crate_line_is_allowed_in_main_alone() {
        let solution = format!("{SOLUTION}\nextern crate lab01_solution as lab01;\n");
        assert!(only_failure(LAB, &solution).contains("differ outside of the holes"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tree(LAB, SOLUTION);
        std::fs::write(dir.path().join("solutions/lab01/src/extra.rs"), "").unwrap();
        let failures = failures(&dir);
        assert!(failures[0].starts_with("labs/lab01/src/extra.rs: "), "{failures:?}");
    }

    #[test]
    fn a_dependency_of_the_solution_alone_is_a_difference() {
        let dir = tree(LAB, SOLUTION);
        let manifest = format!("{MANIFEST}tokio = \"1\"\n");
        std::fs::write(dir.path().join("solutions/lab01/Cargo.toml"), manifest).unwrap();
        assert!(failures(&dir)[0].ends_with("dependencies: tokio: missing in the lab"));
    }

    #[test]
    fn a_shim_that_runs_other_tests_is_refused() {
        let dir = tree(LAB, SOLUTION);
        let shim = dir.path().join("solutions/lab01/tests/lab01.rs");
        std::fs::write(shim, "mod tests {}\n").unwrap();
        assert!(failures(&dir)[0].starts_with("solutions/lab01/tests/lab01.rs: expected"));
    }
}
