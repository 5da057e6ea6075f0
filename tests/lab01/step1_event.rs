//! Step 1: a flight as strict JSON.
//!
//! What is on a topic stays there, and every reader meets it again. So the writer sends nothing
//! that it could not read, and the reader takes nothing that it does not wholly understand.

use flights::Flight;
use lab01::event::{EventError, MAX_EVENT_BYTES, decode, encode};
use testkit::rule;

use super::flights_at_hand::{UA_1545, first_of_the_calm_week, ua_1545, ua_1545_with};

#[test]
fn a_flight_is_one_line_with_its_fields_in_order() {
    let event = rule("A flight can be written.").succeeds(encode(&ua_1545()));
    rule("An event is one JSON object on one line, its fields in the order of the struct.")
        .ask("Which function of serde_json writes no white space, and gives bytes?")
        .same_bytes(event, UA_1545);

    let event = encode(&Flight { tail: None, ..ua_1545() });
    rule("A tail number that nobody knows is written as null, not left out.").same_bytes(
        rule("A flight without a tail number can be written.").succeeds(event),
        ua_1545_with("\"N14228\"", "null"),
    );
}

#[test]
fn what_is_written_is_read_back() {
    for flight in first_of_the_calm_week(300) {
        let event = rule("A real flight can be written.").succeeds(encode(&flight));
        let picture = String::from_utf8_lossy(&event).into_owned();
        let read = rule("What was written can be read.").picture(&picture).succeeds(decode(&event));
        rule("What is read is what was written.").picture(&picture).same(read, flight);
    }
}

#[test]
fn an_impossible_flight_is_not_written() {
    let impossible = [
        ("origin", Flight { origin: "BOS".to_owned(), ..ua_1545() }),
        ("flight", Flight { flight: 0, ..ua_1545() }),
        ("scheduled", Flight { scheduled_ms: -1, ..ua_1545() }),
        ("delay_min", Flight { delay_min: 10_081, ..ua_1545() }),
    ];
    for (field, flight) in impossible {
        rule("What cannot be read back must never reach a topic.")
            .picture(format!("{flight:?}"))
            .ask("A record on a topic cannot be taken back. Who could still stop this one?")
            .refuses(
                encode(&flight).map(text),
                &format!("Impossible, field `{field}`"),
                |error| matches!(error, EventError::Impossible(found) if found.field == field),
            );
    }
}

/// No new code is needed for this one. It is here to show why the obvious way to be strict, to
/// compare the payload with what `encode` would have written, is too strict: other programs write
/// the same event with other white space and another order.
#[test]
fn white_space_and_the_order_of_fields_do_not_matter() {
    let spaced = ua_1545_with(",", " ,\n  ") + "\n";
    let swapped = ua_1545_with("\"dest\":\"IAH\",", "").replace('}', ",\"dest\":\"IAH\"}");
    for payload in [spaced, swapped] {
        let flight = rule("JSON with the same fields and values is the same event.")
            .picture(&payload)
            .ask("What besides the fields and their values does this code look at?")
            .succeeds(decode(payload.as_bytes()));
        rule("The same fields and values are the same flight.")
            .picture(&payload)
            .same(flight, ua_1545());
    }
}

#[test]
fn an_unknown_field_is_refused() {
    let payload = ua_1545_with("}", ",\"gate\":\"C3\"}");
    rule("An event has exactly the fields of a flight; one that nobody knows is refused.")
        .picture(&payload)
        .ask("A field was renamed and the reader goes on without it. When would you notice?")
        .refuses(decode(payload.as_bytes()), "Malformed, and the text names `gate`", |error| {
            matches!(error, EventError::Malformed { .. }) && error.to_string().contains("`gate`")
        });
}

#[test]
fn a_missing_field_is_refused() {
    let fields = UA_1545.trim_matches(['{', '}']).split(',');
    for missing in fields.clone() {
        let name = missing.split('"').nth(1).expect("a field has a name");
        let others: Vec<&str> = fields.clone().filter(|field| *field != missing).collect();
        let payload = format!("{{{}}}", others.join(","));
        rule("An event has every field of a flight. What is unknown is written as null, not left out.")
            .picture(&payload)
            .ask("Who decides what a missing field means: the writer who left it out, or you?")
            .refuses(
                decode(payload.as_bytes()),
                &format!("Malformed, and the text names `{name}`"),
                |e| matches!(e, EventError::Malformed { .. }) && e.to_string().contains(name),
            );
    }
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let payload = ua_1545_with("\"delay_min\":2", "\"delay_min\":2,\"delay_min\":90");
    rule("A field that stands twice has no one value, so the event is refused.")
        .picture(&payload)
        .ask(
            "Which of the two delays does your reader take? Does every other reader take the same?",
        )
        .refuses(
            decode(payload.as_bytes()),
            "Malformed, and the text names `delay_min`",
            |error| {
                matches!(error, EventError::Malformed { .. })
                    && error.to_string().contains("delay_min")
            },
        );
}

