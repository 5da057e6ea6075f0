//! Given: what checkpoints cost, measured on real servers: `cargo run --release -p lab06 -- costs`.
//!
//! A build without `--release` is several times slower, and its curves are others.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use clap::Parser;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab02::batch::BatchLimits;
use lab05::input::Until;
use lab05::tables::{DROPPED, RESULTS};
use lab06::checkpoint::{encode, restore, take};
use lab06::interval::{Cost, Interval, choose};
use lab06::job::{JobConfig, run as run_job};
use lab06::state::{Checkpoint, SavedCounts, SavedKey, SavedWindow};
use lab06::store::{Output, Writer, commit, write};
use runs::RunSchema;
use timeline::span;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::PACKAGE;
use crate::arguments::{Costs, Program, Run};
use crate::chaos::Begun;
use crate::curves::{Curve, svg};
use crate::setting::Setting;
use crate::source::fill;

/// The partitions of the topic.
const PARTITIONS: &str = "4";

/// The interval at which this job is set against lab 05's.
const ONE_SECOND: Duration = Duration::from_secs(1);

/// Windows and keys in each of them: the sizes of the state that is measured.
const SIZES: [(i64, usize); 5] = [(2, 3), (24, 3), (24, 100), (24, 1_000), (24, 10_000)];

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Measures everything, prints tables in Markdown, and writes two drawings.
pub async fn run(costs: &Costs, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let arguments = arguments(costs.records, ONE_SECOND);
    let measured = parsed(&arguments);
    let setting = Setting::open(&measured).await?;
    fill(&setting.rig, &setting.topic, &measured.source, measured.counting.bound).await?;
    setting.claim(&measured).await?;
    writeln!(
        out,
        "{} records on {PARTITIONS} partitions, medians of {}",
        costs.records, costs.rounds
    )?;

    against_lab05(&setting, &measured, costs, out).await?;
    let by_interval = by_interval(&setting, &measured, costs, out).await?;
    state_sizes(&setting, &measured, costs, out).await?;
    draw(&by_interval, costs, out)?;
    setting.empty(None).await?;

    let longest = costs.longest_recovery.0;
    let Some(chosen) = choose(&by_interval, longest) else {
        writeln!(out, "\nNo interval recovers within {}.", span::text(longest))?;
        return Ok(());
    };
    writeln!(
        out,
        "\nOf those that recover within {} the fastest: a checkpoint every {}.",
        span::text(longest),
        span::text(chosen.every)
    )?;
    Ok(())
}

/// The command line of a run with this interval.
fn arguments(records: u32, every: Duration) -> Vec<OsString> {
    let (made, every) = (records.to_string(), format!("{}ms", every.as_millis()));
    let job = format!("{}_costs", PACKAGE.replace('-', "_"));
    let words = ["--made", &made, "--partitions", PARTITIONS, "--idle-after", "off"];
    let words = words.into_iter().chain(["--checkpoint-every", &every, "--job", &job]);
    words.map(OsString::from).collect()
}

