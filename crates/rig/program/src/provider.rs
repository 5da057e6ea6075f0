//! The one interface behind which the providers stand.

use rig::cluster::Provider as Kind;
use rig::place::Place;

use crate::containers::Containers;
use crate::failure::Failure;
use crate::local::Local;
use crate::postgres::Durability;

/// Servers that a keeper can start, watch and end.
pub trait Provider {
    /// Starts both servers, telling `progress` what happens, and returns how to reach them.
    ///
    /// # Errors
    /// When one of them cannot be had; nothing is left running.
    fn start(&mut self, progress: &mut dyn FnMut(&str)) -> Result<Servers, Failure>;

    /// What is wrong with a server that nobody asked to end, if something is.
    fn lost(&mut self) -> Option<String>;

    /// Kills, stops or starts one server. For private rigs.
    ///
    /// # Errors
    /// When the server is not in the state that the request needs.
    fn change(&mut self, verb: &str, server: &str) -> Result<(), Failure>;

    /// Ends both servers; their data stay for the next start.
    fn stop(&mut self);
}

/// How to reach two servers that are up.
#[derive(Debug, Clone)]
pub struct Servers {
    /// The brokers' addresses.
    pub bootstrap: String,
    /// Kafka's version.
    pub kafka_version: String,
    /// The address of the first database, with its password.
    pub database_url: String,
    /// PostgreSQL's version.
    pub postgres_version: String,
}

/// Prepares a provider for servers in this place.
///
/// # Errors
/// When something that it needs is missing.
pub fn prepare(
    kind: Kind,
    place: &Place,
    durability: Durability,
) -> Result<Box<dyn Provider>, Failure> {
    match kind {
        Kind::Local => Ok(Box::new(Local::new(place, durability)?)),
        Kind::Containers => Ok(Box::new(Containers::new(place)?)),
        Kind::External => Err(Failure::new("external servers are not started by the rig")),
    }
}
