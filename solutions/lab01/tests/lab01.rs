//! Runs the lab's own tests against the reference answer.

extern crate lab01_solution as lab01;

#[path = "../../../tests/lab01/main.rs"]
mod tests;
