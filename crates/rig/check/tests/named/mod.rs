//! `check-cluster` with servers that a test names, whatever this process's own are.

use std::process::Command;

/// For servers without log-in and prefix. `seconds` are those that an answer may take.
pub fn command_named(brokers: &str, database_url: &str, seconds: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-cluster"));
    for (name, _) in std::env::vars() {
        if name.starts_with("KAFKA_") || name.starts_with("TIDEMARK_") {
            command.env_remove(name);
        }
    }
    command.env("TIDEMARK_ENV_FILE", "/dev/null").env("TIDEMARK_WAIT_SECONDS", seconds);
    command.env("KAFKA_BOOTSTRAP_SERVERS", brokers).env("DATABASE_URL", database_url);
    command
}
