//! What a learner sees when a run is green. The tests of `sample` are green; those of `closing` run
//! some of them in a process of its own and read its output.

testkit::lab! {
    chapter: "book/src/00-sample.md",
    steps: ["addition.rs": "adding two numbers", "division.rs": "dividing them"],
}

mod sample {
    mod step1_addition {
        #[test]
        fn two_and_two_are_four() {
            assert_eq!(2 + 2, 4);
        }
    }

    mod step2_division {
        #[test]
        fn eight_halved_is_four() {
            assert_eq!(8 / 2, 4);
        }
    }
}

mod closing {
    use std::process::Command;

    /// What stands behind libtest's own last line.
    fn closing_lines(arguments: &[&str]) -> String {
        let output = Command::new(std::env::current_exe().expect("this test is a program"))
            .args(arguments)
            .output()
            .expect("this test can start itself");
        assert!(output.status.success(), "a green run ends well");
        let stdout = String::from_utf8(output.stdout).expect("the output is text");
        let (_, rest) = stdout.split_once("\ntest result: ok").expect("libtest has ended");
        rest.split_once("\n\n").expect("a blank line follows").1.to_owned()
    }

    #[test]
    fn a_green_step_names_the_next_and_the_last_one_the_run() {
        assert_eq!(
            closing_lines(&["step1"]),
            "Step 1 is green.\n\
             Next: step 2, dividing them. tests/testkit/src/division.rs. \
             Then: cargo test -p testkit step2\n\
             Chapter: book/src/00-sample.md, \"Step 2\"\n"
        );
        assert_eq!(
            closing_lines(&["step2", "-q"]),
            "Step 2 is green, and it is the last.\nNext: see it run. cargo run -p testkit\n"
        );
    }

    #[test]
    fn a_part_of_a_step_and_a_step_that_there_is_not_say_nothing() {
        assert_eq!(closing_lines(&["step1_addition"]), "");
        assert_eq!(closing_lines(&["step3"]), "");
        assert_eq!(closing_lines(&["step1", "--skip", "two"]), "");
    }
}
