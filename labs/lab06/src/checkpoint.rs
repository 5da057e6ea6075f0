//! Step 1: the state of a job as a checkpoint, and a checkpoint as bytes.
//!
//! The bytes are text: a head line with format, version, check sum and length, and behind it JSON.
//! The check sum is for accidents, such as a torn write or a flipped bit. It is no signature.

use std::collections::BTreeMap;
use std::time::Duration;

use flights::utc;
use lab05::board::{Board, BoardConfig};
use lab05::window::{SizeError, Window};
use thiserror::Error;
use timeline::span;

use crate::state::{Checkpoint, Fingerprint};

/// The first word of every checkpoint's bytes.
pub const FORMAT: &str = "tidemark-checkpoint";

/// The version that [`encode`] writes. Step 5 reads version 1 too.
pub const VERSION: u32 = 2;

// ANCHOR: position
/// How far a partition was processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last *processed* offset + 1. A consumer's own position may be far ahead of it.
    pub next_offset: i64,
    /// The last processed record; `None` before the first.
    pub last_record: Option<Fingerprint>,
}

/// All state of a job at one moment between two records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// The windows, the watermarks and the counters.
    pub board: Board,
    /// Each partition of the topic, from its first record on.
    pub positions: BTreeMap<i32, Position>,
    /// Records that are no flight.
    pub unreadable: u64,
    /// The allowed lateness of the windows that are kept and of those that are gone.
    pub allowed_lateness: Duration,
}
// ANCHOR_END: position

// ANCHOR: restore_error
/// Why a job cannot go on from a checkpoint with its configuration. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// No window can have the configuration's length.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The checkpoint has a window that the configuration has not. Its records are counted, and
    /// those to come would be counted in another window.
    #[error(
        "the checkpoint has a window from {} to {}, and windows of {} have none such",
        utc::format(window.start_ms), utc::format(window.end_ms), span::text(*size)
    )]
    OtherWindow {
        /// The window.
        window: Window,
        /// The configuration's length.
        size: Duration,
    },
    /// A window that is gone would be opened again by late records. The first is lost, since the row
    /// has more; the second replaces the row by one that counts these two alone.
    #[error(
        "the checkpoint was made with an allowed lateness of {}, which can become shorter, but not {}",
        span::text(*found), span::text(*asked)
    )]
    LongerLateness {
        /// The checkpoint's.
        found: Duration,
        /// The configuration's.
        asked: Duration,
    },
}
// ANCHOR_END: restore_error

// ANCHOR: damage
/// Why bytes are not a checkpoint that this program can read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// They are something else.
    #[error("no checkpoint: expected it to begin with `{FORMAT}`, found `{found}`")]
    Foreign {
        /// Their beginning.
        found: String,
    },
    /// The head line is not as [`encode`] writes it.
    #[error("damaged checkpoint: its head line is `{found}`")]
    BadHead {
        /// The line.
        found: String,
    },
    /// A later program has written them.
    #[error("checkpoint of version {found}: this program reads versions up to {VERSION}")]
    Newer {
        /// Their version.
        found: u32,
    },
    /// The end is missing, or there is something behind it.
    #[error("damaged checkpoint: expected {expected} bytes behind its head line, found {found}")]
    OtherLength {
        /// The length that the head line names.
        expected: usize,
        /// The length that there is.
        found: usize,
    },
    /// A byte is not what it was.
    #[error("damaged checkpoint: expected check sum {expected:08x}, found {found:08x}")]
    OtherChecksum {
        /// The check sum that the head line names.
        expected: u32,
        /// The check sum of the bytes.
        found: u32,
    },
    /// The bytes are those that were written, but they do not say what a checkpoint says.
    #[error("checkpoint of version {version} that does not hold what it should: {reason}")]
    BadContents {
        /// Their version.
        version: u32,
        /// What is wrong.
        reason: String,
    },
}
// ANCHOR_END: damage

/// A head line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The version of what follows.
    pub version: u32,
    /// The check sum (CRC-32) of what follows.
    pub crc32: u32,
    /// How many bytes follow.
    pub bytes: usize,
}

/// Takes a checkpoint: everything that [`restore`] needs to go on with the next record as if there
/// had been no end. It is taken between two records, and before the end of a bounded input is told
/// to the board.
pub fn take(state: &JobState, id: u64, topic: &str) -> Checkpoint {
    // `Board::parts` gives all that the board knows. What does the job know beside it?
    // Go through the fields of `Checkpoint` and ask of each what would be wrong without it after a
    // restart. The windows and the counts have a function each in `state`.
    let _ = (state, topic);
    todo!("step 1: take everything that a job must remember into checkpoint {id}")
}

