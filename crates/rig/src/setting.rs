//! A variable of the environment that is set to something.

use std::ffi::OsString;

/// The value of a variable; `None` where it is not set or empty, as a shell's `NAME= command` and
/// most programs mean it.
pub fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The value of a variable as text; `None` also where it is no text.
pub fn text_setting(name: &str) -> Option<String> {
    setting(name)?.into_string().ok()
}
