//! Given: one input, taken into the state of a job.

use std::collections::BTreeMap;
use std::time::Duration;

use lab05::board::{Arrival, Board, BoardConfig};
use lab05::job::flight_of;
use lab05::window::SizeError;

use crate::checkpoint::{JobState, Position};
use crate::state::Fingerprint;
use crate::store::{Output, UnreadableRecord};
use crate::turn::{Input, Record};

impl JobState {
    /// A job that begins with the first record of each of these partitions.
    ///
    /// # Errors
    /// [`SizeError`] when no window can have the configuration's length.
    pub fn begin(
        first_offsets: &BTreeMap<i32, i64>,
        config: &BoardConfig,
    ) -> Result<JobState, SizeError> {
        let partitions: Vec<i32> = first_offsets.keys().copied().collect();
        let position = |next_offset| Position { next_offset, last_record: None };
        Ok(JobState {
            board: Board::new(&partitions, config)?,
            positions: first_offsets.iter().map(|(id, first)| (*id, position(*first))).collect(),
            unreadable: 0,
            allowed_lateness: config.allowed_lateness,
        })
    }

    /// A partition was added to the topic: it is waited for, and read from this offset on.
    pub fn add_partition(&mut self, partition: i32, next_offset: i64, clock: Duration) {
        self.board.add_partition(partition, clock);
        self.positions.insert(partition, Position { next_offset, last_record: None });
    }

    /// Takes one input into windows, watermarks and counters, and gives what it brought about. The
    /// positions stay where they are.
    pub fn process(&mut self, input: &Input, clock: Duration) -> Output {
        match input {
            Input::Record(record) => self.process_record(record, clock),
            Input::Time(clock) => Output::of_results(self.board.on_time(*clock)),
            Input::EndOf(partition) => Output::of_results(self.board.on_end_of(*partition)),
        }
    }

    /// Moves the position of a record's partition behind it.
    pub fn advance(&mut self, record: &Record) {
        let position =
            Position { next_offset: record.offset + 1, last_record: Some(Fingerprint::of(record)) };
        self.positions.insert(record.partition, position);
    }

    /// The input has ended.
    pub fn end(&mut self) -> Output {
        Output::of_results(self.board.on_end())
    }

    fn process_record(&mut self, record: &Record, clock: Duration) -> Output {
        let (partition, offset) = (record.partition, record.offset);
        let flight = match flight_of(&record.payload, record.timestamp_ms) {
            Ok(flight) => flight,
            Err(reason) => {
                self.unreadable += 1;
                let unreadable = vec![UnreadableRecord { partition, offset, reason }];
                return Output { unreadable, ..Output::default() };
            }
        };
        let arrived_ms = record.timestamp_ms;
        let arrival = Arrival { partition, offset, arrived_ms, flight: &flight };
        let outcome = self.board.on_flight(arrival, clock);
        Output {
            results: outcome.results,
            dropped: outcome.dropped.into_iter().collect(),
            unreadable: Vec::new(),
        }
    }
}

impl Fingerprint {
    /// The fingerprint of a record.
    pub fn of(record: &Record) -> Fingerprint {
        Fingerprint {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            payload_crc32: crc32fast::hash(&record.payload),
        }
    }
}

impl Output {
    fn of_results(results: Vec<lab05::firing::WindowResult>) -> Output {
        Output { results, ..Output::default() }
    }

    /// Adds what came later.
    pub fn append(&mut self, mut later: Output) {
        self.results.append(&mut later.results);
        self.dropped.append(&mut later.dropped);
        self.unreadable.append(&mut later.unreadable);
    }
}
