//! Given: one life of a job that is killed: where it ends, and how it says how far it is.
//!
//! The job says so on its standard output, a line each: `from 1200` when it has found its checkpoint,
//! `at 1300 5` after each turn, with the number of checkpoints of this life, and `dies 1315` before it may
//! kill itself. The numbers are those of all records that were processed.

use std::error::Error;
use std::fmt;
use std::io::{Write, stdout};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flights::splitmix::below;
use lab05::job::TURN_RECORDS;
use lab06::crash::Effect;
use lab06::job::{JobConfig, run as run_job};
use lab06::recovery::{Which, load};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runs::stop_on_signal;
use tokio_util::sync::CancellationToken;

use crate::arguments::Run;
use crate::setting::{Setting, records_until};
use crate::source::records;

/// Where a job can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Behind one of its effects.
    After(Effect),
    /// While the database commits: the commit was sent or is about to be, and its answer is not there.
    InCommit,
}

/// All points, in the order of a turn. Behind a write and before the commit is one of them.
pub const POINTS: [Point; 9] = [
    Point::After(Effect::Poll),
    Point::After(Effect::Process),
    Point::After(Effect::Emit),
    Point::After(Effect::Advance),
    Point::After(Effect::Snapshot),
    Point::After(Effect::Write),
    Point::InCommit,
    Point::After(Effect::Commit),
    Point::After(Effect::End),
];

/// The points that come again and again: all but the end of the input.
const RECURRING: usize = POINTS.len() - 1;

impl Point {
    /// Its name: that of the effect.
    pub fn name(self) -> &'static str {
        match self {
            Point::After(effect) => effect.name(),
            Point::InCommit => "in-commit",
        }
    }

    /// Where that is, in words.
    pub fn text(self) -> String {
        match self {
            Point::After(Effect::Write) => "after write, before the commit".to_owned(),
            Point::After(effect) => format!("after {}", effect.name()),
            Point::InCommit => "while the database commits".to_owned(),
        }
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(name: &str) -> Result<Point, String> {
        let found = POINTS.into_iter().find(|point| point.name() == name);
        found.ok_or_else(|| format!("expected a crash point, found `{name}`"))
    }
}

/// Where a life ends: at the first such point behind so many records of this life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The point.
    pub point: Point,
    /// The records.
    pub behind: u64,
    /// Within a commit: after so many thousandths of the time that the last commit took.
    pub permille: u32,
}

/// A life: `emit:130:0`, or `none` for one that nobody ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life(pub Option<Death>);

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Death { point, behind, permille }) => {
                write!(f, "{}:{behind}:{permille}", point.name())
            }
            None => f.write_str("none"),
        }
    }
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Life, String> {
        if text == "none" {
            return Ok(Life(None));
        }
        let expected = || format!("expected a life such as `emit:130:0`, found `{text}`");
        let parts: Vec<&str> = text.split(':').collect();
        let [point, behind, permille] = parts[..] else { return Err(expected()) };
        Ok(Life(Some(Death {
            point: point.parse()?,
            behind: behind.parse().map_err(|_| expected())?,
            permille: permille.parse().map_err(|_| expected())?,
        })))
    }
}

/// Which deaths there are to be: so many, at random moments that a seed decides.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Which random moments.
    pub seed: u64,
    /// How many deaths.
    pub kills: u32,
    /// How many records there are to be read.
    pub records: u64,
}

/// In how many records all lives but the last come half-way, so that none of them meets the end.
const HALF: u64 = 2;

/// So many checkpoints are made in a life of average length.
const CHECKPOINTS_EACH: u64 = 4;

impl Plan {
    /// How many records a life takes on average.
    fn mean(&self) -> u64 {
        (self.records / (HALF * u64::from(self.kills.max(1)))).max(1)
    }

    /// Whether every second poll that kills may be a later one than the first of its life: there are as
    /// many records as the polls before them give out.
    fn has_room_for_later_polls(&self) -> bool {
        let later_polls = u64::from(self.kills) / (2 * RECURRING as u64);
        later_polls * TURN_RECORDS as u64 <= self.records / HALF
    }

    /// After how many records and results a checkpoint is made, whatever the clock says: a job that is
    /// killed more often than it makes checkpoints never comes forward.
    pub fn changes(&self) -> u64 {
        (self.mean() / CHECKPOINTS_EACH).max(1)
    }

