//! Runs the lab's own tests against the reference answer.

extern crate lab04_solution as lab04;

#[path = "../../../tests/lab04/main.rs"]
mod tests;
