//! Whether the servers that the environment names answer.

use std::net::ToSocketAddrs;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rig::cluster::Cluster;
use rig::probe::postgres_answers;

use crate::failure::Failure;
use crate::patience::patience;
use crate::slow::say_when_slow;

/// How long brokers may take to answer: they may be far away.
const KAFKA_TIMEOUT: Duration = Duration::from_secs(5);

/// PostgreSQL's port where an address names none.
const POSTGRES_PORT: u16 = 5432;

/// What else helps than the server's start.
const FIX: &str = "or unset KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL to use the rig's own servers";

/// Asks both servers of a cluster that the rig did not start.
///
/// # Errors
/// When one of them does not answer.
pub fn ask(cluster: &Cluster) -> Result<(), Failure> {
    say_when_slow("asking the servers that the environment names", || {
        ask_kafka(cluster)?;
        ask_postgres(cluster.database_address())
    })
}

fn ask_kafka(cluster: &Cluster) -> Result<(), Failure> {
    let limit = patience(KAFKA_TIMEOUT)?;
    let (servers, limit_s) = (cluster.bootstrap(), limit.as_secs());
    let client: BaseConsumer = cluster.kafka().create().map_err(|error| {
        Failure(format!("KAFKA_BOOTSTRAP_SERVERS is `{servers}`, expected brokers: {error}"))
    })?;
    match client.fetch_metadata(None, limit) {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure(format!(
            "Kafka at {servers} did not answer within {limit_s} s; start it, {FIX}"
        ))),
    }
}

/// `addresses` is what stands between user and path in the URL: one, several with commas between
/// them, or none where the URL names a socket behind its path. That one is not asked.
fn ask_postgres(addresses: &str) -> Result<(), Failure> {
    let mut addresses_asked = addresses.split(',').filter(|address| !address.is_empty()).peekable();
    if addresses_asked.peek().is_none() || addresses_asked.any(answers) {
        return Ok(());
    }
    Err(Failure(format!("PostgreSQL at {addresses} did not answer; start it, {FIX}")))
}

fn answers(address: &str) -> bool {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let address = match port {
        Some(_) => address.to_owned(),
        None => format!("{address}:{POSTGRES_PORT}"),
    };
    address.to_socket_addrs().is_ok_and(|mut found| found.any(postgres_answers))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn one_of_several_addresses_is_enough_and_a_socket_is_not_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 8]).unwrap();
            stream.write_all(b"N").unwrap();
        });
        assert_eq!(ask_postgres(&format!("{closed},{address}")), Ok(()));
        server.join().unwrap();
        let sentence = ask_postgres(&closed.to_string()).unwrap_err().0;
        let expected = format!("PostgreSQL at {closed} did not answer; start it, or unset");
        assert!(sentence.starts_with(&expected), "{sentence}");
        assert_eq!(ask_postgres(""), Ok(()));
    }
}
