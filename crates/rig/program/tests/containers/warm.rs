//! How long containers take, cold and warm.

use std::time::{Duration, Instant};

use rig::cluster::Cluster;
use rig::control::Control;
use rig::say::say;

use crate::{rig, up};

/// What a warm rig may add to a test binary.
const WARM: Duration = Duration::from_millis(100);

#[test]
fn a_warm_rig_is_joined_within_a_tenth_of_a_second() {
    let rig = rig("warm");
    up(&rig);
    // What `Rig::up` does in a process that finds servers: read, ask both, hold. The best of
    // several, since other tests may be at work on the machine.
    let join = || {
        let began = Instant::now();
        let cluster = Cluster::read(&rig.place()).expect("the rig is up");
        assert!(cluster.answers());
        let _held = Control::connect(&cluster).expect("the keeper answers");
        began.elapsed()
    };
    let mut times: Vec<_> = (0..11).map(|_| join()).collect();
    times.sort();
    let (best, median) = (times[0], times[5]);
    say(&format!("  a warm rig: best {best:.1?}, median {median:.1?} of 11"));
    assert!(best < WARM, "joining took {best:?} at best, expected less than {WARM:?}");
}
