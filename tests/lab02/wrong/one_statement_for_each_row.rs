//! title: Each row is a statement of its own
//! file: job.rs
//! caught by: step6_job::a_batch_is_one_statement_whatever_its_size
//!
//! The batch is collected, then a loop writes it row by row. Each statement is a way to the database
//! and back, and one that fails half-way leaves half a batch.

pub async fn write_flights(database: &Client, flights: &[&ReadFlight]) -> Result<(), TableError> {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn instant(instant_ms: i64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(instant_ms.unsigned_abs())
    }

    let insert = database
        .prepare("INSERT INTO processed_events VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)")
        .await?;
    for read in flights {
        let flight = &read.flight;
        database
            .execute(
                &insert,
                &[
                    &read.place.topic,
                    &read.place.partition,
                    &read.place.offset,
                    &instant(read.timestamp_ms),
                    &flight.carrier,
                    &i32::from(flight.flight),
                    &flight.tail,
                    &flight.origin,
                    &flight.dest,
                    &i32::from(flight.distance_miles),
                    &instant(flight.scheduled_ms),
                    &flight.delay_min,
                ],
            )
            .await?;
    }
    Ok(())
}
