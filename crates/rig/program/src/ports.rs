//! Ports on the loopback interface.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use rig::setting::text_setting;

use crate::failure::Failure;
use crate::random::random_word;

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The system draws the ports of outgoing connections from above these (from 32768 on Linux, from
/// 49152 on macOS), so none is taken by chance between its choice and the server's start.
const RANGE: Range<u16> = 20_000..30_000;

/// A port that is free: the one that the variable names, else any.
///
/// # Errors
/// When the named port is taken or is no port.
pub fn free(variable: &str) -> Result<SocketAddr, Failure> {
    let Some(wanted) = text_setting(variable) else { return any() };
    let port: u16 = wanted
        .parse()
        .map_err(|_| Failure(format!("{variable} is `{wanted}`, expected a port, 1 to 65535")))?;
    match TcpListener::bind((LOCALHOST, port)) {
        Ok(listener) => address(&listener),
        Err(error) => Err(Failure(format!(
            "port {port} cannot be used ({error}); end what uses it, or set {variable} to another"
        ))),
    }
}

/// Whether nobody listens at this port.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((LOCALHOST, port)).is_ok()
}

/// Any free port of [`RANGE`], looked for from a place drawn at random.
///
/// # Errors
/// When none of them is free.
pub fn any() -> Result<SocketAddr, Failure> {
    let drawn = u32::from_str_radix(&random_word()?[..4], 16).expect("hexadecimal digits");
    let count = u32::from(RANGE.end - RANGE.start);
    let port = |step: u32| {
        let place = u16::try_from((drawn + step) % count).expect("smaller than a count of ports");
        RANGE.start + place
    };
    let listener = (0..count).find_map(|step| TcpListener::bind((LOCALHOST, port(step))).ok());
    address(&listener.ok_or(Failure::new("no port from 20000 to 29999 is free on this machine"))?)
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure(format!("a port has no address: {error}")))
}
