//! Lab 05, tumbling aggregation.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab05 step1`.
//! Step 6 has three: the rules of the board, what a batch says, and what Apache Flink says. Only
//! steps 7 and 8 speak to real servers.

mod at_hand;
mod given;
mod log;
mod step1_window;
mod step2_delays;
mod step3_firing;
mod step4_dropped;
mod step5_corrections;
mod step6_batch;
mod step6_board;
mod step6_flink;
mod step7_tables;
mod step8_job;

testkit::lab! {
    chapter: "book/src/05-tumbling-aggregation.md",
    steps: [
        "window.rs": "the window that an instant lies in",
        "delays.rs": "figures that can be merged",
        "firing.rs": "windows that fire on the watermark",
        "dropped.rs": "records that come too late",
        "corrections.rs": "allowed lateness, and state that goes",
        "board.rs": "guard, watermark and windows as one",
        "tables.rs": "results and dropped records in PostgreSQL",
        "job.rs": "from a topic into the tables",
    ],
}
