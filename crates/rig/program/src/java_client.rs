//! The settings of a Kafka client as Kafka's own tools read them: in a file, in Java's words.

use std::io::Write;

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// Writes the settings of a librdkafka client that are about security into a file that only this user
/// can read, and that is gone when it is dropped; `None` where there are none.
///
/// # Errors
/// When the file cannot be written.
pub fn settings_file(client: &[(String, String)]) -> Result<Option<NamedTempFile>, Failure> {
    let text = in_javas_words(client);
    if text.is_empty() {
        return Ok(None);
    }
    let written = NamedTempFile::new().and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        Ok(file)
    });
    written.map(Some).map_err(|error| Failure(format!("the settings of Kafka's tools: {error}")))
}

fn in_javas_words(client: &[(String, String)]) -> String {
    let setting = |name: &str| {
        let found = client.iter().find(|(setting, _)| setting == name);
        found.map(|(_, value)| value.as_str())
    };
    let mut lines = Vec::new();
    if let Some(protocol) = setting("security.protocol") {
        lines.push(("security.protocol", protocol.to_owned()));
    }
    if let (Some(mechanism), Some(user), Some(password)) =
        (setting("sasl.mechanisms"), setting("sasl.username"), setting("sasl.password"))
    {
        lines.push(("sasl.mechanism", mechanism.to_owned()));
        lines.push(("sasl.jaas.config", login(mechanism, user, password)));
    }
    if let Some(file) = setting("ssl.ca.location") {
        lines.push(("ssl.truststore.type", "PEM".to_owned()));
        lines.push(("ssl.truststore.location", file.to_owned()));
    }
    lines.iter().map(|(name, value)| format!("{name}={}\n", in_a_file(value))).collect()
}

/// A login in the form of Java's login configuration.
fn login(mechanism: &str, user: &str, password: &str) -> String {
    let module = match mechanism {
        "PLAIN" => "plain.PlainLoginModule",
        _ => "scram.ScramLoginModule",
    };
    let (user, password) = (quoted(user), quoted(password));
    format!(
        "org.apache.kafka.common.security.{module} required username={user} password={password};"
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Java's property files take a backslash for the beginning of an escape, and are Latin-1.
fn in_a_file(value: &str) -> String {
    let escaped = |unit: u16| match u8::try_from(unit) {
        Ok(b'\\') => "\\\\".to_owned(),
        Ok(byte) if byte.is_ascii_graphic() || byte == b' ' => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    value.encode_utf16().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn client(settings: &[(&str, &str)]) -> Vec<(String, String)> {
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_client_without_security_needs_no_file() {
        assert!(settings_file(&client(&[("bootstrap.servers", "a:1")])).unwrap().is_none());
    }

    #[test]
    fn the_login_is_javas_and_only_its_user_can_read_it() {
        let client = client(&[
            ("bootstrap.servers", "a:1"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.username", "amelia"),
            ("sasl.password", r#"a"b\cé"#),
            ("ssl.ca.location", "/ca.pem"),
        ]);
        let file = settings_file(&client).unwrap().unwrap();
        let expected = concat!(
            "security.protocol=SASL_SSL\n",
            "sasl.mechanism=SCRAM-SHA-512\n",
            "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ",
            r#"username="amelia" password="a\\"b\\\\c\u00e9";"#,
            "\nssl.truststore.type=PEM\n",
            "ssl.truststore.location=/ca.pem\n",
        );
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), expected);
        let mode = file.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read it");
    }
}
