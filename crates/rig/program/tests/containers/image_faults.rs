//! Images that can't be had, and images whose containers do not serve.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::docker::{Image, OwnImages};
use crate::{ends_in_the_next_provider, rig};

/// How long an answer of a registry on this machine may take to be understood, with the engine's
/// own second attempts.
const REGISTRY: Duration = Duration::from_secs(30);

#[test]
fn a_registry_that_cannot_be_reached_is_named_with_the_image() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut rig = rig("no-registry");
    rig.set("TIDEMARK_REGISTRY", closed.to_string());
    let why = format!("Docker answers, but {closed}/apache/kafka-native:4.3.1 can't be pulled: ");
    ends_in_the_next_provider(REGISTRY, rig, &why);
}

#[test]
fn a_tag_that_is_not_there_is_named_with_the_image() {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = registry.local_addr().unwrap();
    std::thread::spawn(move || registry.incoming().flatten().for_each(knows_no_image));
    let mut rig = rig("no-tag");
    rig.set("TIDEMARK_REGISTRY", address.to_string());
    let why = format!("{address}/apache/kafka-native:4.3.1 can't be pulled: manifest");
    ends_in_the_next_provider(REGISTRY, rig, &why);
}

#[test]
fn a_registry_that_sends_nothing_is_given_up() {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rig = rig("mute-registry");
    rig.set("TIDEMARK_REGISTRY", registry.local_addr().unwrap().to_string());
    // The next provider's Kafka has to start within it too, on a busy machine as well.
    rig.set("TIDEMARK_WAIT_SECONDS", "10");
    let why = "can't be pulled: the registry sent nothing for 10 s";
    ends_in_the_next_provider(REGISTRY, rig, why);
}

/// Answers as a registry without this image does. See "Pulling manifests" in the specification of
/// distribution by the Open Container Initiative.
fn knows_no_image(mut client: TcpStream) {
    let mut request = [0; 4096];
    let Ok(length) = client.read(&mut request) else { return };
    let is_version_check = request[..length].starts_with(b"GET /v2/ ");
    let (status, body) = match is_version_check {
        true => ("200 OK", "{}"),
        false => (
            "404 Not Found",
            r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}"#,
        ),
    };
    let head = "Content-Type: application/json\r\nConnection: close";
    let length = body.len();
    // A client that asks in TLS first hangs up.
    let _ = write!(client, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
}

fn rig_with(images: &OwnImages, test: &str) -> crate::common::OwnRig {
    let mut rig = rig(test);
    rig.set("TIDEMARK_REGISTRY", images.prefix());
    rig
}

#[test]
fn a_kafka_that_ends_at_once_is_quoted_and_postgresql_is_not_left() {
    let images = OwnImages::new("ends");
    images.start_with(Image::Kafka, "echo FATAL no ground to stand on; exit 3");
    let why = "Docker answers, but Kafka's container has ended with exit code 3 at its start: \
               FATAL no ground to stand on";
    ends_in_the_next_provider(Duration::from_secs(15), rig_with(&images, "ends"), why);
}

#[test]
fn a_postgresql_that_ends_at_once_is_quoted_and_kafka_is_not_left() {
    let images = OwnImages::new("ends-too");
    images.start_with(Image::Postgres, "echo FATAL no ground to stand on >&2; exit 4");
    let why = "Docker answers, but PostgreSQL's container has ended with exit code 4 at its start: \
               FATAL no ground to stand on";
    ends_in_the_next_provider(Duration::from_secs(15), rig_with(&images, "ends-too"), why);
}

#[test]
fn a_container_that_never_answers_is_given_up_in_its_time() {
    let images = OwnImages::new("mute");
    // Kafka is the one that is named, even where a busy machine makes PostgreSQL late as well.
    images.start_with(Image::Kafka, "echo thinking; exec sleep 600");
    let mut rig = rig_with(&images, "never");
    // The limit is the next provider's too, which needs two or three of them.
    rig.set("TIDEMARK_WAIT_SECONDS", "8");
    let why = "Kafka's container did not answer within 8 s; its last line: thinking";
    ends_in_the_next_provider(Duration::from_secs(30), rig, why);
}

#[test]
fn a_full_disk_is_named_with_its_fix() {
    let images = OwnImages::new("full");
    // 64 MB of memory that every container has as a disk at /dev/shm. PostgreSQL needs about 40.
    let fill =
        "head -c 50000000 /dev/zero >/dev/shm/fill; export PGDATA=/dev/shm/data; exec \"$@\"";
    images.start_with(Image::Postgres, fill);
    let why = "PostgreSQL's container found the disk full; make room";
    ends_in_the_next_provider(Duration::from_secs(20), rig_with(&images, "full"), why);
}
