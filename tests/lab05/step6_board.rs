//! Step 6: the departure board by event time: guard, watermark and windows as one.

use std::time::Duration;

use flights::utc;
use lab04::guard::TooFarAhead;
use lab05::board::{Arrival, Board, BoardConfig, BoardCounts, DroppedRecord, Outcome};
use lab05::dropped::{DropCounts, DropReason};
use lab05::window::{NoWindow, SizeError};
use testkit::rule;
use timeline::{Timeline, span};

use super::at_hand::{HOUR, at, flight, hour_from, minutes, seconds, shown, told_all};

/// 2031-01-01T00:00:00Z.
const YEAR_2031_MS: i64 = 1_924_992_000_000;

/// Windows of an hour, no bound, no lateness, nobody idle; an hour ahead of the arrival is allowed.
fn plain() -> BoardConfig {
    BoardConfig {
        window: HOUR,
        bound: Duration::ZERO,
        allowed_lateness: Duration::ZERO,
        idle_after: None,
        allowed_ahead: HOUR,
    }
}

/// A board under test, and the picture of what it was given so far.
struct Watched {
    board: Board,
    timeline: Timeline,
    partitions: Vec<i32>,
    next_offset: i64,
}

impl Watched {
    fn new(partitions: &[i32], config: &BoardConfig) -> Watched {
        let mut titles: Vec<String> = partitions.iter().map(|id| format!("of {id}")).collect();
        titles.push("combined".to_owned());
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let idle = config.idle_after.map_or("never".to_owned(), |after| format!("after {after:?}"));
        let heading = format!(
            "windows of 1 h · bound {} · allowed lateness {} · idle {idle}",
            span::text(config.bound),
            span::text(config.allowed_lateness)
        );
        Watched {
            board: Board::new(partitions, config).expect("an hour is a size"),
            timeline: Timeline::with_watermarks(&titles).heading(heading),
            partitions: partitions.to_vec(),
            next_offset: 0,
        }
    }

    /// A flight of a partition, at a reading of the reader's clock.
    fn flight(&mut self, partition: i32, slot: &str, delay_min: i32, clock: Duration) -> Outcome {
        let flight = flight("EWR", at(slot), delay_min);
        let arrived_ms = flight.departed_ms();
        let offset = self.next_offset;
        let arrival = Arrival { partition, offset, arrived_ms, flight: &flight };
        self.next_offset += 1;
        let outcome = self.board.on_flight(arrival, clock);
        let watermarks = self.watermarks_ms();
        let row = self.timeline.record(partition.to_string(), at(slot));
        for watermark_ms in watermarks {
            row.watermark(watermark_ms);
        }
        if outcome.dropped.is_some() {
            row.mark("dropped");
        }
        outcome
    }

    fn moment(&mut self, what: impl Into<String>) {
        let watermarks = self.watermarks_ms();
        let row = self.timeline.moment(what);
        for watermark_ms in watermarks {
            row.watermark(watermark_ms);
        }
    }

    /// The watermark of each partition, and the combined one.
    fn watermarks_ms(&self) -> Vec<Option<i64>> {
        let each_ms = self.board.watermark().each_ms();
        let known = self.partitions.iter().map(|id| each_ms.get(id).copied().flatten());
        known.chain([self.board.watermark().current_ms()]).collect()
    }

    /// A flight comes, and this must follow from it.
    #[track_caller]
    fn brings(
        &mut self,
        (partition, slot, clock): (i32, &str, Duration),
        expected: &str,
        the_rule: &str,
        question: &str,
    ) {
        let outcome = self.flight(partition, slot, 0, clock);
        let picture = self.timeline.to_string();
        rule(the_rule).picture(picture).ask(question).same_bytes(outcome_told(&outcome), expected);
    }
}

