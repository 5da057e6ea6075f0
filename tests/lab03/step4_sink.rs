//! Step 4: tables in which repeats do no harm.
//!
//! Invariants:
//! 1. Written once or ten times, in one write or in several: the table is the same.
//! 2. `processed_events` has one row a record: two records are two rows, whatever they say.
//! 3. `departures` has one row a departure: of its records the last one counts, in whatever order
//!    they are written.
//! 4. A write is all or nothing.

use flights::Flight;
use lab03::sink::{
    DEPARTURES, PROCESSED_EVENTS, Row, SinkError, ensure_tables, write_departures, write_records,
};
use testkit::{TestDatabase, rule, with_database};
use tokio_postgres::Client;

use super::at_hand::SIX_MS;

const TOPIC: &str = "flights";

/// United 1545 from Newark, with the slot of six o'clock, told of by the record at
/// `partition@offset`.
fn told(partition: i32, offset: i64, delay_min: i32) -> Row {
    let flight = Flight {
        carrier: "UA".to_owned(),
        flight: 1545,
        tail: Some("N14228".to_owned()),
        origin: "EWR".to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1400,
        scheduled_ms: SIX_MS,
        delay_min,
    };
    Row { partition, offset, departed_ms: flight.departed_ms(), flight }
}

/// The same record, of another flight number.
fn of_flight(number: u16, row: Row) -> Row {
    Row { flight: Flight { flight: number, ..row.flight }, ..row }
}

async fn tables(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    ensure_tables(&client).await.expect("the tables can be made");
    client
}

/// A table's rows: flight, delay, and the record that told of it.
async fn rows(client: &Client, table: &str) -> String {
    let select = format!(
        "SELECT carrier || ' ' || flight || ' ' || delay_min || ' min, ' || partition || '@' || \
         record_offset FROM {table} ORDER BY topic, partition, record_offset"
    );
    let rows = client.query(&select, &[]).await.expect("the table can be read");
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if rows.is_empty() { "no row".to_owned() } else { rows.join("; ") }
}

/// All that a table's rows say, a line each.
async fn whole_rows(client: &Client, table: &str) -> String {
    let select = format!(
        "SELECT concat_ws(' ', topic, partition, record_offset, departed AT TIME ZONE 'UTC', \
         carrier, flight, coalesce(tail, 'none'), origin, dest, distance_miles, \
         scheduled AT TIME ZONE 'UTC', delay_min) FROM {table} ORDER BY record_offset"
    );
    let rows = client.query(&select, &[]).await.expect("the table can be read");
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rows.join("\n")
}

#[test]
fn a_record_that_is_written_again_changes_nothing() {
    with_database(async |database| {
        let client = tables(database).await;
        let batch = [told(1, 41, 2), of_flight(7, told(1, 42, 0))];
        for expected in [2, 0, 0] {
            let new = write_records(&client, TOPIC, &batch).await;
            let new = rule("A record can be written again.")
                .picture("1@41 and 1@42 are written, and after a crash written again")
                .ask("The row is there already. Is that a fault, or what was wanted?")
                .succeeds(new);
            rule("A write gives the number of rows that were not there before.")
                .same(new, expected);
        }
        rule("Written once or three times, the table is the same.")
            .picture("1@41 and 1@42 are written three times")
            .same_bytes(
                rows(&client, PROCESSED_EVENTS).await,
                "UA 1545 2 min, 1@41; UA 7 0 min, 1@42",
            );
    });
}

#[test]
fn a_record_twice_in_one_write_is_one_row() {
    with_database(async |database| {
        let client = tables(database).await;
        let batch = [told(1, 41, 2), told(1, 41, 2), told(1, 42, 2)];
        let new = rule("A record may stand twice in one write.")
            .succeeds(write_records(&client, TOPIC, &batch).await);
        rule("It is one row all the same.").same(new, 2);
    });
}

#[test]
fn two_records_of_one_flight_are_two_rows_of_processed_events() {
    with_database(async |database| {
        let client = tables(database).await;
        // The flight is published twice: with a delay of 2 min, and corrected to 5 min.
        let batch = [told(1, 41, 2), told(1, 57, 5)];
        let written = write_records(&client, TOPIC, &batch).await;
        rule("Two records can be written.").succeeds(written);
        rule("What was read is kept record by record: its key is the record's place.")
            .picture("1@41  UA 1545, slot 06:00, delay 2 min\n1@57  UA 1545, slot 06:00, delay 5 min: a correction")
            .ask("Is it the record that must not be there twice in this table, or the flight?")
            .same_bytes(
                rows(&client, PROCESSED_EVENTS).await,
                "UA 1545 2 min, 1@41; UA 1545 5 min, 1@57",
            );
    });
}

