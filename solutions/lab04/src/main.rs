//! Given: `cargo run -p lab04`.

fn main() {}
