//! The containers provider: Kafka and PostgreSQL by testcontainers.
//!
//! It is a program of its own so that the rig's program, and every lab, builds without
//! testcontainers. `rig-containers serve LABEL` has servers with this label; the label is there to be
//! seen among all processes. The two speak by lines. On the standard input comes first an order in JSON,
//! then `check`, `stop` or `remove`; the end of the input is a `stop`. On the standard output go
//! `progress …`, then `ready` or `failed …`, and then one answer to each request: `ok`, or
//! `lost …` with what is wrong.
//!
//! `rig-containers clear LABEL` removes every container with this label.

mod engine;
mod order;
mod servers;

use std::process::ExitCode;

use crate::engine::Engine;
use crate::order::Order;
use crate::servers::Servers;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", _] => serve().await,
        ["clear", label] => clear(label).await,
        _ => Err("expected `serve LABEL` or `clear LABEL`".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // One line, whatever the engine said.
            println!("failed {}", why.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn clear(label: &str) -> Result<(), String> {
    Engine::connect()?.remove_all(label).await
}

async fn serve() -> Result<(), String> {
    let mut requests = std::io::stdin().lines().map_while(Result::ok);
    let order: Order = requests
        .next()
        .and_then(|line| serde_json::from_str(&line).ok())
        .ok_or("expected an order in JSON on the first line")?;
    let servers = Servers::start(&order).await?;
    println!("ready");
    for request in requests {
        match request.as_str() {
            "check" => match servers.lost().await {
                None => println!("ok"),
                Some(what) => println!("lost {what}"),
            },
            "remove" => {
                servers.remove().await?;
                println!("ok");
                return Ok(());
            }
            _ => break,
        }
    }
    servers.stop().await?;
    println!("ok");
    Ok(())
}
