//! Given: a real topic, and the watermark that its reader sees.

use std::error::Error;
use std::io::Write;
use std::panic::resume_unwind;
use std::time::Duration;

use flights::Flight;
use flights::replay::arrival_order;
use indicatif::HumanCount;
use lab01::publish::publish;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab04::guard::ALLOWED_AHEAD;
use lab04::reader::{ReadError, Reader, ReaderConfig, Seen};
use rig::Rig;
use runs::{filled_once, keeps_order, stop_on_signal};
use timeline::instants::Instants;
use timeline::{Row, Timeline};
use tokio_util::sync::CancellationToken;

use crate::Reading;

pub async fn run(reading: &Reading, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let stop = stop_on_signal()?;
    let flights = arrival_order(reading.week.load().departed);
    let rig = Rig::up()?;
    let kafka = rig.kafka();
    let topic = topic_name(reading, rig.prefix());
    let records = flights.len() as u64;
    filled_once(&kafka, &topic, records, async || {
        fill(&rig, &topic, reading.partitions, &flights).await
    })
    .await?;

    let config = ReaderConfig {
        kafka: kafka.clone(),
        topic: topic.clone(),
        bound: Duration::from_secs(60 * u64::from(reading.bound)),
        idle_after: reading.idle_after.0,
        allowed_ahead: ALLOWED_AHEAD,
    };
    let (bound, shown) = (reading.bound, reading.show);
    let heading = format!("{}, from topic {topic} · bound {bound} min", reading.week.title());
    let read = tokio::task::spawn_blocking(move || read(&config, heading, shown, &stop));
    // A panic of the reader, a hole for example, was reported on its own thread.
    let read = read.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
    write!(out, "{}", read.text())?;
    Ok(())
}

/// A topic for each data set and number of partitions, so that no run changes what another reads.
fn topic_name(reading: &Reading, prefix: &str) -> String {
    let package = env!("CARGO_PKG_NAME");
    let name = format!("{prefix}{package}.{}", reading.week.name());
    match reading.partitions {
        3 => name,
        other => format!("{name}.partitions-{other}"),
    }
}

async fn fill(
    rig: &Rig,
    topic: &str,
    partitions: i32,
    flights: &[Flight],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let spec = TopicSpec {
        name: topic.to_owned(),
        partitions,
        replication: rig.replication(),
        retention: Retention::Forever,
    };
    let kafka = rig.kafka();
    ready_topic(&kafka, &spec).await?;
    publish(&keeps_order(&kafka), topic, flights, &mut |_| {}).await?;
    Ok(())
}

/// More partitions than these are counted and not named.
const NAMED: usize = 3;

/// What a run has read.
struct Read {
    /// The first records, and every moment at which something else happened.
    timeline: Timeline,
    /// How many records are shown.
    shown: u64,
    reader: Reader,
    /// The partitions of the topic when the reader began.
    partitions: Vec<i32>,
    records: u64,
    unreadable: u64,
    caught_up: bool,
    stopped: bool,
    /// The combined watermark when the last record was read.
    at_end_ms: Option<i64>,
}

/// Reads to the end of the topic, and on until there is a watermark or nothing to wait for.
fn read(
    config: &ReaderConfig,
    heading: String,
    shown: u64,
    stop: &CancellationToken,
) -> Result<Read, ReadError> {
    let reader = Reader::open(config)?;
    let partitions: Vec<i32> = reader.watermark().each_ms().into_keys().collect();
    let mut titles: Vec<String> = partitions.iter().map(|id| format!("of {id}")).collect();
    titles.push("combined".to_owned());
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let timeline = Timeline::with_watermarks(&titles).heading(heading);
    let mut read = Read {
        timeline,
        shown,
        reader,
        partitions,
        records: 0,
        unreadable: 0,
        caught_up: false,
        stopped: false,
        at_end_ms: None,
    };
    loop {
        let watermark = read.reader.watermark();
        let waits = config.idle_after.is_some()
            && watermark.current_ms().is_none()
            && watermark.idle().len() < watermark.each_ms().len();
        read.stopped = stop.is_cancelled();
        if read.stopped || read.caught_up && !waits {
            return Ok(read);
        }
        let Some(seen) = read.reader.read()? else { continue };
        read.note(&seen);
    }
}