/// Makes the state of a checkpoint again. The bound, the idle time-out and the guard are the
/// configuration's, and may be other ones than before; the allowed lateness may be shorter.
///
/// # Errors
/// [`RestoreError`] when the configuration has other windows, or a longer allowed lateness.
pub fn restore(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<JobState, RestoreError> {
    // The way back: `BoardParts` from the checkpoint, and a board from them. `check_windows` is given
    // and comes first. What you leave at its default here, the job has forgotten.
    let _ = config;
    todo!("step 1: make the state of checkpoint {} again", checkpoint.id)
}

/// Given: sees whether the windows of a checkpoint are those of a configuration.
///
/// # Errors
/// [`RestoreError`].
pub fn check_windows(checkpoint: &Checkpoint, config: &BoardConfig) -> Result<(), RestoreError> {
    use lab04::span::millis;
    use lab05::window::TumblingWindows;

    let size = config.window;
    let windows = TumblingWindows::new(size)?;
    for saved in &checkpoint.windows {
        let window = Window { start_ms: saved.start_ms, end_ms: saved.end_ms };
        if windows.window_of(window.start_ms) != Ok(window) {
            return Err(RestoreError::OtherWindow { window, size });
        }
    }
    let (found_ms, asked) = (checkpoint.allowed_lateness_ms, config.allowed_lateness);
    if millis(asked) > found_ms {
        let found = Duration::from_millis(found_ms.max(0).unsigned_abs());
        return Err(RestoreError::LongerLateness { found, asked });
    }
    Ok(())
}

/// Writes a checkpoint as bytes: `tidemark-checkpoint 2 crc32=0a1b2c3d bytes=512`, a line feed, and
/// the checkpoint as JSON, indented and with a line feed at its end.
pub fn encode(checkpoint: &Checkpoint) -> Vec<u8> {
    // `serde_json::to_vec_pretty` and `Head` are given. The check sum is that of all that stands
    // behind the head line (`crc32fast::hash`).
    todo!("step 1: write checkpoint {} as bytes", checkpoint.id)
}

/// Given: reads what [`encode`] has written. What is wrong is found in this order: the first word, the
/// version, the head line as a whole, the length, the check sum, the contents.
///
/// # Errors
/// [`FormatError`]. Nothing is guessed and nothing is skipped.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    let (head, body) = open(bytes)?;
    if head.version != VERSION {
        let reason = "it has to be migrated first".to_owned();
        return Err(FormatError::BadContents { version: head.version, reason });
    }
    serde_json::from_slice(body).map_err(|error| FormatError::BadContents {
        version: head.version,
        reason: error.to_string(),
    })
}

/// Takes the head line off, and sees whether what follows is what was written, in any version that
/// this program knows.
///
/// # Errors
/// [`FormatError`], all but those of the contents.
pub fn open(bytes: &[u8]) -> Result<(Head, &[u8]), FormatError> {
    // Somebody else's bytes may have no line feed at all, and no end for a long time: how much of
    // them should an error quote? And in which order must one look, so that the sentence names what
    // is really wrong?
    todo!("step 1: look at the head line of {} bytes, and at what follows", bytes.len())
}

/// The longest head line that is looked at, in bytes.
pub const MAX_HEAD_BYTES: usize = 80;

impl Head {
    /// The head line, with its line feed.
    pub fn line(self) -> String {
        let Head { version, crc32, bytes } = self;
        format!("{FORMAT} {version} crc32={crc32:08x} bytes={bytes}\n")
    }

    /// The version in a head line, whatever stands behind it: a later program may have another head
    /// line. `None` where there is none.
    pub fn version_in(line: &str) -> Option<u32> {
        line.split(' ').nth(1)?.parse().ok()
    }

    /// Reads a head line without its line feed; `None` when [`line`](Head::line) can't have written
    /// it.
    pub fn parse(line: &str) -> Option<Head> {
        let mut words = line.split(' ');
        (words.next()? == FORMAT).then_some(())?;
        let version = words.next()?.parse().ok().filter(|version| *version > 0)?;
        let crc32 = u32::from_str_radix(words.next()?.strip_prefix("crc32=")?, 16).ok()?;
        let bytes = words.next()?.strip_prefix("bytes=")?.parse().ok()?;
        let head = Head { version, crc32, bytes };
        (head.line().trim_end() == line).then_some(head)
    }
}