#[test]
fn a_value_of_another_type_is_refused() {
    let wrong = [
        ("flight", "1545", "\"1545\""),
        ("flight", "1545", "65536"),
        ("tail", "\"N14228\"", "14228"),
        ("distance_miles", "1400", "1400.0"),
        ("scheduled", "\"2013-01-01T10:15:00Z\"", "1357035300000"),
        ("scheduled", "10:15:00Z", "10:15:00"),
        ("scheduled", "10:15:00Z", "10:15:00+05:00"),
        ("delay_min", ":2}", ":2.5}"),
        ("delay_min", ":2}", ":null}"),
    ];
    for (field, part, replacement) in wrong {
        let payload = ua_1545_with(part, replacement);
        rule("A value that is not of the field's type is refused, and the field is named.")
            .picture(&payload)
            .ask("What does the error tell a person who has to find this among a million records?")
            .refuses(decode(payload.as_bytes()), &format!("Malformed, field `{field}`"), |error| {
                matches!(error, EventError::Malformed { field: found, .. } if found == field)
            });
    }
}

#[test]
fn an_error_names_line_and_column() {
    let payload = ua_1545_with(",", ",\n").replace("1545", "true");
    rule("An error says where in the payload it is, both counted from 1.")
        .picture(&payload)
        .ask("The parser's own error knows the place, and something else the field. Does yours keep both?")
        .refuses(
            decode(payload.as_bytes()),
            "Malformed, line 2, column 13, field `flight`",
            |error| {
                matches!(error, EventError::Malformed { line: 2, column: 13, field, .. }
                if field == "flight")
            },
        );
}

#[test]
fn an_array_is_refused() {
    let array = r#"["UA",1545,"N14228","EWR","IAH",1400,"2013-01-01T10:15:00Z",2]"#;
    for (before, begins_on) in [("", 1), ("\n", 2), (" ", 1)] {
        let payload = format!("{before}{array}");
        rule("An event is an object. A reader must not have to know the order of its fields.")
            .picture(format!("{}{array}", before.escape_debug()))
            .ask("From which two of JSON's forms does serde read a struct?")
            .refuses(
                decode(payload.as_bytes()),
                &format!("Malformed, line {begins_on}"),
                |error| matches!(error, EventError::Malformed { line, .. } if *line == begins_on),
            );
    }
}

#[test]
fn a_second_record_in_a_payload_is_refused() {
    for behind in [UA_1545, "\n{}", "]", " and more"] {
        let payload = format!("{UA_1545}{behind}");
        rule("A payload holds one event and nothing behind it.")
            .picture(format!("{UA_1545} ← the event ends here\n{}", behind.trim_start()))
            .ask("Where does your parser stop, and who looks at what is left?")
            .refuses(decode(payload.as_bytes()), "Malformed", |error| {
                matches!(error, EventError::Malformed { .. })
            });
    }
}

#[test]
fn a_payload_that_ends_early_is_refused() {
    for end in 0..UA_1545.len() {
        let payload = &UA_1545[..end];
        rule("An event that is cut off is refused, wherever the cut is.")
            .picture(format!("{payload} ← cut off after {end} bytes"))
            .refuses(decode(payload.as_bytes()), "Malformed", |error| {
                matches!(error, EventError::Malformed { .. })
            });
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let mut payload = UA_1545.as_bytes().to_vec();
    let at = UA_1545.find("IAH").expect("the event has a destination");
    payload[at + 1] = 0xff;
    rule("JSON is UTF-8. A byte that is none is refused where it stands, not mended.")
        .picture(payload.escape_ascii().to_string().replace("\\\"", "\""))
        .ask(
            "Who reads this error looks for a byte that was sent. Will it be found in the payload?",
        )
        .refuses(
            decode(&payload),
            "Malformed, field `dest`",
            |error| matches!(error, EventError::Malformed { field, .. } if field == "dest"),
        );
}

#[test]
fn a_value_that_no_flight_has_is_refused() {
    let impossible = [
        ("carrier", "\"UA\"", "\"united\""),
        ("flight", "1545", "0"),
        ("tail", "\"N14228\"", "\"\""),
        ("origin", "\"EWR\"", "\"BOS\""),
        ("scheduled", "2013-", "1913-"),
        ("delay_min", ":2}", ":10081}"),
    ];
    for (field, part, replacement) in impossible {
        let payload = ua_1545_with(part, replacement);
        rule("A value can have the right type and be impossible. It is refused, and named.")
            .picture(&payload)
            .ask("The types are right here. What else is known of a flight?")
            .refuses(
                decode(payload.as_bytes()),
                &format!("Impossible, field `{field}`"),
                |error| matches!(error, EventError::Impossible(found) if found.field == field),
            );
    }
}

#[test]
fn a_payload_over_the_limit_is_not_even_parsed() {
    rule("The limit is 64 KiB.").same(MAX_EVENT_BYTES, 65_536);
    let longest = UA_1545.to_owned() + &" ".repeat(MAX_EVENT_BYTES - UA_1545.len());
    let flight = rule("A payload of exactly the limit is read.")
        .picture(format!("an event and white space, {} bytes", longest.len()))
        .succeeds(decode(longest.as_bytes()));
    rule("White space behind the event does not change it.").same(flight, ua_1545());

    // No byte of these is JSON, so whoever parses first reports something else.
    for len in [MAX_EVENT_BYTES + 1, 100_000_000] {
        let payload = vec![0; len];
        rule("A payload over the limit is refused by its length alone, before it is parsed.")
            .picture(format!("{len} bytes, each of them 0; the limit is {MAX_EVENT_BYTES}"))
            .ask("What does a parser cost you that is given 100 MB, and when do you know the length?")
            .refuses(decode(&payload), &format!("TooLong, {len} bytes found"), |error| {
                matches!(error, EventError::TooLong { found_bytes } if *found_bytes == len)
            });
    }
}

/// Bytes are hard to read in a message.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
