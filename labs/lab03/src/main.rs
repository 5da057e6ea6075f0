//! Given.
fn main() {}
