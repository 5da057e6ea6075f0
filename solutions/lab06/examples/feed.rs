//! Replays the storm week into a topic of one partition, for a job that is another process.
//!
//! `cargo run -p lab06-solution --example feed -- TOPIC 7200x`. Where a broker is lost on the way, the
//! producer goes on with the others.

use std::error::Error;

use flights::replay::{Speed, arrival_order};
use flights::weeks::Week;
use lab05::run_topic::{make_topic, replay};
use rig::Rig;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [topic, speed] = arguments.as_slice() else {
        return Err("expected a topic and a speed, `storm 7200x` for example".into());
    };
    let speed: Speed = speed.parse()?;
    let rig = Rig::up()?;
    let (kafka, topic) = (rig.kafka(), rig.own_name(topic));
    make_topic(&kafka, &topic, 1, rig.replication()).await?;
    let flights = arrival_order(Week::Storm.load().departed);
    replay(&kafka, &topic, flights, speed, &CancellationToken::new()).await?;
    Ok(())
}