impl Read {
    fn note(&mut self, seen: &Seen) {
        match seen {
            Seen::Flight { partition, flight, judged, .. } => {
                if self.counts_and_shows() {
                    let label = format!("{} on {partition}", flight.origin);
                    let row = self.timeline.record(label, flight.scheduled_ms);
                    with_watermarks(row, &self.partitions, &self.reader);
                    if let Some(late_by) = judged.late_by {
                        row.mark(format!("late by {}", timeline::span::text(late_by)));
                    }
                }
            }
            Seen::Refused { partition, offset, reason } => {
                self.counts_and_shows();
                self.moment(format!("{partition}@{offset} refused")).mark(reason.to_string());
            }
            Seen::Unreadable { partition, offset, reason } => {
                self.unreadable += 1;
                self.counts_and_shows();
                self.moment(format!("{partition}@{offset} unreadable")).mark(reason.to_string());
            }
            Seen::Idle { partitions, .. } => self.note_idle(partitions),
            Seen::CaughtUp => {
                self.caught_up = true;
                self.at_end_ms = self.reader.watermark().current_ms();
                self.moment("caught up");
            }
        }
    }

    /// Counts a record and says whether it is one of those that are shown. Where they end, the
    /// timeline says so.
    fn counts_and_shows(&mut self) -> bool {
        self.records += 1;
        if self.records == self.shown + 1 {
            self.timeline.leave_out();
        }
        self.records <= self.shown
    }

    /// Behind the last record all partitions fall silent. Then those alone matter that never spoke.
    fn note_idle(&mut self, partitions: &[i32]) {
        let each_ms = self.reader.watermark().each_ms();
        let matters = |id: &&i32| !self.caught_up || each_ms.get(id).copied().flatten().is_none();
        let idle: Vec<String> = partitions.iter().filter(matters).map(i32::to_string).collect();
        if !idle.is_empty() {
            self.moment(format!("idle: {}", named("", &idle)));
        }
    }

    fn moment(&mut self, what: impl Into<String>) -> &mut Row {
        with_watermarks(self.timeline.moment(what), &self.partitions, &self.reader)
    }

    fn text(&self) -> String {
        let watermark = self.reader.watermark();
        let counts = watermark.counts();
        let mut text = format!("{}\n\n", self.timeline);
        text += &format!(
            "{} records read: {} on time, {} late, {} refused, {} unreadable\n",
            HumanCount(self.records),
            HumanCount(counts.on_time),
            HumanCount(counts.late),
            HumanCount(self.reader.refused()),
            HumanCount(self.unreadable),
        );
        if self.stopped {
            text += "Stopped before the end.\n";
            return text;
        }
        let silent: Vec<String> = watermark
            .each_ms()
            .iter()
            .filter(|(_, watermark_ms)| watermark_ms.is_none())
            .map(|(partition, _)| partition.to_string())
            .collect();
        let silent = named("partition ", &silent);
        text += &match (self.at_end_ms, watermark.current_ms()) {
            (Some(at_end_ms), _) => format!("Watermark at the end: {}\n", shown_ms(at_end_ms)),
            (None, Some(now_ms)) => format!(
                "Watermark at the end: none, since nothing had come from {silent}\n\
                 Watermark when that was idle: {}\n",
                shown_ms(now_ms)
            ),
            (None, None) => format!(
                "Watermark at the end: none, since nothing has come from {silent}\n\
                 So nothing was late, and no window would ever fire.\n"
            ),
        };
        text
    }
}

fn named(few: &str, partitions: &[String]) -> String {
    match partitions.len() {
        0..=NAMED => format!("{few}{}", partitions.join(", ")),
        many => format!("{many} partitions"),
    }
}

/// The watermark of each partition after a row, and the combined one.
fn with_watermarks<'a>(row: &'a mut Row, partitions: &[i32], reader: &Reader) -> &'a mut Row {
    let watermark = reader.watermark();
    let each_ms = watermark.each_ms();
    for partition in partitions {
        row.watermark(each_ms.get(partition).copied().flatten());
    }
    row.watermark(watermark.current_ms())
}

fn shown_ms(instant_ms: i64) -> String {
    // A second instant, so that the date is shown.
    Instants::new([instant_ms, 0]).text(instant_ms)
}
