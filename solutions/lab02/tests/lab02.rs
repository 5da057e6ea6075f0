//! Runs the lab's own tests against the reference answer.

extern crate lab02_solution as lab02;

#[path = "../../../tests/lab02/main.rs"]
mod tests;
