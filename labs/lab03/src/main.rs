//! Given: `cargo run -p lab03` reads a week of flights into a table with the code of this lab.
//!
//! Arguments, rig, call, output: all the rest is in the library.

use std::error::Error;
use std::io::{self, Write, stdout};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use flights::replay::arrival_order;
use flights::utc;
use flights::weeks::Week;
use lab01::publish::publish;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab03::broker::Outsider;
use lab03::crash::crash_table;
use lab03::guarantee::{at_least_once, at_most_once};
use lab03::job::{JobConfig, Until, run};
use lab03::lag::{PartitionLag, group_lag};
use lab03::progress::Offsets;
use lab03::reset::reset;
use lab03::start::{Start, resolve};
use rig::Rig;
use rig::ending::exit_code;
use runs::{Figures, LiveLine, RunSchema, counted, filled_once, keeps_order, stop_on_signal};

/// Reads a week of real flights from a topic into the table `processed_events`.
///
/// Kafka and PostgreSQL are found or started by themselves. The topic is filled once. The table is
/// never emptied: stop a run with Ctrl-C or kill it, start it again, and it is complete and holds
/// nothing twice. `make psql` shows it, in the schema `lab03`.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    job: Job,
}

#[derive(Subcommand)]
enum Command {
    /// Shows where a group is in each partition, and how far behind
    Groups(Names),
    /// Sets a group to another place, while none of its members lives
    Reset(Reset),
    /// Crashes both loops of step 2 behind each of their lines, in memory
    Crashes,
}

#[derive(Args)]
struct Names {
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "calm")]
    week: Week,
    /// The consumer group; its name is that of the package, unless you choose one
    #[arg(long)]
    group: Option<String>,
}

#[derive(Args)]
struct Job {
    #[command(flatten)]
    names: Names,
    /// Where to begin: `earliest`, `latest`, `committed`, `offset:42`, or at the first record of a
    /// time such as `2013-02-18T06:00:00Z`. Without it: `committed`
    #[arg(long, value_name = "START")]
    from: Option<Start>,
    /// How many records are written and committed at once, at most
    #[arg(long, value_name = "RECORDS", default_value_t = 500)]
    batch: usize,
    /// Wait for further records at the end of the topic, until Ctrl-C
    #[arg(long)]
    follow: bool,
}

#[derive(Args)]
struct Reset {
    #[command(flatten)]
    names: Names,
    /// Where to: as `--from` of a run
    #[arg(long, value_name = "START")]
    to: Start,
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab03");
    let arguments = Arguments::parse();
    let out = &mut stdout();
    exit_code(match &arguments.command {
        None => run_job(&arguments.job, out).await,
        Some(Command::Groups(names)) => show_group(names, out).await,
        Some(Command::Reset(arguments)) => reset_group(arguments, out).await,
        Some(Command::Crashes) => show_crashes(out).await,
    })
}

async fn run_job(arguments: &Job, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let rig = Rig::up()?;
    let stop = stop_on_signal()?;
    let outsider = outsider(&rig, &arguments.names).await?;
    let schema = RunSchema::of_run(&rig, &package().replace('-', "_")).await?;
    let from = arguments.from.unwrap_or(Start::Committed);
    let start = resolve(&outsider, from)?;
    let unread: u64 = print_start(&outsider, from, &start, out)?;

    let config = JobConfig {
        kafka: rig.kafka(),
        topic: outsider.topic.clone(),
        group: outsider.group.clone(),
        database: schema.url().parse()?,
        start: from,
        batch_records: arguments.batch,
    };
    let until = if arguments.follow { Until::Stopped } else { Until::TheEnd };
    let mut line = LiveLine::begin(&outsider.topic, (!arguments.follow).then_some(unread));
    let mut new_rows = 0;
    let done = run(&config, until, &mut |done| {
        new_rows = done.new_rows;
        let read = done.records as u64;
        let counters = [("new rows", new_rows)];
        line.show(&Figures { read, lag: unread.saturating_sub(read), counters: &counters });
        !stop.is_cancelled()
    })
    .await?;
    let read = done.records as u64;
    let counters = [("new rows", done.new_rows)];
    line.end(&Figures { read, lag: unread.saturating_sub(read), counters: &counters });

    print_lag(&outsider, out)?;
    let rows: i64 = schema
        .connect()
        .await?
        .query_one("SELECT count(*) FROM processed_events WHERE topic = $1", &[&outsider.topic])
        .await?
        .get(0);
    let rows = counted(rows.unsigned_abs(), "row");
    writeln!(out, "{}.processed_events holds {rows} of {}", schema.name(), outsider.topic)?;
    Ok(())
}

