use flights::Flight;

use crate::flight;

#[test]
fn a_flight_departs_at_its_slot_plus_its_delay() {
    let slot_ms = flight("2013-02-18T11:15:00Z", 0).scheduled_ms;
    assert_eq!(flight("2013-02-18T11:15:00Z", 17).departed_ms(), slot_ms + 17 * 60_000);
    assert_eq!(flight("2013-02-18T11:15:00Z", -43).departed_ms(), slot_ms - 43 * 60_000);
}

#[test]
fn each_field_is_held_to_its_range() {
    type Change = fn(&mut Flight);
    let cases: [(Change, &str); 14] = [
        (
            |f| f.carrier = "ua".into(),
            "`carrier`: expected two capital letters or digits, found `ua`",
        ),
        (
            |f| f.carrier = "UAL".into(),
            "`carrier`: expected two capital letters or digits, found `UAL`",
        ),
        (|f| f.flight = 0, "`flight`: expected a number from 1 to 9999, found 0"),
        (|f| f.flight = 10_000, "`flight`: expected a number from 1 to 9999, found 10000"),
        (
            |f| f.tail = Some("N14,28".into()),
            "`tail`: expected a registration of 4 to 6 capital letters or digits, or null, \
             found `N14,28`",
        ),
        (
            |f| f.tail = Some(String::new()),
            "`tail`: expected a registration of 4 to 6 capital letters or digits, or null, found ``",
        ),
        (|f| f.origin = "PHL".into(), "`origin`: expected EWR, JFK or LGA, found `PHL`"),
        (|f| f.dest = "IA1".into(), "`dest`: expected three capital letters, found `IA1`"),
        (
            |f| f.dest = "\u{1b}[2J".into(),
            r"`dest`: expected three capital letters, found `\u{1b}[2J`",
        ),
        (|f| f.distance_miles = 0, "`distance_miles`: expected a number from 1 to 9999, found 0"),
        (
            |f| f.scheduled_ms = -1,
            "`scheduled`: expected a time from 1970 to 2099, found 1969-12-31T23:59:59.999Z",
        ),
        (
            |f| f.scheduled_ms = 4_102_444_800_000,
            "`scheduled`: expected a time from 1970 to 2099, found 2100-01-01T00:00:00Z",
        ),
        (
            |f| f.delay_min = -1441,
            "`delay_min`: expected a number from -1440 to 10080, found -1441",
        ),
        (
            |f| f.delay_min = 10_081,
            "`delay_min`: expected a number from -1440 to 10080, found 10081",
        ),
    ];
    for (change, message) in cases {
        let mut flight = flight("2013-02-18T11:15:00Z", 0);
        change(&mut flight);
        assert_eq!(flight.check().unwrap_err().to_string(), format!("field {message}"));
    }
}

#[test]
fn the_ends_of_the_ranges_are_inside() {
    for (scheduled, delay_min) in
        [("1970-01-01T00:00:00Z", -1440), ("2099-12-31T23:59:59.999Z", 10_080)]
    {
        assert_eq!(flight(scheduled, delay_min).check(), Ok(()));
    }
    let unknown_tail = Flight { tail: None, ..flight("2013-02-18T11:15:00Z", 0) };
    assert_eq!(unknown_tail.check(), Ok(()));
}
