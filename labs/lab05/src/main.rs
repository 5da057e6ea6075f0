//! `cargo run -p lab05`: the departure board by event time. It follows with step 8.

fn main() {}
