//! Given: the board computed anew by the database, from all that is on the topic, and what differs.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use flights::Flight;
use lab05::input::{Input, Until};
use lab05::job::flight_in;
use lab05::tables::column;
use rdkafka::Message;
use rdkafka::error::KafkaError;
use tokio_postgres::Client;

use crate::setting::Setting;

/// So many flights are handed to the database at a time.
const CHUNK: usize = 20_000;

/// What differs between the tables of the job and a batch over its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Flights on the topic.
    pub flights: i64,
    /// Flights that are in no row and not among the dropped.
    pub lost: i64,
    /// Flights that are in a row once more than they should.
    pub repeated: i64,
    /// Rows of either side that the other has not, or has with another figure.
    pub differing: i64,
    /// Rows of the job.
    pub rows: i64,
    /// Rows that were given out more than once.
    pub corrected: i64,
    /// Dropped records that are not on the topic.
    pub dropped_elsewhere: i64,
}

impl Compared {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        [self.lost, self.repeated, self.differing, self.dropped_elsewhere] == [0; 4]
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = self.rows - self.differing.min(self.rows);
        writeln!(f, "  records lost      {:>6}", self.lost)?;
        writeln!(f, "  records repeated  {:>6}", self.repeated)?;
        write!(f, "  rows equal        {equal:>6} of {}", self.rows)?;
        if self.corrected > 0 {
            write!(f, ", {} of them corrected", self.corrected)?;
        }
        if self.dropped_elsewhere > 0 {
            write!(f, "\n  dropped, but not on the topic {:>6}", self.dropped_elsewhere)?;
        }
        Ok(())
    }
}

/// A flight and its place.
struct Placed {
    partition: i32,
    offset: i64,
    flight: Flight,
}

/// Reads the whole topic once more, has the database group it, and compares.
pub async fn compare(setting: &Setting) -> Result<Compared, Box<dyn Error>> {
    let database = setting.schema.connect().await?;
    database.batch_execute(TABLE).await?;
    let mut input = Input::open(&setting.rig.kafka(), &setting.topic, Until::TheEnd).await?;
    let consumer = input.consumer();
    let mut chunk = Vec::with_capacity(CHUNK);
    while !input.is_at_end() {
        match consumer.recv().await {
            Ok(message) => {
                let (partition, offset) = (message.partition(), message.offset());
                if input.contains(partition, offset) {
                    let flight = flight_in(&message).map(|(_, flight)| flight);
                    chunk.extend(flight.map(|flight| Placed { partition, offset, flight }));
                    input.read_to(partition, offset + 1);
                }
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                input.read_to_end(partition);
            }
            Err(error) => input.sit_out(error).await?,
        }
        if chunk.len() == CHUNK {
            insert(&database, &chunk).await?;
            chunk.clear();
        }
    }
    insert(&database, &chunk).await?;
    let row = database.query_one(COMPARE, &[&setting.topic]).await?;
    let figures: BTreeMap<&str, i64> =
        row.columns().iter().enumerate().map(|(at, it)| (it.name(), row.get(at))).collect();
    Ok(Compared {
        flights: figures["flights"],
        lost: figures["lost"],
        repeated: figures["repeated"],
        differing: figures["differing"],
        rows: figures["rows"],
        corrected: figures["corrected"],
        dropped_elsewhere: figures["dropped_elsewhere"],
    })
}

const TABLE: &str = "
    CREATE TEMPORARY TABLE on_topic (
        partition integer, record_offset bigint, scheduled timestamptz, origin text, delay_min integer,
        PRIMARY KEY (partition, record_offset)
    )";

async fn insert(database: &Client, flights: &[Placed]) -> Result<(), tokio_postgres::Error> {
    const INSERT: &str = "
        INSERT INTO on_topic
        SELECT partition, record_offset, 'epoch'::timestamptz + ms * interval '1 millisecond',
            origin, delay_min
        FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[])
            AS flights (partition, record_offset, ms, origin, delay_min)";
    let columns = (
        column(flights, |placed| placed.partition),
        column(flights, |placed| placed.offset),
        column(flights, |placed| placed.flight.scheduled_ms),
        column(flights, |placed| &*placed.flight.origin),
        column(flights, |placed| placed.flight.delay_min),
    );
    database.execute(INSERT, &[&columns.0, &columns.1, &columns.2, &columns.3, &columns.4]).await?;
    Ok(())
}

/// The windows are hours.
const COMPARE: &str = "
    WITH dropped AS (SELECT partition, record_offset FROM dropped_records WHERE topic = $1),
    expected AS (
        SELECT date_trunc('hour', scheduled, 'UTC') AS window_start, origin,
            count(*) AS count, sum(delay_min)::bigint AS sum_delay_min,
            max(delay_min) AS worst_delay_min,
            count(*) FILTER (WHERE delay_min > 15) AS over_15_min
        FROM on_topic LEFT JOIN dropped USING (partition, record_offset)
        WHERE dropped.partition IS NULL
        GROUP BY 1, 2
    ),
    both_sides AS (
        SELECT coalesce(expected.count, 0) AS expected, coalesce(found.count, 0) AS found,
            (expected.count, expected.sum_delay_min, expected.worst_delay_min, expected.over_15_min)
            IS NOT DISTINCT FROM
            (found.count, found.sum_delay_min, found.worst_delay_min, found.over_15_min) AS is_equal
        FROM expected FULL JOIN processed_events_aggregated AS found USING (window_start, origin)
    )
    SELECT coalesce(sum(greatest(expected - found, 0)), 0)::bigint AS lost,
        coalesce(sum(greatest(found - expected, 0)), 0)::bigint AS repeated,
        count(*) FILTER (WHERE NOT is_equal) AS differing,
        (SELECT count(*) FROM on_topic) AS flights,
        (SELECT count(*) FROM processed_events_aggregated) AS rows,
        (SELECT count(*) FROM processed_events_aggregated WHERE revision > 1) AS corrected,
        (SELECT count(*) FROM dropped LEFT JOIN on_topic USING (partition, record_offset)
            WHERE on_topic.partition IS NULL) AS dropped_elsewhere
    FROM both_sides";
