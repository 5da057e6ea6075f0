//! Given: a parent whose child is killed again and again, and who starts it again each time.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use lab05::tables::RESULTS;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runs::{Figures, LiveLine, counted, stop_on_signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::arguments::Run;
use crate::batch;
use crate::life::{Death, Life, Plan};
use crate::picture::{tables_of, whereabouts};
use crate::setting::Setting;
use crate::source::{fill, records, title};
use crate::tally::{Tally, by_point, histogram};

/// What a child has said, and how it ended.
pub struct Lived {
    /// How many records were processed when it last said so.
    pub at: u64,
    /// How it ended.
    pub status: ExitStatus,
    /// The last line of its standard error.
    pub said: String,
}

/// Kills the job so often, starts it again each time, and then compares its tables with what is on the
/// topic.
pub async fn run(arguments: &Run, kills: u32, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let setting = Setting::open(arguments).await?;
    let stop = stop_on_signal()?;
    let (source, bound_min) = (&arguments.source, arguments.counting.bound);
    fill(&setting.rig, &setting.topic, source, bound_min).await?;
    setting.take_over(arguments, &setting.job_config(arguments, None)?, &stop).await?;
    let records = records(source).unwrap_or_default();
    let plan = Plan { seed: arguments.seed, kills, records };
    writeln!(out, "{}, topic {}, bound {bound_min} min", title(source), setting.topic)?;
    out.flush()?;

    let mut parent = Parent {
        tally: Tally::open(&setting.schema, arguments.goes_on()).await?,
        line: LiveLine::begin(&title(source), Some(records)),
        records,
        pending: Vec::new(),
        last_at: 0,
    };
    let is_done = parent.supervise(&plan, &stop).await?;
    let tally = parent.end();
    write!(out, "\n{}", by_point(tally.kills()))?;
    write!(out, "\n{}", histogram(tally.kills()))?;
    if !is_done {
        writeln!(out, "\nstopped before the end of the input; --chaos --resume goes on")?;
        return Ok(());
    }
    let database = setting.schema.connect().await?;
    tables_of(&setting.schema).draw_last_windows(&database, out).await?;
    writeln!(out, "\n{records} records on the topic:")?;
    whereabouts(&setting.schema, &database, out).await?;
    drop(database);
    let compared = batch::compare(&setting).await?;
    writeln!(out, "\n{RESULTS} against a GROUP BY over the topic, the dropped records left out:")?;
    writeln!(out, "{compared}")?;
    if !compared.is_equal() {
        return Err("the board is not what the topic says".into());
    }
    let killed = tally.kills().len() as u64;
    if killed < kills.into() {
        let killed = counted(killed, "time");
        return Err(format!("killed {killed}, expected {kills}: the input ended before").into());
    }
    Ok(())
}

/// What the parent keeps in mind.
struct Parent {
    tally: Tally,
    line: LiveLine,
    records: u64,
    /// The kills whose recovery lasts: their index, and when they happened.
    pending: Vec<(usize, Instant)>,
    last_at: u64,
}

impl Parent {
    /// Starts one life after the other until the input is read to its end. Says whether it was.
    async fn supervise(
        &mut self,
        plan: &Plan,
        stop: &CancellationToken,
    ) -> Result<bool, Box<dyn Error>> {
        loop {
            let number = u32::try_from(self.tally.kills().len())?;
            let death = (number < plan.kills).then(|| plan.death(number));
            let lived = self.live(death, stop).await?;
            match (lived.status.signal(), death) {
                (Some(signal), Some(death)) if signal == Signal::SIGKILL as i32 => {
                    self.tally.add(death.point, lived.at).await?;
                    self.pending.push((self.tally.kills().len() - 1, Instant::now()));
                }
                _ if lived.status.success() => return Ok(!stop.is_cancelled()),
                _ => return Err(format!("the job ended by itself: {}", lived.said).into()),
            }
            if stop.is_cancelled() {
                return Ok(false);
            }
        }
    }

    /// One life, from its start to its end.
    async fn live(
        &mut self,
        death: Option<Death>,
        stop: &CancellationToken,
    ) -> Result<Lived, Box<dyn Error>> {
        let mut begun = Begun::start(&std::env::args_os().skip(1).collect::<Vec<_>>(), death)?;
        let pid = Pid::from_raw(i32::try_from(begun.child.id())?);
        let mut is_asked = false;
        let mut at = 0;
        loop {
            let line = tokio::select! {
                line = begun.lines.recv() => line,
                () = stop.cancelled(), if !is_asked => {
                    is_asked = true;
                    // Where it has ended already there is nobody to ask.
                    let _ = kill(pid, Signal::SIGTERM);
                    continue;
                }
            };
            let Some(line) = line else { break };
            at = self.hear(&line, at).await?;
        }
        begun.end(at)
    }

    /// Takes a line of the child's. Gives how many records were processed.
    async fn hear(&mut self, line: &str, at: u64) -> Result<u64, Box<dyn Error>> {
        let mut words = line.split(' ');
        let (what, number) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        let (Some(what), Some(number)) = (what, number) else { return Ok(at) };
        if what == "from" {
            self.tally.began_from(number).await?;
            return Ok(number);
        }
        let now = Instant::now();
        let mut lasting = Vec::new();
        for (index, killed) in std::mem::take(&mut self.pending) {
            if self.tally.kills()[index].at <= number {
                self.tally.recovered(index, now - killed).await?;
            } else {
                lasting.push((index, killed));
            }
        }
        self.pending = lasting;
        self.last_at = number;
        let counters = [("killed", self.tally.kills().len() as u64)];
        let lag = self.records.saturating_sub(number);
        self.line.show(&Figures { read: number, lag, counters: &counters });
        Ok(number)
    }

    /// Ends the live line.
    fn end(self) -> Tally {
        let counters = [("killed", self.tally.kills().len() as u64)];
        let lag = self.records.saturating_sub(self.last_at);
        self.line.end(&Figures { read: self.last_at, lag, counters: &counters });
        self.tally
    }
}

/// A life that has begun. Both pipes of the child are read as it writes: a full one would stop it.
pub struct Begun {
    /// The child.
    pub child: Child,
    /// What it says, line by line, until it has ended.
    pub lines: UnboundedReceiver<String>,
    last_words: JoinHandle<String>,
}

impl Begun {
    /// Starts this program as a child with the same arguments.
    pub fn start(
        arguments: &[std::ffi::OsString],
        death: Option<Death>,
    ) -> Result<Begun, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .args(["--life", &Life(death).to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the parent, who asks the child to stop.
            .process_group(0)
            .spawn()?;
        let (sender, lines) = unbounded_channel();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let last_words = thread::spawn(move || {
            let last = errors.split(b'\n').map_while(Result::ok).last().unwrap_or_default();
            String::from_utf8_lossy(&last).into_owned()
        });
        Ok(Begun { child, lines, last_words })
    }

    /// Waits for a child that says no more.
    pub fn end(mut self, at: u64) -> Result<Lived, Box<dyn Error>> {
        let last = self.last_words.join().expect("reading does not panic");
        let status = self.child.wait()?;
        let said = last.strip_prefix("error: ").unwrap_or(&last).to_owned();
        Ok(Lived { at, status, said })
    }
}
