use flights::{Week, arrival_order, utc};

#[test]
fn the_weeks_hold_the_flights_of_the_design() {
    let counts = Week::ALL.map(|week| {
        let data = week.load();
        (week.name(), data.departed.len(), data.cancelled.len())
    });
    assert_eq!(counts, [("calm", 6292, 81), ("storm", 5173, 926)]);
}

#[test]
fn every_slot_is_in_its_week() {
    for week in Week::ALL {
        let data = week.load();
        let departed = data.departed.iter().map(|flight| flight.scheduled_ms);
        let cancelled = data.cancelled.iter().map(|flight| flight.scheduled_ms);
        for slot_ms in departed.chain(cancelled) {
            assert!(
                week.slots_ms().contains(&slot_ms),
                "{}: {} is outside",
                week.label(),
                utc::format(slot_ms)
            );
        }
    }
}

#[test]
fn the_slots_of_a_week_are_its_seven_days() {
    let days = Week::ALL.map(|week| {
        let slots_ms = week.slots_ms();
        (utc::format(slots_ms.start), utc::format(slots_ms.end))
    });
    let expected = [
        ("2013-02-18T00:00:00Z", "2013-02-25T00:00:00Z"),
        ("2013-02-04T00:00:00Z", "2013-02-11T00:00:00Z"),
    ];
    assert_eq!(days, expected.map(|(start, end)| (start.to_owned(), end.to_owned())));
}

#[test]
fn a_week_stands_in_its_file_in_arrival_order_and_then_what_was_cancelled_by_slot() {
    for week in Week::ALL {
        let data = week.load();
        assert!(arrival_order(data.departed.clone()) == data.departed, "{}", week.name());
        assert!(data.cancelled.is_sorted_by_key(|flight| flight.scheduled_ms), "{}", week.name());
    }
}

#[test]
fn every_flight_of_the_weeks_survives_json() {
    for week in Week::ALL {
        for flight in week.load().departed {
            let json = serde_json::to_string(&flight).unwrap();
            assert_eq!(serde_json::from_str::<flights::Flight>(&json).unwrap(), flight);
        }
    }
}

#[test]
fn a_week_is_named_on_the_command_line() {
    for week in Week::ALL {
        assert_eq!(week.name().parse(), Ok(week));
        assert!(week.title().ends_with(week.label()));
    }
    assert_eq!(
        "stormy".parse::<Week>().unwrap_err().to_string(),
        "expected a week, `calm` or `storm`, found `stormy`"
    );
}
