//! The machine's Java.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rig::setting::setting;

use crate::failure::Failure;
use crate::versions;

const FIX: &str = "Debian, Ubuntu: sudo apt install openjdk-17-jre-headless. \
                   macOS: brew install openjdk@17";

/// Where Homebrew keeps its Java, off the PATH.
const HOMEBREW: [&str; 2] = ["/opt/homebrew/opt", "/usr/local/opt"];

/// What macOS asks for the folder of a Java.
const JAVA_HOME_TOOL: &str = "/usr/libexec/java_home";

/// The `java` program, once its version was seen to be enough: from `JAVA_HOME` where it is set,
/// else from the PATH, else from where macOS or Homebrew keep one.
///
/// # Errors
/// When there is none, or when it is too old for Kafka.
pub fn find() -> Result<PathBuf, Failure> {
    if let Some(home) = setting("JAVA_HOME") {
        return of_home(&PathBuf::from(home));
    }
    let on_path = std::iter::once_with(|| PathBuf::from("java"));
    let of_tool = std::iter::once_with(|| home_of(Path::new(JAVA_HOME_TOOL))).flatten();
    let homebrew = HOMEBREW.iter().flat_map(|folder| homebrew_javas(Path::new(folder)));
    first_of(on_path.chain(of_tool).chain(homebrew))
}

/// The Java that somebody has named is taken or refused; no other is looked for.
fn of_home(home: &Path) -> Result<PathBuf, Failure> {
    let java = home.join("bin/java");
    match version(&java) {
        Some(found) if found >= versions::java_at_least() => Ok(java),
        Some(found) => Err(too_old(&java, found)),
        None => Err(Failure(format!(
            "JAVA_HOME is {}, and no Java is there; unset it, or set it to a Java {} or newer",
            home.display(),
            versions::java_at_least()
        ))),
    }
}

fn first_of(javas: impl Iterator<Item = PathBuf>) -> Result<PathBuf, Failure> {
    let needed = versions::java_at_least();
    let mut old = None;
    for java in javas {
        match version(&java) {
            Some(found) if found >= needed => return Ok(java),
            Some(found) => old = old.or(Some(too_old(&java, found))),
            None => {}
        }
    }
    Err(old.unwrap_or(Failure(format!(
        "no Java found, and Kafka needs Java {needed} or newer. {FIX}"
    ))))
}

fn too_old(java: &Path, found: u32) -> Failure {
    Failure(format!(
        "{} is Java {found}, and Kafka {} needs Java {} or newer. {FIX}",
        java.display(),
        versions::kafka(),
        versions::java_at_least()
    ))
}

/// `openjdk/bin/java`, `openjdk@17/bin/java` and their like.
fn homebrew_javas(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let javas = entries.flatten().filter(|e| e.file_name().to_string_lossy().contains("openjdk"));
    javas.map(|entry| entry.path().join("bin/java")).collect()
}

fn home_of(tool: &Path) -> Option<PathBuf> {
    let version = format!("{}+", versions::java_at_least());
    let output = Command::new(tool).args(["-v", &version]).stderr(Stdio::null()).output().ok()?;
    let home = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| Path::new(home.trim()).join("bin/java"))
}

/// `None` where it is no Java: macOS has a `java` that only says where to get one.
fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").stdin(Stdio::null()).output().ok()?;
    major_version(&String::from_utf8_lossy(&output.stderr))
}

/// Reads `17` out of `openjdk version "17.0.15" 2025-04-15`, and `8` out of `"1.8.0_392"`.
fn major_version(said: &str) -> Option<u32> {
    let quoted = said.split("version \"").nth(1)?;
    let mut parts = quoted.split(|c: char| !c.is_ascii_digit());
    match parts.next()?.parse().ok()? {
        1 => parts.next()?.parse().ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_java_says() {
        assert_eq!(major_version("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(major_version("java version \"1.8.0_392\"\n"), Some(8));
        assert_eq!(major_version("openjdk version \"25-ea\" 2025-09-16\n"), Some(25));
        assert_eq!(major_version("Unable to locate a Java Runtime."), None);
    }

    fn script(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn java(path: &Path, version: &str) {
        script(path, &format!("echo 'openjdk version \"{version}\"' >&2"));
    }

    #[test]
    fn the_first_java_that_is_new_enough_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let [stub, old, new] = ["stub", "old", "new"].map(|name| temp.path().join(name));
        script(&stub, "echo 'Unable to locate a Java Runtime.' >&2; exit 1");
        java(&old, "11.0.2");
        java(&new, "21.0.1");
        assert_eq!(first_of([stub.clone(), old.clone(), new.clone()].into_iter()), Ok(new));

        let refused = first_of([stub.clone(), old].into_iter()).unwrap_err().to_string();
        assert!(refused.contains("old is Java 11, and Kafka"), "{refused}");
        let none = first_of([stub].into_iter()).unwrap_err().to_string();
        assert!(none.starts_with("no Java found, and Kafka needs Java 17 or newer"), "{none}");
        assert!(none.contains("sudo apt install openjdk-17-jre-headless"), "{none}");
    }

    #[test]
    fn homebrews_java_is_found_off_the_path() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["openjdk@17", "maven"] {
            java(&temp.path().join(name).join("bin/java"), "17.0.15");
        }
        assert_eq!(homebrew_javas(temp.path()), [temp.path().join("openjdk@17/bin/java")]);
        assert!(homebrew_javas(&temp.path().join("not-there")).is_empty());
    }

    #[test]
    fn macos_is_asked_for_the_folder_of_its_java() {
        let temp = tempfile::tempdir().unwrap();
        let tool = temp.path().join("java_home");
        script(&tool, "[ \"$*\" = '-v 17+' ] && echo /Library/Java/Home");
        assert_eq!(home_of(&tool), Some(PathBuf::from("/Library/Java/Home/bin/java")));
        script(&tool, "echo 'Unable to find any JVMs matching version \"17+\".' >&2; exit 1");
        assert_eq!(home_of(&tool), None);
        assert_eq!(home_of(&temp.path().join("not-there")), None);
    }
}
