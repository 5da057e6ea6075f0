//! The program of the rig.

fn main() {}
