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
use timeline::Timeline;
use timeline::instants::Instants;
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
    write!(out, "{}", read.text(reading))?;
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

/// What a run has read.
struct Read {
    timeline: Timeline,
    reader: Reader,
    records: u64,
    unreadable: u64,
    stopped: bool,
    /// The combined watermark when the last record was read.
    at_end_ms: Option<i64>,
}

/// Reads to the end of the topic, and on until there is a watermark or nothing to wait for.
fn read(
    config: &ReaderConfig,
    heading: String,
    shown: usize,
    stop: &CancellationToken,
) -> Result<Read, ReadError> {
    let reader = Reader::open(config)?;
    let partitions: Vec<i32> = reader.watermark().each_ms().into_keys().collect();
    let mut titles: Vec<String> = partitions.iter().map(|id| format!("of {id}")).collect();
    titles.push("combined".to_owned());
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let timeline = Timeline::with_watermarks(&titles).heading(heading);
    let (records, unreadable) = (0, 0);
    let mut read = Read { timeline, reader, records, unreadable, stopped: false, at_end_ms: None };
    let mut caught_up = false;
    loop {
        let watermark = read.reader.watermark();
        let waits = config.idle_after.is_some()
            && watermark.current_ms().is_none()
            && watermark.idle().len() < partitions.len();
        read.stopped = stop.is_cancelled();
        if read.stopped || caught_up && !waits {
            return Ok(read);
        }
        let Some(seen) = read.reader.read()? else { continue };
        if matches!(seen, Seen::CaughtUp) {
            caught_up = true;
            read.at_end_ms = read.reader.watermark().current_ms();
        }
        read.note(&seen, shown);
    }
}

impl Read {
    fn note(&mut self, seen: &Seen, shown: usize) {
        let watermark = self.reader.watermark();
        match seen {
            Seen::Flight { partition, flight, judged, .. } => {
                self.records += 1;
                if self.records <= shown as u64 {
                    let label = format!("{} on {partition}", flight.origin);
                    let row = self.timeline.record(label, flight.scheduled_ms);
                    for watermark_ms in watermark.each_ms().into_values() {
                        row.watermark(watermark_ms);
                    }
                    row.watermark(watermark.current_ms());
                    if let Some(late_by) = judged.late_by {
                        row.mark(format!("late by {}", timeline::span::text(late_by)));
                    }
                }
            }
            Seen::Refused { .. } => self.records += 1,
            Seen::Unreadable { .. } => {
                self.records += 1;
                self.unreadable += 1;
            }
            Seen::Idle { .. } | Seen::CaughtUp => {}
        }
    }

    fn text(&self, reading: &Reading) -> String {
        let watermark = self.reader.watermark();
        let counts = watermark.counts();
        let mut text = format!("{}\n", self.timeline);
        let more = self.records.saturating_sub(reading.show as u64);
        text += &format!("       …  and {} more\n\n", HumanCount(more));
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
        let silent = silent.join(", ");
        text += &match (self.at_end_ms, watermark.current_ms()) {
            (Some(at_end_ms), _) => format!("Watermark at the end: {}\n", shown_ms(at_end_ms)),
            (None, Some(now_ms)) => format!(
                "Watermark at the end: none, since nothing had come from partition {silent}\n\
                 Watermark when that was idle: {}\n",
                shown_ms(now_ms)
            ),
            (None, None) => format!(
                "Watermark at the end: none, since nothing has come from partition {silent}\n\
                 So nothing was late, and no window would ever fire.\n"
            ),
        };
        text
    }
}

fn shown_ms(instant_ms: i64) -> String {
    // A second instant, so that the date is shown.
    Instants::new([instant_ms, 0]).text(instant_ms)
}
