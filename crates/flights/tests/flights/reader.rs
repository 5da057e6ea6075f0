use std::io::{self, Read};

use flights::reader::MAX_LINE_BYTES;
use flights::{Cancelled, read_csv};

use crate::flight;

const HEADER: &str = "scheduled,carrier,flight,tail,origin,dest,distance_miles,delay_min\n";
const GOOD: &str = "2013-02-18T11:15:00Z,UA,1545,N14228,EWR,IAH,1400,2\n";

/// The message for a file with a header, a good line and then these.
fn error(lines: &str) -> String {
    error_of(format!("{HEADER}{GOOD}{lines}").as_bytes())
}

fn error_of(file: impl Read) -> String {
    read_csv(file, "week.csv").unwrap_err().to_string()
}

#[test]
fn departed_and_cancelled_flights_keep_the_order_of_the_file() {
    let file = format!(
        "{HEADER}\
         2013-02-18T11:30:00Z,UA,1545,N14228,EWR,IAH,1400,\n\
         {GOOD}\
         2013-02-18T11:00:00Z,UA,1545,,EWR,IAH,1400,-5\n"
    );
    let data = read_csv(file.as_bytes(), "week.csv").unwrap();
    let mut unknown_tail = flight("2013-02-18T11:00:00Z", -5);
    unknown_tail.tail = None;
    assert_eq!(data.departed, [flight("2013-02-18T11:15:00Z", 2), unknown_tail]);
    assert_eq!(data.cancelled, [Cancelled::from_plan(flight("2013-02-18T11:30:00Z", 0))]);
}

#[test]
fn a_file_with_a_header_alone_has_no_flights() {
    let data = read_csv(HEADER.as_bytes(), "week.csv").unwrap();
    assert!(data.departed.is_empty() && data.cancelled.is_empty());
}

#[test]
fn cancelled_flights_are_counted_by_origin() {
    let file = format!(
        "{HEADER}\
         2013-02-18T11:30:00Z,UA,1,,LGA,IAH,1416,\n\
         2013-02-18T11:31:00Z,UA,2,,EWR,IAH,1400,\n\
         2013-02-18T11:32:00Z,UA,3,,LGA,IAH,1416,\n"
    );
    let data = read_csv(file.as_bytes(), "week.csv").unwrap();
    assert_eq!(
        data.cancelled_by_origin().into_iter().collect::<Vec<_>>(),
        [("EWR", 1), ("LGA", 2)]
    );
}

#[test]
fn an_empty_file_has_no_header() {
    assert_eq!(
        error_of(io::empty()),
        "week.csv, line 1, column 1: expected the header \
         `scheduled,carrier,flight,tail,origin,dest,distance_miles,delay_min`, found the end of the file"
    );
}

#[test]
fn a_header_that_lacks_a_column_is_refused_where_the_next_stands() {
    assert_eq!(
        error_of(HEADER.replace("tail,", "").as_bytes()),
        "week.csv, line 1, column 26, field `tail`: expected the header `tail`, found `origin`"
    );
}

#[test]
fn a_header_that_lacks_its_last_column_is_refused() {
    assert_eq!(
        error_of(HEADER.replace(",delay_min", "").as_bytes()),
        "week.csv, line 1, column 57, field `delay_min`: expected a value, \
         found the end of the line"
    );
}

#[test]
fn a_header_with_an_unknown_column_is_refused() {
    assert_eq!(
        error_of(HEADER.replace("carrier", "airline").as_bytes()),
        "week.csv, line 1, column 11, field `carrier`: expected the header `carrier`, \
         found `airline`"
    );
    assert_eq!(
        error_of(HEADER.replace("delay_min", "delay_min,gate").as_bytes()),
        "week.csv, line 1, column 67: expected the end of the line after 8 values, found `,gate`"
    );
}

#[test]
fn a_header_in_another_order_is_refused() {
    assert_eq!(
        error_of(HEADER.replace("origin,dest", "dest,origin").as_bytes()),
        "week.csv, line 1, column 31, field `origin`: expected the header `origin`, found `dest`"
    );
}

