//! Which tests the command line asked for.
//!
//! Cargo gives what stands behind its own arguments to the test program: `step1` in
//! `cargo test -p lab01 step1`, and all that stands behind `--`.

/// The tests that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Every test of the lab.
    WholeLab,
    /// The tests of one step.
    Step(u32),
    /// Some of the tests, or only their names.
    Other,
}

/// Arguments that change how tests are run or shown, and not which.
const HARMLESS: [&str; 6] =
    ["-q", "--quiet", "--nocapture", "--no-capture", "--show-output", "--include-ignored"];

/// The same with a value, in one argument or in two.
const HARMLESS_WITH_VALUE: [&str; 2] = ["--test-threads", "--color"];

impl Asked {
    pub(crate) fn by_this_process() -> Asked {
        Asked::by(std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()))
    }

    fn by(mut arguments: impl Iterator<Item = String>) -> Asked {
        let mut asked = Asked::WholeLab;
        while let Some(argument) = arguments.next() {
            let name = argument.split('=').next().unwrap_or_default();
            if HARMLESS_WITH_VALUE.contains(&name) {
                if name == argument {
                    arguments.next();
                }
            } else if let Some(step) = step_alone(&argument)
                && asked == Asked::WholeLab
            {
                asked = Asked::Step(step);
            } else if !HARMLESS.contains(&argument.as_str()) {
                return Asked::Other;
            }
        }
        asked
    }
}

/// `1` from `step1`; what has more to its name may be a part of the step.
fn step_alone(argument: &str) -> Option<u32> {
    argument.strip_prefix("step")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        Asked::by(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_step_or_the_whole_lab_is_told_from_the_command_line() {
        assert_eq!(asked(""), Asked::WholeLab);
        assert_eq!(asked("-q --test-threads=1"), Asked::WholeLab);
        assert_eq!(asked("step1"), Asked::Step(1));
        assert_eq!(asked("step12 --nocapture --test-threads 4"), Asked::Step(12));
    }

    #[test]
    fn anything_else_may_be_a_part_of_it() {
        for line in ["step1_event", "step1 step2", "step1 --exact", "--list", "--skip step1"] {
            assert_eq!(asked(line), Asked::Other, "{line}");
        }
        for line in ["step", "step-1", "given", "--ignored", "--format json"] {
            assert_eq!(asked(line), Asked::Other, "{line}");
        }
    }
}
