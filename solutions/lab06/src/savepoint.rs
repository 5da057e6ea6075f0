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
    use std::io::ErrorKind;

    let failed = |source| SavepointError::File { path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Err(SavepointError::Exists { path: path.to_owned() });
    }
    let part = part_of(path);
    let written = write_through(&part, bytes)
        // Unlike a rename, a link never replaces a file that came meanwhile.
        .and_then(|()| fs::hard_link(&part, path))
        // A name that the disk may not have is taken back.
        .and_then(|()| sync_folder_of(path).inspect_err(|_| drop(fs::remove_file(path))));
    // Where it was never made there is nothing to remove.
    let _ = fs::remove_file(&part);
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SavepointError::Exists { path: path.to_owned() },
        _ => failed(source),
    })
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
    use crate::state::SavedCounts;
    use lab04::partitions::combine;

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
        partitions.push(migrated_partition(saved, old.bound_ms)?);
    }
    let counts = SavedCounts {
        read: old.read,
        late: old.late,
        window_gone: old.dropped,
        results: old.results,
        ..SavedCounts::default()
    };
    let checkpoint = Checkpoint {
        watermark_ms: combine(old.partitions.iter().map(|partition| partition.watermark_ms)),
        windows: migrated_windows(&old.rows)?,
        id: old.id,
        topic: old.topic,
        finished: false,
        partitions,
        allowed_lateness_ms: 0,
        counts,
    };
    Ok(Loaded { checkpoint, notes })
}

/// A partition of version 1 as one of this version.
///
/// - Version 1 kept the last processed offset, this version the next.
/// - Version 1 kept the partition's watermark, this version its largest timestamp.
///
/// # Errors
/// One sentence with the partition and the offset, when no partition can have such an offset.
pub fn migrated_partition(saved: &PartitionV1, bound_ms: i64) -> Result<SavedPartition, String> {
    let (partition, processed) = (saved.partition, saved.processed_offset);
    let next_offset = processed.checked_add(1).filter(|next| *next >= 0);
    Ok(SavedPartition {
        partition,
        next_offset: next_offset
            .ok_or_else(|| format!("partition {partition}: offset {processed}"))?,
        last_record: None,
        max_timestamp_ms: saved.watermark_ms.map(|ms| ms.saturating_add(bound_ms)),
        idle: false,
    })
}

/// Rows of version 1, in whatever order, as windows with their keys, in order. None has fired.
///
/// # Errors
/// One sentence, when an airport is twice in a window (it names the airport), a window has no length
/// (it names the minutes), or [`migrated_key`] refuses.
pub fn migrated_windows(rows: &[RowV1]) -> Result<Vec<SavedWindow>, String> {
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

/// A row of version 1 as a key of this version. Version 1 kept seconds, and all delays are whole
/// minutes.
///
/// # Errors
/// One sentence, when a delay is not a whole minute or out of range (it names the seconds), or there is
/// no departure (it names the airport).
pub fn migrated_key(row: &RowV1) -> Result<SavedKey, String> {
    let minutes = |seconds: i64| match seconds % 60 {
        0 => Ok(seconds / 60),
        _ => Err(format!("a delay of {seconds} s, expected whole minutes")),
    };
    if row.count == 0 {
        return Err(format!("{} without a departure", row.origin));
    }
    let worst_min = minutes(row.worst_s)?;
    let worst_min = i32::try_from(worst_min)
        .map_err(|_| format!("a delay of {} s, which is out of range", row.worst_s))?;
    Ok(SavedKey {
        key: row.origin.clone(),
        count: row.count,
        sum_min: minutes(row.sum_s)?,
        worst_min: Some(worst_min),
        over_15_min: row.over_15_min,
        revision: 0,
    })
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
