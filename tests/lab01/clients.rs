//! Clients that the steps are given.

use rdkafka::ClientConfig;

/// A setting that no client has.
pub const NO_SETTING: &str = "tidemark.no.setting";

/// A client of a broker that is not there, with a setting that no client has. Whoever keeps all the
/// settings cannot make this client. Whoever takes only the address can, and would also lose the
/// settings that reach a broker behind a password.
pub fn with_a_setting_that_there_is_not() -> ClientConfig {
    let mut kafka = ClientConfig::new();
    kafka.set("bootstrap.servers", "127.0.0.1:1").set("socket.timeout.ms", "200");
    kafka.set(NO_SETTING, "1");
    kafka
}
