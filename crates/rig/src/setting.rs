//! A variable of the environment that is set to something.

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

use crate::RigError;

/// The value of a variable; `None` where it is not set or empty, as a shell's `NAME= command` and
/// most programs mean it.
pub fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The value of a variable as text; `None` also where it is no text.
pub fn text_setting(name: &str) -> Option<String> {
    setting(name)?.into_string().ok()
}

/// The value of a variable, read as a `T`; `None` where it is not set or empty.
///
/// # Errors
/// When it is not what `expected` says.
pub fn parsed_setting<T: FromStr>(name: &str, expected: &str) -> Result<Option<T>, RigError> {
    setting(name).map(|value| parse(name, &value, expected)).transpose()
}

fn parse<T: FromStr>(name: &str, value: &OsStr, expected: &str) -> Result<T, RigError> {
    let refused =
        || RigError(format!("{name} is `{}`, expected {expected}", value.to_string_lossy()));
    value.to_str().and_then(|text| text.parse().ok()).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_value_of_another_kind_is_refused_with_its_name() {
        let parsed = parse::<u64>("SECONDS", OsStr::new("30"), "a number");
        assert_eq!(parsed, Ok(30));
        let refused = parse::<u64>("SECONDS", OsStr::new("abc"), "a number");
        assert_eq!(refused, Err(RigError("SECONDS is `abc`, expected a number".to_owned())));
        let no_text = parse::<u64>("SECONDS", OsStr::from_bytes(&[0xff]), "a number");
        assert!(no_text.is_err(), "what is no text was taken as not set");
    }
}