/// Watermark and windows of a board.
fn told_state(board: &Board) -> String {
    let watermark_ms = board.watermark().current_ms();
    let watermark = watermark_ms.map_or("none".to_owned(), utc::format);
    format!("watermark {watermark}, {} kept", board.aggregation().state().kept())
}

/// What a record brought about: its results, or `dropped`.
fn outcome_told(outcome: &Outcome) -> String {
    let results = told_all(&outcome.results);
    if outcome.dropped.is_some() { format!("dropped; {results}") } else { results }
}

#[test]
fn windows_wait_for_a_partition_that_was_added() {
    let mut watched = Watched::new(&[0], &plain());
    watched.flight(0, "06:10", 0, seconds(0));
    watched.board.add_partition(1, seconds(0));
    watched.moment("partition 1 is added");
    let the_rule = "A window waits for every partition, also for one that was added later.";
    let question = "What is the watermark of a partition that has not spoken?";
    watched.brings((0, "07:20", seconds(0)), "nothing", the_rule, question);
    let fired = "[06:00,07:00) EWR: 2, revision 1";
    watched.brings((1, "06:50", seconds(0)), "nothing", the_rule, question);
    watched.brings((1, "07:10", seconds(0)), fired, the_rule, question);
}

#[test]
fn the_flights_slots_move_the_watermark_and_the_watermark_fires_the_windows() {
    let the_rule =
        "A window fires when the largest slot, less the bound, has reached the end of the window.";
    let question = "After which record is the watermark at 07:00?";
    let mut watched = Watched::new(&[0], &BoardConfig { bound: minutes(15), ..plain() });
    for (slot, expected) in [
        ("06:10", "nothing"),
        ("06:50", "nothing"),
        ("07:14", "nothing"),
        ("06:20", "nothing"),
        ("07:15", "[06:00,07:00) EWR: 3, revision 1"),
        ("07:16", "nothing"),
    ] {
        watched.brings((0, slot, seconds(0)), expected, the_rule, question);
    }
}

#[test]
fn a_flight_counts_for_its_slot_and_not_for_its_arrival() {
    let mut watched = Watched::new(&[0], &plain());
    watched.flight(0, "06:50", 30, seconds(0));
    watched.flight(0, "06:40", 55, seconds(0));
    let outcome = watched.flight(0, "08:00", 0, seconds(0));
    rule("A flight belongs to the window of its slot, however late it leaves.")
        .picture(watched.timeline.to_string())
        .ask("The first two left at 07:20 and 07:35. Which of their clocks does the board ask for?")
        .same_bytes(outcome_told(&outcome), "[06:00,07:00) EWR: 2, revision 1");
}

#[test]
fn several_partitions_fire_when_the_slowest_is_there() {
    let the_rule = "With several partitions a window fires when the slowest has reached its end.";
    let question = "Partition 1 may still have a record of six o'clock. Who says so?";
    let mut watched = Watched::new(&[0, 1], &plain());
    for (partition, slot, expected) in [
        (0, "06:10", "nothing"),
        (0, "08:00", "nothing"),
        (1, "06:30", "nothing"),
        (1, "06:59:59.999", "nothing"),
        (1, "07:00", "[06:00,07:00) EWR: 3, revision 1"),
    ] {
        watched.brings((partition, slot, seconds(0)), expected, the_rule, question);
    }
}

#[test]
fn a_dropped_record_is_told_with_its_place_and_the_reason() {
    let mut watched = Watched::new(&[4], &plain());
    watched.flight(4, "06:10", 0, seconds(0));
    watched.flight(4, "07:20", 0, seconds(0));
    let outcome = watched.flight(4, "06:40", 0, seconds(0));
    let reason = DropReason::WindowGone {
        timestamp_ms: at("06:40"),
        window: hour_from("06:00"),
        watermark_ms: at("07:20"),
    };
    rule("Nothing is dropped without a word: partition, offset and reason are told.")
        .picture(watched.timeline.to_string())
        .ask("How would somebody find this very record in the topic again?")
        .same(outcome.dropped, Some(DroppedRecord { partition: 4, offset: 2, reason }));
    rule("It is counted, by its reason.")
        .picture(watched.timeline.to_string())
        .ask("From what does somebody who sees only the counts know that a record is missing?")
        .same(
            watched.board.counts().dropped,
            DropCounts { window_gone: 1, ..DropCounts::default() },
        );
}

