//! A Kafka and a PostgreSQL of one test's own, to stop, kill or fill.
//!
//! Only one private rig runs on a machine at a time; the next waits for its turn.

use std::fs::File;
use std::path::PathBuf;

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
    _turn: File,
}

impl Private {
    /// Starts a Kafka and a PostgreSQL in a fresh folder. This blocks until they answer.
    ///
    /// # Errors
    /// When they cannot be started; the sentence says why and what to do.
    pub fn start() -> Result<Private, RigError> {
        let shared = Place::of_this_clone();
        let turn = wait_for_turn(&shared)?;
        let folder = shared.folder().with_extension(format!("private-{}", std::process::id()));
        let name = folder.to_string_lossy().into_owned();
        run_program(&["up", "--private", &name])?;
        let joined = Cluster::read(&Place::at(&folder))
            .ok_or(RigError("a private rig was started and is gone again".to_owned()))
            .and_then(|cluster| Ok((Control::connect(&cluster)?, cluster)));
        let (control, cluster) = joined?;
        Ok(Private { cluster, control, folder, _turn: turn })
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
        self.control.ask(&format!("{verb} {name}"))
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

fn wait_for_turn(shared: &Place) -> Result<File, RigError> {
    let path = shared.folder().with_extension("private.lock");
    let failed =
        |error| RigError(format!("cannot lock {} for a private rig: {error}", path.display()));
    let turn = File::create(&path).map_err(failed)?;
    turn.lock().map_err(failed)?;
    Ok(turn)
}