#[test]
fn an_offset_counts_within_its_topic_and_partition() {
    with_database(async |database| {
        let client = tables(database).await;
        let written = write_records(&client, TOPIC, &[told(0, 41, 2), told(1, 41, 2)]).await;
        rule("Records can be written.").succeeds(written);
        let written = write_records(&client, "other", &[told(1, 41, 2)]).await;
        rule("Records can be written.").succeeds(written);
        rule("Offset 41 is another record in each partition, and in each topic.")
            .picture("flights 0@41 · flights 1@41 · other 1@41")
            .ask("How much must one say to name a record, so that nobody else has that name?")
            .same_bytes(
                rows(&client, PROCESSED_EVENTS).await,
                "UA 1545 2 min, 0@41; UA 1545 2 min, 1@41; UA 1545 2 min, 1@41",
            );
    });
}

#[test]
fn all_that_is_known_of_a_flight_is_in_its_row() {
    with_database(async |database| {
        let client = tables(database).await;
        let unknown_tail =
            Row { flight: Flight { tail: None, ..told(1, 42, -3).flight }, ..told(1, 42, -3) };
        let batch = [told(1, 41, 2), unknown_tail];
        rule("Rows can be written.").succeeds(write_records(&client, TOPIC, &batch).await);
        rule("A row holds the record's place, its timestamp, and all fields of the flight.").same_bytes(
            whole_rows(&client, PROCESSED_EVENTS).await,
            "flights 1 41 2013-02-18 06:02:00 UA 1545 N14228 EWR IAH 1400 2013-02-18 06:00:00 2\n\
             flights 1 42 2013-02-18 05:57:00 UA 1545 none EWR IAH 1400 2013-02-18 06:00:00 -3",
        );
    });
}

#[test]
fn a_departure_is_one_row_and_the_last_record_of_it_counts() {
    with_database(async |database| {
        let client = tables(database).await;
        // By the correction it left earlier than was told at first.
        let (first, corrected) = (told(1, 41, 5), told(1, 57, 2));
        let correction = [of_flight(7, told(1, 42, 0)), corrected.clone()];
        rule("A departure can be written.")
            .succeeds(write_departures(&client, TOPIC, std::slice::from_ref(&first)).await);
        let changed = rule("A departure that is there can be written again.")
            .succeeds(write_departures(&client, TOPIC, &correction).await);
        let picture = "1@41  UA 1545, slot 06:00, delay 5 min\n\
                       1@42  UA 7, slot 06:00\n\
                       1@57  UA 1545, slot 06:00, delay 2 min: a correction";
        let expected = "UA 7 0 min, 1@42; UA 1545 2 min, 1@57";
        rule("A departure is one row; of its records, the last one counts.")
            .picture(picture)
            .ask("Is the correction another flight, or the same one told again?")
            .same_bytes(rows(&client, DEPARTURES).await, expected);
        rule("A write gives the number of rows that are new or changed.")
            .picture(picture)
            .same(changed, 2);
        // A restart reads from 41 on again.
        for repeated in [first, corrected] {
            let written = write_departures(&client, TOPIC, &[repeated]).await;
            let changed = rule("Records can be written again.").succeeds(written);
            rule("After a restart an old record is written again: it changes nothing.")
                .picture(format!("{picture}\nthen a crash, and 1@41 is written again"))
                .ask("The record of 41 comes after that of 57 now. Which of the two is the later one?")
                .same((changed, rows(&client, DEPARTURES).await), (0, expected.to_owned()));
        }
    });
}

#[test]
fn a_correction_is_taken_as_a_whole() {
    with_database(async |database| {
        let client = tables(database).await;
        let mut diverted = told(1, 57, 35);
        diverted.flight.tail = Some("N37290".to_owned());
        diverted.flight.dest = "AUS".to_owned();
        diverted.flight.distance_miles = 1504;
        for row in [told(1, 41, 2), diverted] {
            rule("A departure can be written.")
                .succeeds(write_departures(&client, TOPIC, &[row]).await);
        }
        rule("A correction is taken as a whole: what is told of a flight comes from one record.")
            .picture("1@41  UA 1545, N14228 to IAH, 1400 miles, delay 2 min\n1@57  UA 1545, N37290 to AUS, 1504 miles, delay 35 min: a correction")
            .ask("Four things name a departure. Which of the others may a correction change?")
            .same_bytes(
                whole_rows(&client, DEPARTURES).await,
                "flights 1 57 2013-02-18 06:35:00 UA 1545 N37290 EWR AUS 1504 2013-02-18 06:00:00 35",
            );
    });
}

