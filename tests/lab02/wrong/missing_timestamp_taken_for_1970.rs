//! title: A record without a timestamp left in 1970
//! file: dead_letters.rs
//! caught by: step4_dead_letters::a_flight_left_in_the_years_of_the_board
//!
//! `unwrap_or(0)` makes the type fit. Nothing fails, and the table has a flight of 1 January 1970, which
//! no query of the board's will ever find, or every one that asks for the earliest.

pub fn as_flight(received: &ReceivedRecord) -> Result<ReadFlight, String> {
    use lab01::event::decode;

    let ReceivedRecord { place, record } = received;
    let payload = record.payload.as_ref().ok_or("record without a payload")?;
    let flight = decode(payload).map_err(|error| error.to_string())?;
    let timestamp_ms = record.timestamp_ms.unwrap_or(0);
    if timestamp_ms < 0 {
        return Err(format!("record with timestamp {timestamp_ms}, expected one of 1970 to 2099"));
    }
    Ok(ReadFlight { place: place.clone(), timestamp_ms, flight })
}
