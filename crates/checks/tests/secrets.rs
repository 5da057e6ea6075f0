//! `checks secrets` on small repositories, in which a password is planted. What is planted is put
//! together here while the test runs, so that this file holds none.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with one commit.
struct Planted(tempfile::TempDir);

impl Planted {
    fn new() -> Planted {
        let planted = Planted(tempfile::tempdir().unwrap());
        planted.write("Cargo.toml", "[workspace]\n");
        planted.write("labs/README", "none");
        planted.write(".gitignore", "/.env\n");
        planted.git(&["init", "--quiet"]);
        planted.commit();
        planted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"];
        let mut git = Command::new("git");
        let output =
            git.current_dir(self.0.path()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "one"]);
    }

    #[track_caller]
    fn is_green(&self, verdict: &str) {
        let (green, printed) = checked(self.0.path());
        assert!(green && printed.ends_with(&format!("{verdict}\n")), "{printed}");
    }

    /// The check names each place with what lies there, and does not show the secret.
    #[track_caller]
    fn is_red(&self, places: &[(String, &str)], secret: &str) {
        let (green, printed) = checked(self.0.path());
        assert!(!green && !printed.contains(secret), "green, or the secret is shown: {printed}");
        for (place, kind) in places {
            let named = printed.lines().any(|line| line.starts_with(place) && line.contains(kind));
            assert!(named, "{kind} at {place} was not found: {printed}");
        }
    }
}

/// Whether the check is green in a repository, and what it prints.
fn checked(repository: &Path) -> (bool, String) {
    checked_with(repository, |_| ())
}

/// The same with an environment of its own.
fn checked_with(repository: &Path, set: impl FnOnce(&mut Command)) -> (bool, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var("PATH").unwrap();
    let mut checks = Command::new(env!("CARGO_BIN_EXE_checks"));
    checks
        .arg("--root")
        .arg(repository)
        .arg("secrets")
        // Where `make setup` has put Kingfisher, and where it keeps its rules as it runs them.
        .env("PATH", format!("{}:{path}", root.join(".venv/bin").display()))
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join(".."));
    set(&mut checks);
    let output = checks.output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), printed)
}

/// Letters and digits, of which a secret is made; the same for the same number.
fn made_up(length: usize, mut seed: u64) -> String {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(
            b"ABCDEFGHJKLMNPQRSTUVWXYZ234567abcdefghijkmnpqrstuvwxyz"[(seed >> 33) as usize % 54],
        )
    };
    (0..length).map(|_| next()).collect()
}

/// A file, what is in it, what the check calls it.
fn plants(secret: &str) -> [(&'static str, String, &'static str); 5] {
    let jaas =
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"amelia\"";
    let begin = ["-----BEGIN", " PRIVATE", " KEY-----"].concat();
    let end = ["-----END", " PRIVATE", " KEY-----"].concat();
    [
        ("my.env", format!("KAFKA_SASL_PASSWORD={secret}"), "password of a Kafka client"),
        ("client.properties", format!("sasl.jaas.config={jaas} password=\"{secret}\";"), "JAAS"),
        (
            "notes.md",
            format!("postgresql://amelia:{secret}@db.example.org/x"),
            "address of a database",
        ),
        ("key.pem", format!("{begin}\n{secret}\n{}\n{end}", made_up(64, 9)), "Private Key"),
        ("ci.yml", format!("token: {}{}", ["gh", "p_"].concat(), &secret[..36]), "GitHub"),
    ]
}

#[test]
fn a_secret_is_found_before_it_is_committed_and_after_it_was_taken_out_again() {
    let secret = made_up(64, 1);
    let planted = Planted::new();
    planted.is_green("no password or key");
    for (file, text, _) in plants(&secret) {
        planted.write(file, &text);
    }
    let places = |mark| plants(&secret).map(|(file, _, kind)| (format!("{file}:1{mark} "), kind));
    planted.is_red(&places(":"), &secret);
    planted.commit();
    for (file, _, _) in plants(&secret) {
        std::fs::remove_file(planted.path(file)).unwrap();
    }
    planted.commit();
    planted.is_red(&places(" in commit"), &secret);
}

