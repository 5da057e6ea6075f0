//! `.env` at the root of the clone: the same variables as in the environment, kept in a file that git
//! ignores. What the environment says goes before it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::RigError;
use crate::place::workspace_root;
use crate::setting::{setting, text_setting};

/// Another file than `.env`.
const FILE: &str = "TIDEMARK_ENV_FILE";

/// Variables by their names, from the environment and from a file.
#[derive(Default)]
pub struct Variables {
    in_file: HashMap<String, String>,
}

impl Variables {
    /// Reads `.env`, which need not be there, or the file that `TIDEMARK_ENV_FILE` names, from the root of
    /// the clone on, which must. Of the names that this project gives,
    /// `KAFKA_…` and `TIDEMARK_…`, the file may hold those that are `known`; others are not ours.
    ///
    /// # Errors
    /// When the file cannot be read, a line of it is none, or a name is misspelt. No value is shown.
    pub fn read(known: &[&str]) -> Result<Variables, RigError> {
        // A test has another working directory than a run.
        let root = workspace_root();
        let in_file = match setting(FILE) {
            Some(named) => read(&root.join(PathBuf::from(named)), known)?,
            None => unless_missing(&root.join(".env"), known)?,
        };
        Ok(Variables { in_file })
    }

    /// The value of a variable; `None` where it is not set or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        let in_file = || self.in_file.get(name).filter(|value| !value.is_empty()).cloned();
        text_setting(name).or_else(in_file)
    }
}

fn unless_missing(file: &Path, known: &[&str]) -> Result<HashMap<String, String>, RigError> {
    if file.try_exists().map_err(|error| refused(file, &error.to_string()))? {
        return read(file, known);
    }
    Ok(HashMap::new())
}

fn read(file: &Path, known: &[&str]) -> Result<HashMap<String, String>, RigError> {
    let lines = dotenvy::from_path_iter(file).map_err(|error| refused(file, &in_words(&error)))?;
    let mut variables = HashMap::new();
    for line in lines {
        let (name, value) = line.map_err(|error| refused(file, &in_words(&error)))?;
        let is_ours = ["KAFKA_", "TIDEMARK_"].iter().any(|prefix| name.starts_with(prefix));
        if is_ours && !known.contains(&name.as_str()) {
            let names = known.join(", ");
            return Err(refused(
                file,
                &format!("{name} cannot stand in this file; these can: {names}"),
            ));
        }
        variables.insert(name, value);
    }
    Ok(variables)
}

/// Without the line itself: there may be a password in it.
fn in_words(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, column) => {
            format!("a line is none of `NAME=value`; it is wrong at character {}", column + 1)
        }
        dotenvy::Error::Io(error) => error.to_string(),
        _ => "it cannot be read".to_owned(),
    }
}

fn refused(file: &Path, why: &str) -> RigError {
    RigError(format!("{}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"];

    fn read_text(text: &[u8]) -> Result<HashMap<String, String>, RigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, text).unwrap();
        read(&file, &KNOWN)
    }

    fn sentence(text: &[u8]) -> String {
        let error = read_text(text).unwrap_err().0;
        assert!(!error.contains("a-secret-word"), "{error}");
        error.split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn a_file_that_is_not_there_holds_nothing() {
        let nowhere = Path::new("/nowhere/.env");
        assert_eq!(unless_missing(nowhere, &KNOWN), Ok(HashMap::new()));
        assert!(read(nowhere, &KNOWN).is_err(), "a file that was named was passed over");
    }

    #[test]
    fn comments_quotes_and_others_names_are_taken_as_in_any_such_file() {
        let text =
            b"# mine\nKAFKA_BOOTSTRAP_SERVERS='one:9092'\n\nexport EDITOR=vi\nDATABASE_URL=\n";
        let variables = read_text(text).unwrap();
        assert_eq!(variables["KAFKA_BOOTSTRAP_SERVERS"], "one:9092");
        assert_eq!(variables["EDITOR"], "vi");
        assert_eq!(Variables { in_file: variables }.text("DATABASE_URL_OF_A_TEST"), None);
    }

    #[test]
    fn a_misspelt_name_is_refused() {
        let expected = "KAFKA_BOOTSTRAP cannot stand in this file; these can: \
                        KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL";
        assert_eq!(sentence(b"KAFKA_BOOTSTRAP=a-secret-word"), expected);
    }

    #[test]
    fn a_line_that_is_none_is_refused_and_not_shown() {
        assert!(sentence(b"DATABASE_URL a-secret-word").starts_with("a line is none of"));
        assert!(!sentence(b"DATABASE_URL=\xff\xfe a-secret-word").is_empty());
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), &KNOWN).is_err(), "a folder was taken for a file");
    }
}