#[test]
fn a_dropped_record_still_moves_the_watermark_of_its_partition() {
    let the_rule =
        "A dropped record is a sign of life: its partition is awake, and is waited for again.";
    let question = "Partition 0 was idle, and what it brings is too late. Is it idle now? What may it bring next?";
    let config = BoardConfig { idle_after: Some(seconds(2)), ..plain() };
    let mut watched = Watched::new(&[0, 1], &config);
    watched.flight(0, "06:10", 0, seconds(0));
    watched.flight(1, "06:50", 0, seconds(1));
    watched.board.on_time(seconds(2));
    watched.moment("clock 2 s: 0 is idle");
    watched.flight(1, "08:00", 0, seconds(3));
    watched.brings((0, "06:20", seconds(3)), "dropped; nothing", the_rule, question);
    watched.brings((1, "09:00", seconds(3)), "nothing", the_rule, question);
    watched.brings((0, "08:30", seconds(3)), "nothing", the_rule, question);
    let fires = "[08:00,09:00) EWR: 2, revision 1";
    watched.brings((0, "09:00", seconds(3)), fires, the_rule, question);
}

#[test]
fn a_record_that_the_guard_refuses_changes_nothing_but_the_counts() {
    let mut watched = Watched::new(&[0], &plain());
    watched.flight(0, "06:10", 0, seconds(0));
    let before = told_state(&watched.board);
    let wild = flight("EWR", YEAR_2031_MS, 0);
    let arrived_ms = at("06:12");
    let arrival = Arrival { partition: 0, offset: 1, arrived_ms, flight: &wild };
    let mut timeline =
        Timeline::with_watermarks(&["watermark"]).heading("windows of 1 h · bound 0 ms");
    timeline.record("", at("06:10")).watermark(watched.board.watermark().current_ms());
    let outcome = watched.board.on_flight(arrival, seconds(0));
    let row = timeline.record("", YEAR_2031_MS);
    row.watermark(watched.board.watermark().current_ms()).mark("arrives at 06:12");
    let reason = DropReason::TooFarAhead(TooFarAhead {
        timestamp_ms: YEAR_2031_MS,
        arrived_ms,
        ahead: Duration::from_millis(YEAR_2031_MS.abs_diff(arrived_ms)),
        allowed_ahead: HOUR,
    });
    let question = "In which order does this code ask the guard, the windows and the watermark?";
    rule("A record from the future moves no watermark and opens no window.")
        .picture(timeline.to_string())
        .ask(question)
        .same_bytes(told_state(&watched.board), before);
    rule("It is dropped, with the reason that the guard gives, and counted.")
        .ask(question)
        .same(outcome.dropped, Some(DroppedRecord { partition: 0, offset: 1, reason }));
    rule("It is read, and it is not late.").same(
        watched.board.counts(),
        BoardCounts {
            read: 2,
            late: 0,
            dropped: DropCounts { too_far_ahead: 1, ..DropCounts::default() },
            results: 0,
        },
    );
}

#[test]
fn a_record_without_a_window_is_dropped_and_counted() {
    let config = BoardConfig { allowed_ahead: Duration::MAX, ..plain() };
    let mut watched = Watched::new(&[0, 1], &config);
    for (offset, timestamp_ms) in (0..).zip([i64::MIN, i64::MAX]) {
        let wild = flight("EWR", timestamp_ms, 0);
        let arrival = Arrival { partition: 0, offset, arrived_ms: 0, flight: &wild };
        let outcome = watched.board.on_flight(arrival, seconds(0));
        let reason = DropReason::NoWindow(NoWindow { timestamp_ms });
        rule("A record whose window an i64 cannot say is dropped for that reason.")
            .picture(format!("event time {timestamp_ms} ms"))
            .same(outcome.dropped, Some(DroppedRecord { partition: 0, offset, reason }));
    }
    rule("Both are counted.").same(watched.board.counts().dropped.no_window, 2);
}

