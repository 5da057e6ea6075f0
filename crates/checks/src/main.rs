//! The checks.

fn main() {}
