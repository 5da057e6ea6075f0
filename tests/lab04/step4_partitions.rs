//! Step 4: a watermark a partition, combined by minimum.

use std::collections::BTreeMap;

use lab04::partitions::{PartitionWatermarks, combine};
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::Timeline;

use super::at_hand::{at, minutes, shown};

fn each(watermarks: &PartitionWatermarks) -> BTreeMap<i32, Option<i64>> {
    watermarks.each_ms().collect()
}

fn combined(watermarks: &PartitionWatermarks) -> Option<i64> {
    combine(watermarks.each_ms().map(|(_, watermark_ms)| watermark_ms))
}

#[test]
fn a_record_moves_the_watermark_of_its_own_partition_alone() {
    let mut watermarks = PartitionWatermarks::new(&[0, 1, 2], minutes(15));
    let mut timeline = Timeline::with_watermarks(&["of 0", "of 1", "of 2"]).heading("bound 15 min");
    for (partition, timestamp, expected) in [
        (1, "06:10", [None, Some("05:55"), None]),
        (0, "06:40", [Some("06:25"), Some("05:55"), None]),
        (1, "06:12", [Some("06:25"), Some("05:57"), None]),
        (0, "06:30", [Some("06:25"), Some("05:57"), None]),
    ] {
        watermarks.observe(partition, at(timestamp));
        let row = timeline.record(partition.to_string(), at(timestamp));
        for watermark_ms in each(&watermarks).values() {
            row.watermark(*watermark_ms);
        }
        let expected: BTreeMap<i32, Option<i64>> =
            (0..).zip(expected.map(|clock| clock.map(at))).collect();
        rule("Kafka promises an order within a partition. So each has a watermark of its own.")
            .picture(timeline.to_string())
            .ask("What does a record of one partition say about the records of another?")
            .same_bytes(shown_each(&each(&watermarks)), shown_each(&expected));
    }
}

fn shown_each(watermarks_ms: &BTreeMap<i32, Option<i64>>) -> String {
    let parts = watermarks_ms.iter().map(|(id, ms)| format!("{id}: {}", shown(*ms)));
    parts.collect::<Vec<_>>().join(", ")
}

/// One record of each partition that has spoken, and what `combine` says after it.
fn picture(watermarks_ms: &[Option<i64>]) -> String {
    let mut timeline = Timeline::with_watermarks(&["its own", "combined"])
        .heading(format!("bound 15 min · record: its partition, one of {}", watermarks_ms.len()));
    let mut so_far_ms = vec![None; watermarks_ms.len()];
    for (partition, watermark_ms) in watermarks_ms.iter().enumerate() {
        so_far_ms[partition] = *watermark_ms;
        let row = match watermark_ms {
            Some(ms) => timeline.record(partition.to_string(), ms + 15 * 60_000),
            None => timeline.moment(format!("{partition} is silent")),
        };
        row.watermark(*watermark_ms).watermark(combine(so_far_ms.iter().copied()));
    }
    timeline.to_string()
}

#[test]
fn together_they_are_as_far_as_the_slowest() {
    for (watermarks, expected) in [
        (vec!["06:25", "05:55", "06:10"], "05:55"),
        (vec!["05:55", "05:55"], "05:55"),
        (vec!["06:25"], "06:25"),
    ] {
        let watermarks_ms: Vec<Option<i64>> =
            watermarks.iter().map(|clock| Some(at(clock))).collect();
        rule("The combined watermark is the smallest of the partitions' watermarks.")
            .picture(picture(&watermarks_ms))
            .ask("The fastest partition has seen all before 06:25. Has the slowest?")
            .same_bytes(shown(combine(watermarks_ms)), expected);
    }
}

#[test]
fn a_partition_that_has_not_spoken_holds_everything_back() {
    for watermarks_ms in [
        vec![Some(at("06:25")), None, Some(at("06:10"))],
        vec![None, Some(at("06:25"))],
        vec![Some(at("06:25")), None],
        vec![None, None],
    ] {
        rule("As long as one partition has not spoken, there is no combined watermark.")
            .picture(picture(&watermarks_ms))
            .ask("Which timestamp may the first record of the silent partition have?")
            .same_bytes(shown(combine(watermarks_ms)), "none");
    }
    rule("Of no partitions at all there is no watermark.").same(combine([]), None);
}

#[test]
fn the_smallest_instant_is_a_watermark_like_any_other() {
    rule("A partition that has spoken of i64::MIN has spoken.")
        .picture("watermarks of the partitions: i64::MIN, 06:25")
        .ask("Which value stands in this code for a partition that has not spoken?")
        .same(combine([Some(i64::MIN), Some(at("06:25"))]), Some(i64::MIN));
}

#[test]
fn a_partition_that_is_added_later_is_one_of_them_from_now_on() {
    let mut watermarks = PartitionWatermarks::new(&[0], minutes(15));
    watermarks.observe(0, at("06:40"));
    watermarks.observe(3, at("06:20"));
    let mut timeline = Timeline::with_watermarks(&["combined"]);
    timeline.record("0", at("06:40")).watermark(Some(at("06:25")));
    timeline.record("3", at("06:20")).watermark(combined(&watermarks)).expected(Some(at("06:05")));
    rule("A record of an unknown partition is neither lost nor a reason to stop.")
        .picture(timeline.to_string())
        .ask("Somebody adds a partition to the topic while the reader runs. When does it hear of it, and which bound holds there?")
        .same_bytes(shown(combined(&watermarks)), "06:05");
}

#[test]
fn the_order_in_which_partitions_are_read_does_not_matter_in_the_end() {
    let record = (0..3_i32, any::<i16>());
    for_all(vec(record, 1..20), |records| {
        let read = |records: &[(i32, i16)]| {
            let mut watermarks = PartitionWatermarks::new(&[0, 1, 2], minutes(15));
            for (partition, minute) in records {
                watermarks.observe(*partition, i64::from(*minute) * 60_000);
            }
            (each(&watermarks), combined(&watermarks))
        };
        let mut partition_by_partition = records.clone();
        partition_by_partition.sort_by_key(|(partition, _)| *partition);
        rule("However the reading interleaves, the same records make the same watermarks in the end.")
            .picture(format!("(partition, minute): {records:?}"))
            .same(read(&records), read(&partition_by_partition));
    });
}

#[test]
fn the_combined_watermark_of_given_partitions_never_goes_back() {
    let record = (0..3_i32, any::<i16>());
    for_all(vec(record, 1..20), |records| {
        let mut watermarks = PartitionWatermarks::new(&[0, 1, 2], minutes(15));
        let mut timeline = Timeline::with_watermarks(&["combined"]);
        let mut before_ms = None;
        for (partition, minute) in records {
            let timestamp_ms = i64::from(minute) * 60_000;
            watermarks.observe(partition, timestamp_ms);
            let now_ms = combined(&watermarks);
            timeline.record(partition.to_string(), timestamp_ms).watermark(now_ms);
            rule("As long as the set of partitions stays, the smallest watermark never goes back.")
                .picture(timeline.to_string())
                .holds(
                    now_ms >= before_ms,
                    format!("{} after {}", shown(now_ms), shown(before_ms)),
                );
            before_ms = now_ms;
        }
    });
}
