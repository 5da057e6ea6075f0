//! Servers that do not come up: one sentence with the last words of the log, in time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::common::{OwnRig, script, test_folder};

/// A Java that knows its version, makes the folder of Kafka's data, and does `this` in the place
/// of a broker.
fn rig_with_broker(test: &str, this: &str) -> OwnRig {
    let home = test_folder(test);
    let java = format!(
        "for last; do :; done
        case \"$*\" in
        -version) echo 'openjdk version \"17.0.1\"' >&2 ;;
        *StorageTool*) mkdir -p \"$(sed -n s/log.dirs=//p \"$last\")\" ;;
        *) {this} ;;
        esac"
    );
    script(&home.join("bin"), "java", &java);
    let mut rig = OwnRig::new(test);
    rig.set("JAVA_HOME", home.display().to_string());
    rig
}

#[test]
fn a_broker_that_ends_at_once_is_quoted() {
    let rig = rig_with_broker(
        "ends-at-once",
        "echo '2026 INFO starting'; echo '2026 ERROR it is all over'; \
         echo '2026 INFO bye'; exit 1",
    );
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["up"]);
    let log = rig.place().folder().join("kafka.log");
    let log = log.display();
    let expected =
        format!("Kafka ended at its start: 2026 ERROR it is all over (all of it: {log})\n");
    assert_eq!(sentence, expected);
    rig.has_no_process();
}

#[test]
fn a_long_line_of_the_log_is_quoted_in_part() {
    let rig = rig_with_broker("long-line", "printf 'ERROR %01000d' 0; exit 1");
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["up"]);
    assert!(sentence.contains("ERROR 000"), "{sentence}");
    assert!(sentence.len() < 400, "{} characters: {sentence}", sentence.len());
}

#[test]
fn a_java_that_ends_while_it_formats_is_quoted() {
    let home = test_folder("no-memory");
    let java = "[ \"$1\" = -version ] && echo 'openjdk version \"17.0.1\"' >&2 && exit
        echo 'Error: Could not reserve enough space for object heap' >&2; exit 1";
    script(&home.join("bin"), "java", java);
    let mut rig = OwnRig::new("no-memory");
    rig.set("JAVA_HOME", home.display().to_string());
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["up"]);
    let reason = "Error: Could not reserve enough space for object heap";
    assert_eq!(sentence, format!("Kafka could not format its folder: {reason}\n"));
    rig.has_no_process();
}

#[test]
fn a_broker_that_never_answers_is_given_up_and_killed() {
    let mut rig = rig_with_broker("never-answers", "kill -STOP $$");
    rig.set("TIDEMARK_WAIT_SECONDS", "2");
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["up"]);
    assert!(sentence.starts_with("Kafka was not ready after 2 s: it said nothing"), "{sentence}");
    rig.has_no_process();
}

#[test]
fn a_database_that_cannot_be_made_is_quoted() {
    // Root runs them as another user, who may not look into root's home.
    let programs = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in("/var/tmp")
        .expect("a folder can be made");
    script(programs.path(), "postgres", "echo 'postgres (PostgreSQL) 17.9'");
    script(
        programs.path(),
        "initdb",
        "echo 'initdb: error: could not write: No space left on device' >&2; exit 1",
    );
    let mut rig = OwnRig::new("no-database");
    rig.set("TIDEMARK_POSTGRES_BIN", programs.path().display().to_string());
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["up"]);
    assert!(sentence.contains("make room on that disk"), "{sentence}");
}