#[test]
fn a_correction_is_among_the_results_of_its_record() {
    let the_rule = "Within the allowed lateness a record brings a correction, and it is not lost.";
    let question = "A record may bring a correction, and windows that fire. Where do both go?";
    let config = BoardConfig { bound: minutes(10), allowed_lateness: minutes(40), ..plain() };
    let mut watched = Watched::new(&[0], &config);
    for (slot, expected) in [
        ("06:20", "nothing"),
        ("07:10", "[06:00,07:00) EWR: 1, revision 1"),
        ("06:40", "[06:00,07:00) EWR: 2, revision 2"),
        ("07:49:59.999", "nothing"),
        ("06:50", "[06:00,07:00) EWR: 3, revision 3"),
        ("07:50", "nothing"),
        ("06:55", "dropped; nothing"),
    ] {
        watched.brings((0, slot, seconds(0)), expected, the_rule, question);
    }
    rule("Corrections are results, and counted as such.")
        .picture(watched.timeline.to_string())
        .ask("Each correction is a row that is written once more. Is it among those that are counted?")
        .same(watched.board.counts().results, 3);
}

#[test]
fn late_is_counted_whether_dropped_or_not() {
    let mut watched = Watched::new(&[0], &plain());
    for slot in ["06:40", "06:39", "06:10", "07:20", "06:50", "07:20", "07:10"] {
        watched.flight(0, slot, 0, seconds(0));
    }
    rule("Late is what is behind the watermark; some of it is dropped, some of it is not.")
        .picture(watched.timeline.to_string())
        .ask("Which of these records are behind the watermark, and which of those have lost their window?")
        .same(
            watched.board.counts(),
            BoardCounts {
                read: 7,
                late: 4,
                dropped: DropCounts { window_gone: 1, ..DropCounts::default() },
                results: 1,
            },
        );
}

#[test]
fn when_a_partition_becomes_idle_what_waited_for_it_fires() {
    let config = BoardConfig { idle_after: Some(seconds(2)), ..plain() };
    let mut watched = Watched::new(&[0, 1, 2], &config);
    watched.flight(0, "06:10", 0, seconds(1));
    watched.flight(1, "07:30", 0, seconds(1));
    watched.flight(0, "07:10", 0, seconds(1));
    let mut results = Vec::new();
    for clock_ms in [1_999, 2_000, 2_500] {
        results.push(told_all(&watched.board.on_time(Duration::from_millis(clock_ms))));
        watched.moment(format!("clock {:?}", Duration::from_millis(clock_ms)));
    }
    rule(
        "Partition 2 never spoke. When it becomes idle, after 2 s, what waited for it alone fires.",
    )
    .picture(watched.timeline.to_string())
    .ask("Nothing has come from the topic. Who else can tell the windows of a new watermark?")
    .same_bytes(results.join(" | "), "nothing | [06:00,07:00) EWR: 1, revision 1 | nothing");
}

