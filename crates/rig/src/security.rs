//! How a Kafka client proves who it is, and how it knows the broker: the usual settings, as variables.

use crate::RigError;
use crate::place::workspace_root;

/// The variable that says how brokers are spoken to.
const PROTOCOL: &str = "KAFKA_SECURITY_PROTOCOL";

/// What the variable may say.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL"];

/// How a client may say who it is.
const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The variables for `SASL_…`, each with the client's setting.
const SASL: [(&str, &str); 3] = [
    ("KAFKA_SASL_MECHANISM", "sasl.mechanisms"),
    ("KAFKA_SASL_USERNAME", "sasl.username"),
    ("KAFKA_SASL_PASSWORD", "sasl.password"),
];

/// The file with the certificates of those who vouch for the brokers. Where it is not named, the
/// system's own are asked.
const CA_FILE: (&str, &str) = ("KAFKA_SSL_CA_LOCATION", "ssl.ca.location");

/// All variables of this module.
pub const VARIABLES: [&str; 5] = [PROTOCOL, SASL[0].0, SASL[1].0, SASL[2].0, CA_FILE.0];

/// The settings of a Kafka client, as librdkafka calls them. `setting` gives the value of a variable.
///
/// # Errors
/// When a variable is missing, has a value that it cannot have, or says what the others do not let
/// it mean; when the file is not there; when TLS is needed and this program was built without it.
/// No error holds a user's name or password.
pub fn client_settings(
    setting: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, RigError> {
    let protocol = one_of(PROTOCOL, &PROTOCOLS, setting(PROTOCOL))?.unwrap_or(PROTOCOLS[0]);
    let (is_sasl, is_tls) = (protocol.starts_with("SASL"), protocol.ends_with("SSL"));
    let mut settings = Vec::new();
    if protocol != PROTOCOLS[0] {
        settings.push(("security.protocol".to_owned(), protocol.to_owned()));
    }
    for (variable, name) in SASL {
        match (setting(variable), is_sasl) {
            (Some(value), true) => settings.push((name.to_owned(), value)),
            (None, false) => {}
            (Some(_), false) => return Err(without_effect(variable, protocol)),
            (None, true) => {
                return Err(RigError(format!(
                    "{PROTOCOL} is {protocol}, but {variable} is not set"
                )));
            }
        }
    }
    let mechanism = one_of(SASL[0].0, &MECHANISMS, setting(SASL[0].0))?;
    if is_tls || mechanism.is_some_and(|mechanism| mechanism.starts_with("SCRAM")) {
        needs_tls(protocol, mechanism.unwrap_or_default())?;
    }
    let (variable, name) = CA_FILE;
    match setting(variable) {
        Some(_) if !is_tls => return Err(without_effect(variable, protocol)),
        Some(file) => settings.push((name.to_owned(), readable(variable, &file)?)),
        None => {}
    }
    Ok(settings)
}

fn one_of(
    variable: &str,
    expected: &[&'static str],
    found: Option<String>,
) -> Result<Option<&'static str>, RigError> {
    let Some(found) = found else { return Ok(None) };
    let known = expected.iter().find(|known| **known == found);
    // A password in the wrong line is not shown.
    let refused = || RigError(format!("{variable} is none of {}", expected.join(", ")));
    known.copied().map(Some).ok_or_else(refused)
}

/// A password that is set and not used, or a file that vouches for nobody: who set it expects another
/// connection than this one.
fn without_effect(variable: &str, protocol: &str) -> RigError {
    RigError(format!(
        "{variable} is set, and {PROTOCOL} is {protocol}, which does not use it; did you mean SASL_SSL?"
    ))
}

/// librdkafka computes SCRAM's hashes by OpenSSL, so that needs it too.
fn needs_tls(protocol: &str, mechanism: &str) -> Result<(), RigError> {
    if cfg!(feature = "tls") {
        return Ok(());
    }
    let asked = format!("{protocol} {mechanism}");
    Err(RigError(format!(
        "{} needs OpenSSL, which this build leaves out; add `--features tls` to cargo's command, \
         `TLS=1` to make's or before one in bin/ (Debian, Ubuntu: sudo apt install libssl-dev pkg-config. macOS: brew \
         install openssl@3 pkgconf)",
        asked.trim_end()
    )))
}

/// The file by its whole path: a test has another working directory than a run.
fn readable(variable: &str, file: &str) -> Result<String, RigError> {
    let path = workspace_root().join(file).display().to_string();
    let refused =
        |error| RigError(format!("{variable} is `{path}`, which cannot be read: {error}"));
    std::fs::File::open(&path).map(|_| path.clone()).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "a-secret-word";

    /// The sentence, or the settings in one line without their values.
    fn said(variables: &[(&str, &str)]) -> String {
        let setting = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match client_settings(setting) {
            Ok(settings) => {
                settings.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
            }
            Err(error) => {
                assert!(!error.0.contains(PASSWORD), "{error}");
                error.0
            }
        }
    }

    const PLAIN: [(&str, &str); 4] = [
        (PROTOCOL, "SASL_PLAINTEXT"),
        ("KAFKA_SASL_MECHANISM", "PLAIN"),
        ("KAFKA_SASL_USERNAME", "amelia"),
        ("KAFKA_SASL_PASSWORD", PASSWORD),
    ];

    #[test]
    fn nothing_is_asked_for_where_nothing_is_set() {
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[(PROTOCOL, "PLAINTEXT")]), "");
    }

    #[test]
    fn a_name_and_a_password_become_the_clients_settings() {
        let expected = "security.protocol sasl.mechanisms sasl.username sasl.password";
        assert_eq!(said(&PLAIN), expected);
    }

    #[test]
    fn each_missing_variable_is_named() {
        for index in 1..PLAIN.len() {
            let mut variables = PLAIN.to_vec();
            let (missing, _) = variables.remove(index);
            let expected = format!("{PROTOCOL} is SASL_PLAINTEXT, but {missing} is not set");
            assert_eq!(said(&variables), expected);
        }
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for index in 1..PLAIN.len() {
            let (variable, _) = PLAIN[index];
            assert!(said(&PLAIN[index..=index]).starts_with(&format!("{variable} is set, and")));
        }
        let ca_file = [(CA_FILE.0, "/etc/hosts"), PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3]];
        assert!(said(&ca_file).starts_with("KAFKA_SSL_CA_LOCATION is set, and"));
    }

    #[test]
    fn a_value_that_is_none_is_refused_and_not_shown() {
        let expected =
            "KAFKA_SECURITY_PROTOCOL is none of PLAINTEXT, SASL_PLAINTEXT, SASL_SSL, SSL";
        assert_eq!(said(&[(PROTOCOL, PASSWORD)]), expected);
        let mut variables = PLAIN;
        variables[1].1 = PASSWORD;
        let expected = "KAFKA_SASL_MECHANISM is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512";
        assert_eq!(said(&variables), expected);
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn what_needs_tls_says_how_to_have_it() {
        let mut tls = PLAIN;
        tls[0].1 = "SASL_SSL";
        let sentence = said(&tls);
        assert!(sentence.starts_with("SASL_SSL PLAIN needs OpenSSL"), "{sentence}");
        assert!(sentence.contains("`--features tls`"), "{sentence}");
        let mut scram = PLAIN;
        scram[1].1 = "SCRAM-SHA-512";
        assert!(said(&scram).starts_with("SASL_PLAINTEXT SCRAM-SHA-512 needs OpenSSL"));
        assert!(said(&[(PROTOCOL, "SSL")]).starts_with("SSL needs OpenSSL"));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let sentence = said(&[(PROTOCOL, "SSL"), (CA_FILE.0, "/nowhere/ca.pem")]);
        let expected = "KAFKA_SSL_CA_LOCATION is `/nowhere/ca.pem`, which cannot be read: ";
        assert!(sentence.starts_with(expected), "{sentence}");
        assert_eq!(said(&[(PROTOCOL, "SSL")]), "security.protocol");
    }
}
