//! Given: the servers, the topic and the tables of a run, and the job's configuration.

use std::error::Error;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use lab05::input::Until;
use lab06::fencing::{Epoch, claim};
use lab06::interval::Interval;
use lab06::job::{Begin, Job, JobConfig};
use lab06::recovery::Which;
use lab06::state::Checkpoint;
use lab06::store::{Writer, empty, ensure_tables};
use rig::Rig;
use rig::say::say;
use runs::RunSchema;
use tokio_util::sync::CancellationToken;

use crate::PACKAGE;
use crate::arguments::Run;
use crate::source::topic_name;

/// The most records and results between two checkpoints: so much waits in memory at most.
const CHANGES: u64 = 100_000;

/// Where a run reads and writes.
pub struct Setting {
    /// Kafka and PostgreSQL.
    pub rig: Rig,
    /// The topic.
    pub topic: String,
    /// The job's name.
    pub job: String,
    /// The job's tables.
    pub schema: RunSchema,
}

impl Setting {
    /// Finds or starts the servers, and makes the schema.
    pub async fn open(arguments: &Run) -> Result<Setting, Box<dyn Error>> {
        let rig = Rig::up()?;
        let topic = topic_name(rig.prefix(), &arguments.source, arguments.counting.bound);
        let job = arguments.job.clone().unwrap_or_else(|| PACKAGE.replace('-', "_"));
        let schema = RunSchema::of_run(&rig, &job).await?;
        Ok(Setting { rig, topic, job, schema })
    }

    /// Takes an epoch and, unless the run goes on, empties the tables. A run that goes on is opened once
    /// before that: what is refused then fences off no instance that is at work.
    pub async fn take_over(
        &self,
        arguments: &Run,
        config: &JobConfig,
        stop: &CancellationToken,
    ) -> Result<Option<Epoch>, Box<dyn Error>> {
        if arguments.goes_on() {
            Job::open(config, stop, &mut |_| {}).await?;
        }
        let epoch = self.claim(arguments).await?;
        if !arguments.goes_on() {
            self.empty(epoch).await?;
        }
        Ok(epoch)
    }

    /// Takes an epoch, unless the run is to have none. From now on an earlier instance writes nothing.
    /// Before step 6 is written, the run says so and goes on without.
    pub async fn claim(&self, arguments: &Run) -> Result<Option<Epoch>, Box<dyn Error>> {
        let database = self.schema.connect().await?;
        ensure_tables(&database).await?;
        if arguments.without_fencing {
            return Ok(None);
        }
        match AssertUnwindSafe(claim(&database, &self.job)).catch_unwind().await {
            Ok(epoch) => Ok(Some(epoch?)),
            Err(_) => {
                say("going on without an epoch, as with --without-fencing");
                Ok(None)
            }
        }
    }

    /// Empties the tables of the job.
    pub async fn empty(&self, epoch: Option<Epoch>) -> Result<(), Box<dyn Error>> {
        let database = self.schema.connect().await?;
        Ok(empty(&database, &Writer { job: self.job.clone(), epoch }).await?)
    }

    /// A job that goes on from its newest checkpoint and ends with its input.
    pub fn job_config(
        &self,
        arguments: &Run,
        epoch: Option<Epoch>,
    ) -> Result<JobConfig, Box<dyn Error>> {
        Ok(JobConfig {
            job: self.job.clone(),
            kafka: self.rig.kafka(),
            topic: self.topic.clone(),
            database: self.schema.url().parse()?,
            board: arguments.counting.board(),
            interval: Interval { every: arguments.checkpoint_every.0, changes: CHANGES },
            until: Until::TheEnd,
            begin: Begin::Checkpoint(Which::Latest),
            epoch,
        })
    }
}

/// How many records were read until a checkpoint.
pub fn records_until(checkpoint: &Checkpoint) -> u64 {
    checkpoint.counts.read + checkpoint.counts.unreadable
}
