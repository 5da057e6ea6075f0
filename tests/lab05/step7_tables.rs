//! Step 7: results and dropped records in PostgreSQL.
//!
//! - A correction replaces what the window said before, and is never itself replaced by that.
//! - What is written twice changes nothing.
//! - Both tables get a batch, or neither does.

use flights::utc;
use lab05::board::DroppedRecord;
use lab05::delays::Delays;
use lab05::dropped::DropReason;
use lab05::firing::WindowResult;
use lab05::tables::{DROPPED, RESULTS, TableError, Written, ensure_tables, write};
use lab05::window::{NoWindow, Window};
use testkit::{TestDatabase, rule, with_database};
use timeline::Timeline;
use tokio_postgres::Client;

use super::at_hand::{at, counted, hour_from, hour_of};

/// A connection to a database with both tables.
async fn tables(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    rule("The tables are made.").succeeds(ensure_tables(&client).await);
    client
}

fn result(window: Window, key: &str, delays_min: &[i32], revision: u32) -> WindowResult {
    WindowResult { window, key: key.to_owned(), delays: counted(delays_min), revision }
}

/// A result of the hour from 06:00 at EWR with so many flights on time.
fn six(flights: usize, revision: u32) -> WindowResult {
    result(hour_from("06:00"), "EWR", &vec![0; flights], revision)
}

fn dropped(partition: i32, offset: i64) -> DroppedRecord {
    let timestamp_ms = at("05:50");
    let reason = DropReason::WindowGone {
        timestamp_ms,
        window: hour_of(timestamp_ms),
        watermark_ms: at("07:10"),
    };
    DroppedRecord { partition, offset, reason }
}

/// The rows of the results, each as text: `EWR 2, revision 1`.
async fn rows(client: &Client) -> Vec<String> {
    let question =
        format!("SELECT origin, count, revision FROM {RESULTS} ORDER BY window_start, origin");
    let rows = client.query(&question, &[]).await.expect("the table can be read");
    let told = |row: &tokio_postgres::Row| {
        let (origin, count, revision): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        format!("{origin} {count}, revision {revision}")
    };
    rows.iter().map(told).collect()
}

async fn count(client: &Client, table: &str) -> i64 {
    let row = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
    row.expect("the table can be read").get(0)
}

/// Writes results, and expects that it succeeds.
async fn written(client: &mut Client, results: &[WindowResult]) -> Written {
    let new = write(client, "flights", results, &[]).await;
    rule("Results are written.")
        .ask("The database names what it refuses. Which column of the table, or which parameter, is it?")
        .succeeds(new)
}

#[test]
fn a_row_says_what_the_window_said() {
    with_database(async |database| {
        let mut client = tables(database).await;
        written(&mut client, &[result(hour_from("06:00"), "LGA", &[-3, 40, 16], 2)]).await;
        let question = format!(
            "SELECT window_start AT TIME ZONE 'UTC' || ' ' || window_end AT TIME ZONE 'UTC', origin, \
                 count, sum_delay_min, mean_delay_min, worst_delay_min, over_15_min, revision \
             FROM {RESULTS}"
        );
        let row = client.query_one(&question, &[]).await.expect("there is one row");
        let picture = "LGA, delays of -3, 40 and 16 minutes, from 06:00 to 07:00";
        rule("A row has the window, the airport, and the figures of its flights.")
            .picture(picture)
            .ask("Which instants are the two ends of the window, and in which zone does the table say them?")
            .same(
                (row.get::<_, String>(0), row.get::<_, String>(1)),
                ("2013-02-08 06:00:00 2013-02-08 07:00:00".to_owned(), "LGA".to_owned()),
            );
        let whole: Vec<i64> =
            vec![row.get(2), row.get(3), i64::from(row.get::<_, i32>(5)), row.get(6), row.get(7)];
        rule("Count, sum, worst, over 15 minutes and revision are those of the result.")
            .picture(picture)
            .ask("In which order are the columns of the table, and in which are your parameters?")
            .same(whole, vec![3, 53, 40, 2, 2]);
        rule("The mean is the sum by the count, made by the database.")
            .same(row.get::<_, f64>(4), 53.0 / 3.0);
    });
}