#[test]
fn a_header_with_a_column_twice_is_refused() {
    assert_eq!(
        error_of(HEADER.replace("flight,", "flight,flight,").as_bytes()),
        "week.csv, line 1, column 26, field `tail`: expected the header `tail`, found `flight`"
    );
}

#[test]
fn windows_line_ends_are_refused_at_the_header() {
    assert_eq!(
        error_of(HEADER.replace('\n', "\r\n").as_bytes()),
        r"week.csv, line 1, column 58, field `delay_min`: expected the header `delay_min`, found `delay_min\r`"
    );
}

#[test]
fn a_byte_order_mark_is_refused() {
    assert_eq!(
        error_of(format!("\u{feff}{HEADER}").as_bytes()),
        r"week.csv, line 1, column 1, field `scheduled`: expected the header `scheduled`, found `\u{feff}scheduled`"
    );
}

#[test]
fn two_records_in_one_line_are_refused_at_the_end_of_the_first() {
    assert_eq!(
        error(&format!("{},{GOOD}", GOOD.trim_end().replace("1545", "1546"))),
        "week.csv, line 3, column 51: expected the end of the line after 8 values, \
         found `,2013-02-18T11:15:00Z,UA,1545,N14228,EWR…`"
    );
}

#[test]
fn a_comma_at_the_end_of_a_line_is_refused() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,1400,2,\n"),
        "week.csv, line 3, column 51: expected the end of the line after 8 values, found `,`"
    );
}

#[test]
fn a_line_that_ends_too_early_names_the_first_missing_field() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546\n"),
        "week.csv, line 3, column 29, field `tail`: expected a value, found the end of the line"
    );
}

#[test]
fn an_empty_line_is_refused() {
    assert_eq!(
        error("\n"),
        "week.csv, line 3, column 1, field `scheduled`: expected a value, found an empty line"
    );
}

#[test]
fn a_truncated_last_line_is_refused_even_where_it_could_be_a_record() {
    // The delay was 12.
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,1400,1"),
        "week.csv, line 3, column 51: expected a line feed, found the end of the file"
    );
}

#[test]
fn a_line_of_100_mb_is_refused_after_64_kib() {
    let mut read_bytes = 0;
    let long_line = io::repeat(b'7').take(100 * 1024 * 1024);
    let message = error_of(Counted {
        source: HEADER.as_bytes().chain(long_line),
        read_bytes: &mut read_bytes,
    });
    assert_eq!(
        message,
        "week.csv, line 2, column 65537: expected a line of at most 65536 bytes, found a longer one"
    );
    assert!(read_bytes < 100 * 1024, "the reader went on: it read {read_bytes} bytes");
}

#[test]
fn the_longest_line_is_still_read() {
    let longest = "7".repeat(MAX_LINE_BYTES);
    assert_eq!(
        error(&format!("{longest}\n")),
        "week.csv, line 3, column 65537, field `carrier`: expected a value, \
         found the end of the line"
    );
}

#[test]
fn invalid_utf8_is_refused_at_its_byte() {
    let mut file = format!("{HEADER}2013-02-18T11:15:00Z,U").into_bytes();
    file.extend(b"\xff,1545,N14228,EWR,IAH,1400,2\n");
    assert_eq!(
        error_of(file.as_slice()),
        "week.csv, line 2, column 23, field `carrier`: expected UTF-8 text, found the byte 0xff"
    );
}

#[test]
fn quotation_marks_are_characters_like_any_other() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,\"UA\",1546,N14228,EWR,IAH,1400,2\n"),
        r#"week.csv, line 3, column 22, field `carrier`: expected two capital letters or digits, found `\"UA\"`"#
    );
}

#[test]
fn a_word_for_a_number_is_refused() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,many,N14228,EWR,IAH,1400,2\n"),
        "week.csv, line 3, column 25, field `flight`: expected a whole number from 1 to 9999, \
         found `many`"
    );
}

