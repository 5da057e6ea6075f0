use std::io::ErrorKind;

use flights::{Cancelled, DataSet, Week, read_csv, write_csv};

use crate::flight;

#[test]
fn what_is_written_reads_back_the_same() {
    let data = DataSet {
        departed: vec![flight("2013-02-18T11:15:00Z", -12), flight("2013-02-18T11:16:00.250Z", 0)],
        cancelled: vec![Cancelled::from_plan(flight("2013-02-18T10:00:00Z", 0))],
    };
    let mut csv = vec![];
    write_csv(&data, &mut csv).unwrap();
    assert_eq!(read_csv(csv.as_slice(), "written").unwrap(), data);
}

#[test]
fn the_weeks_are_written_as_they_lie_in_the_repository() {
    for week in Week::ALL {
        let mut csv = vec![];
        write_csv(&week.load(), &mut csv).unwrap();
        assert!(csv == week.csv().as_bytes(), "{} is another file", week.file_name());
    }
}

#[test]
fn a_flight_that_could_not_be_read_back_is_not_written() {
    let mut odd = flight("2013-02-18T11:15:00Z", 0);
    odd.tail = Some("N1\n,2".into());
    let data = DataSet { departed: vec![odd], cancelled: vec![] };
    let error = write_csv(&data, vec![]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        r"field `tail`: expected a registration of 4 to 6 capital letters or digits, or null, found `N1\n,2`"
    );
}