#[test]
fn a_correction_replaces_the_result() {
    with_database(async |database| {
        let mut client = tables(database).await;
        written(&mut client, &[six(2, 1)]).await;
        written(&mut client, &[six(3, 2)]).await;
        let mut timeline = Timeline::with_watermarks(&["watermark"]).heading(
            "windows of 1 h · allowed lateness 30 min · what is written stands on the right",
        );
        for clock in ["06:10", "06:30"] {
            timeline.record("EWR", at(clock)).watermark(None);
        }
        let fires = timeline.moment("the watermark moves").watermark(Some(at("07:00")));
        fires.mark("2, revision 1");
        let corrects = timeline.record("EWR", at("06:50")).watermark(Some(at("07:00")));
        corrects.mark("3, revision 2");
        rule("A correction replaces what the window said before.")
            .picture(timeline.to_string())
            .ask("The correction counts all flights of its window. What is the sum of 2 and 3?")
            .same(rows(&client).await, vec!["EWR 3, revision 2".to_owned()]);
    });
}

#[test]
fn an_older_revision_never_replaces_a_newer_one() {
    with_database(async |database| {
        let mut client = tables(database).await;
        written(&mut client, &[six(3, 2)]).await;
        let again = written(&mut client, &[six(2, 1)]).await;
        rule("An older revision never replaces a newer one, whenever it comes.")
            .picture("first: 3 flights, revision 2; then, once more: 2 flights, revision 1")
            .ask("A batch whose fate is unknown is written again, maybe behind a newer one. Who compares the revisions?")
            .same(
                (rows(&client).await, again),
                (vec!["EWR 3, revision 2".to_owned()], Written::default()),
            );
    });
}

#[test]
fn of_two_with_the_same_revision_the_one_with_more_records_stays() {
    with_database(async |database| {
        let mut client = tables(database).await;
        written(&mut client, &[six(3, 1)]).await;
        written(&mut client, &[six(5, 1)]).await;
        written(&mut client, &[six(4, 1)]).await;
        rule("Of two results with the same revision, the one with more records stays.")
            .picture("one after the other: 3, 5, 4 flights, each of revision 1")
            .ask("An input has ended, its windows have fired, and flights are added. Whose result is newer?")
            .same(rows(&client).await, vec!["EWR 5, revision 1".to_owned()]);
    });
}

#[test]
fn the_revision_decides_before_the_number_of_records() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let empty = format!("TRUNCATE {RESULTS}");
        for (picture, batches) in [
            (
                "two batches: 3 flights of revision 2, then 5 of revision 1",
                vec![vec![six(3, 2)], vec![six(5, 1)]],
            ),
            (
                "one batch: 5 flights of revision 1, 3 of revision 2",
                vec![vec![six(5, 1), six(3, 2)]],
            ),
        ] {
            client.batch_execute(&empty).await.expect("the table can be emptied");
            for batch in &batches {
                written(&mut client, batch).await;
            }
            rule("The revision decides. The number of records does only between equal ones.")
                .picture(picture)
                .ask("Two columns are compared. Which of them first, and when the other?")
                .same(rows(&client).await, vec!["EWR 3, revision 2".to_owned()]);
        }
    });
}

#[test]
fn of_several_revisions_in_one_batch_the_largest_counts() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let batch = [six(2, 1), result(hour_from("06:00"), "JFK", &[5], 1), six(4, 3), six(3, 2)];
        let batch = write(&mut client, "flights", &batch, &[]).await;
        let new = rule("A batch may hold several revisions of a row.")
            .ask("PostgreSQL refuses a statement that would change one row twice. Which one must reach it?")
            .succeeds(batch);
        rule("Of several revisions in one batch the largest stays.")
            .picture("one batch: EWR 2 (revision 1), JFK 1, EWR 4 (revision 3), EWR 3 (revision 2)")
            .same(
                (rows(&client).await, new.results),
                (vec!["EWR 4, revision 3".to_owned(), "JFK 1, revision 1".to_owned()], 2),
            );
    });
}

#[test]
fn the_same_batch_twice_changes_nothing() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let results = [six(2, 1), result(hour_from("07:00"), "EWR", &[5], 1)];
        let batch = [dropped(0, 7), dropped(1, 7), dropped(1, 8)];
        let first = write(&mut client, "flights", &results, &batch).await;
        let first = rule("A batch is written.").succeeds(first);
        rule("A write says how many rows are new or changed.")
            .same(first, Written { results: 2, dropped: 3 });
        let again = write(&mut client, "flights", &results, &batch).await;
        let again = rule("A batch may be written again.")
            .ask("A job that lost its database does not know whether it had written. What may it do?")
            .succeeds(again);
        rule("The same batch a second time changes nothing.").same(
            (again, count(&client, RESULTS).await, count(&client, DROPPED).await),
            (Written::default(), 2, 3),
        );
    });
}

