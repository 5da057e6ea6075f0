//! Given.
extern crate lab03_solution as lab03;
fn main() {}
