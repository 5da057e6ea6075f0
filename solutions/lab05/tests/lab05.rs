//! Runs the lab's own tests against the reference answer.

extern crate lab05_solution as lab05;

#[path = "../../../tests/lab05/main.rs"]
mod tests;
