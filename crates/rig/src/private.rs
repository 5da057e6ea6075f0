//! A Kafka and a PostgreSQL of one test's own, to stop, kill or fill.
//!
//! Only one private rig of a clone runs at a time; the next waits for its turn.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rdkafka::ClientConfig;

use crate::cluster::Cluster;
use crate::control::Control;
use crate::place::Place;
use crate::{RigError, program_command, run_program};

/// A server of a private rig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Kafka.
    Kafka,
    /// PostgreSQL.
    Postgres,
}

/// A rig of one test's own. It ends, and its folder goes, when this is dropped or its process
/// ends, however it ends.
#[derive(Debug)]
pub struct Private {
    cluster: Cluster,
    control: Control,
    folder: PathBuf,
}

impl Private {
    /// Starts a Kafka and a PostgreSQL in a fresh folder. This blocks until they answer. A test that
    /// holds one and starts another waits for itself, and fails after ten minutes.
    ///
    /// # Errors
    /// When they cannot be started; the sentence says why and what to do.
    pub fn start() -> Result<Private, RigError> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("private-{}-{number}", std::process::id());
        let folder = Place::of_this_clone().beside(&name);
        let name = folder.to_string_lossy().into_owned();
        run_program(&["up", "--private", &name])?;
        let joined = Cluster::read(&Place::at(&folder))
            .ok_or(RigError("a private rig was started and is gone again".to_owned()))
            .and_then(|cluster| Ok((Control::connect(&cluster)?, cluster)));
        let (control, cluster) = joined?;
        Ok(Private { cluster, control, folder })
    }

    /// What every Kafka client starts from.
    pub fn kafka(&self) -> ClientConfig {
        self.cluster.kafka()
    }

    /// The address of a database whose user may create further databases.
    pub fn database_url(&self) -> &str {
        &self.cluster.database_url
    }

    /// Kills a server as `kill -9` would: without a warning.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn kill(&mut self, server: Server) -> Result<(), RigError> {
        self.request("kill", server)
    }

    /// Stops a server in good order.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn stop(&mut self, server: Server) -> Result<(), RigError> {
        self.request("stop", server)
    }

    /// Starts a server again that was killed or stopped: same port, same data.
    ///
    /// # Errors
    /// When the server runs or cannot be started.
    pub fn start_again(&mut self, server: Server) -> Result<(), RigError> {
        self.request("start", server)
    }

    fn request(&mut self, verb: &str, server: Server) -> Result<(), RigError> {
        let name = match server {
            Server::Kafka => "kafka",
            Server::Postgres => "postgres",
        };
        Ok(self.control.ask(&format!("{verb} {name}"))?)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let name = self.folder.to_string_lossy().into_owned();
        // The program ends by itself once this process is gone; waiting for it keeps the machine
        // free for the next test.
        let _ = program_command(&["down", "--private", &name]).output();
    }
}
