//! title: What comes back with a failure is taken for the record
//! file: in_flight.rs
//! caught by: step3_in_flight::a_record_that_was_not_delivered_is_given_back_as_it_was
//!
//! The client gives a failed record back, with key, payload and headers. It gives back no timestamp.
//! Whoever sends that again publishes a flight of 2013 as one of today.

impl Publisher {
    pub async fn await_oldest(&mut self) {
        let Some((_, report)) = self.in_flight.front_mut() else { return };
        let answer = report.await.expect("the producer lives as long as this publisher");
        self.in_flight.pop_front();
        match answer {
            Ok(_) => self.delivered += 1,
            Err((error, message)) => {
                let record = Record::of_message(&message);
                self.not_delivered.push(NotDelivered::new(&self.topic, record, error));
            }
        }
    }
}
