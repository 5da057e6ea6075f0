//! An assertion that says the rule first, then what was seen, and asks a question last.
//!
//! ```should_panic
//! let windows = 2;
//! testkit::rule("A record belongs to one tumbling window.")
//!     .picture("[06:00,07:00) [07:00,08:00)\n         ● 06:40")
//!     .ask("Which of the two ends of a window is inside it?")
//!     .same(windows, 1);
//! ```
//!
//! A question leads on; it never gives the answer away. No text holds a number that depends on
//! timing, because the messages of wrong answers are kept and compared.

use std::fmt::{Debug, Display};
use std::panic::Location;
use std::time::Duration;

use tokio::time::timeout;

use crate::difference;
use crate::verdict::Verdict;

/// A rule that the code under test must keep.
#[derive(Debug, Clone)]
pub struct Rule {
    rule: String,
    picture: Option<String>,
    question: Option<String>,
}

/// Begins an assertion with the rule that it checks, as a sentence.
pub fn rule(rule: impl Into<String>) -> Rule {
    Rule { rule: rule.into(), picture: None, question: None }
}

impl Rule {
    /// What the code was given, or a small drawing; several lines are fine.
    pub fn picture(mut self, picture: impl Into<String>) -> Rule {
        self.picture = Some(picture.into());
        self
    }

    /// A question that leads on, for whoever sees this rule broken.
    pub fn ask(mut self, question: impl Into<String>) -> Rule {
        self.question = Some(question.into());
        self
    }

    /// The two values are equal.
    #[track_caller]
    pub fn same<T: Debug + PartialEq>(self, got: T, expected: T) {
        if got != expected {
            self.broken(&difference::show(&format!("{expected:?}"), &format!("{got:?}")));
        }
    }

    /// The two texts are equal, byte for byte. They are shown without quotes, and what is not ASCII
    /// is shown escaped.
    #[track_caller]
    pub fn same_bytes(self, got: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
        let (got, expected) = (got.as_ref(), expected.as_ref());
        if got != expected {
            self.broken(&difference::show(&plain(expected), &plain(got)));
        }
    }

    /// The two texts are equal, line by line: rows of a table, say. Where they are not, the lines are
    /// shown that only one of them has.
    #[track_caller]
    pub fn same_lines(self, got: &str, expected: &str) {
        if got != expected {
            self.broken(&difference::show_lines(expected, got));
        }
    }

    /// The condition holds; where it does not, `found` says what was seen instead.
    #[track_caller]
    pub fn holds(self, condition: bool, found: impl Display) {
        if !condition {
            self.broken(&format!("got       {found}"));
        }
    }

    /// The call succeeds; gives what it returned.
    #[track_caller]
    pub fn succeeds<T, E: Display>(self, result: Result<T, E>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.broken(&format!("expected  Ok\ngot       the error: {error}")),
        }
    }

    /// The call is refused, with the error that `expected` describes and `is_it` recognises.
    #[track_caller]
    pub fn refuses<T: Debug, E: Display>(
        self,
        result: Result<T, E>,
        expected: &str,
        is_it: impl FnOnce(&E) -> bool,
    ) {
        let got = match result {
            Ok(value) => difference::shorten(&format!("Ok({value:?})")),
            Err(error) if is_it(&error) => return,
            Err(error) => format!("the error: {error}"),
        };
        self.broken(&format!("expected  {expected}\ngot       {got}"));
    }

    /// The future is ready within `limit`; gives its output.
    #[track_caller]
    pub fn within<F: Future>(self, limit: Duration, future: F) -> impl Future<Output = F::Output> {
        let asserted_at = Location::caller();
        async move {
            match timeout(limit, future).await {
                Ok(output) => output,
                Err(_) => self.broken_at("expected  an answer\ngot       none", asserted_at),
            }
        }
    }

    #[track_caller]
    fn broken(self, seen: &str) -> ! {
        self.broken_at(seen, Location::caller())
    }

    fn broken_at(self, seen: &str, asserted_at: &'static Location<'static>) -> ! {
        let mut text = format!("Rule: {}\n", self.rule);
        if let Some(picture) = &self.picture {
            text += &format!("\n{picture}\n");
        }
        text += &format!("\n{seen}\n");
        if let Some(question) = &self.question {
            text += &format!("\n{question}\n");
        }
        Verdict::broken_rule(difference::wrap(&text) + "\n", asserted_at)
    }
}

/// Printable ASCII as it is, all else escaped.
fn plain(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| match byte {
            b' '..=b'~' => vec![*byte],
            other => other.escape_ascii().collect(),
        })
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use futures::FutureExt;

    use super::*;

    fn text_of(assertion: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the rule is broken");
        panic.downcast::<Verdict>().expect("it is a verdict").text
    }

    #[test]
    fn the_rule_stands_first_and_the_question_last() {
        let text = text_of(|| {
            rule("Two and two are four.").picture("● ● + ● ●").ask("Did you count?").same(5, 4);
        });
        assert_eq!(
            text,
            "Rule: Two and two are four.\n\n● ● + ● ●\n\nexpected  4\ngot       5\n\nDid you count?\n"
        );
    }

    #[test]
    fn bytes_show_their_quotes_plainly_and_the_rest_escaped() {
        let text = text_of(|| rule("Same.").same_bytes(b"\"a\"\xff", b"\"a\"\n"));
        assert_eq!(text, "Rule: Same.\n\nexpected  \"a\"\\n\ngot       \"a\"\\xff\n");
    }

    #[test]
    fn rows_that_only_one_side_has_are_shown_each_on_a_line_of_its_own() {
        let text = text_of(|| rule("Same.").same_lines("a\nb\nd", "a\nb\nc\ne"));
        assert_eq!(text, "Rule: Same.\n\nexpected  c\n          e\ngot       d\n");
    }

    #[test]
    fn a_refusal_for_another_reason_is_no_refusal() {
        let result: Result<u8, &str> = Err("no such file");
        let text = text_of(|| rule("Refused.").refuses(result, "a length", |_| false));
        assert_eq!(
            text,
            "Rule: Refused.\n\nexpected  a length\ngot       the error: no such file\n"
        );
        let text = text_of(|| rule("Refused.").refuses(Ok::<u8, &str>(3), "a length", |_| true));
        assert_eq!(text, "Rule: Refused.\n\nexpected  a length\ngot       Ok(3)\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_that_is_never_ready_breaks_the_rule() {
        let never = rule("It ends.").within(Duration::from_secs(5), std::future::pending::<()>());
        let panic = AssertUnwindSafe(never).catch_unwind().await.expect_err("the rule is broken");
        let text = panic.downcast::<Verdict>().expect("it is a verdict").text;
        assert_eq!(text, "Rule: It ends.\n\nexpected  an answer\ngot       none\n");
    }

    #[test]
    fn what_is_right_is_silent() {
        rule("Same.").same(4, 4);
        rule("Same.").same_bytes("a", "a");
        rule("Same.").same_lines("a\nb", "a\nb");
        rule("True.").holds(true, "");
        rule("Refused.").refuses(Err::<u8, &str>("a"), "a", |error| *error == "a");
        assert_eq!(rule("Done.").succeeds(Ok::<u8, &str>(7)), 7);
    }

    #[test]
    fn the_verdict_points_at_the_line_of_the_test() {
        let line = line!() + 1;
        let panic = catch_unwind(|| rule("Same.").same(1, 2)).expect_err("the rule is broken");
        let verdict = panic.downcast::<Verdict>().expect("it is a verdict");
        assert_eq!(verdict.asserted_at.line(), line);
    }
}