#[test]
fn a_flight_and_its_correction_fit_into_one_write() {
    with_database(async |database| {
        let client = tables(database).await;
        let batch = [told(1, 57, 2), told(1, 41, 5), told(1, 41, 5)];
        let written = rule("Several records of one departure may stand in one write.")
            .picture("one write: 1@57 delay 2 min, 1@41 delay 5 min, 1@41 again")
            .ask("May one statement of PostgreSQL change a row twice? Which of the records has to go in?")
            .succeeds(write_departures(&client, TOPIC, &batch).await);
        rule("The last record of the departure counts, by its offset.").same(
            (written, rows(&client, DEPARTURES).await),
            (1, "UA 1545 2 min, 1@57".to_owned()),
        );
        let in_order = [of_flight(7, told(1, 41, 5)), of_flight(7, told(1, 57, 2))];
        rule("A departure and its correction in one write are one row that is new.")
            .picture("one write: UA 7 at 1@41 delay 5 min, UA 7 at 1@57 delay 2 min")
            .ask("How many more rows has the table than before?")
            .same(write_departures(&client, TOPIC, &in_order).await.ok(), Some(1));
    });
}

#[test]
fn what_makes_a_departure_is_airline_number_airport_and_slot() {
    with_database(async |database| {
        let client = tables(database).await;
        let day_ms = 24 * 3600 * 1000;
        let mut batch: Vec<Row> = (41..46).map(|offset| told(1, offset, 2)).collect();
        batch[1].flight.carrier = "DL".to_owned();
        batch[2].flight.flight = 7;
        batch[3].flight.origin = "LGA".to_owned();
        batch[4].flight.scheduled_ms += day_ms;
        let written = rule("Departures can be written.")
            .succeeds(write_departures(&client, TOPIC, &batch).await);
        rule("Another airline, number, airport or slot is another departure.")
            .picture("UA 1545 EWR 06:00 · DL 1545 EWR 06:00 · UA 7 EWR 06:00 · UA 1545 LGA 06:00 ·\nUA 1545 EWR 06:00 of the next day")
            .ask("What names a departure, so that no other has that name?")
            .same(written, 5);
    });
}

#[test]
fn a_write_is_all_or_nothing() {
    with_database(async |database| {
        let client = tables(database).await;
        client
            .batch_execute("ALTER TABLE processed_events ADD CHECK (delay_min < 100)")
            .await
            .expect("the table can be changed");
        let batch = [told(1, 41, 2), told(1, 42, 150)];
        rule("What the table refuses is an error that names the table.").refuses(
            write_records(&client, TOPIC, &batch).await,
            "Database, of table processed_events",
            |error| matches!(error, SinkError::Database { table: PROCESSED_EVENTS, .. }),
        );
        rule("A write is all or nothing: with one row refused, none is there.")
            .picture("1@41 delay 2 min, 1@42 delay 150 min; the table refuses delays of 100 min and more")
            .ask("The turn ends here, and its records are read again. What is then in the table?")
            .same_bytes(rows(&client, PROCESSED_EVENTS).await, "no row");

        client
            .batch_execute("ALTER TABLE departures ADD CHECK (delay_min < 100)")
            .await
            .expect("the table can be changed");
        let batch = [told(1, 41, 2), of_flight(7, told(1, 42, 150))];
        rule("What the table refuses is an error that names the table.").refuses(
            write_departures(&client, TOPIC, &batch).await,
            "Database, of table departures",
            |error| matches!(error, SinkError::Database { table: DEPARTURES, .. }),
        );
        rule("Departures are written all or not at all, too.")
            .picture("UA 1545 with 2 min, UA 7 with 150 min; the table refuses delays of 100 min and more")
            .ask("How many statements does the database get for one write?")
            .same_bytes(rows(&client, DEPARTURES).await, "no row");
    });
}

#[test]
fn nothing_to_write_writes_nothing() {
    with_database(async |database| {
        let client = tables(database).await;
        let written =
            rule("No row can be written.").succeeds(write_records(&client, TOPIC, &[]).await);
        let changed =
            rule("No row can be written.").succeeds(write_departures(&client, TOPIC, &[]).await);
        rule("Of no row, none is new.").same((written, changed), (0, 0));
    });
}

#[test]
fn given_the_tables_are_made_once_and_another_shape_is_refused() {
    with_database(async |database| {
        let client = tables(database).await;
        rule("The second time there is nothing to do.").succeeds(ensure_tables(&client).await);
        client
            .batch_execute("ALTER TABLE departures DROP COLUMN tail, ADD COLUMN gate text")
            .await
            .expect("the table can be changed");
        rule("A table of another shape is refused, with what differs.").refuses(
            ensure_tables(&client).await,
            "table `departures` has another shape: expected tail text, found gate text",
            |error| {
                error.to_string()
                    == "table `departures` has another shape: expected tail text, found gate text"
            },
        );
    });
}
