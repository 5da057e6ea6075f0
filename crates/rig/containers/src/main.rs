//! The containers provider.

fn main() {}