    /// The death with this number, from 0. The points take turns in an order that is drawn anew each
    /// time; the last deaths are at the end of the input.
    pub fn death(&self, number: u32) -> Death {
        let at_the_end = self.kills / POINTS.len() as u32;
        if number >= self.kills - at_the_end {
            return Death { point: POINTS[RECURRING], behind: 0, permille: 0 };
        }
        let (round, place) = (number / RECURRING as u32, number as usize % RECURRING);
        let point = self.order(round)[place];
        let longest = u32::try_from(2 * self.mean()).unwrap_or(u32::MAX);
        let drawn = below(longest, self.seed, number);
        let is_poll = point == Point::After(Effect::Poll);
        let is_first_poll =
            is_poll && (round.is_multiple_of(2) || !self.has_room_for_later_polls());
        let behind = if is_first_poll { 0 } else { u64::from(drawn) };
        Death { point, behind, permille: below(1_000, !self.seed, number) }
    }

    /// The recurring points in the order of one round, by Fisher and Yates.
    fn order(&self, round: u32) -> [Point; RECURRING] {
        let mut order: [Point; RECURRING] = std::array::from_fn(|index| POINTS[index]);
        for place in (1..RECURRING as u32).rev() {
            let other = below(place + 1, self.seed.rotate_left(32), round * 64 + place);
            order.swap(place as usize, other as usize);
        }
        order
    }
}

/// Runs the job as one life among others. With `kills` it makes as many checkpoints as that asks for.
pub async fn run(arguments: &Run, life: &Life, kills: Option<u32>) -> Result<(), Box<dyn Error>> {
    let setting = Setting::open(arguments).await?;
    let stop = stop_on_signal()?;
    let epoch = setting.claim(arguments).await?;
    let database = setting.schema.connect().await?;
    let begin = load(&database, &setting.job, Which::Latest).await?;
    drop(database);
    let before = begin.as_ref().map_or(0, records_until);
    let mut config = setting.job_config(arguments, epoch)?;
    config.interval.changes = match kills {
        Some(kills) => {
            let records = records(&arguments.source).unwrap_or_default();
            Plan { seed: arguments.seed, kills, records }.changes()
        }
        None => u64::MAX,
    };
    say(format_args!("from {before}"));
    live(&config, life.0, before, &stop).await
}

async fn live(
    config: &JobConfig,
    death: Option<Death>,
    before: u64,
    stop: &CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let mut end = End::new(death, before);
    run_job(
        config,
        stop,
        &mut |now| say(format_args!("at {} {}", before + now.read, now.checkpoints)),
        &mut |effect| end.on(effect),
    )
    .await?;
    Ok(())
}

/// Says a line to the parent. Without one there is nobody to live for.
fn say(line: fmt::Arguments<'_>) {
    let mut out = stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Ends this process as `kill -9` does. Nothing of it runs any more: no destructor, no rollback.
fn die() -> ! {
    // It cannot fail: everybody may kill himself.
    let _ = kill(Pid::this(), Signal::SIGKILL);
    loop {
        thread::park();
    }
}

/// Waits for the moment of death.
struct End {
    death: Option<Death>,
    before: u64,
    /// Records of this life that were processed and advanced behind.
    processed: u64,
    /// How many writes there were, and when the last one was done.
    writes: u64,
    written: Instant,
    last_commit: Duration,
    /// The write whose commit has not been answered; 0 for none.
    in_commit: Arc<AtomicU64>,
}

/// How long a first commit is taken to be.
const FIRST_COMMIT: Duration = Duration::from_micros(500);

impl End {
    fn new(death: Option<Death>, before: u64) -> End {
        End {
            death,
            before,
            processed: 0,
            writes: 0,
            written: Instant::now(),
            last_commit: FIRST_COMMIT,
            in_commit: Arc::default(),
        }
    }

    fn on(&mut self, effect: Effect) {
        match effect {
            Effect::Advance => self.processed += 1,
            Effect::Write => {
                self.writes += 1;
                self.written = Instant::now();
                self.in_commit.store(self.writes, Ordering::SeqCst);
            }
            Effect::Commit => {
                self.in_commit.store(0, Ordering::SeqCst);
                self.last_commit = self.written.elapsed();
            }
            _ => {}
        }
        let Some(death) = self.death.filter(|death| self.processed >= death.behind) else { return };
        if death.point == Point::After(effect) {
            say(format_args!("dies {}", self.before + self.processed));
            die();
        }
        if death.point == Point::InCommit && effect == Effect::Write {
            self.die_while_it_commits(death.permille);
        }
    }

    /// Begins a thread that ends this process when a part of the time of a commit is over. Where this
    /// commit is faster than the last one, the next is waited for.
    fn die_while_it_commits(&self, permille: u32) {
        let moment = self.written + self.last_commit * permille / 1_000;
        let (at, ours) = (self.before + self.processed, self.writes);
        let in_commit = Arc::clone(&self.in_commit);
        thread::spawn(move || {
            // A sleep would last longer than a commit.
            while Instant::now() < moment {
                std::hint::spin_loop();
            }
            say(format_args!("dies {at}"));
            if in_commit.load(Ordering::SeqCst) == ours {
                die();
            }
        });
    }
}
