//! The Docker engine: images that are there, containers of one label.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::models::{
    ContainerState, ContainerSummary, ContainerUpdateBody, CreateImageInfo,
};
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use tokio::time::{Instant, sleep, timeout};

use crate::talk::say;

/// The name of the label that every container of a rig carries.
pub const LABEL: &str = "tidemark.rig";

/// How long the engine may take for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may take to end in good order, in seconds, before the engine kills it.
/// Neither has much work left to finish.
const STOP_SECONDS: i32 = 10;

/// How often the progress of a pull is said at least. Whoever waits for it counts on that.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// How many of a container's last lines are looked through for a reason.
const LAST_LINES: &str = "30";

/// A connection to the engine.
pub struct Engine {
    docker: Docker,
}

/// What keeps a container from serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody removed it.
    Removed,
    /// Somebody paused it.
    Paused,
    /// The kernel ended it, since it wanted more memory than it may take.
    OutOfMemory,
    /// It has ended, with this exit code.
    Ended(i64),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Removed => f.write_str("was removed"),
            Trouble::Paused => f.write_str("was paused"),
            Trouble::OutOfMemory => {
                f.write_str("ran out of memory; set TIDEMARK_CONTAINER_MIB to more")
            }
            // 128 and the number of the signal SIGKILL.
            Trouble::Ended(137) => f.write_str("was killed"),
            Trouble::Ended(code) => write!(f, "has ended with exit code {code}"),
        }
    }
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names.
    ///
    /// # Errors
    /// When it names none that can be spoken to.
    pub fn connect() -> Result<Engine, String> {
        let docker = Docker::connect_with_defaults()
            .map_err(|error| format!("the Docker engine can't be spoken to: {error}"))?;
        Ok(Engine { docker: docker.with_timeout(REQUEST_TIMEOUT) })
    }

    /// Pulls an image unless it is there, and says how far it is.
    ///
    /// # Errors
    /// When it cannot be pulled, or nothing has come for the whole of `patience`.
    pub async fn pull(&self, image: &str, patience: Duration) -> Result<(), String> {
        if self.docker.inspect_image(image).await.is_ok() {
            return Ok(());
        }
        say(&format!("progress pulling {image}, once …"));
        let options = CreateImageOptionsBuilder::new().from_image(image).build();
        let mut pull = self.docker.create_image(Some(options), None, None);
        let mut layers = Layers::default();
        let (mut said_percent, mut said) = (0, Instant::now());
        let failed = |why: String| format!("{image} can't be pulled: {why}");
        let silent = |_| failed(format!("the registry sent nothing for {} s", patience.as_secs()));
        while let Some(step) = timeout(patience, pull.next()).await.map_err(silent)? {
            layers.note(step.map_err(|error| failed(cause(error)))?);
            let percent = layers.percent();
            if percent >= said_percent + 10 || said.elapsed() >= SAY_EVERY {
                say(&format!("progress {percent} %"));
                (said_percent, said) = (percent, Instant::now());
            }
        }
        Ok(())
    }

    /// The containers of a label, running or not.
    ///
    /// # Errors
    /// When the engine does not tell.
    pub async fn containers(&self, label: &str) -> Result<Vec<ContainerSummary>, String> {
        let filter = HashMap::from([("label", vec![format!("{LABEL}={label}")])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filter).build();
        let listed = self.docker.list_containers(Some(options)).await;
        listed.map_err(|error| format!("the containers can't be listed: {}", cause(error)))
    }

    /// Makes a container run that was found again, unpaused and with this memory limit.
    ///
    /// # Errors
    /// When the engine cannot do so.
    pub async fn wake(&self, id: &str, memory_bytes: i64) -> Result<(), String> {
        let failed = |error| format!("can't be started again: {}", cause(error));
        let found = self.docker.inspect_container(id, None).await.map_err(failed)?;
        if found.host_config.unwrap_or_default().memory != Some(memory_bytes) {
            let limits = ContainerUpdateBody {
                memory: Some(memory_bytes),
                memory_swap: Some(memory_bytes),
                ..ContainerUpdateBody::default()
            };
            self.docker.update_container(id, limits).await.map_err(failed)?;
        }
        if found.state.unwrap_or_default().paused == Some(true) {
            return self.docker.unpause_container(id).await.map_err(failed);
        }
        // One that runs is left alone by this.
        self.docker.start_container(id, None).await.map_err(failed)
    }

    /// Stops a container and keeps it; fine when it is stopped or gone.
    ///
    /// # Errors
    /// When the engine cannot do so.
    pub async fn stop(&self, id: &str) -> Result<(), String> {
        // A paused server does not hear that it shall end.
        if self.state(id).await?.is_some_and(|state| state.paused == Some(true)) {
            settled(self.docker.unpause_container(id).await, "unpaused", id)?;
        }
        let options = StopContainerOptionsBuilder::new().t(STOP_SECONDS).build();
        settled(self.docker.stop_container(id, Some(options)).await, "stopped", id)
    }

    /// Removes a container and its volumes; fine when it is gone.
    ///
    /// # Errors
    /// When the engine cannot do so.
    pub async fn remove(&self, id: &str) -> Result<(), String> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            // Somebody else removes it at this moment.
            Err(Error::DockerResponseServerError { status_code: 409, .. }) => self.gone(id).await,
            outcome => settled(outcome, "removed", id),
        }
    }

    /// Waits until a container that is being removed is gone.
    async fn gone(&self, id: &str) -> Result<(), String> {
        let until = Instant::now() + REQUEST_TIMEOUT;
        while self.state(id).await?.is_some() {
            if Instant::now() >= until {
                let seconds = REQUEST_TIMEOUT.as_secs();
                return Err(format!("container {id} was being removed for {seconds} s"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What keeps a container from serving; `None` when it runs.
    ///
    /// # Errors
    /// When the engine does not tell.
    pub async fn trouble(&self, id: &str) -> Result<Option<Trouble>, String> {
        let Some(state) = self.state(id).await? else { return Ok(Some(Trouble::Removed)) };
        Ok(if state.paused == Some(true) {
            Some(Trouble::Paused)
        } else if state.running == Some(true) {
            None
        } else if state.oom_killed == Some(true) {
            Some(Trouble::OutOfMemory)
        } else {
            Some(Trouble::Ended(state.exit_code.unwrap_or_default()))
        })
    }

    /// The state of a container; `None` when it is gone.
    async fn state(&self, id: &str) -> Result<Option<ContainerState>, String> {
        match self.docker.inspect_container(id, None).await {
            Ok(found) => Ok(Some(found.state.unwrap_or_default())),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(format!("the Docker engine does not answer: {}", cause(error))),
        }
    }

    /// The last lines that a container has written; none where the engine does not tell.
    pub async fn last_lines(&self, id: &str) -> Vec<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LAST_LINES).build();
        let written: Vec<_> =
            self.docker.logs(id, Some(options)).try_collect().await.unwrap_or_default();
        let text: String = written.iter().map(ToString::to_string).collect();
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }
}

/// Gone, or in that state already, will do as well.
fn settled(outcome: Result<(), Error>, done: &str, id: &str) -> Result<(), String> {
    match outcome {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => {
            Ok(())
        }
        Err(error) => Err(format!("container {id} can't be {done}: {}", cause(error))),
    }
}

/// What the engine said, without the words around it.
pub fn cause(error: Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message,
        Error::DockerStreamError { error } => error,
        error => error.to_string(),
    }
}

/// How much of an image's layers has come.
#[derive(Default)]
struct Layers {
    bytes_by_layer: HashMap<String, (i64, i64)>,
}

impl Layers {
    fn note(&mut self, step: CreateImageInfo) {
        let Some(progress) = step.progress_detail else { return };
        if let (Some(layer), Some(come), Some(all)) = (step.id, progress.current, progress.total) {
            self.bytes_by_layer.insert(layer, (come, all));
        }
    }

    fn percent(&self) -> i64 {
        let (come, all) = self
            .bytes_by_layer
            .values()
            .fold((0, 0), |(come, all), (layer_come, layer)| (come + layer_come, all + layer));
        come * 100 / all.max(1)
    }
}
