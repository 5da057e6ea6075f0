//! The Docker engine: images that are there, containers of one label.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::models::{ContainerSummary, CreateImageInfo};
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};

/// The name of the label that every container of a rig carries.
pub const LABEL: &str = "tidemark.rig";

/// How long the engine may take to remove a container.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to the engine.
pub struct Engine {
    docker: Docker,
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or the usual one.
    ///
    /// # Errors
    /// When there is none.
    pub fn connect() -> Result<Engine, String> {
        let docker = Docker::connect_with_defaults();
        Ok(Engine { docker: docker.map_err(|error| format!("no engine answers: {error}"))? })
    }

    /// Pulls an image unless it is there, and says how far it is.
    ///
    /// # Errors
    /// When it cannot be pulled.
    pub async fn pull(&self, image: &str) -> Result<(), String> {
        if self.docker.inspect_image(image).await.is_ok() {
            return Ok(());
        }
        println!("progress pulling {image}, once …");
        let options = CreateImageOptionsBuilder::new().from_image(image).build();
        let mut pull = self.docker.create_image(Some(options), None, None);
        let mut layers = Layers::default();
        while let Some(step) = pull.next().await {
            let step = step.map_err(|error| format!("{image} can't be pulled: {error}"))?;
            if let Some(percent) = layers.note(step) {
                println!("progress {percent} %");
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
        listed.map_err(|error| format!("the containers can't be listed: {error}"))
    }

    /// Removes the containers of a label with their volumes.
    ///
    /// # Errors
    /// When one of them cannot be removed.
    pub async fn remove_all(&self, label: &str) -> Result<(), String> {
        for container in self.containers(label).await? {
            self.remove(&container.id.unwrap_or_default()).await?;
        }
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), String> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            // Somebody else removes it at this moment.
            Err(Error::DockerResponseServerError { status_code: 409, .. }) => self.gone(id).await,
            Err(error) => Err(format!("container {id} can't be removed: {error}")),
        }
    }

    /// Waits until a container that is being removed is gone.
    async fn gone(&self, id: &str) -> Result<(), String> {
        let until = Instant::now() + REMOVAL_TIMEOUT;
        while self.docker.inspect_container(id, None).await.is_ok() {
            if Instant::now() >= until {
                let seconds = REMOVAL_TIMEOUT.as_secs();
                return Err(format!("container {id} was being removed for {seconds} s"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What keeps a container from serving; `None` when it runs.
    pub async fn trouble(&self, id: &str) -> Option<&'static str> {
        let Ok(found) = self.docker.inspect_container(id, None).await else {
            return Some("was removed");
        };
        let state = found.state.unwrap_or_default();
        if state.paused == Some(true) {
            return Some("was paused");
        }
        (state.running != Some(true)).then_some("has ended")
    }
}

/// How much of an image's layers has come.
#[derive(Default)]
struct Layers {
    bytes_by_layer: HashMap<String, (i64, i64)>,
    said_percent: i64,
}

impl Layers {
    /// Notes a step of the pull, and returns the percentage when it has grown by ten.
    fn note(&mut self, step: CreateImageInfo) -> Option<i64> {
        let progress = step.progress_detail?;
        self.bytes_by_layer.insert(step.id?, (progress.current?, progress.total?));
        let (come, all) = self
            .bytes_by_layer
            .values()
            .fold((0, 0), |(come, all), (layer_come, layer)| (come + layer_come, all + layer));
        let percent = come * 100 / all.max(1);
        if percent < self.said_percent + 10 {
            return None;
        }
        self.said_percent = percent;
        Some(percent)
    }
}
