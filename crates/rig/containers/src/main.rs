//! The containers provider: Kafka and PostgreSQL by testcontainers.
//!
//! It is a program of its own so that the rig's program, and every lab, builds without
//! testcontainers. `DOCKER_HOST` names the engine.
//!
//! `rig-containers serve FOLDER` and the rig's program speak by lines. On the standard input comes
//! first an order in JSON, then `check` or `stop`; the end of the input is a `stop`. On the
//! standard output go `progress …` and `lost-data …`, then `ready` or `failed …`, and then one
//! answer to each request: `ok`, or `lost …` with what is wrong. It holds a lock in the rig's
//! folder until its containers are stopped, so that it can't stop those of a later start.
//!
//! `rig-containers stop LABEL` stops every container with this label, `clear LABEL` removes them.

mod answers;
mod engine;
mod order;
mod requests;
mod servers;
mod talk;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

use crate::engine::Engine;
use crate::order::Order;
use crate::servers::{Servers, remove_all, stop_all};
use crate::talk::{requests, say};

/// How long the program of an earlier start may take to stop its containers.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => serve(Path::new(folder), requests()).await,
        ["stop", label] => stop(label).await,
        ["clear", label] => clear(label).await,
        _ => Err("expected `serve FOLDER`, `stop LABEL` or `clear LABEL`".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("failed {why}"));
            ExitCode::FAILURE
        }
    }
}

async fn stop(label: &str) -> Result<(), String> {
    stop_all(&Engine::connect()?, label).await
}

async fn clear(label: &str) -> Result<(), String> {
    remove_all(&Engine::connect()?, label).await
}

async fn serve(folder: &Path, mut requests: UnboundedReceiver<String>) -> Result<(), String> {
    let first = requests.recv().await.ok_or("expected an order, found the end of the input")?;
    let order: Order = serde_json::from_str(&first)
        .map_err(|error| format!("expected an order in JSON on the first line: {error}"))?;
    let _lock = tokio::select! {
        lock = lock(folder) => lock?,
        _ = requests.recv() => return Ok(()),
    };
    let mut servers = Servers::new(Engine::connect()?, order);
    let started = tokio::select! {
        started = servers.start() => started,
        // A request to stop, or whoever ordered was killed.
        _ = requests.recv() => Err("ended before it was ready".to_owned()),
    };
    if let Err(why) = started {
        return Err(match servers.give_up().await {
            Ok(()) => why,
            Err(left) => format!("{why}; and {left}"),
        });
    }
    say("ready");
    while requests.recv().await.is_some_and(|request| request == "check") {
        match servers.lost().await {
            None => say("ok"),
            Some(what) => say(&format!("lost {what}")),
        }
    }
    servers.stop().await?;
    say("ok");
    Ok(())
}

/// Waits until no other program has containers of this folder.
async fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join("containers.lock");
    let failed = |error| format!("cannot lock {}: {error}", path.display());
    let file = File::create(&path).map_err(failed)?;
    let until = Instant::now() + PREDECESSOR_TIMEOUT;
    let mut waits = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err("the containers of an earlier start are not let go; \
                     try `make down`"
                    .to_owned());
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !waits {
            say("progress waiting for an earlier start to stop its containers …");
            waits = true;
        }
        sleep(Duration::from_millis(50)).await;
    }
}