async fn show_group(names: &Names, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    print_lag(&outsider(&Rig::up()?, names).await?, out)
}

async fn reset_group(arguments: &Reset, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let outsider = outsider(&Rig::up()?, &arguments.names).await?;
    reset(&outsider, arguments.to)?;
    print_lag(&outsider, out)
}

async fn show_crashes(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let least = crash_table("at least once", async |effects| at_least_once(effects).await).await;
    let most = crash_table("at most once", async |effects| at_most_once(effects).await).await;
    writeln!(out, "{least}\n\n{most}")?;
    Ok(())
}

/// After it, topic, group and schema are named: a run of the reference answer leaves those of a
/// learner alone.
fn package() -> &'static str {
    env!("CARGO_PKG_NAME")
}

/// The outsider of the run's group, for the topic of the week, which is filled where it is not.
async fn outsider(rig: &Rig, names: &Names) -> Result<Outsider, Box<dyn Error>> {
    let kafka = rig.kafka();
    let topic = format!("{}{}.{}", rig.prefix(), package(), names.week.name());
    let flights = arrival_order(names.week.load().departed);
    filled_once(&kafka, &topic, flights.len() as u64, async || {
        let spec = TopicSpec {
            name: topic.clone(),
            partitions: 3,
            replication: rig.replication(),
            retention: Retention::Forever,
        };
        ready_topic(&kafka, &spec).await?;
        publish(&keeps_order(&kafka), &topic, &flights, &mut |_| {}).await?;
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    let group = rig.own_name(names.group.as_deref().unwrap_or(package()));
    Ok(Outsider::new(&kafka, &topic, &group)?)
}

/// Says where a run begins and gives the number of records before it.
fn print_start(
    outsider: &Outsider,
    from: Start,
    start: &Offsets,
    out: &mut impl Write,
) -> Result<u64, Box<dyn Error>> {
    let bounds = outsider.bounds()?;
    let unread = |(partition, offset): (&i32, &i64)| {
        bounds.get(partition).map_or(0, |bounds| (bounds.end - offset).unsigned_abs())
    };
    let unread = start.iter().map(unread).sum();
    let places: Vec<String> =
        start.iter().map(|(partition, offset)| format!("{partition}@{offset}")).collect();
    writeln!(out, "{} begins at {} (partition@offset)", outsider.group, places.join(", "))?;
    if let (Start::Time(time_ms), 0) = (from, unread) {
        writeln!(out, "no record is of {} or later: that is the end", utc::format(time_ms))?;
    }
    Ok(unread)
}

fn print_lag(outsider: &Outsider, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let lags = group_lag(outsider)?;
    writeln!(out, "group {}, topic {}", outsider.group, outsider.topic)?;
    writeln!(out, " partition   first     end   committed     lag")?;
    lags.iter().try_for_each(|lag| print_partition(lag, out))?;
    let total: i64 = lags.iter().map(PartitionLag::lag).sum();
    writeln!(out, "       all                             {total:>7}")?;
    Ok(())
}

fn print_partition(partition: &PartitionLag, out: &mut impl Write) -> io::Result<()> {
    let PartitionLag { partition: number, first, end, committed } = partition;
    let committed = committed.map_or("none".to_owned(), |offset| offset.to_string());
    let lag = partition.lag();
    write!(out, " {number:>9} {first:>7} {end:>7}   {committed:>9} {lag:>7}")?;
    match partition.gone() {
        0 => writeln!(out),
        gone => writeln!(out, "   {gone} were deleted unread"),
    }
}
