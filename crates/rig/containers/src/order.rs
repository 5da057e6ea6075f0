//! What the rig's program orders.

use serde::Deserialize;

/// Two servers: their images, ports and password. The same order twice is the same servers.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// By which the containers of one rig are found again.
    pub label: String,
    /// Kafka's image with its tag.
    pub kafka_image: String,
    /// PostgreSQL's image with its tag.
    pub postgres_image: String,
    /// Kafka's port on this machine. Kafka tells it to its clients, so it never changes.
    pub kafka_port: u16,
    /// PostgreSQL's port on this machine.
    pub postgres_port: u16,
    /// The password of PostgreSQL's user.
    pub password: String,
}
