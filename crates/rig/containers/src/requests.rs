//! The two servers as testcontainers is asked for them.

use std::collections::HashMap;

use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::core::IntoContainerPort;
use testcontainers::{ContainerRequest, GenericImage, ImageExt, ReuseDirective};

use crate::answers;
use crate::engine::LABEL;
use crate::order::Order;

/// Kafka's port for clients inside its container.
const KAFKA_PORT: u16 = 9092;

/// PostgreSQL's port inside its container.
const POSTGRES_PORT: u16 = 5432;

/// One of the two servers.
pub struct Server {
    /// For people.
    pub name: &'static str,
    /// The image with its tag.
    pub image: String,
    /// By which its container is found again. Another image, port or password is another server.
    pub labels: HashMap<String, String>,
    /// Whether it answers at this port of the machine.
    pub answers: fn(u16) -> bool,
    /// The port on this machine.
    pub port: u16,
    /// What testcontainers is asked for.
    pub request: fn(&Order) -> ContainerRequest<GenericImage>,
}

impl Server {
    /// Whether a container with these labels is this server's.
    pub fn is_it(&self, labels: &HashMap<String, String>) -> bool {
        self.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
    }
}

/// Kafka as it was ordered.
pub fn kafka(order: &Order) -> Server {
    Server {
        name: "Kafka",
        image: order.kafka_image.clone(),
        labels: kafka_labels(order),
        answers: answers::kafka,
        port: order.kafka_port,
        request: kafka_request,
    }
}

/// PostgreSQL as it was ordered.
pub fn postgres(order: &Order) -> Server {
    Server {
        name: "PostgreSQL",
        image: order.postgres_image.clone(),
        labels: postgres_labels(order),
        answers: answers::postgres,
        port: order.postgres_port,
        request: postgres_request,
    }
}

fn kafka_labels(order: &Order) -> HashMap<String, String> {
    labels(order, "kafka", &order.kafka_image, order.kafka_port)
}

fn postgres_labels(order: &Order) -> HashMap<String, String> {
    labels(order, "postgres", &order.postgres_image, order.postgres_port)
}

fn kafka_request(order: &Order) -> ContainerRequest<GenericImage> {
    let request = image(&order.kafka_image).with_labels(kafka_labels(order));
    kafka_settings(order.kafka_port)
        .into_iter()
        .fold(limited(request, order, order.kafka_port, KAFKA_PORT), |request, (name, value)| {
            request.with_env_var(name, value)
        })
}

fn postgres_request(order: &Order) -> ContainerRequest<GenericImage> {
    let request = image(&order.postgres_image)
        .with_labels(postgres_labels(order))
        .with_env_var("POSTGRES_USER", "tidemark")
        .with_env_var("POSTGRES_DB", "tidemark")
        .with_env_var("POSTGRES_PASSWORD", &order.password)
        // Quicker, and enough for data of one test.
        .with_cmd(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=200"]);
    limited(request, order, order.postgres_port, POSTGRES_PORT)
}

fn labels(order: &Order, server: &str, image: &str, port: u16) -> HashMap<String, String> {
    HashMap::from([
        (LABEL.to_owned(), order.label.clone()),
        ("tidemark.order".to_owned(), order.id.clone()),
        ("tidemark.server".to_owned(), server.to_owned()),
        ("tidemark.image".to_owned(), image.to_owned()),
        ("tidemark.port".to_owned(), port.to_string()),
    ])
}

/// One node; short waits for short tests, as the local provider has them. The broker asks itself whether
/// a transaction is open, and cannot reach itself where its clients do: so it has a listener inside.
fn kafka_settings(port: u16) -> Vec<(&'static str, String)> {
    let advertised = format!("PLAINTEXT://127.0.0.1:{port},INSIDE://localhost:29092");
    let settings = [
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,INSIDE://localhost:29092,CONTROLLER://:9093"),
        ("KAFKA_ADVERTISED_LISTENERS", &advertised),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_INTER_BROKER_LISTENER_NAME", "INSIDE"),
        (
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"),
        ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false"),
        ("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1"),
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1"),
        ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_NUM_PARTITIONS", "1"),
        ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR", "1"),
        ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR", "1"),
        ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        ("KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "500"),
        ("KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS", "1000"),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn image(name_and_tag: &str) -> GenericImage {
    let (name, tag) = name_and_tag.rsplit_once(':').unwrap_or((name_and_tag, "latest"));
    GenericImage::new(name, tag)
}

/// Binds a port of the container to one of this machine, on the loopback interface alone, and
/// limits its memory.
fn limited(
    request: ContainerRequest<GenericImage>,
    order: &Order,
    port: u16,
    inside: u16,
) -> ContainerRequest<GenericImage> {
    let binding =
        PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port.to_string()) };
    let bindings = HashMap::from([(format!("{inside}/tcp"), Some(vec![binding]))]);
    let memory_bytes = order.memory_bytes();
    request
        .with_mapped_port(port, inside.tcp())
        .with_startup_timeout(order.start_timeout())
        .with_reuse(ReuseDirective::Always)
        .with_host_config_modifier(move |config: &mut HostConfig| {
            config.port_bindings = Some(bindings.clone());
            config.memory = Some(memory_bytes);
            // No swap on top: a server that swaps is not slow but dead.
            config.memory_swap = Some(memory_bytes);
        })
}
