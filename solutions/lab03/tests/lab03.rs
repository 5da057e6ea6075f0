//! Runs the lab's own tests against the reference answer.

extern crate lab03_solution as lab03;

#[path = "../../../tests/lab03/main.rs"]
mod tests;