#[test]
fn no_sign_hides_a_password_wherever_it_stands_in_it() {
    let planted = Planted::new();
    let mut places = Vec::new();
    for (number, sign) in "@#%&*:~^$?;,!+/=._-".chars().enumerate() {
        let file = format!("{number}.env");
        // A dollar at the beginning is that of a variable.
        let first = usize::from(sign == '$');
        let mut lines = String::new();
        for place in first..8 {
            let mut password = made_up(11, (100 * number + place) as u64);
            password.insert(place, sign);
            lines += &format!("KAFKA_SASL_PASSWORD={password}\n");
            places.push((format!("{file}:{}: ", place + 1 - first), "a Kafka client"));
        }
        planted.write(&file, &lines);
    }
    planted.is_red(&places, "KAFKA_SASL_PASSWORD=");
}

#[test]
fn another_users_repository_is_one_sentence_with_its_fix() {
    let planted = Planted::new();
    // Git's own way to try what it does in a folder that belongs to somebody else.
    let (green, printed) = checked_with(planted.0.path(), |checks| {
        checks.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    });
    let folder = planted.0.path().canonicalize().unwrap();
    let fix = format!("git config --global --add safe.directory {}\n", folder.display());
    assert!(!green && printed.contains("NOT RUN: git reads no history"), "{printed}");
    assert!(printed.ends_with(&fix) && printed.lines().count() == 1, "{printed}");
}

#[test]
fn without_kingfisher_the_check_has_not_run_and_is_not_green() {
    let planted = Planted::new();
    let (green, printed) = checked_with(planted.0.path(), |checks| {
        checks.env("PATH", path_without("kingfisher"));
    });
    assert!(!green && printed.contains("NOT RUN: cannot start kingfisher: "), "{printed}");
    assert!(printed.ends_with("`make setup` installs it, or says why it can't\n"), "{printed}");
}

/// The folders of the path in which there is no such program.
fn path_without(program: &str) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::env::split_paths(&path).filter(|folder| !folder.join(program).exists());
    std::env::join_paths(folders).unwrap()
}

#[test]
fn what_git_ignores_and_what_stands_for_a_password_is_none() {
    let planted = Planted::new();
    planted.write(".env", &format!("KAFKA_SASL_PASSWORD={}", made_up(64, 2)));
    planted.write("set-up.md", &["postgresql://user:", "password", "@db.example.org/x"].concat());
    planted.write("run.sh", "KAFKA_SASL_PASSWORD=$(cat password)");
    planted.is_green("no password or key");
}

#[test]
fn a_comment_does_not_make_a_secret_none() {
    let secret = made_up(64, 3);
    let planted = Planted::new();
    planted.write("a.env", &format!("KAFKA_SASL_PASSWORD={secret} # kingfisher:ignore"));
    planted.is_red(&[("a.env:1: ".to_owned(), "password of a Kafka client")], &secret);
}

#[test]
fn a_shallow_clone_says_so_and_a_second_work_tree_has_the_same_history() {
    let secret = made_up(64, 4);
    let planted = Planted::new();
    planted.write("old.env", &format!("KAFKA_SASL_PASSWORD={secret}"));
    planted.commit();
    std::fs::remove_file(planted.path("old.env")).unwrap();
    planted.commit();

    let beside = tempfile::tempdir().unwrap();
    let (tree, shallow) = (beside.path().join("tree"), beside.path().join("shallow"));
    planted.git(&["worktree", "add", "--quiet", "--detach", tree.to_str().unwrap()]);
    let (green, printed) = checked(&tree);
    assert!(!green && printed.contains("old.env:1 in commit "), "{printed}");

    let from = format!("file://{}", planted.0.path().display());
    planted.git(&["clone", "--quiet", "--depth", "1", &from, shallow.to_str().unwrap()]);
    let (green, printed) = checked(&shallow);
    assert!(green, "{printed}");
    assert!(printed.contains("1 commit, 0 files not committed: "), "{printed}");
    assert!(printed.contains("a shallow clone: older commits are not here"), "{printed}");
}
