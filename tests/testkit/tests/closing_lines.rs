//! What a learner sees when a run is red. The tests of `sample` are red by intent; each test of
//! `closing` runs some of them in a process of its own and reads its output.

testkit::lab! {
    chapter: "book/src/00-sample.md",
    steps: ["addition.rs": "adding two numbers", "division.rs": "dividing them"],
}

/// A lab of two steps. A learner has written one of the functions of step 2, wrongly.
mod sample {
    fn add(a: i32, b: i32) -> i32 {
        todo!("step 1: add {a} and {b}")
    }

    fn divide(a: i32, _b: i32) -> i32 {
        a
    }

    fn remainder(a: i32, b: i32) -> i32 {
        todo!("step 2: divide {a} by {b} and give what is left")
    }

    mod given {
        #[test]
        #[ignore = "red by intent"]
        fn given_numbers_have_signs() {}
    }

    mod step1_addition {
        use super::add;

        #[test]
        #[ignore = "red by intent"]
        fn two_and_two_are_four() {
            testkit::rule("Two and two are four.").same(add(2, 2), 4);
        }

        #[test]
        #[ignore = "red by intent"]
        fn nothing_changes_nothing() {
            testkit::rule("Zero changes nothing.").same(add(5, 0), 5);
        }
    }

    mod step2_division {
        use super::{add, divide, remainder};

        #[test]
        #[ignore = "red by intent"]
        fn division_undoes_addition() {
            testkit::rule("Twice a number, halved, is the number.").same(divide(add(3, 3), 2), 3);
        }

        #[test]
        #[ignore = "red by intent"]
        fn eight_halved_is_four() {
            testkit::rule("Half of eight is four.")
                .ask("Which of the two numbers does the code look at?")
                .same(divide(8, 2), 4);
        }

        #[test]
        #[ignore = "red by intent"]
        fn division_by_zero_is_not_done() {
            let quotient = 8_i32.checked_div(divide(0, 0));
            assert_eq!(quotient.unwrap(), 0);
        }

        #[test]
        #[ignore = "red by intent"]
        fn what_is_left_is_known_in_another_task() {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let task = async { tokio::spawn(async { remainder(8, 3) }).await.unwrap() };
            assert_eq!(runtime.block_on(task), 2);
        }
    }
}

mod closing {
    use std::process::Command;

    const HERE: &str = "tests/testkit/tests/closing_lines.rs";

    struct Run {
        stdout: String,
        code: Option<i32>,
    }

    /// Runs tests of the sample, as cargo would after a learner's command.
    fn run(arguments: &[&str]) -> Run {
        run_with(arguments, &[])
    }

    fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let output = Command::new(std::env::current_exe().expect("this test is a program"))
            .arg("--include-ignored")
            .args(arguments)
            .env("RUST_BACKTRACE", "0")
            .env_remove("TIDEMARK_REPORT")
            .envs(environment.iter().copied())
            .output()
            .expect("this test can start itself");
        Run {
            stdout: String::from_utf8(output.stdout).expect("the output is text"),
            code: output.status.code(),
        }
    }

    /// What stands behind libtest's own last line.
    fn closing_lines(run: &Run) -> &str {
        let (_, rest) = run.stdout.split_once("\ntest result: ").expect("libtest has ended");
        rest.split_once("\n\n").expect("a blank line follows").1
    }

    fn line_of(needle: &str) -> usize {
        let is_it = |line: &str| line.contains(needle);
        include_str!("closing_lines.rs").lines().position(is_it).expect("it is there") + 1
    }

    #[test]
    fn the_first_step_that_fails_stands_first_and_the_others_wait() {
        let run = run(&["sample"]);
        let todo = line_of("todo!(\"step 1");
        assert_eq!(
            closing_lines(&run),
            format!(
                "step1_addition::nothing_changes_nothing\n  \
                   not yet implemented: step 1: add 5 and 0\n  \
                   {HERE}:{todo}\n\
                 step1 waits (1 more) · step2 fails (2) · step2 waits (1) · \
                 step2 waits for step 1 (1)\n\
                 Next: step 1, adding two numbers. tests/testkit/src/addition.rs. \
                 Then: cargo test -p testkit step1\n\
                 Chapter: book/src/00-sample.md, \"Step 1\"\n"
            )
        );
        assert_eq!(run.code, Some(101));
    }

    #[test]
    fn a_step_alone_waits_for_the_one_before_it() {
        let lines = run(&["division_undoes"]).stdout;
        assert!(lines.contains("Next: step 1, adding two numbers."), "{lines}");
        let lines = run(&["step2_division"]).stdout;
        assert!(
            lines.contains("\nstep2 fails (2 more) · step2 waits (1 more)\nNext: step 1"),
            "{lines}"
        );
    }

    #[test]
    fn one_thread_and_many_say_the_same() {
        let one = run(&["sample", "--test-threads=1"]);
        let many = run(&["sample", "--test-threads=4"]);
        assert_eq!(closing_lines(&one), closing_lines(&many));
    }

    #[test]
    fn quiet_says_the_same() {
        assert_eq!(closing_lines(&run(&["sample", "-q"])), closing_lines(&run(&["sample"])));
    }

    #[test]
    fn a_green_part_of_a_step_and_a_list_say_nothing() {
        let green = run(&["given_numbers"]);
        assert_eq!(green.code, Some(0));
        assert_eq!(closing_lines(&green), "");
        assert!(run(&["--list"]).stdout.ends_with("benchmarks\n"));
    }

    #[test]
    fn a_broken_rule_is_shown_without_a_backtrace_and_with_what_to_edit() {
        let run = run_with(&["eight_halved"], &[("RUST_BACKTRACE", "1")]);
        let line = line_of(".same(divide(8, 2), 4);");
        let expected = format!(
            "---- sample::step2_division::eight_halved_is_four stdout ----\n  \
               Rule: Half of eight is four.\n\n  \
               expected  4\n  \
               got       8\n\n  \
               Which of the two numbers does the code look at?\n  \
               at {HERE}:{line}\n  \
               tests/testkit/src/division.rs · cargo test -p testkit step2\n"
        );
        assert!(run.stdout.contains(&expected), "{}", run.stdout);
        assert!(!run.stdout.contains("backtrace"), "{}", run.stdout);
        assert_eq!(
            closing_lines(&run),
            format!(
                "step2_division::eight_halved_is_four\n  \
                   Rule: Half of eight is four.\n  \
                   expected  4\n  \
                   got       8\n  \
                   … the whole message stands above\n  \
                   {HERE}:{line}\n\
                 Next: step 2, dividing them. tests/testkit/src/division.rs. \
                 Then: cargo test -p testkit step2\n\
                 Chapter: book/src/00-sample.md, \"Step 2\"\n"
            )
        );
    }

    #[test]
    fn another_panic_shows_a_backtrace_where_one_is_wanted() {
        let plain = run(&["by_zero"]).stdout;
        assert!(plain.contains("  called `Option::unwrap()` on a `None` value\n  at "), "{plain}");
        assert!(!plain.contains("stack backtrace"), "{plain}");
        let traced = run_with(&["by_zero"], &[("RUST_BACKTRACE", "1")]).stdout;
        assert!(traced.contains("stack backtrace"), "{traced}");
    }

    #[test]
    fn a_todo_prints_nothing_but_its_closing_line() {
        let run = run_with(&["another_task", "--nocapture"], &[("RUST_BACKTRACE", "1")]);
        assert_eq!(run.stdout.matches("not yet implemented").count(), 1, "{}", run.stdout);
        assert!(!run.stdout.contains("JoinError"), "{}", run.stdout);
    }

    #[test]
    fn the_report_has_a_line_for_each_failed_test() {
        let file = std::env::temp_dir().join(format!("testkit-report-{}", std::process::id()));
        let path = file.to_str().expect("the path is text");
        run_with(&["sample", "--test-threads=1"], &[("TIDEMARK_REPORT", path)]);
        let report = std::fs::read_to_string(&file).expect("the report was written");
        std::fs::remove_file(&file).expect("the report can be removed");

        let lines: Vec<serde_json::Value> =
            report.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        assert_eq!(lines.len(), 6);
        let of = |name: &str| {
            lines.iter().find(|line| line["test"].as_str().unwrap().ends_with(name)).unwrap()
        };
        let waiting = of("division_undoes_addition");
        assert_eq!(waiting["test"], "step2_division::division_undoes_addition");
        assert_eq!(
            (&waiting["step"], &waiting["kind"], &waiting["todo_step"]),
            (&2.into(), &"todo".into(), &1.into())
        );
        assert_eq!(waiting["file"], HERE);
        assert_eq!(waiting["line"], line_of("todo!(\"step 1"));
        let broken = of("eight_halved_is_four");
        assert_eq!((&broken["kind"], broken["todo_step"].is_null()), (&"failure".into(), true));
        assert_eq!(of("in_another_task")["todo_step"], 2);
    }
}
