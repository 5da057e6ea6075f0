//! What Maven may not bring, or bring damaged. The machine's own Maven, with a home of its own,
//! speaks to a mirror on the loopback address.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::{OwnRig, fetched_jars, path_before, pinned, script, test_folder};

/// A rig whose Maven has an empty repository and these settings.
fn rig_with_settings(test: &str, settings: &str) -> OwnRig {
    let home = test_folder(test);
    fs::create_dir(home.join(".m2")).unwrap();
    fs::write(home.join(".m2/settings.xml"), format!("<settings>{settings}</settings>")).unwrap();
    let mut rig = OwnRig::that_stays_down(test);
    rig.unset("KAFKA_HOME");
    rig.set("MAVEN_OPTS", format!("-Duser.home={}", home.display()));
    rig
}

fn mirror(address: SocketAddr) -> String {
    format!(
        "<mirrors><mirror><id>test</id><mirrorOf>*</mirrorOf>\
         <url>http://{address}/</url></mirror></mirrors>"
    )
}

/// Answers every request with what `answer` makes of its path.
fn serve(answer: fn(&str) -> &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is no matter of this test.
            let _ = serve_one(&stream, answer);
        }
    });
    address
}

fn serve_one(mut stream: &TcpStream, answer: fn(&str) -> &'static str) -> std::io::Result<()> {
    let mut request = BufReader::new(stream).lines().map_while(Result::ok);
    let first = request.next().unwrap_or_default();
    request.take_while(|header| !header.is_empty()).for_each(drop);
    let body = answer(first.split(' ').nth(1).unwrap_or_default());
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[test]
fn without_a_network_the_sentence_asks_for_one() {
    // Bound and closed again: nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rig = rig_with_settings("no-network", &mirror(address));
    let (sentence, before) = rig.fails_within(Duration::from_secs(30), &["fetch"]);
    assert!(sentence.starts_with("Maven could not fetch it: "), "{sentence}");
    assert!(sentence.contains("Connection refused"), "{sentence}");
    assert!(sentence.contains("is there a network, and does `mvn` use the proxy?"), "{sentence}");
    assert!(before.contains("from its local repository, or else 55 MB"), "{before}");
}

#[test]
fn a_maven_that_was_told_to_be_offline_is_quoted() {
    let rig = rig_with_settings("offline", "<offline>true</offline>");
    let (sentence, _) = rig.fails_within(Duration::from_secs(30), &["fetch"]);
    assert!(sentence.contains("offline mode"), "{sentence}");
}

#[test]
fn a_mirror_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = rig_with_settings("silent", &mirror(silent.local_addr().unwrap()));
    let (sentence, _) = rig.fails_within(Duration::from_secs(60), &["fetch"]);
    assert!(sentence.contains("timed out"), "{sentence}");
}

#[test]
fn a_download_whose_checksum_is_wrong_is_refused() {
    let address = serve(|path| match path.ends_with(".sha1") {
        true => "0000000000000000000000000000000000000000",
        false => "<project/>",
    });
    let rig = rig_with_settings("wrong-checksum", &mirror(address));
    let (sentence, _) = rig.fails_within(Duration::from_secs(30), &["fetch"]);
    assert!(sentence.contains("Checksum validation failed"), "{sentence}");
    assert!(sentence.contains("changes the files; try another network"), "{sentence}");
}

/// A Maven that copies the jars of the clone's own rig and then does `this` in their folder.
fn rig_with_copying_maven(test: &str, this: &str) -> OwnRig {
    let folder = test_folder(test);
    let maven = format!(
        "for argument; do case $argument in -DoutputDirectory=*) \
         cd \"${{argument#*=}}\" && cp {}/*.jar . && {this} && exit ;; esac; done; exit 1",
        fetched_jars().display()
    );
    script(&folder, "mvn", &maven);
    let mut rig = OwnRig::that_stays_down(test);
    rig.unset("KAFKA_HOME");
    rig.set("PATH", path_before(&folder));
    rig
}

fn jar() -> String {
    format!("kafka-clients-{}.jar", pinned("KAFKA_VERSION"))
}

fn jars_of(rig: &OwnRig) -> PathBuf {
    rig.folder().join(format!("kafka-jars-{}", pinned("KAFKA_VERSION")))
}

fn truncate(jar: &Path) {
    fs::OpenOptions::new().write(true).open(jar).unwrap().set_len(1_000).unwrap();
}

#[test]
fn a_jar_that_is_damaged_in_mavens_repository_is_named_with_the_command_that_removes_it() {
    let jar = jar();
    let rig = rig_with_copying_maven("damaged", &format!("echo changed > {jar}"));
    let (sentence, _) = rig.fails_within(Duration::from_secs(20), &["fetch"]);
    assert!(sentence.starts_with(&format!("{jar} from Maven is not the file on record")));
    assert!(sentence.contains(&format!("find ~/.m2/repository -name {jar} -delete")), "{sentence}");
    assert!(!jars_of(&rig).exists(), "damaged jars were kept");
}

#[test]
fn a_jar_that_was_cut_short_is_fetched_again() {
    let rig = rig_with_copying_maven("cut-short", "true");
    rig.succeeds(&["fetch"]);
    let path = jars_of(&rig).join(jar());
    let whole = fs::metadata(&path).unwrap().len();
    truncate(&path);

    let said = rig.succeeds(&["fetch"]);
    assert!(said.contains(&format!("rig: {} in {} is damaged", jar(), jars_of(&rig).display())));
    let mut bytes = Vec::new();
    fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, whole, "the jar is still cut short");
    assert!(!rig.succeeds(&["fetch"]).contains("damaged"), "fetched again without a reason");
}
