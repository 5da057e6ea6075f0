//! The settings of a Kafka client as Kafka's own tools read them: in a file, in Java's words.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::failure::Failure;

/// A file without a name, so that nothing of it stays however this process ends. The programs that it
/// starts have it too.
pub struct SettingsFile(File);

impl SettingsFile {
    /// Writes the settings of a librdkafka client that are about security; `None` where there are none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(client: &[(String, String)]) -> Result<Option<SettingsFile>, Failure> {
        let text = in_javas_words(client);
        if text.is_empty() {
            return Ok(None);
        }
        let written = write_without_a_name(&text).map(|file| Some(SettingsFile(file)));
        written.map_err(|error| Failure(format!("the settings of Kafka's tools: {error}")))
    }

    /// Under which name this process and those that it starts can open it.
    pub fn path(&self) -> PathBuf {
        format!("/dev/fd/{}", self.0.as_raw_fd()).into()
    }
}

fn write_without_a_name(text: &str) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(file)
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
    use std::process::Command;

    use super::*;

    fn client(settings: &[(&str, &str)]) -> Vec<(String, String)> {
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_client_without_security_needs_no_file() {
        assert!(SettingsFile::write(&client(&[("bootstrap.servers", "a:1")])).unwrap().is_none());
    }

    #[test]
    fn the_login_is_javas_and_can_be_read_by_a_program_that_is_started() {
        let client = client(&[
            ("bootstrap.servers", "a:1"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.username", "amelia"),
            ("sasl.password", r#"a"b\cé"#),
            ("ssl.ca.location", "/ca.pem"),
        ]);
        let file = SettingsFile::write(&client).unwrap().unwrap();
        let expected = concat!(
            "security.protocol=SASL_SSL\n",
            "sasl.mechanism=SCRAM-SHA-512\n",
            "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ",
            r#"username="amelia" password="a\\"b\\\\c\u00e9";"#,
            "\nssl.truststore.type=PEM\n",
            "ssl.truststore.location=/ca.pem\n",
        );
        let read = Command::new("cat").arg(file.path()).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), expected);
    }
}
