//! Why a broker's certificate is not trusted.
//!
//! OpenSSL, and so librdkafka, says `certificate verify failed` of each of them: no reason, no name, no time. So
//! the rig shakes hands once more, as far as the certificate. Nothing is sent after it, so no password is.

use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use openssl::x509::{GeneralNameRef, X509NameRef, X509Ref, X509StoreContextRef};

/// How long the broker may take to connect, and for each of its answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

// The numbers of `X509_V_ERR_…` in OpenSSL's `x509_vfy.h`.
const NOT_YET_VALID: i32 = 9;
const EXPIRED: i32 = 10;
/// No issuer at all, one that signs for itself, and one that is not here.
const UNKNOWN_AUTHORITY: [i32; 5] = [2, 18, 19, 20, 21];
const OTHER_HOST: i32 = 62;
const OTHER_ADDRESS: i32 = 64;

/// What the certificate of the broker at `host:port` was expected to be, what it is, and what helps.
/// `ca_file` holds the certificates that are trusted; without it, the system's are.
///
/// `None` where the certificate is trusted, or where none is shown.
pub fn refusal(address: &str, ca_file: Option<&str>) -> Option<String> {
    let host = address.rsplit_once(':')?.0.trim_matches(['[', ']']);
    let stream = connected(address)?;
    let mut ssl = ssl(host, ca_file).ok()?;
    let (sender, refused) = channel();
    let (host, ca_file) = (host.to_owned(), ca_file.map(str::to_owned));
    ssl.set_verify_callback(SslVerifyMode::PEER, move |trusted, found| {
        if !trusted && let Some(why) = in_words(found, &host, ca_file.as_deref()) {
            // The other end is there as long as this connection.
            let _ = sender.send(why);
        }
        trusted
    });
    // Of how it ends, what was heard of the certificate is all that counts.
    let _ = ssl.connect(stream);
    // Names are what the broker says they are: none may write over a terminal's other lines.
    refused.try_recv().ok().map(|why| why.replace(char::is_control, "?"))
}

fn connected(address: &str) -> Option<TcpStream> {
    let mut addresses = address.to_socket_addrs().ok()?;
    let stream =
        addresses.find_map(|address| TcpStream::connect_timeout(&address, ANSWER_TIMEOUT).ok())?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).ok()?;
    Some(stream)
}

/// One side of a connection that trusts and expects what librdkafka does.
fn ssl(host: &str, ca_file: Option<&str>) -> Result<Ssl, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    match ca_file {
        Some(file) => context.set_ca_file(file)?,
        None => context.set_default_verify_paths()?,
    }
    let mut ssl = Ssl::new(&context.build())?;
    match host.parse::<IpAddr>() {
        Ok(address) => ssl.param_mut().set_ip(address)?,
        Err(_) => {
            ssl.set_hostname(host)?;
            ssl.param_mut().set_host(host)?;
        }
    }
    Ok(ssl)
}

fn in_words(found: &X509StoreContextRef, host: &str, ca_file: Option<&str>) -> Option<String> {
    let certificate = found.current_cert()?;
    match found.error().as_raw() {
        EXPIRED | NOT_YET_VALID => not_valid_now(certificate),
        OTHER_HOST | OTHER_ADDRESS => Some(for_another_host(certificate, host)),
        _ => not_vouched_for(found, ca_file),
    }
}

fn not_valid_now(certificate: &X509Ref) -> Option<String> {
    Some(format!(
        "expected a certificate that is valid at {}, the time of this machine, found {}, valid from {} until {}; \
         set the clock if it is wrong, else ask who runs Kafka for another certificate",
        &*Asn1Time::days_from_now(0).ok()?,
        name(certificate.subject_name()),
        certificate.not_before(),
        certificate.not_after(),
    ))
}

fn for_another_host(certificate: &X509Ref, host: &str) -> String {
    format!(
        "expected a certificate for {host}, found {}, which is for {}; set KAFKA_BOOTSTRAP_SERVERS to a name \
         that it is for",
        name(certificate.subject_name()),
        hosts(certificate),
    )
}

fn not_vouched_for(found: &X509StoreContextRef, ca_file: Option<&str>) -> Option<String> {
    // The broker's own certificate comes first. The one at fault may be that of an authority.
    let broker = name(found.chain()?.get(0)?.subject_name());
    let authority = name(found.current_cert()?.issuer_name());
    let fix = if UNKNOWN_AUTHORITY.contains(&found.error().as_raw()) {
        format!("set KAFKA_SSL_CA_LOCATION to a file with the certificate of {authority}")
    } else {
        format!(
            "OpenSSL says: {}; ask who runs Kafka for another one",
            found.error().error_string()
        )
    };
    Some(format!(
        "expected a certificate that {} vouches for, found {broker}, which {authority} vouches for; {fix}",
        ca_file.unwrap_or("this system"),
    ))
}

/// A subject or an issuer, as `CN=broker, O=example`.
fn name(name: &X509NameRef) -> String {
    let parts = name.entries().map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        format!("{key}={}", entry.data().to_string().as_deref().unwrap_or("?"))
    });
    format!("`{}`", parts.collect::<Vec<_>>().join(", "))
}

/// The hosts that a certificate is for.
fn hosts(certificate: &X509Ref) -> String {
    let listed = certificate.subject_alt_names();
    let hosts: Vec<_> = listed.iter().flatten().filter_map(host_of).collect();
    if hosts.is_empty() { "no host by name".to_owned() } else { hosts.join(", ") }
}

fn host_of(name: &GeneralNameRef) -> Option<String> {
    let address = |bytes: &[u8]| {
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
    };
    let by_address = || Some(address(name.ipaddress()?)?.to_string());
    name.dnsname().map(str::to_owned).or_else(by_address)
}
