//! Rigs with servers on this machine: their life, their end, and what can go wrong.
//!
//! One program, so that rigs can take turns, a few at once: their tests wait for servers most of
//! their time.

#[path = "../common/mod.rs"]
mod common;
#[path = "../every_provider/mod.rs"]
mod every_provider;

mod disk;
mod external;
mod faults;
mod killed;
mod life;
mod maven;
mod rigs;
mod server_faults;
mod waits;

/// How many rigs may have servers at once. Their tests mostly wait, but many Kafkas that start at once
/// make each other slow.
const RIGS_AT_ONCE: usize = 3;
