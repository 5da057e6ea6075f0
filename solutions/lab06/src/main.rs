//! Given.

fn main() {}
