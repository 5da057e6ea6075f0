//! Given: a run that nothing disturbs but Ctrl-C.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use lab05::input::Until;
use lab06::checkpoint::encode;
use lab06::job::{Begin, Ended, JobConfig, Progress, run as run_job};
use lab06::recovery::Which;
use lab06::savepoint::{self, SavepointError};
use lab06::state::Checkpoint;
use rig::say::say;
use runs::{Figures, LiveLine, stop_on_signal};
use timeline::instants::Instants;
use tokio_util::sync::CancellationToken;

use crate::arguments::Run;
use crate::picture;
use crate::setting::Setting;
use crate::source::{fill, records, replay, title};

/// Runs the job once, until its end or Ctrl-C.
pub async fn run(arguments: &Run, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // What no server has to be asked for is refused before one is started.
    lab05::board::Board::new(&[], &arguments.counting.board())?;
    let begin = begin(arguments, out)?;
    if let Some(path) = arguments.savepoint.as_deref().filter(|path| path.exists()) {
        return Err(SavepointError::Exists { path: path.to_owned() }.into());
    }
    let setting = Setting::open(arguments).await?;
    let stop = stop_on_signal()?;
    let (kafka, source) = (setting.rig.kafka(), &arguments.source);
    fill(&setting.rig, &setting.topic, source, arguments.counting.bound).await?;
    let is_bounded = source.speed.is_none() && !source.follow;
    let mut config = JobConfig {
        until: if is_bounded { Until::TheEnd } else { Until::Stopped },
        begin,
        ..setting.job_config(arguments, None)?
    };
    config.epoch = setting.take_over(arguments, &config, &stop).await?;
    let bound_min = arguments.counting.bound;
    writeln!(out, "{}, topic {}, bound {bound_min} min", title(source), setting.topic)?;
    out.flush()?;

    let job = job_at_work(&config, arguments, &stop);
    let ended = match source.speed {
        None => job.await?,
        Some(speed) => {
            tokio::try_join!(job, replay(&kafka, &setting.topic, source, speed, &stop))?.0
        }
    };
    if let Some(path) = &arguments.savepoint {
        save(path, &ended.checkpoint, out)?;
    }
    picture::draw(&setting.schema, &ended, out).await
}

/// Where the run begins; a savepoint is read, and what it could not carry over is said.
fn begin(arguments: &Run, out: &mut impl Write) -> Result<Begin, Box<dyn Error>> {
    if let Some(path) = &arguments.from_savepoint {
        let loaded = savepoint::load(path)?;
        for note in &loaded.notes {
            writeln!(out, "{note}")?;
        }
        return Ok(Begin::Savepoint(Box::new(loaded.checkpoint)));
    }
    Ok(Begin::Checkpoint(arguments.checkpoint.map_or(Which::Latest, Which::Id)))
}

fn save(path: &Path, checkpoint: &Checkpoint, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (id, bytes) = (checkpoint.id, encode(checkpoint));
    savepoint::save(path, &bytes)
        .map_err(|error| format!("{error}; checkpoint {id} is in the database all the same"))?;
    writeln!(out, "savepoint {}: checkpoint {id}, {} bytes", path.display(), bytes.len())?;
    Ok(())
}

/// Runs the job and shows how far it is. A topic that is written to has no end: behind a replay the
/// job is stopped when it has read all of it.
async fn job_at_work(
    config: &JobConfig,
    arguments: &Run,
    stop: &CancellationToken,
) -> Result<Ended, Box<dyn Error>> {
    let source = &arguments.source;
    let total = records(source).filter(|_| !source.follow);
    let is_replay = config.until == Until::Stopped && !source.follow;
    let mut line = LiveLine::begin(&title(source), total.filter(|_| !arguments.goes_on()));
    let mut last = Progress::default();
    let outcome = run_job(
        config,
        stop,
        &mut |now| {
            if last.taken_back != now.taken_back && now.taken_back.is_any() {
                say(&now.taken_back.to_string());
            }
            last = *now;
            show(now, |note, figures| line.show_with(note, figures));
            if is_replay && total.is_some_and(|total| now.read >= total) {
                stop.cancel();
            }
        },
        &mut |_| {},
    )
    .await;
    show(&last, |note, figures| line.end_with(note, figures));
    Ok(outcome?)
}

fn show(now: &Progress, show: impl FnOnce(&str, &Figures<'_>)) {
    // A second instant, so that the date is shown.
    let shown = |watermark_ms| Instants::new([watermark_ms, 0]).text(watermark_ms);
    let watermark = now.watermark_ms.map_or("none".to_owned(), shown);
    let counters = [("open windows", now.open_windows as u64), ("checkpoint", now.checkpoint_id)];
    let figures = Figures { read: now.read, lag: now.lag, counters: &counters };
    show(&format!("watermark {watermark}"), &figures);
}
