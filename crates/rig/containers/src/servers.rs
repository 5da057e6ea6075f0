//! Kafka and PostgreSQL in containers, used again by every later start.

use std::collections::HashMap;
use std::time::Duration;

use testcontainers::runners::AsyncRunner;
use tokio::time::{Instant, sleep, timeout};

use crate::engine::{Engine, Trouble};
use crate::order::Order;
use crate::requests::{self, Server};
use crate::talk::say;

/// How often a container that starts is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a server writes when its disk is full: the words of the system's error ENOSPC.
const DISK_FULL: &str = "No space left on device";

/// The longest quotation from a container's log, in characters.
const QUOTED_CHARS: usize = 160;

/// Both servers of an order.
pub struct Servers {
    engine: Engine,
    order: Order,
    kafka: Server,
    postgres: Server,
    /// Containers of earlier starts. They hold data, so a start that fails keeps them. `None` until
    /// the engine has told; then all that there are are earlier ones.
    earlier: Option<Vec<String>>,
    /// The containers that run, with their servers' names.
    running: Vec<(&'static str, String)>,
}

/// Why a server does not start.
enum StartError {
    /// Its container does not do: a new one might.
    Container(String),
    /// Whatever else; a new container would do no better.
    Other(String),
}

impl StartError {
    fn into_text(self) -> String {
        match self {
            StartError::Container(why) | StartError::Other(why) => why,
        }
    }
}

impl Servers {
    /// The servers of an order, not yet started.
    pub fn new(engine: Engine, order: Order) -> Servers {
        let (kafka, postgres) = (requests::kafka(&order), requests::postgres(&order));
        Servers { engine, order, kafka, postgres, earlier: None, running: Vec::new() }
    }

    /// Starts the containers, or finds those of the same order again with their data, and waits
    /// until both servers answer.
    ///
    /// A container that was stopped or paused is woken. One that does not answer in its time is
    /// replaced, and that is said.
    ///
    /// # Errors
    /// When an image cannot be had or a server does not answer. The caller clears up with
    /// [`Servers::give_up`].
    pub async fn start(&mut self) -> Result<(), String> {
        self.replace_other_orders().await?;
        let patience = self.order.start_timeout();
        self.engine.pull(&self.kafka.image, patience).await?;
        self.engine.pull(&self.postgres.image, patience).await?;
        let (kafka, postgres) =
            futures::try_join!(self.start_one(&self.kafka), self.start_one(&self.postgres))?;
        self.running = vec![(self.kafka.name, kafka), (self.postgres.name, postgres)];
        Ok(())
    }

    /// After a start that failed: no container runs any more, and those of earlier starts are
    /// kept.
    ///
    /// # Errors
    /// When the engine cannot do so.
    pub async fn give_up(&self) -> Result<(), String> {
        let found = self.engine.containers(&self.order.label).await?;
        let ends = found.into_iter().filter_map(|container| container.id).map(async |id| {
            if self.earlier.as_ref().is_none_or(|earlier| earlier.contains(&id)) {
                self.engine.stop(&id).await
            } else {
                self.engine.remove(&id).await
            }
        });
        futures::future::try_join_all(ends).await.map(drop)
    }

    /// Which container does not serve any more, and why.
    pub async fn lost(&self) -> Option<String> {
        for (name, id) in &self.running {
            match self.engine.trouble(id).await {
                Ok(None) => {}
                Ok(Some(trouble)) => return Some(format!("{name}'s container {trouble}")),
                Err(why) => return Some(why),
            }
        }
        None
    }

    /// Stops the containers; they and their data are there for the next start.
    ///
    /// # Errors
    /// When one of them cannot be stopped.
    pub async fn stop(&self) -> Result<(), String> {
        stop_all(&self.engine, &self.order.label).await
    }

    /// A container on another port, of another version or with another password is of no use any
    /// more.
    async fn replace_other_orders(&mut self) -> Result<(), String> {
        let (wanted, others): (Vec<_>, Vec<_>) =
            self.engine.containers(&self.order.label).await?.into_iter().partition(|container| {
                let labels = container.labels.as_ref();
                let is_its = |server: &Server| labels.is_some_and(|labels| server.is_it(labels));
                is_its(&self.kafka) || is_its(&self.postgres)
            });
        self.earlier = Some(wanted.into_iter().filter_map(|container| container.id).collect());
        for container in others {
            let labels = container.labels.unwrap_or_default();
            let server = labels.get("tidemark.server").map_or("unknown", String::as_str);
            say_lost(&format!(
                "the earlier container of {server} has another image, port or password"
            ));
            self.engine.remove(&container.id.unwrap_or_default()).await?;
        }
        Ok(())
    }

