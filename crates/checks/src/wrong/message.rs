//! The message that a learner reads, with all that changes from run to run made stable.

use std::path::Path;

use regex::Regex;

/// What libtest captured of one test that failed, and what follows after libtest's last line: our
/// closing lines.
///
/// # Errors
/// When the output holds no block of this test.
pub fn of_test(output: &str, test: &str) -> Result<String, String> {
    let head = format!("---- {test} stdout ----\n");
    let (before, block) =
        output.split_once(&head).ok_or_else(|| format!("libtest captured nothing of {test}"))?;
    let (block, rest) = block.split_once("\nfailures:\n").unwrap_or((block, ""));
    let closing = rest
        .split_once("test result: ")
        .and_then(|(_, rest)| rest.split_once('\n'))
        .map_or("", |(_, closing)| closing);
    let past_capture = without_libtest(before);
    let parts = [past_capture.trim(), block.trim_end(), closing.trim()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(parts.join("\n\n"))
}

/// What was written past libtest's capture before its report, but for what the rig says.
fn without_libtest(before: &str) -> String {
    let is_libtests = |line: &&str| {
        line.starts_with("running ")
            || line.starts_with("test ")
            || line.starts_with("rig: ")
            || *line == "failures:"
            || *line == "FAILED"
    };
    let kept: Vec<&str> = before.lines().filter(|line| !is_libtests(line)).collect();
    kept.join("\n")
}

/// Replaces what depends on the machine, the moment or the place of a line.
pub fn stable(message: &str, folders: &[&Path]) -> String {
    let mut text = message.to_owned();
    for folder in folders {
        text = text.replace(&format!("{}/", folder.display()), "");
    }
    let rules = [
        // Places: the lines of a generated lab are those of the solution, not of the learner.
        (r"\b((?:labs|tests|crates)/[\w./-]+\.rs):\d+(?::\d+)?", "$1:LINE"),
        (r"\b(127\.0\.0\.1|localhost):\d+", "$1:PORT"),
        // The number of a thread, in the standard library's own message.
        (r"' \(\d+\) panicked", "' panicked"),
        // What keeps a test's topics, groups and databases apart from those of another run.
        (r"([-_])[0-9a-f]{8}\b", "${1}RANDOM"),
        (r"\bfinished in \d+\.\d+s", "finished in TIME"),
    ];
    for (pattern, replacement) in rules {
        let pattern = Regex::new(pattern).expect("the patterns are constant");
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\nrunning 1 test\nrig: ready at 127.0.0.1:4711\ntest step1_a::b ... FAILED\n\n\
        failures:\n\n---- step1_a::b stdout ----\nRule: two is two.\n  expected 2\n  got      1\n\n\n\
        failures:\n    step1_a::b\n\n\
        test result: FAILED. 0 passed; 1 failed; finished in 0.01s\n\nNext: step 1\nChapter: x\n";

    #[test]
    fn the_message_is_the_block_and_the_closing_lines() {
        assert_eq!(
            of_test(OUTPUT, "step1_a::b").unwrap(),
            "Rule: two is two.\n  expected 2\n  got      1\n\nNext: step 1\nChapter: x"
        );
    }

    #[test]
    fn what_was_written_past_the_capture_belongs_to_it() {
        let output = OUTPUT.replace("rig: ready", "step1_a::b\n  wrong\nrig: ready");
        assert!(of_test(&output, "step1_a::b").unwrap().starts_with("step1_a::b\n  wrong\n\nRule"));
    }

    #[test]
    fn a_test_without_a_block_is_an_error() {
        assert!(of_test(OUTPUT, "step1_a::c").is_err());
    }

    #[test]
    fn what_changes_from_run_to_run_is_made_stable() {
        for (message, expected) in [
            ("at labs/lab01/src/event.rs:42:5 and", "at labs/lab01/src/event.rs:LINE and"),
            ("/r/target/wrong/labs/lab01/src/event.rs:1", "labs/lab01/src/event.rs:LINE"),
            ("broker 127.0.0.1:40113 is", "broker 127.0.0.1:PORT is"),
            ("thread 'a' (4711) panicked at", "thread 'a' panicked at"),
            ("topic `step4-order-3fa94b1c` has", "topic `step4-order-RANDOM` has"),
        ] {
            assert_eq!(stable(message, &[Path::new("/r/target/wrong")]), expected);
        }
    }

    #[test]
    fn figures_that_teach_stay() {
        for text in [
            "expected 3 partitions, found 5",
            "field `scheduled`: 2013-02-18T11:15:00Z",
            "slots of 2013-02-18 and 2013-02-24",
            "murmur2_random puts EWR on 1",
            "event of 65537 bytes",
            "delay_min -1440",
        ] {
            assert_eq!(stable(text, &[]), text);
        }
    }
}