fn parsed(arguments: &[OsString]) -> Run {
    let program = [OsString::from(PACKAGE)];
    Program::parse_from(program.iter().chain(arguments)).run
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Records a second of this job with a checkpoint every so often, its start and its end included.
async fn rate(
    setting: &Setting,
    arguments: &Run,
    records: u32,
    every: Duration,
) -> Result<f64, Box<dyn Error>> {
    setting.empty(None).await?;
    let config = JobConfig {
        interval: Interval { every, changes: u64::MAX },
        ..setting.job_config(arguments, setting.claim(arguments).await?)?
    };
    let began = Instant::now();
    let ended = run_job(&config, &CancellationToken::new(), &mut |_| {}, &mut |_| {}).await?;
    let took = began.elapsed();
    all_were_read(ended.progress.read, records)?;
    Ok(f64::from(records) / took.as_secs_f64())
}

fn all_were_read(read: u64, records: u32) -> Result<(), Box<dyn Error>> {
    if read == u64::from(records) {
        return Ok(());
    }
    Err(format!("expected {records} records to be read, found {read}").into())
}

/// Records a second of lab 05's job, which writes once a second and makes no checkpoints.
async fn rate_of_lab05(
    setting: &Setting,
    arguments: &Run,
    records: u32,
) -> Result<f64, Box<dyn Error>> {
    let name = format!("{}_costs_lab05", PACKAGE.replace('-', "_"));
    let schema = RunSchema::of_run(&setting.rig, &name).await?;
    schema.empty(&[RESULTS, DROPPED]).await?;
    let config = lab05::job::JobConfig {
        kafka: setting.rig.kafka(),
        topic: setting.topic.clone(),
        dead_letter_topic: format!("{}.dead-letters", setting.topic),
        database: schema.url().parse()?,
        board: arguments.counting.board(),
        write: BatchLimits { items: 500.try_into().expect("it is not 0"), age: ONE_SECOND },
        until: Until::TheEnd,
    };
    let spec = TopicSpec {
        name: config.dead_letter_topic.clone(),
        partitions: 1,
        replication: setting.rig.replication(),
        retention: Retention::Forever,
    };
    ready_topic(&config.kafka, &spec).await?;
    let began = Instant::now();
    let done = lab05::job::run(&config, &CancellationToken::new(), &mut |_| {}).await?;
    let took = began.elapsed();
    all_were_read(done.read, records)?;
    Ok(f64::from(records) / took.as_secs_f64())
}

/// Both jobs in turn, on the same records.
async fn against_lab05(
    setting: &Setting,
    arguments: &Run,
    costs: &Costs,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    writeln!(out, "\n| | lab 05 | lab 06, a checkpoint a second | share |")?;
    writeln!(out, "|---|---:|---:|---:|")?;
    let mut shares = Vec::new();
    for round in 1..=costs.rounds {
        let without = rate_of_lab05(setting, arguments, costs.records).await?;
        let with = rate(setting, arguments, costs.records, ONE_SECOND).await?;
        shares.push(with / without);
        writeln!(out, "| round {round} | {without:.0}/s | {with:.0}/s | {:.2} |", with / without)?;
        out.flush()?;
    }
    writeln!(out, "| median | | | {:.2} |", median(shares))?;
    Ok(())
}

/// Rate and recovery for each interval.
async fn by_interval(
    setting: &Setting,
    arguments: &Run,
    costs: &Costs,
    out: &mut impl Write,
) -> Result<Vec<Cost>, Box<dyn Error>> {
    writeln!(
        out,
        "\n| a checkpoint every | records a second | recovery, worst of {} |",
        costs.rounds
    )?;
    writeln!(out, "|---:|---:|---:|")?;
    let mut all = Vec::new();
    for every in costs.intervals.iter().map(|every| every.0) {
        let (mut rates, mut recoveries) = (Vec::new(), Vec::new());
        for round in 1..=costs.rounds {
            rates.push(rate(setting, arguments, costs.records, every).await?);
            let behind = every * round / costs.rounds;
            recoveries.extend(recovery_of(setting, costs.records, every, behind).await?);
        }
        let Some(recovery) = recoveries.into_iter().max() else {
            let every = span::text(every);
            writeln!(out, "| {every} | {:.0} | the records end before |", median(rates))?;
            continue;
        };
        let cost = Cost { every, records_per_s: median(rates), recovery };
        writeln!(
            out,
            "| {} | {:.0} | {} ms |",
            span::text(every),
            cost.records_per_s,
            recovery.as_millis()
        )?;
        out.flush()?;
        all.push(cost);
    }
    Ok(all)
}

/// How much earlier than the next checkpoint a kill comes that is to hit just before it.
const BEFORE: f64 = 0.95;

/// From a kill, so long behind the first checkpoint, to the moment when a new process is again where
/// the old one was. `None` when the records end before the kill.
async fn recovery_of(
    setting: &Setting,
    records: u32,
    every: Duration,
    behind: Duration,
) -> Result<Option<Duration>, Box<dyn Error>> {
    setting.empty(None).await?;
    let arguments = arguments(records, every);
    let mut begun = Begun::start(&arguments, None)?;
    let (mut reached, mut kill_at) = (0, None);
    while let Ok(Some(line)) = timeout_at(kill_at.unwrap_or_else(far), begun.lines.recv()).await {
        let Some((at, checkpoints)) = position(&line) else { continue };
        reached = at;
        if checkpoints > 0 {
            kill_at.get_or_insert_with(|| Instant::now() + behind.mul_f64(BEFORE));
        }
    }
    begun.child.kill()?;
    let lived = begun.end(reached)?;
    if reached >= u64::from(records) {
        return Ok(None);
    }
    if lived.status.signal().is_none() {
        return Err(format!("the job ended by itself: {}", lived.said).into());
    }
    let killed = Instant::now();
    let mut begun = Begun::start(&arguments, None)?;
    until_reached(&mut begun.lines, reached).await?;
    let took = killed.elapsed();
    begun.child.kill()?;
    begun.end(reached)?;
    Ok(Some(took))
}

/// Later than any job here runs.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(60 * 60)
}

