//! Whether the servers that the environment names answer.

use std::net::ToSocketAddrs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rig_probe::postgres_answers;

use crate::RigError;
use crate::cluster::Cluster;
#[cfg(feature = "database")]
use crate::database;
use crate::patience::patience;
use crate::rights;
use crate::slow::say_when_slow;

/// How long brokers may take to answer: they may be far away.
const KAFKA_TIMEOUT: Duration = Duration::from_secs(5);

/// How long PostgreSQL may take to log in and to answer.
#[cfg(feature = "database")]
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the first question is waited for before the client's own words are listened to; the next
/// ones twice as long each, up to the longest.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// What librdkafka says where a connection is closed so early.
const CLOSED_IN_HANDSHAKE: &str = "connecting to a PLAINTEXT broker listener?";
const CLOSED_AT_FIRST_REQUEST: &str = "in state APIVERSION_QUERY";

/// PostgreSQL's port where an address names none.
const POSTGRES_PORT: u16 = 5432;

/// What else helps than the server's start.
const FIX: &str = "or set TIDEMARK_RIG=local to use servers of the rig's own";

/// Asks both servers of a cluster that the rig did not start. Gives the replication factor that
/// topics get there.
///
/// # Errors
/// When one of them does not answer, does not let this client in or refuses what the labs do.
pub fn ask(cluster: &Cluster) -> Result<i32, RigError> {
    say_when_slow("asking the servers that the environment names", || {
        ask_kafka(cluster)?;
        ask_postgres(cluster.database_address())?;
        #[cfg(feature = "database")]
        database::ask(
            &cluster.database_url,
            cluster.database_address(),
            patience(POSTGRES_TIMEOUT)?,
        )?;
        rights::ask(cluster, patience(KAFKA_TIMEOUT)?)
    })
}

/// Asks Kafka alone.
///
/// # Errors
/// When it does not answer, or does not let this client in.
pub fn ask_kafka(cluster: &Cluster) -> Result<(), RigError> {
    let limit = patience(KAFKA_TIMEOUT)?;
    let (servers, limit_s) = (cluster.bootstrap(), limit.as_secs());
    let mut settings = cluster.kafka();
    settings.set_log_level(RDKafkaLogLevel::Info);
    let ca_file = settings.get("ssl.ca.location");
    let client: BaseConsumer<Heard> =
        settings.create_with_context(Heard::default()).map_err(|error| {
            RigError(format!("KAFKA_BOOTSTRAP_SERVERS is `{servers}`, expected brokers: {error}"))
        })?;
    let (began, mut look) = (Instant::now(), FIRST_LOOK);
    while let Some(left) = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
        if client.fetch_metadata(None, look.min(left)).is_ok() {
            return Ok(());
        }
        look = after(look);
        // What the client has to say comes with its events.
        while client.poll(Duration::ZERO).is_some() {}
        // Of several brokers one may be good where another one is not.
        let is_one = !servers.contains(',');
        if is_one && let Some(why) = client.context().why_it_is_hopeless(ca_file) {
            return Err(RigError(format!("Kafka at {servers} {why}")));
        }
    }
    if let Some(why) = client.context().why_it_is_hopeless(ca_file) {
        return Err(RigError(format!("Kafka at {servers} {why}")));
    }
    let asks = client.context().what_the_port_asks_for(settings.get("security.protocol"));
    Err(RigError(format!(
        "Kafka at {servers} did not answer within {limit_s} s; start it, {FIX}{asks}"
    )))
}

fn after(look: Duration) -> Duration {
    (look * 2).min(LONGEST_LOOK)
}

/// What a client says of its connections.
#[derive(Default)]
struct Heard {
    errors: Mutex<Vec<(RDKafkaErrorCode, String)>>,
    /// Of some connections that are closed, librdkafka says so here alone.
    log: Mutex<Vec<String>>,
}

impl Heard {
    /// Why the brokers can't be had, where waiting does not help.
    fn why_it_is_hopeless(&self, ca_file: Option<&str>) -> Option<String> {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().find_map(|(code, reason)| in_words(*code, reason, ca_file))
    }

    /// What else may help where each connection was closed, as a port does that wants another protocol.
    fn what_the_port_asks_for(&self, protocol: Option<&str>) -> String {
        let Some(protocol) = protocol else {
            return "; if it asks for TLS or a log-in, set KAFKA_SECURITY_PROTOCOL".to_owned();
        };
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let says = |words| log.iter().any(|line| line.contains(words));
        let asks = if says(CLOSED_IN_HANDSHAKE) {
            "does it speak TLS at this port"
        } else if says(CLOSED_AT_FIRST_REQUEST) {
            "does it ask for TLS at this port"
        } else {
            return String::new();
        };
        format!("; it closes each connection: {asks}? KAFKA_SECURITY_PROTOCOL is {protocol}")
    }
}

