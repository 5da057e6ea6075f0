//! The machine's Java.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rig::setting::setting;

use crate::failure::Failure;
use crate::versions;

const FIX: &str = "Debian, Ubuntu: sudo apt install openjdk-17-jre-headless. \
                   macOS: brew install openjdk@17";

/// The `java` program, from `JAVA_HOME` or the PATH, once its version was seen to be enough.
///
/// # Errors
/// When there is none, or when it is too old for Kafka.
pub fn find() -> Result<OsString, Failure> {
    let java = match setting("JAVA_HOME") {
        Some(home) => PathBuf::from(home).join("bin/java").into_os_string(),
        None => OsString::from("java"),
    };
    let needed = versions::java_at_least();
    let none = || Failure(format!("no Java found, and Kafka needs Java {needed} or newer. {FIX}"));
    let asked = Command::new(&java).arg("-version").stdin(Stdio::null()).output();
    let said = asked.map_err(|_| none())?.stderr;
    let found = major_version(&String::from_utf8_lossy(&said)).ok_or_else(none)?;
    if found < needed {
        return Err(Failure(format!(
            "{} is Java {found}, and Kafka {} needs Java {needed} or newer. {FIX}",
            java.to_string_lossy(),
            versions::kafka()
        )));
    }
    Ok(java)
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
    use super::major_version;

    #[test]
    fn the_major_version_is_read_from_what_java_says() {
        assert_eq!(major_version("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(major_version("java version \"1.8.0_392\"\n"), Some(8));
        assert_eq!(major_version("openjdk version \"25-ea\" 2025-09-16\n"), Some(25));
        assert_eq!(major_version("Unable to locate a Java Runtime."), None);
    }
}