#[test]
fn a_dropped_record_is_found_by_its_place_and_says_why() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let future = DropReason::NoWindow(NoWindow { timestamp_ms: i64::MAX });
        let batch = [dropped(0, 7), DroppedRecord { partition: 2, offset: 7, reason: future }];
        rule("Dropped records are written, without a result too.")
            .succeeds(write(&mut client, "flights", &[], &batch).await);
        let question = format!(
            "SELECT topic || '[' || partition || ']@' || record_offset || ' ' || reason, sentence \
             FROM {DROPPED} ORDER BY partition"
        );
        let rows = client.query(&question, &[]).await.expect("the table can be read");
        let told: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let sentence = |index: usize| batch[index].reason.to_string();
        rule("A dropped record has its place, the kind of its reason, and the sentence.")
            .ask("Someone will count them by reason, and someone will look one up. What do they need?")
            .same(
                told,
                vec![
                    ("flights[0]@7 window_gone".to_owned(), sentence(0)),
                    ("flights[2]@7 no_window".to_owned(), sentence(1)),
                ],
            );
    });
}

#[test]
fn both_tables_get_a_batch_or_neither_does() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let fault =
            format!("ALTER TABLE {DROPPED} ADD CONSTRAINT fault CHECK (record_offset <> 13)");
        client.batch_execute(&fault).await.expect("the fault can be made");
        let refused = write(&mut client, "flights", &[six(2, 1)], &[dropped(0, 13)]).await;
        rule("What the database refuses is an error that names the table.").refuses(
            refused.map_err(|error| error.to_string()),
            "an error that names `dropped_records`",
            |error| error.contains(DROPPED),
        );
        rule("Both tables get a batch, or neither does.")
            .picture("one result, and a dropped record that the database refuses")
            .ask("The result is in the table before the second statement fails. Until when can that be undone?")
            .same(rows(&client).await, Vec::<String>::new());
        let next = write(&mut client, "flights", &[six(2, 1)], &[dropped(0, 14)]).await;
        rule("The connection is of use after a refusal.").succeeds(next);
    });
}

#[test]
fn a_batch_is_seen_whole_by_others() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let other = database.connect().await;
        let both = write(&mut client, "flights", &[six(2, 1)], &[dropped(0, 1)]).await;
        rule("A batch is written.").succeeds(both);
        rule("When a write has returned, everybody sees both tables.")
            .ask("A transaction that is dropped is undone. What makes it last?")
            .same((count(&other, RESULTS).await, count(&other, DROPPED).await), (1, 1));
    });
}

#[test]
fn a_window_before_1970_is_a_row_as_any_other() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let window = Window { start_ms: -3_600_000, end_ms: 0 };
        written(&mut client, &[result(window, "EWR", &[1], 1)]).await;
        let question = format!(
            "SELECT extract(epoch FROM window_start)::bigint, extract(epoch FROM window_end)::bigint \
             FROM {RESULTS}"
        );
        let row = client.query_one(&question, &[]).await.expect("there is one row");
        rule("A window before 1970 keeps its place.")
            .picture(format!("from {} to {}", utc::format(window.start_ms), utc::format(0)))
            .same((row.get::<_, i64>(0), row.get::<_, i64>(1)), (-3_600, 0));
    });
}

#[test]
fn the_ends_of_a_window_keep_their_milliseconds() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let window = Window { start_ms: -750, end_ms: 250 };
        written(&mut client, &[result(window, "EWR", &[1], 1)]).await;
        let question = format!(
            "SELECT (extract(epoch FROM window_start) * 1000)::bigint, \
                 (extract(epoch FROM window_end) * 1000)::bigint \
             FROM {RESULTS}"
        );
        let row = client.query_one(&question, &[]).await.expect("there is one row");
        rule("A window may begin and end at any millisecond.")
            .picture("a window of one second, from -750 ms to 250 ms")
            .ask("What becomes of 250 ms where they are divided by 1,000 first?")
            .same((row.get::<_, i64>(0), row.get::<_, i64>(1)), (-750, 250));
    });
}

