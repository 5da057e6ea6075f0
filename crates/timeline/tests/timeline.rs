//! The whole picture: what it shows, and that it stays within its columns.

use timeline::{MAX_COLUMNS, MAX_ROWS, Timeline};

/// 2013-02-18T06:00:00Z.
const SIX: i64 = 1_361_167_200_000;
const MINUTE_MS: i64 = 60_000;

fn lines(timeline: &Timeline) -> Vec<String> {
    timeline.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn several_watermarks_stand_in_columns_of_their_own() {
    let mut timeline = Timeline::with_watermarks(&["of 0", "of 1", "combined"]);
    timeline.record("0", SIX).watermark(Some(SIX)).watermark(None).watermark(None);
    timeline
        .record("1", SIX + MINUTE_MS)
        .watermark(Some(SIX))
        .watermark(Some(SIX + MINUTE_MS))
        .watermark(Some(SIX));
    timeline.moment("2 s later: 0 is idle").watermark(None);
    assert_eq!(
        lines(&timeline),
        [
            " arrival  record  event time  ● event  ┊ watermark      of 0   of 1   combined",
            "       1  0            06:00  ●                         06:00  none   none",
            "       2  1            06:01                         ●  06:00  06:01  06:00",
            "          2 s later: 0 is idle                          none",
        ]
    );
}

#[test]
fn an_expected_watermark_is_written_as_the_others_are() {
    let mut timeline = Timeline::new();
    timeline.record("", SIX).watermark(Some(SIX)).expected(Some(SIX - 15 * MINUTE_MS));
    assert!(timeline.to_string().ends_with("06:00               ← expected 05:45"), "{timeline}");
}

#[test]
fn no_line_is_wider_than_it_may_be() {
    let mut timeline = Timeline::with_watermarks(&["of 0", "of 1", "combined"]);
    let row = timeline.record("0", i64::MAX - 1);
    for watermark_ms in [None, Some(SIX), Some(i64::MIN + 1)] {
        row.watermark(watermark_ms);
    }
    row.mark("a very long mark ".repeat(12).trim_end());
    let mut wide = Timeline::new();
    wide.record("EWR", SIX).watermark(Some(SIX)).mark("a very long mark ".repeat(12).trim_end());
    let marks = lines(&wide).iter().map(|line| line.matches("mark").count()).sum::<usize>();
    assert_eq!(marks, 12 + 2, "{wide}");
    for line in lines(&wide).iter().chain(&lines(&timeline)) {
        assert!(line.chars().count() <= MAX_COLUMNS, "{line}");
    }
}

#[test]
fn watermarks_that_find_no_room_are_folded_into_the_slowest_and_the_fastest() {
    let titles: Vec<String> = (0..20).map(|id| format!("of {id}")).collect();
    let titles = titles.iter().map(String::as_str).chain(["combined"]).collect::<Vec<_>>();
    let mut timeline = Timeline::with_watermarks(&titles);
    let mut row = |label: &str, from_minute: i64, combined_ms| {
        let row = timeline.record(label, SIX);
        for minute in from_minute..from_minute + 20 {
            row.watermark((minute > 0).then_some(SIX + minute * MINUTE_MS));
        }
        row.watermark(combined_ms).mark("a mark");
    };
    row("0", 0, None);
    row("7", 1, Some(SIX + MINUTE_MS));
    timeline.moment("nothing came");
    assert_eq!(
        lines(&timeline),
        [
            " arrival  record  event time  ● event  ┊ watermark      slowest  fastest  combined",
            "       1  0            06:00  ●                         none     06:19    none      a mark",
            "       2  7            06:00  ●                         06:01    06:20    06:01     a mark",
            "          nothing came",
        ]
    );
}

#[test]
fn of_a_long_timeline_the_middle_is_left_out() {
    let mut timeline = Timeline::new();
    for minute in 0..100 {
        timeline.record("", SIX + minute * MINUTE_MS).watermark(Some(SIX));
    }
    let lines = lines(&timeline);
    assert_eq!(lines.len(), 1 + MAX_ROWS + 1);
    assert_eq!(lines[5], "       …  and 76 more");
    assert!(
        lines[4].starts_with("       4  06:03") || lines[4].contains("       4  "),
        "{timeline}"
    );
    assert!(lines.last().unwrap().contains("     100  "), "{timeline}");
}

#[test]
fn the_track_makes_no_room_for_what_comes_behind_records_that_are_left_out() {
    let mut timeline = Timeline::with_watermarks(&["watermark"]);
    timeline.record("", SIX).watermark(Some(SIX));
    timeline.record("", SIX + MINUTE_MS).watermark(Some(SIX));
    timeline.leave_out();
    timeline.moment("the end").watermark(Some(SIX + 600 * MINUTE_MS));
    assert_eq!(
        lines(&timeline),
        [
            " arrival  event time  ● event  ┊ watermark      watermark",
            "       1       06:00  ●                         06:00",
            "       2       06:01  ┊                      ●  06:00",
            "          …",
            "          the end                               16:00",
        ]
    );
}

#[test]
fn an_empty_timeline_is_its_head() {
    let timeline = Timeline::new().heading("nothing came");
    assert!(timeline.is_empty());
    assert_eq!(lines(&timeline).len(), 2);
}
