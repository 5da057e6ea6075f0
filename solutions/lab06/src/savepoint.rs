//! Step 5: a checkpoint as a file, for another version of the job, or for another machine.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::checkpoint::FormatError;
use crate::state::{Checkpoint, SavedKey, SavedWindow};
use crate::version1::{CheckpointV1, RowV1};

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
/// there, or nothing.
///
/// # Errors
/// [`SavepointError::Exists`] and [`SavepointError::File`]. What was begun is removed.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SavepointError> {
    let failed = |source| SavepointError::File { path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Err(SavepointError::Exists { path: path.to_owned() });
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = write_through(&part, bytes)
        // Unlike a rename, a link never replaces a file that came meanwhile.
        .and_then(|()| fs::hard_link(&part, path))
        .and_then(|()| sync_folder_of(path));
    // Where it was never made there is nothing to remove.
    let _ = fs::remove_file(&part);
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SavepointError::Exists { path: path.to_owned() },
        _ => failed(source),
    })
}

/// Reads a savepoint of any version up to this program's.
///
/// # Errors
/// [`SavepointError::File`] and [`SavepointError::Unreadable`].
pub fn load(path: &Path) -> Result<Loaded, SavepointError> {
    let bytes =
        fs::read(path).map_err(|source| SavepointError::File { path: path.to_owned(), source })?;
    read(&bytes).map_err(|source| SavepointError::Unreadable { path: path.to_owned(), source })
}

/// Reads the bytes of a checkpoint of any version up to this program's, and migrates it.
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
/// - Offsets: version 1 kept the last processed one, this version the next.
/// - Timestamps: version 1 kept a partition's watermark, this version the largest timestamp. The
///   combined watermark is the smallest of the partitions' own, and none while one has not spoken.
/// - Delays: version 1 kept seconds. All of them are whole minutes.
/// - Rows become windows with their keys in order. None of them has fired.
/// - Fingerprints: version 1 kept none, and each partition that was read is noted.
///
/// # Errors
/// One sentence, when the contents contradict themselves: a partition or a row is there twice, a delay
/// is not a whole minute or out of range, a window has no length.
pub fn migrate(old: CheckpointV1) -> Result<Loaded, String> {
    use crate::state::{SavedCounts, SavedPartition};
    use lab04::partitions::combine;

    let watermark_ms = combine(old.partitions.iter().map(|partition| partition.watermark_ms));
    let mut partitions: Vec<SavedPartition> = Vec::new();
    let mut notes = Vec::new();
    for saved in &old.partitions {
        let id = saved.partition;
        if partitions.iter().any(|partition| partition.partition == id) {
            return Err(format!("partition {id} is there twice"));
        }
        if saved.processed_offset >= 0 {
            notes.push(format!(
                "partition {id}: version 1 kept no fingerprint of its last record, so a topic that \
                 was made anew would not be noticed"
            ));
        }
        partitions.push(SavedPartition {
            partition: id,
            next_offset: saved.processed_offset + 1,
            last_record: None,
            max_timestamp_ms: saved.watermark_ms.map(|ms| ms.saturating_add(old.bound_ms)),
            idle: false,
        });
    }
    let counts = SavedCounts {
        read: old.read,
        late: old.late,
        window_gone: old.dropped,
        results: old.results,
        ..SavedCounts::default()
    };
    let (id, topic, windows) = (old.id, old.topic, migrated_windows(&old.rows)?);
    let checkpoint =
        Checkpoint { id, topic, finished: false, partitions, watermark_ms, windows, counts };
    Ok(Loaded { checkpoint, notes })
}

fn migrated_windows(rows: &[RowV1]) -> Result<Vec<SavedWindow>, String> {
    use std::collections::BTreeMap;

    let mut windows: BTreeMap<(i64, i64), BTreeMap<String, SavedKey>> = BTreeMap::new();
    for row in rows {
        let length_ms = row.minutes.checked_mul(60_000).filter(|length_ms| *length_ms > 0);
        let end_ms = length_ms.and_then(|length_ms| row.start_ms.checked_add(length_ms));
        let end_ms = end_ms.ok_or_else(|| format!("a window of {} minutes", row.minutes))?;
        let keys = windows.entry((row.start_ms, end_ms)).or_default();
        if keys.insert(row.origin.clone(), migrated_key(row)?).is_some() {
            return Err(format!("{} is twice in the window from {} ms", row.origin, row.start_ms));
        }
    }
    let saved = windows.into_iter().map(|((start_ms, end_ms), keys)| SavedWindow {
        start_ms,
        end_ms,
        has_fired: false,
        keys: keys.into_values().collect(),
    });
    Ok(saved.collect())
}

fn migrated_key(row: &RowV1) -> Result<SavedKey, String> {
    let minutes = |seconds: i64| match seconds % 60 {
        0 => Ok(seconds / 60),
        _ => Err(format!("a delay of {seconds} s, expected whole minutes")),
    };
    let worst_min = minutes(row.worst_s)?;
    let worst_min = i32::try_from(worst_min).map_err(|_| format!("a delay of {worst_min} min"))?;
    Ok(SavedKey {
        key: row.origin.clone(),
        count: row.count,
        sum_min: minutes(row.sum_s)?,
        worst_min: Some(worst_min),
        over_15_min: row.over_15_min,
        revision: 0,
    })
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The name of a file is in its folder, which goes to the disk by itself.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
