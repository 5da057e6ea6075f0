//! title: A report leaves the list before it has come
//! file: in_flight.rs
//! caught by: step3_in_flight::a_wait_that_is_broken_off_loses_count_of_nothing
//!
//! `pop_front`, then `await`: shorter, and right until somebody waits for two things at once. A
//! future that `select!` drops takes the report along, and its record is in no count.

impl Publisher {
    pub async fn await_oldest(&mut self) {
        let Some((record, report)) = self.in_flight.pop_front() else { return };
        match report.await.expect("the producer lives as long as this publisher") {
            Ok(_) => self.delivered += 1,
            Err((error, _)) => {
                self.not_delivered.push(NotDelivered::new(&self.topic, record, error));
            }
        }
    }
}
