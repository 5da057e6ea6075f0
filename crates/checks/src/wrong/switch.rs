//! One source with all wrong answers of a module in it, switched by the environment.
//!
//! A build for each wrong answer would cost minutes. Here each replaced body becomes
//! ```text
//! { match std::env::var("TIDEMARK_WRONG").as_deref() { Ok("slug") => { wrong }, _ => { right } } }
//! ```
//! so that a lab's wrong answers cost one build. The wrong bodies stand on the line of the opening
//! brace: the numbers of all lines stay as they are in the solution.

use crate::syntax::{Function, Source};
use crate::wrong::answer::WrongAnswer;

/// The variable that names the wrong answer to take.
pub const VARIABLE: &str = "TIDEMARK_WRONG";

/// Puts the wrong answers of one module into the solution's text.
///
/// # Errors
/// When an answer replaces a function that the solution does not have, or one of another
/// signature.
pub fn splice(solution: &Source, answers: &[&WrongAnswer]) -> Result<String, String> {
    for answer in answers {
        for replaced in &answer.functions {
            check_signature(solution, replaced)
                .map_err(|why| format!("wrong answer `{}`: {why}", answer.head.slug))?;
        }
    }
    let mut text = String::new();
    let mut from = 0;
    for function in &solution.functions {
        let arms = arms(&function.path, answers);
        if arms.is_empty() {
            continue;
        }
        text.push_str(&solution.text[from..function.body.start]);
        let body = &solution.text[function.body.clone()];
        text.push_str(&format!(
            "{{ match ::std::env::var(\"{VARIABLE}\").as_deref() {{ {arms} _ => {body} }} }}"
        ));
        from = function.body.end;
    }
    text.push_str(&solution.text[from..]);
    Ok(text)
}

fn arms(path: &str, answers: &[&WrongAnswer]) -> String {
    let mut arms = String::new();
    for answer in answers {
        for replaced in answer.functions.iter().filter(|replaced| replaced.path == path) {
            arms.push_str(&format!("Ok(\"{}\") => {}, ", answer.head.slug, replaced.tokens));
        }
    }
    arms
}

fn check_signature(solution: &Source, replaced: &Function) -> Result<(), String> {
    let path = &replaced.path;
    let original =
        solution.function(path).ok_or_else(|| format!("the solution has no function `{path}`"))?;
    if original.signature == replaced.signature {
        return Ok(());
    }
    Err(format!(
        "`{path}` has another signature\n  solution: {}\n  wrong:    {}",
        original.signature, replaced.signature
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLUTION: &str = "struct S;\nimpl S {\n    fn a(&self) -> u8 {\n        1\n    }\n}\n\
        pub async fn b() -> u8 {\n    2\n}\n// the last line\n";

    fn answer(slug: &str, code: &str) -> WrongAnswer {
        let head = "//! title: t\n//! file: a.rs\n//! caught by: step1_a::b\n//!\n//! Why.\n";
        WrongAnswer::parse(slug, &format!("{head}{code}")).unwrap()
    }

    fn spliced(answers: &[&WrongAnswer]) -> Result<String, String> {
        splice(&Source::parse(SOLUTION.to_owned()).unwrap(), answers)
    }

    #[test]
    fn each_answer_becomes_an_arm_and_no_line_moves() {
        let one = answer("one", "impl S {\n    fn a(&self) -> u8 {\n        3\n    }\n}\n");
        let two = answer("two", "pub async fn b() -> u8 { 4 }");
        let three = answer("three", "pub async fn b() -> u8 { 5 }");
        let text = spliced(&[&one, &two, &three]).unwrap();
        Source::parse(text.clone()).unwrap();
        assert!(text.contains("Ok(\"one\") => { 3 },  _ => {"), "{text}");
        assert!(text.contains("Ok(\"two\") => { 4 }, Ok(\"three\") => { 5 },"), "{text}");
        let last = |text: &str| text.lines().position(|line| line == "// the last line");
        assert_eq!(last(&text), last(SOLUTION));
    }

    #[test]
    fn another_signature_is_refused_with_both() {
        let error = spliced(&[&answer("x", "pub async fn b() -> u16 { 4 }")]).unwrap_err();
        assert_eq!(
            error,
            "wrong answer `x`: `b` has another signature\n  \
             solution: pub async fn b () -> u8\n  wrong:    pub async fn b () -> u16"
        );
    }

    #[test]
    fn a_function_that_the_solution_does_not_have_is_refused() {
        let error = spliced(&[&answer("x", "fn c() {}")]).unwrap_err();
        assert_eq!(error, "wrong answer `x`: the solution has no function `c`");
    }
}
