//! The containers provider: Kafka and PostgreSQL by testcontainers.
//!
//! `rig-containers KAFKA_VERSION POSTGRES_VERSION` starts both, prints the brokers' addresses and
//! the database's address on two lines, and ends both when its input ends. When it cannot, it
//! prints one line, why, and fails.
//!
//! It is a program of its own so that the rig's program builds without testcontainers.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::process::ExitCode;

use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

const KAFKA_IMAGE: &str = "apache/kafka-native";
const POSTGRES_IMAGE: &str = "postgres";

/// Kafka's port for clients inside its container.
const KAFKA_PORT: u16 = 9092;

/// PostgreSQL's port inside its container.
const POSTGRES_PORT: u16 = 5432;

#[tokio::main]
async fn main() -> ExitCode {
    let versions: Vec<String> = std::env::args().skip(1).collect();
    let [kafka_version, postgres_version] = versions.as_slice() else {
        println!("expected two versions, Kafka's and PostgreSQL's, found {}", versions.len());
        return ExitCode::FAILURE;
    };
    match run(kafka_version, postgres_version).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever the engine said.
            println!("{}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn run(kafka_version: &str, postgres_version: &str) -> Result<(), Box<dyn Error>> {
    let (kafka, bootstrap) = start_kafka(kafka_version).await?;
    let (postgres, database_url) = start_postgres(postgres_version).await?;
    println!("{bootstrap}\n{database_url}");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    kafka.rm().await?;
    postgres.rm().await?;
    Ok(())
}

async fn start_kafka(version: &str) -> Result<(ContainerAsync<GenericImage>, String), String> {
    // Kafka tells its clients where to find it, so its port on this machine must be known before
    // it starts.
    let port = free_port().map_err(|error| format!("no port is free for Kafka: {error}"))?;
    let ready = WaitFor::message_on_stdout("Kafka Server started");
    let mut request: ContainerRequest<GenericImage> = GenericImage::new(KAFKA_IMAGE, version)
        .with_wait_for(ready)
        .with_mapped_port(port, KAFKA_PORT.tcp());
    for (name, value) in kafka_settings(port) {
        request = request.with_env_var(name, value);
    }
    let container = request.start().await.map_err(not_started(KAFKA_IMAGE, version))?;
    Ok((container, format!("127.0.0.1:{port}")))
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
        ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        ("KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "500"),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).to_vec()
}

async fn start_postgres(version: &str) -> Result<(ContainerAsync<GenericImage>, String), String> {
    let password = password().map_err(|error| format!("no password can be drawn: {error}"))?;
    // The image starts the server twice: once to make the database, once for good.
    let ready = "database system is ready to accept connections";
    let container = GenericImage::new(POSTGRES_IMAGE, version)
        .with_exposed_port(POSTGRES_PORT.tcp())
        .with_wait_for(WaitFor::message_on_stdout("init process complete"))
        .with_wait_for(WaitFor::message_on_stderr(ready))
        .with_env_var("POSTGRES_USER", "tidemark")
        .with_env_var("POSTGRES_DB", "tidemark")
        .with_env_var("POSTGRES_PASSWORD", &password)
        .start()
        .await
        .map_err(not_started(POSTGRES_IMAGE, version))?;
    let port = container.get_host_port_ipv4(POSTGRES_PORT).await;
    let port = port.map_err(|error| format!("PostgreSQL's container has no port: {error}"))?;
    Ok((container, format!("postgresql://tidemark:{password}@127.0.0.1:{port}/tidemark")))
}

fn not_started(
    image: &str,
    version: &str,
) -> impl Fn(testcontainers::TestcontainersError) -> String {
    move |error| format!("{image}:{version} can't be started ({error})")
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// 128 bits from the system's source of randomness, in hexadecimal.
fn password() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
