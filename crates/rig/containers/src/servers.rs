//! Kafka and PostgreSQL in containers, used again by every later start.

use std::collections::HashMap;
use std::time::Duration;

use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt, ReuseDirective};

use crate::engine::{Engine, LABEL};
use crate::order::Order;

/// Kafka's port for clients inside its container.
const KAFKA_PORT: u16 = 9092;

/// PostgreSQL's port inside its container.
const POSTGRES_PORT: u16 = 5432;

/// What a container may take of the machine's memory, in bytes.
const MEMORY_BYTES: i64 = 1024 * 1024 * 1024;

/// How long a container may take to be ready.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// Two containers that were started.
pub struct Servers {
    engine: Engine,
    kafka: ContainerAsync<GenericImage>,
    postgres: ContainerAsync<GenericImage>,
}

impl Servers {
    /// Starts the containers of an order, or finds those of the same order again.
    ///
    /// A container that is found again is not waited for: whoever ordered it asks it whether it
    /// answers.
    ///
    /// # Errors
    /// When an image cannot be had or a container does not become ready.
    pub async fn start(order: &Order) -> Result<Servers, String> {
        let engine = Engine::connect()?;
        remove_other_orders(&engine, order).await?;
        engine.pull(&order.kafka_image).await?;
        engine.pull(&order.postgres_image).await?;
        let (kafka, postgres) =
            futures::join!(kafka_request(order).start(), postgres_request(order).start());
        let failed = |image: &str, error| format!("{image} can't be started: {error}");
        Ok(Servers {
            kafka: kafka.map_err(|error| failed(&order.kafka_image, error))?,
            postgres: postgres.map_err(|error| failed(&order.postgres_image, error))?,
            engine,
        })
    }

    /// Which container does not serve any more, and why.
    pub async fn lost(&self) -> Option<String> {
        for (name, container) in [("Kafka", &self.kafka), ("PostgreSQL", &self.postgres)] {
            if let Some(trouble) = self.engine.trouble(container.id()).await {
                return Some(format!("{name}'s container {trouble}"));
            }
        }
        None
    }

    /// Stops the containers; they and their data are there for the next start.
    ///
    /// # Errors
    /// When one of them cannot be stopped.
    pub async fn stop(self) -> Result<(), String> {
        let failed = |error| format!("a container can't be stopped: {error}");
        // Neither has work left that it would have to finish.
        self.kafka.stop_with_timeout(Some(5)).await.map_err(failed)?;
        self.postgres.stop_with_timeout(Some(5)).await.map_err(failed)
    }

    /// Removes the containers and their data.
    ///
    /// # Errors
    /// When one of them cannot be removed.
    pub async fn remove(self) -> Result<(), String> {
        let failed = |error| format!("a container can't be removed: {error}");
        self.kafka.rm().await.map_err(failed)?;
        self.postgres.rm().await.map_err(failed)
    }
}

/// Containers of the same rig on another port or of another version are of no use any more.
async fn remove_other_orders(engine: &Engine, order: &Order) -> Result<(), String> {
    let wanted = [kafka_labels(order), postgres_labels(order)];
    let found = engine.containers(&order.label).await?;
    let all_wanted = found.iter().all(|container| {
        let labels = container.labels.clone().unwrap_or_default();
        wanted.iter().any(|wanted| wanted.iter().all(|(k, v)| labels.get(k) == Some(v)))
    });
    if all_wanted { Ok(()) } else { engine.remove_all(&order.label).await }
}

fn labels(order: &Order, server: &str, image: &str, port: u16) -> HashMap<String, String> {
    HashMap::from([
        (LABEL.to_owned(), order.label.clone()),
        ("tidemark.server".to_owned(), server.to_owned()),
        ("tidemark.image".to_owned(), image.to_owned()),
        ("tidemark.port".to_owned(), port.to_string()),
    ])
}

fn kafka_labels(order: &Order) -> HashMap<String, String> {
    labels(order, "kafka", &order.kafka_image, order.kafka_port)
}

fn postgres_labels(order: &Order) -> HashMap<String, String> {
    labels(order, "postgres", &order.postgres_image, order.postgres_port)
}

fn kafka_request(order: &Order) -> ContainerRequest<GenericImage> {
    let request = image(&order.kafka_image)
        .with_wait_for(WaitFor::message_on_stdout("Kafka Server started"))
        .with_labels(kafka_labels(order));
    let request = on_loopback(request, order.kafka_port, KAFKA_PORT);
    kafka_settings(order.kafka_port)
        .into_iter()
        .fold(request, |request, (name, value)| request.with_env_var(name, value))
}

/// One node; short waits for short tests, as the local provider has them.
fn kafka_settings(port: u16) -> Vec<(&'static str, String)> {
    let advertised = format!("PLAINTEXT://127.0.0.1:{port}");
    let settings = [
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        ("KAFKA_ADVERTISED_LISTENERS", &advertised),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
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

fn postgres_request(order: &Order) -> ContainerRequest<GenericImage> {
    // The image starts the server twice: once to make the database, once for good.
    let request = image(&order.postgres_image)
        .with_wait_for(WaitFor::message_on_stdout("init process complete"))
        .with_wait_for(WaitFor::message_on_stderr("ready to accept connections"))
        .with_labels(postgres_labels(order))
        .with_env_var("POSTGRES_USER", "tidemark")
        .with_env_var("POSTGRES_DB", "tidemark")
        .with_env_var("POSTGRES_PASSWORD", &order.password)
        // Quicker, and enough for data of one test.
        .with_cmd(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=200"]);
    on_loopback(request, order.postgres_port, POSTGRES_PORT)
}

fn image(name_and_tag: &str) -> GenericImage {
    let (name, tag) = name_and_tag.rsplit_once(':').unwrap_or((name_and_tag, "latest"));
    GenericImage::new(name, tag)
}

/// Binds a port of the container to one of this machine, on the loopback interface alone.
fn on_loopback(
    request: ContainerRequest<GenericImage>,
    port: u16,
    inside: u16,
) -> ContainerRequest<GenericImage> {
    let binding =
        PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port.to_string()) };
    let bindings = HashMap::from([(format!("{inside}/tcp"), Some(vec![binding]))]);
    request
        .with_mapped_port(port, inside.tcp())
        .with_startup_timeout(START_TIMEOUT)
        .with_reuse(ReuseDirective::Always)
        .with_host_config_modifier(move |config: &mut HostConfig| {
            config.port_bindings = Some(bindings.clone());
            config.memory = Some(MEMORY_BYTES);
        })
}