#[test]
fn a_number_with_a_fraction_is_refused() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,1400,2.5\n"),
        "week.csv, line 3, column 50, field `delay_min`: expected a whole number from -1440 to \
         10080, or nothing for a cancelled flight, found `2.5`"
    );
}

#[test]
fn a_number_is_written_in_one_way_only() {
    for number in ["+5", "05", "0x1F", " 5", "5 ", "-0", "5e2", "٥"] {
        let message = error(&format!("2013-02-18T11:15:00Z,UA,{number},N14228,EWR,IAH,1400,2\n"));
        assert_eq!(
            message,
            format!(
                "week.csv, line 3, column 25, field `flight`: \
                 expected a whole number from 1 to 9999, found `{number}`"
            )
        );
    }
}

#[test]
fn a_number_too_large_for_its_type_is_refused() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,65537,2\n"),
        "week.csv, line 3, column 45, field `distance_miles`: expected a whole number from 1 to \
         9999, found `65537`"
    );
}

#[test]
fn a_number_out_of_range_is_refused() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,1400,10081\n"),
        "week.csv, line 3, column 50, field `delay_min`: expected a number from -1440 to 10080, \
         found 10081"
    );
}

#[test]
fn a_time_in_another_zone_is_refused() {
    assert_eq!(
        error("2013-02-18T06:15:00-05:00,UA,1546,N14228,EWR,IAH,1400,2\n"),
        "week.csv, line 3, column 1, field `scheduled`: expected a UTC time such as \
         `2013-02-18T11:15:00Z`, found `2013-02-18T06:15:00-05:00`"
    );
}

#[test]
fn a_time_out_of_range_is_refused() {
    assert_eq!(
        error("2113-02-18T11:15:00Z,UA,1546,N14228,EWR,IAH,1400,2\n"),
        "week.csv, line 3, column 1, field `scheduled`: expected a time from 1970 to 2099, \
         found 2113-02-18T11:15:00Z"
    );
}

#[test]
fn a_cancelled_flight_is_checked_like_any_other() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1546,N14228,PHL,IAH,1400,\n"),
        "week.csv, line 3, column 37, field `origin`: expected EWR, JFK or LGA, found `PHL`"
    );
}

#[test]
fn a_flight_that_stands_there_twice_is_refused_even_with_another_delay() {
    assert_eq!(
        error("2013-02-18T11:15:00Z,UA,1545,N14228,EWR,IAH,1400,3\n"),
        "week.csv, line 3, column 25, field `flight`: expected each flight once, \
         found UA 1545 from EWR at 2013-02-18T11:15:00Z a second time, first on line 2"
    );
}

#[test]
fn flights_that_differ_in_slot_carrier_number_or_origin_are_several() {
    let others = [("11:15", "11:16"), ("UA", "DL"), ("1545", "1546"), ("EWR", "JFK")];
    let lines = others.map(|(from, to)| GOOD.replace(from, to)).concat();
    let data = read_csv(format!("{HEADER}{GOOD}{lines}").as_bytes(), "week.csv").unwrap();
    assert_eq!(data.departed.len(), 5);
}

#[test]
fn long_and_hostile_text_is_escaped_and_cut() {
    let hostile = format!("\u{1b}[2J{}", "x".repeat(1000));
    assert_eq!(
        error(&format!("2013-02-18T11:15:00Z,{hostile},1546,N14228,EWR,IAH,1400,2\n")),
        format!(
            r"week.csv, line 3, column 22, field `carrier`: expected two capital letters or digits, found `\u{{1b}}[2J{}…`",
            "x".repeat(36)
        )
    );
}

#[test]
fn a_source_that_breaks_off_is_reported_with_the_systems_reason() {
    let file = HEADER.as_bytes().chain(Broken);
    assert_eq!(error_of(file), "cannot read week.csv: the disk is gone");
}

struct Counted<'a, R> {
    source: R,
    read_bytes: &'a mut usize,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(to)?;
        *self.read_bytes += read;
        Ok(read)
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}
