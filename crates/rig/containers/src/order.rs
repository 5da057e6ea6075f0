//! What the rig's program orders.

use std::time::Duration;

use serde::Deserialize;

/// Two servers and their limits. The same order twice is the same servers.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// By which the containers of one rig are found again.
    pub label: String,
    /// Drawn at random with the password. A container of another order has another password.
    pub id: String,
    /// Kafka's image with its tag.
    pub kafka_image: String,
    /// PostgreSQL's image with its tag.
    pub postgres_image: String,
    /// Kafka's port on this machine. Kafka tells it to its clients, so a container keeps it.
    pub kafka_port: u16,
    /// PostgreSQL's port on this machine.
    pub postgres_port: u16,
    /// The password of PostgreSQL's user.
    pub password: String,
    /// What each container may take of the machine's memory, in MiB.
    pub memory_mib: u32,
    /// How many seconds a container may take to answer, and an image to send anything.
    pub start_seconds: u64,
}

impl Order {
    /// The memory limit in bytes.
    pub fn memory_bytes(&self) -> i64 {
        i64::from(self.memory_mib) * 1024 * 1024
    }

    /// The time limit.
    pub fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }
}