async fn until_reached(
    lines: &mut UnboundedReceiver<String>,
    reached: u64,
) -> Result<(), Box<dyn Error>> {
    while let Some(line) = lines.recv().await {
        if position(&line).is_some_and(|(at, _)| at >= reached) {
            return Ok(());
        }
    }
    Err(format!("the job ended before it was at record {reached} again").into())
}

/// What `at 1300 5` says: records and checkpoints.
fn position(line: &str) -> Option<(u64, u64)> {
    let (at, checkpoints) = line.strip_prefix("at ")?.split_once(' ')?;
    Some((at.parse().ok()?, checkpoints.parse().ok()?))
}

/// How long a checkpoint takes, by what is in it.
async fn state_sizes(
    setting: &Setting,
    arguments: &Run,
    costs: &Costs,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    writeln!(out, "\n| windows | keys in each | bytes | taken in | written and committed in |")?;
    writeln!(out, "|---:|---:|---:|---:|---:|")?;
    let database = setting.schema.connect().await?;
    let writer = Writer { job: "sizes".to_owned(), epoch: None };
    let mut id = 0;
    for (windows, keys) in SIZES {
        let state = restore(&checkpoint_of(windows, keys), &arguments.counting.board())?;
        let (mut taken_ms, mut written_ms, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..costs.rounds {
            id += 1;
            let began = Instant::now();
            let checkpoint = take(&state, id, &setting.topic);
            taken_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
            let began = Instant::now();
            write(&database, &writer, &Output::default(), &checkpoint).await?;
            commit(&database).await?;
            written_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
            bytes = encode(&checkpoint).len();
        }
        let (taken_ms, written_ms) = (median(taken_ms), median(written_ms));
        writeln!(out, "| {windows} | {keys} | {bytes} | {taken_ms:.2} ms | {written_ms:.1} ms |")?;
        out.flush()?;
    }
    Ok(())
}

/// A checkpoint with so many windows, each with so many keys.
fn checkpoint_of(windows: i64, keys: usize) -> Checkpoint {
    let key = |number: usize| SavedKey {
        key: format!("K{number:05}"),
        count: 100,
        sum_min: 1_234,
        worst_min: Some(142),
        over_15_min: 17,
        revision: 0,
    };
    let window = |number: i64| SavedWindow {
        start_ms: number * HOUR_MS,
        end_ms: (number + 1) * HOUR_MS,
        has_fired: false,
        keys: (0..keys).map(key).collect(),
    };
    Checkpoint {
        id: 1,
        topic: String::new(),
        finished: false,
        partitions: Vec::new(),
        watermark_ms: None,
        allowed_lateness_ms: 0,
        windows: (0..windows).map(window).collect(),
        counts: SavedCounts::default(),
    }
}

fn draw(by_interval: &[Cost], costs: &Costs, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let rate = Curve {
        title: "thousand records a second".to_owned(),
        label: "The rate grows with the interval between two checkpoints.".to_owned(),
        points: by_interval.iter().map(|cost| (cost.every, cost.records_per_s / 1e3)).collect(),
    };
    let recovery = Curve {
        title: "milliseconds of recovery".to_owned(),
        label: "The recovery takes longer with the interval between two checkpoints.".to_owned(),
        points: by_interval
            .iter()
            .map(|cost| (cost.every, cost.recovery.as_secs_f64() * 1e3))
            .collect(),
    };
    writeln!(out)?;
    for (name, curve) in [("lab06-rate.svg", rate), ("lab06-recovery.svg", recovery)] {
        let path = costs.svg.join(name);
        let failed = |error| format!("cannot write {}: {error}", path.display());
        std::fs::create_dir_all(&costs.svg).map_err(failed)?;
        std::fs::write(&path, svg(&curve)).map_err(failed)?;
        writeln!(out, "drawn: {}", path.display())?;
    }
    Ok(())
}
