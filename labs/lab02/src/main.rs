//! Given: `cargo run -p lab02`.

use std::error::Error;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use lab02::group::{Change, GroupEvent, What};
use lab02::member::{self, MemberConfig};
use rig::Rig;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Member(Member),
}

/// Reads a topic as one member of a group, and tells what it owns, reads and commits.
///
/// Start a second one in another terminal, with another name, and see the partitions move. Then
/// end one with Ctrl-C, or kill it.
#[derive(Args)]
struct Member {
    /// The member's name
    #[arg(long)]
    name: String,
    /// The topic that the group shares
    #[arg(long, default_value = "lab02.calm")]
    topic: String,
    /// The consumer group
    #[arg(long, default_value = "lab02-members")]
    group: String,
    /// Commit after each so many records
    #[arg(long, value_name = "RECORDS", default_value = "1000")]
    commit_every: NonZeroUsize,
    /// How long the group waits for a member that says nothing before it gives it up
    #[arg(long, value_name = "MS", default_value_t = 6_000)]
    session_timeout_ms: u64,
    /// Abort after so many records, without a word to the group
    #[arg(long, value_name = "RECORDS")]
    abort_after: Option<u64>,
    /// Print each event as a line of JSON, reads and commits too
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab02");
    let outcome = match Arguments::parse().command {
        Some(Command::Member(arguments)) => run_member(&arguments).await,
        None => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_member(arguments: &Member) -> Result<(), Box<dyn Error>> {
    let mut kafka = Rig::up()?.kafka();
    let session_timeout = Duration::from_millis(arguments.session_timeout_ms);
    kafka.set("session.timeout.ms", session_timeout.as_millis().to_string());
    kafka.set("heartbeat.interval.ms", (session_timeout / 6).as_millis().to_string());
    let config = MemberConfig {
        kafka,
        topic: arguments.topic.clone(),
        group: arguments.group.clone(),
        name: arguments.name.clone(),
        commit_every: arguments.commit_every,
    };
    let stop = CancellationToken::new();
    let mut records = 0;
    member::run(&config, &stop, &mut |event| {
        print_event(&event, arguments.json);
        records += u64::from(matches!(event.what, What::Read { .. }));
        if arguments.abort_after == Some(records) {
            std::process::abort();
        }
    })
    .await?;
    Ok(())
}

fn print_event(event: &GroupEvent, as_json: bool) {
    if as_json {
        println!("{}", serde_json::to_string(event).expect("an event holds only text and numbers"));
        return;
    }
    let GroupEvent { member, what } = event;
    match what {
        What::Rebalanced(Change::Assigned(partitions)) => println!("{member} owns {partitions:?}"),
        What::Rebalanced(Change::Revoked(partitions)) => println!("{member} loses {partitions:?}"),
        What::Rebalanced(Change::Failed(reason)) => println!("{member}: {reason}"),
        What::Left => println!("{member} has left"),
        What::Read { .. } | What::Committed | What::Killed => {}
    }
}
