//! Which test is running, and names made from it.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::thread;

/// Kafka's limit for the name of a topic. Group names are kept to it as well.
const KAFKA_MAX_BYTES: usize = 249;
/// PostgreSQL cuts longer identifiers without a word.
#[cfg(feature = "database")]
const POSTGRES_MAX_BYTES: usize = 63;

/// A test's name from its step's module on, such as `step1_event::an_unknown_field_is_refused`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TestName(String);

thread_local! {
    static RUNNING: RefCell<Option<TestName>> = const { RefCell::new(None) };
}

impl TestName {
    /// The name of the test that a closure stands in, from the closure's type.
    pub(crate) fn of_closure<T>(closure: &T) -> TestName {
        let path = std::any::type_name_of_val(closure);
        TestName::from_path(path).unwrap_or_else(|| {
            let segments: Vec<&str> = plain_segments(path).skip(1).collect();
            TestName(segments.join("::"))
        })
    }

    /// The name of the test that this thread works for.
    ///
    /// libtest gives each test a thread that is named after it. With `--test-threads=1` there is
    /// only the main thread; then the name is found among the callers.
    pub(crate) fn running() -> Option<TestName> {
        RUNNING
            .with_borrow(Clone::clone)
            .or_else(|| thread::current().name().and_then(TestName::from_path))
            .or_else(TestName::of_callers)
    }

    /// Says that this thread works for the test until the guard is dropped.
    pub(crate) fn enter(self) -> Running {
        RUNNING.set(Some(self));
        Running
    }

    fn of_callers() -> Option<TestName> {
        let callers = Backtrace::force_capture().to_string();
        callers.lines().filter_map(TestName::from_frame).next_back()
    }

    /// Reads a line of a backtrace: `  12: lab01::step1_event::a_rule::{{closure}}`.
    fn from_frame(line: &str) -> Option<TestName> {
        let (number, path) = line.trim_start().split_once(": ")?;
        number.parse::<u32>().ok()?;
        TestName::from_path(path)
    }

    /// From the path of a test or of something in it; `None` where no module of a step is in it.
    pub(crate) fn from_path(path: &str) -> Option<TestName> {
        let mut segments = plain_segments(path).skip_while(|segment| !is_test_module(segment));
        Some(TestName(format!("{}::{}", segments.next()?, segments.next()?)))
    }

    /// The step whose module the test is in; `None` for a test of given code.
    pub(crate) fn step(&self) -> Option<u32> {
        step_number(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for a topic or a group that no other test and no other run uses.
    pub(crate) fn kafka_name(&self, prefix: &str, package: &str, purpose: &str) -> String {
        let test = self.0.replace("::", "-");
        unique(&format!("{prefix}{package}-{test}"), &format!("-{purpose}-"), KAFKA_MAX_BYTES)
    }

    /// A name for a database that no other test and no other run uses.
    #[cfg(feature = "database")]
    pub(crate) fn postgres_name(&self, prefix: &str, package: &str) -> String {
        let stem = format!("{prefix}{package}_{}", self.0.replace("::", "_"));
        let stem: String = stem
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        unique(&stem, "_", POSTGRES_MAX_BYTES)
    }
}

/// While this lives, its thread works for one test.
pub(crate) struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(None);
    }
}

/// `3` from `step3_topic::…` and from `step 3: make …`.
pub(crate) fn step_number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("step")?.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn is_test_module(segment: &str) -> bool {
    segment == "given" || step_number(segment).is_some()
}

/// The segments of a path that a person wrote: no closures, no hash at the end.
fn plain_segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_start_matches('<');
    let path = path.split_once(" as ").map_or(path, |(path, _)| path);
    path.split("::").filter(|segment| !segment.starts_with('{') && !is_hash(segment))
}

fn is_hash(segment: &str) -> bool {
    segment.len() == 17
        && segment.starts_with('h')
        && segment[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Joins stem, middle and a random end; the stem is cut where the name would be too long.
fn unique(stem: &str, middle: &str, max_bytes: usize) -> String {
    let random = RandomState::new().hash_one(()) as u32;
    let end = format!("{middle}{random:08x}");
    let room = max_bytes.saturating_sub(end.len());
    let cut = stem.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= room);
    format!("{}{end}", &stem[..cut.last().unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<String> {
        TestName::from_path(path).map(|name| name.0)
    }

    #[test]
    fn a_name_begins_at_the_module_of_its_step() {
        let expected = Some("step1_event::a_rule".to_owned());
        assert_eq!(named("step1_event::a_rule"), expected);
        assert_eq!(named("tests::step1_event::a_rule"), expected);
        assert_eq!(named("lab01::tests::step1_event::a_rule::{{closure}}"), expected);
        assert_eq!(named("lab01::step1_event::a_rule::h0123456789abcdef"), expected);
        assert_eq!(named("<lab01::step1_event::a_rule::{closure#0} as FnOnce<()>>::x"), expected);
        assert_eq!(named("given::given_a_rule"), Some("given::given_a_rule".to_owned()));
    }

    #[test]
    fn what_is_no_test_has_no_name() {
        assert_eq!(named("main"), None);
        assert_eq!(named("lab01::event::decode"), None);
        assert_eq!(named("tokio-runtime-worker"), None);
    }

    #[test]
    fn a_step_is_read_from_a_module_and_from_a_todo() {
        assert_eq!(step_number("step3_topic::x"), Some(3));
        assert_eq!(step_number("step 12: make topic"), Some(12));
        assert_eq!(step_number("given::x"), None);
        assert_eq!(step_number("step: x"), None);
    }

    #[test]
    fn names_keep_to_the_limits_and_differ() {
        let test = TestName(format!("step1_x::{}", "long_".repeat(100)));
        let topic = test.kafka_name("class7-", "lab01", "flights");
        assert_eq!(topic.len(), 249);
        assert!(topic.starts_with("class7-lab01-step1_x-long_"));
        assert!(topic.contains("-flights-"));
        assert_ne!(topic, test.kafka_name("class7-", "lab01", "flights"));

        let database = test.postgres_name("Class-7-", "lab01-solution");
        assert_eq!(database.len(), 63);
        assert!(database.starts_with("class_7_lab01_solution_step1_x_long_"), "{database}");
    }
}