impl ClientContext for Heard {
    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.push((code, reason.to_owned()));
    }

    // Kept and not printed: the sentence says it.
    fn log(&self, _: RDKafkaLogLevel, _: &str, line: &str) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}

impl ConsumerContext for Heard {}

/// A sentence for what no patience mends; `None` for the rest.
fn in_words(code: RDKafkaErrorCode, reason: &str, ca_file: Option<&str>) -> Option<String> {
    match code {
        RDKafkaErrorCode::Authentication if reason.contains("supported mechanisms") => Some(
            format!("does not offer this KAFKA_SASL_MECHANISM: {}", said_by_librdkafka(reason)),
        ),
        RDKafkaErrorCode::Authentication => Some(
            "refused to log you in; are KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD right, and \
             KAFKA_SASL_MECHANISM that of this user?"
                .to_owned(),
        ),
        RDKafkaErrorCode::SSL => {
            Some(format!("cannot be trusted by TLS: {}", why_not_trusted(reason, ca_file)))
        }
        RDKafkaErrorCode::Resolve => Some(format!(
            "has no address: the name cannot be resolved; look at its spelling, {FIX}"
        )),
        _ => None,
    }
}

/// What is wrong with the certificate; where none is shown, what librdkafka says.
fn why_not_trusted(reason: &str, ca_file: Option<&str>) -> String {
    refused_certificate(reason, ca_file).unwrap_or_else(|| {
        let said = said_by_librdkafka(reason);
        format!("{said}; does it speak TLS at this port, and is KAFKA_SSL_CA_LOCATION right?")
    })
}

#[cfg(feature = "tls")]
fn refused_certificate(reason: &str, ca_file: Option<&str>) -> Option<String> {
    crate::certificate::refusal(broker_in(reason)?, ca_file)
}

#[cfg(not(feature = "tls"))]
fn refused_certificate(_: &str, _: Option<&str>) -> Option<String> {
    None
}

/// `host:port` out of librdkafka's `sasl_ssl://host:port/bootstrap: …`.
#[cfg(feature = "tls")]
fn broker_in(reason: &str) -> Option<&str> {
    let (address, _) = reason.split_once("://")?.1.split_once('/')?;
    Some(address)
}

/// `certificate verify failed: broker certificate could not be verified` out of librdkafka's
/// `ssl://host:port/bootstrap: SSL handshake failed: error:…:SSL routines::…, verify that … (after 3ms …)`.
fn said_by_librdkafka(reason: &str) -> &str {
    let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
    let reason = reason.split_once("SSL routines::").map_or(reason, |(_, reason)| reason);
    let end = [" (after ", ", verify that "].iter().filter_map(|end| reason.find(end)).min();
    &reason[..end.unwrap_or(reason.len())]
}

/// `addresses` is what stands between user and path in the URL: one, several with commas between
/// them, or none where the URL names a socket behind its path. That one is not asked.
fn ask_postgres(addresses: &str) -> Result<(), RigError> {
    let mut addresses_asked = addresses.split(',').filter(|address| !address.is_empty()).peekable();
    if addresses_asked.peek().is_none() || addresses_asked.any(answers) {
        return Ok(());
    }
    Err(RigError(format!("PostgreSQL at {addresses} did not answer; start it, {FIX}")))
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
    fn looks_grow_up_to_the_longest() {
        assert_eq!(after(FIRST_LOOK), FIRST_LOOK * 2);
        let hundredth = (0..100).fold(FIRST_LOOK, |look, _| after(look));
        assert_eq!(hundredth, LONGEST_LOOK);
    }

    #[test]
    fn of_librdkafkas_words_those_that_say_what_is_wrong_are_shown() {
        let reason = "ssl://localhost:19504/bootstrap: SSL handshake failed: error:0A000086:SSL \
            routines::certificate verify failed: broker certificate could not be verified, verify \
            that ssl.ca.location is correctly configured (after 5ms in state SSL_HANDSHAKE)";
        let expected = "certificate verify failed: broker certificate could not be verified";
        assert_eq!(said_by_librdkafka(reason), expected);
        assert_eq!(said_by_librdkafka("nothing of that"), "nothing of that");
        #[cfg(feature = "tls")]
        assert_eq!(broker_in(reason), Some("localhost:19504"));
        assert_eq!(in_words(RDKafkaErrorCode::BrokerTransportFailure, reason, None), None);
    }

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
        let expected = format!("PostgreSQL at {closed} did not answer; start it, or set");
        assert!(sentence.starts_with(&expected), "{sentence}");
        assert_eq!(ask_postgres(""), Ok(()));
    }
}
