//! Runs the lab's own tests against the reference answer.

extern crate lab06_solution as lab06;

#[path = "../../../tests/lab06/main.rs"]
mod tests;
