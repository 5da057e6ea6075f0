//! Step 5: a checkpoint as a file, for another version of the job, or for another machine.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::checkpoint::FormatError;
use crate::state::{Checkpoint, SavedKey, SavedPartition, SavedWindow};
use crate::version1::{CheckpointV1, PartitionV1, RowV1};

/// Why there is no savepoint, or none to start from. Files that were there before are untouched.
#[derive(Debug, Error)]
pub enum SavepointError {
    /// A file of this name is there. It may be the only copy of another savepoint.
    #[error("savepoint {}: there is a file of this name already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("savepoint {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is no savepoint that this program can read.
    #[error("savepoint {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
}

// ANCHOR: loaded
/// A savepoint that was read, and what could not be carried over from its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The state, in this program's version.
    pub checkpoint: Checkpoint,
    /// One sentence for each thing that an earlier version did not know and that matters now.
    pub notes: Vec<String>,
}
// ANCHOR_END: loaded

/// Writes a savepoint. Under its name there is either all of it, on the disk and not only on its way
/// there, or nothing. The file system has to know hard links.
///
/// # Errors
/// [`SavepointError::Exists`] and [`SavepointError::File`]. What was begun is removed, also where the
/// file has its name and only the folder does not come to the disk: a power cut might take the name
/// away, and who was told of an error may try again.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SavepointError> {
    // `part_of`, `write_through` and `sync_folder_of` are given. A name can be given to a file that
    // is complete; which of the ways to do that never replaces another file? And what is there to be
    // removed, wherever it fails?
    let _ = path;
    todo!("step 5: write a savepoint of {} bytes", bytes.len())
}

/// Given: reads a savepoint of any version up to this program's.
///
/// # Errors
/// [`SavepointError::File`] and [`SavepointError::Unreadable`].
pub fn load(path: &Path) -> Result<Loaded, SavepointError> {
    let bytes =
        fs::read(path).map_err(|source| SavepointError::File { path: path.to_owned(), source })?;
    read(&bytes).map_err(|source| SavepointError::Unreadable { path: path.to_owned(), source })
}

/// Given: reads the bytes of a checkpoint of any version up to this program's, and migrates it.
///
/// # Errors
/// Those of [`decode`](crate::checkpoint::decode).
pub fn read(bytes: &[u8]) -> Result<Loaded, FormatError> {
    use crate::checkpoint::{decode, open};

    let (head, body) = open(bytes)?;
    if head.version != 1 {
        return Ok(Loaded { checkpoint: decode(bytes)?, notes: Vec::new() });
    }
    let bad = |reason: String| FormatError::BadContents { version: 1, reason };
    let old: CheckpointV1 = serde_json::from_slice(body).map_err(|e| bad(e.to_string()))?;
    migrate(old).map_err(bad)
}

/// Makes a checkpoint of version 1 one of this version.
///
/// - The combined watermark is the smallest of the partitions' own, and none while one has not
///   spoken.
/// - Version 1 knew no allowed lateness, so what it has let go stays gone.
/// - Fingerprints: version 1 kept none, and each partition that was read has a note with its number.
/// - Partitions are those of [`migrated_partition`], windows those of [`migrated_windows`].
///
/// # Errors
/// One sentence, when the contents contradict themselves: a partition is there twice, or what
/// [`migrated_partition`] and [`migrated_windows`] refuse.
pub fn migrate(old: CheckpointV1) -> Result<Loaded, String> {
    // What version 1 did not know must be said or must not matter. Which of the fields that it did
    // not have could be guessed, and which guess would be found out only much later?
    todo!("step 5: migrate checkpoint {} of version 1", old.id)
}

/// A partition of version 1 as one of this version.
///
/// - Version 1 kept the last processed offset, this version the next.
/// - Version 1 kept the partition's watermark, this version its largest timestamp.
///
/// # Errors
/// One sentence with the partition and the offset, when no partition can have such an offset.
pub fn migrated_partition(saved: &PartitionV1, bound_ms: i64) -> Result<SavedPartition, String> {
    // Version 1 said what was done. Version 2 says what is next.
    todo!("step 5: migrate partition {saved:?}, with a bound of {bound_ms} ms")
}

/// Rows of version 1, in whatever order, as windows with their keys, in order. None has fired.
///
/// # Errors
/// One sentence, when an airport is twice in a window (it names the airport), a window has no length
/// (it names the minutes), or [`migrated_key`] refuses.
pub fn migrated_windows(rows: &[RowV1]) -> Result<Vec<SavedWindow>, String> {
    // The rows are in no order, and several of them are one window.
    todo!("step 5: migrate {} rows", rows.len())
}

/// A row of version 1 as a key of this version. Version 1 kept seconds, and all delays are whole
/// minutes.
///
/// # Errors
/// One sentence, when a delay is not a whole minute or out of range (it names the seconds), or there is
/// no departure (it names the airport).
pub fn migrated_key(row: &RowV1) -> Result<SavedKey, String> {
    // Look at the units.
    todo!("step 5: migrate the row {row:?}")
}

/// Given: where a savepoint is written before it gets its name. The number is drawn anew at each call,
/// so that nobody else takes this one, on no other machine.
pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{:016x}.part", RandomState::new().hash_one(std::process::id())));
    PathBuf::from(part)
}

/// Given: makes a file with these bytes, and returns when they are on the disk.
///
/// # Errors
/// The file system's, also where a file of this name is there. The file may be there in part.
pub fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Given: returns when the folder of a file is on the disk, and with it the file's name.
///
/// # Errors
/// The file system's.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
