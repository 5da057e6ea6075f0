//! title: In a batch only the revision decides
//! file: tables.rs
//! caught by: step7_tables::of_two_with_the_same_revision_in_one_batch_too
//!
//! The table compares revision and count, the batch in front of it only the revision. Of two results with the
//! same revision the batch then keeps any, and the table never sees the other.

pub async fn write_results(
    transaction: &impl GenericClient,
    results: &[WindowResult],
) -> Result<u64, TableError> {
    // A column each, so that the number of parameters does not grow with the batch. One statement
    // may not change a row twice, so of several revisions only the largest goes in.
    const UPSERT: &str = "
        INSERT INTO processed_events_aggregated AS kept (
            window_start, window_end, origin,
            count, sum_delay_min, worst_delay_min, over_15_min, revision
        )
        SELECT DISTINCT ON (start_ms, end_ms, origin)
            'epoch'::timestamptz + start_ms * interval '1 millisecond',
            'epoch'::timestamptz + end_ms * interval '1 millisecond',
            origin, count, sum_delay_min, worst_delay_min, over_15_min, revision
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::text[],
            $4::bigint[], $5::bigint[], $6::integer[], $7::bigint[], $8::bigint[]
        ) AS results (
            start_ms, end_ms, origin,
            count, sum_delay_min, worst_delay_min, over_15_min, revision
        )
        ORDER BY start_ms, end_ms, origin, revision DESC
        ON CONFLICT (window_start, window_end, origin) DO UPDATE SET
            count = excluded.count,
            sum_delay_min = excluded.sum_delay_min,
            worst_delay_min = excluded.worst_delay_min,
            over_15_min = excluded.over_15_min,
            revision = excluded.revision
        WHERE (kept.revision, kept.count) < (excluded.revision, excluded.count)";

    if results.is_empty() {
        return Ok(0);
    }
    transaction
        .execute(
            UPSERT,
            &[
                &column(results, |result| result.window.start_ms),
                &column(results, |result| result.window.end_ms),
                &column(results, |result| &*result.key),
                &column(results, |result| bigint(result.delays.count)),
                &column(results, |result| result.delays.sum_min),
                &column(results, |result| result.delays.worst_min),
                &column(results, |result| bigint(result.delays.over_15_min)),
                &column(results, |result| i64::from(result.revision)),
            ],
        )
        .await
        .map_err(|source| TableError::Database { table: RESULTS, source })
}
