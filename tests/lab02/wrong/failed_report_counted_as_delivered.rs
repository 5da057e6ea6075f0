//! title: A report is taken for a delivery
//! file: in_flight.rs
//! caught by: step3_in_flight::a_record_that_the_broker_refuses_is_named
//!
//! A report came, so the record is there. A report may say no. It comes as a result within a result,
//! and `is_ok` of the outer one is true.

impl Publisher {
    pub async fn await_oldest(&mut self) {
        let Some((_, report)) = self.in_flight.front_mut() else { return };
        let answer = report.await;
        self.in_flight.pop_front();
        self.delivered += u64::from(answer.is_ok());
    }
}