    async fn start_one(&self, server: &Server) -> Result<String, String> {
        if let Some(id) = self.find(server).await? {
            match self.start_again(server, &id).await {
                Ok(()) => return Ok(id),
                Err(StartError::Other(why)) => return Err(why),
                Err(StartError::Container(why)) => {
                    say_lost(&why);
                    self.engine.remove(&id).await?;
                }
            }
        }
        self.start_new(server).await.map_err(StartError::into_text)
    }

    async fn find(&self, server: &Server) -> Result<Option<String>, String> {
        let found = self.engine.containers(&self.order.label).await?;
        let is_its = |labels: &HashMap<String, String>| server.is_it(labels);
        let its = found.into_iter().find(|c| c.labels.as_ref().is_some_and(is_its));
        Ok(its.and_then(|container| container.id))
    }

    async fn start_again(&self, server: &Server, id: &str) -> Result<(), StartError> {
        let until = Instant::now() + self.order.start_timeout();
        let woken = self.engine.wake(id, self.order.memory_bytes()).await;
        woken.map_err(|why| StartError::Other(format!("{}'s container {why}", server.name)))?;
        self.wait_for_answer(server, id, until).await
    }

    async fn start_new(&self, server: &Server) -> Result<String, StartError> {
        let until = Instant::now() + self.order.start_timeout();
        let request = (server.request)(&self.order);
        let started = timeout(self.order.start_timeout(), request.start()).await;
        let failed = |why| StartError::Other(format!("{} can't be started: {why}", server.image));
        let container = started
            .map_err(|_| failed("the Docker engine takes too long".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        let id = container.id().to_owned();
        self.wait_for_answer(server, &id, until).await?;
        Ok(id)
    }

    async fn wait_for_answer(
        &self,
        server: &Server,
        id: &str,
        until: Instant,
    ) -> Result<(), StartError> {
        loop {
            if let Some(trouble) = self.engine.trouble(id).await.map_err(StartError::Other)? {
                return Err(self.why_not(server, id, Some(trouble)).await);
            }
            let (answers, port) = (server.answers, server.port);
            if tokio::task::spawn_blocking(move || answers(port)).await.unwrap_or(false) {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(self.why_not(server, id, None).await);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The sentence about a container that has ended, or does not answer in its time.
    async fn why_not(&self, server: &Server, id: &str, trouble: Option<Trouble>) -> StartError {
        let name = server.name;
        let lines = self.engine.last_lines(id).await;
        if lines.iter().any(|line| line.contains(DISK_FULL)) {
            return StartError::Other(format!(
                "{name}'s container found the disk full; make room, for example with \
                 `docker system prune`"
            ));
        }
        match trouble {
            Some(Trouble::OutOfMemory) => StartError::Other(format!(
                "{name}'s container ran out of its {} MiB of memory; \
                 set TIDEMARK_CONTAINER_MIB to more",
                self.order.memory_mib
            )),
            Some(trouble) => StartError::Container(format!(
                "{name}'s container {trouble} at its start: {}",
                telling_line(&lines)
            )),
            None => StartError::Container(format!(
                "{name}'s container did not answer within {} s; its last line: {}",
                self.order.start_seconds,
                telling_line(&lines)
            )),
        }
    }
}

/// Stops the containers of a label and keeps them.
///
/// # Errors
/// When one of them cannot be stopped.
pub async fn stop_all(engine: &Engine, label: &str) -> Result<(), String> {
    let ids = engine.containers(label).await?.into_iter().filter_map(|container| container.id);
    let stops = ids.map(async |id| engine.stop(&id).await);
    futures::future::try_join_all(stops).await.map(drop)
}

/// Removes the containers of a label with their volumes.
///
/// # Errors
/// When one of them cannot be removed.
pub async fn remove_all(engine: &Engine, label: &str) -> Result<(), String> {
    let ids = engine.containers(label).await?.into_iter().filter_map(|container| container.id);
    let removals = ids.map(async |id| engine.remove(&id).await);
    futures::future::try_join_all(removals).await.map(drop)
}

fn say_lost(why: &str) {
    say(&format!("lost-data {why}"));
}

/// The last line that speaks of an error, or else the last line of all.
fn telling_line(lines: &[String]) -> String {
    let is_telling = |line: &&String| {
        ["ERROR", "FATAL", "Error", "Exception", "error"].iter().any(|word| line.contains(word))
    };
    let line = lines.iter().rfind(is_telling).or(lines.last());
    line.map_or("it wrote nothing".to_owned(), |line| line.chars().take(QUOTED_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::telling_line;

    #[test]
    fn the_last_line_that_speaks_of_an_error_is_quoted() {
        let lines = ["FATAL: no room", "shutting down"].map(str::to_owned);
        assert_eq!(telling_line(&lines), "FATAL: no room");
        assert_eq!(telling_line(&lines[1..]), "shutting down");
        assert_eq!(telling_line(&[]), "it wrote nothing");
    }
}