#[test]
fn an_instant_that_no_table_holds_is_refused_in_a_sentence() {
    with_database(async |database| {
        let mut client = tables(database).await;
        for window in
            [Window { start_ms: i64::MIN, end_ms: 0 }, Window { start_ms: 0, end_ms: i64::MAX }]
        {
            let refused =
                write(&mut client, "flights", &[result(window, "EWR", &[1], 1)], &[]).await;
            rule(
                "An instant that PostgreSQL cannot hold is refused, and not wrapped into another.",
            )
            .refuses(refused, "an error of the table", |error| {
                matches!(error, TableError::Database { table: RESULTS, .. })
            });
        }
        rule("Nothing was written.").same(count(&client, RESULTS).await, 0);
    });
}

#[test]
fn ten_thousand_rows_are_one_batch() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let window =
            |hour: i64| Window { start_ms: hour * 3_600_000, end_ms: (hour + 1) * 3_600_000 };
        let results: Vec<WindowResult> =
            (0..10_000).map(|hour| result(window(hour), "EWR", &[0], 1)).collect();
        let dropped: Vec<DroppedRecord> = (0..10_000).map(|offset| dropped(0, offset)).collect();
        let batch = write(&mut client, "flights", &results, &dropped).await;
        let new = rule("A batch may be large.")
            .ask("PostgreSQL takes at most 65,535 parameters in a statement. What grows with your batch?")
            .succeeds(batch);
        rule("All of it is written.").same(new, Written { results: 10_000, dropped: 10_000 });
    });
}

#[test]
fn given_figures_of_nothing_are_refused() {
    with_database(async |database| {
        let client = tables(database).await;
        let empty = Delays::default();
        assert_eq!(empty.worst_min, None);
        let refused = client
            .execute(
                &format!(
                    "INSERT INTO {RESULTS} VALUES (now(), now(), 'EWR', 0, 0, DEFAULT, 0, 0, 1)"
                ),
                &[],
            )
            .await;
        rule("A window without a flight says nothing, so it is no row.").refuses(
            refused.map_err(|error| format!("{error:?}")),
            "division by zero",
            |error| error.contains("division by zero"),
        );
    });
}

#[test]
fn given_tables_of_another_shape_are_refused_and_left_alone() {
    with_database(async |database| {
        let client = database.connect().await;
        let other = format!("CREATE TABLE {RESULTS} (window_start timestamptz, count integer)");
        client.batch_execute(&other).await.expect("a table can be made");
        let error = ensure_tables(&client).await.expect_err("it is refused");
        rule("A table of another shape is refused in one sentence.").same_bytes(
            error.to_string(),
            "table `processed_events_aggregated` has the columns window_start timestamp with time \
             zone, count integer, expected window_start timestamp with time zone, window_end timestamp \
             with time zone, origin text, count bigint, sum_delay_min bigint, mean_delay_min double \
             precision GENERATED, worst_delay_min integer, over_15_min bigint, revision bigint",
        );
        client.batch_execute(&format!("DROP TABLE {RESULTS}")).await.expect("it can be dropped");
        rule("The tables are made, and a second call finds them.")
            .succeeds(ensure_tables(&client).await);
        rule("The tables are there already.").succeeds(ensure_tables(&client).await);
    });
}

#[test]
fn of_two_with_the_same_revision_in_one_batch_too() {
    with_database(async |database| {
        let mut client = tables(database).await;
        let hour =
            |clock: &str, flights: usize| result(hour_from(clock), "EWR", &vec![0; flights], 1);
        let batch = [hour("06:00", 3), hour("06:00", 5), hour("07:00", 5), hour("07:00", 3)];
        written(&mut client, &batch).await;
        rule("Of two results with the same revision, the one with more records stays, in one batch too.")
            .picture("one batch, all of revision 1: 06:00 with 3 and with 5 flights, 07:00 with 5 and with 3")
            .ask("The batch gives the table one result of each window. By what is it chosen?")
            .same(rows(&client).await, vec!["EWR 5, revision 1".to_owned(); 2]);
    });
}

#[test]
fn a_commit_without_an_answer_is_not_a_refusal() {
    with_database(async |database| {
        let mut client = tables(database).await;
        // A trigger that waits for the commit, and then ends the connection, as if somebody had done it.
        let fault = format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON {RESULTS} \
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault()"
        );
        client.batch_execute(&fault).await.expect("the fault can be made");
        rule("When the database is gone at the commit, nobody knows whether the batch is written, and the error says so.")
            .picture("the rows are sent, the database has taken them, and goes while it commits")
            .ask("An error before the commit says that nothing is written. Does one of the commit itself say that too?")
            .refuses(write(&mut client, "flights", &[six(2, 1)], &[]).await, "NotConfirmed", |error| {
                matches!(error, TableError::NotConfirmed(_))
            });
    });
}