#[test]
fn when_a_partition_is_read_to_its_end_what_waited_for_it_fires() {
    let mut watched = Watched::new(&[0, 1], &plain());
    watched.flight(0, "06:10", 0, seconds(0));
    watched.flight(0, "07:30", 0, seconds(0));
    let results = watched.board.on_end_of(1);
    watched.moment("1 is read to its end");
    rule("Nobody waits for a partition that is read to its end: what waited for it alone fires.")
        .picture(watched.timeline.to_string())
        .ask("Of which partitions is the watermark the smallest now, and which windows have ended by it?")
        .same_bytes(told_all(&results), "[06:00,07:00) EWR: 1, revision 1");
    let outcome = watched.flight(1, "07:10", 0, seconds(0));
    watched.flight(0, "08:10", 0, seconds(0));
    rule("Should a record of it come all the same, it is waited for again.")
        .picture(watched.timeline.to_string())
        .ask("Partition 1 has spoken of 07:10. Which of the two is behind now?")
        .same_bytes(
            format!(
                "{}, {}",
                outcome_told(&outcome),
                shown(watched.board.watermark().current_ms())
            ),
            "nothing, 07:30",
        );
}

#[test]
fn at_the_end_of_the_input_every_open_window_fires_once() {
    let the_rule =
        "At the end every window that has not fired does so, in order; the others do not.";
    let question = "Which windows still owe a result at this moment?";
    let config = BoardConfig { allowed_lateness: minutes(60), ..plain() };
    let mut watched = Watched::new(&[0, 1], &config);
    for (partition, slot) in [(0, "06:10"), (1, "09:10"), (0, "07:10"), (1, "06:50"), (0, "07:40")]
    {
        watched.flight(partition, slot, 0, seconds(0));
    }
    let results = watched.board.on_end();
    watched.moment("the input has ended");
    rule(the_rule).picture(watched.timeline.to_string()).ask(question).same_bytes(
        told_all(&results),
        "[07:00,08:00) EWR: 2, revision 1; [09:00,10:00) EWR: 1, revision 1",
    );
    rule("All results are counted: two of six o'clock, two at the end.")
        .picture(watched.timeline.to_string())
        .ask("What fires at the end leaves the board by another way. Who counts it there?")
        .same(watched.board.counts().results, 4);
    rule("Then nothing is kept, and a second end fires nothing.")
        .ask("Nothing can come behind the end. What is a window still good for then?")
        .same((watched.board.aggregation().state().kept(), watched.board.on_end()), (0, vec![]));
    rule("The final watermark is no watermark of the partitions: the last real one stays.")
        .ask("Who has said that no record before the final watermark can come: a partition, or the end of the input?")
        .same_bytes(shown(watched.board.watermark().current_ms()), "07:40");
}

#[test]
fn a_partition_that_is_added_later_is_one_of_them_from_now_on() {
    let the_rule = "A partition that is added to the topic is waited for from its first record on.";
    let question =
        "What does the board know of partition 3 before its first record, and what then?";
    let mut watched = Watched::new(&[0], &plain());
    for (partition, slot, expected) in [
        (0, "06:10", "nothing"),
        (3, "06:20", "nothing"),
        (0, "07:00", "nothing"),
        (3, "07:05", "[06:00,07:00) EWR: 2, revision 1"),
    ] {
        watched.brings((partition, slot, seconds(0)), expected, the_rule, question);
    }
}

#[test]
fn of_no_flights_there_are_no_results() {
    for partitions in [vec![], vec![0, 1, 2]] {
        let config = BoardConfig { idle_after: Some(seconds(2)), ..plain() };
        let mut board = Board::new(&partitions, &config).expect("an hour is a size");
        let mut results = board.on_time(seconds(60));
        for partition in &partitions {
            results.extend(board.on_end_of(*partition));
        }
        results.extend(board.on_end());
        rule("An empty topic gives an empty board.")
            .picture(format!("partitions {partitions:?}, no record"))
            .same((results, board.counts()), (vec![], BoardCounts::default()));
    }
}

#[test]
fn a_board_of_windows_of_no_length_is_refused() {
    let config = BoardConfig { window: Duration::ZERO, ..plain() };
    let refused = Board::new(&[0], &config).map(|_| "a board");
    rule("A board with windows that cannot be is refused before the first record.")
        .same(refused, Err(SizeError { size: Duration::ZERO }));
}
