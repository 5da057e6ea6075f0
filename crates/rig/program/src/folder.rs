//! The rig's folder on the disk: made for this user alone, taken away whole.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Uid;
use rig::place::Place;

use crate::failure::Failure;
use crate::lock::{self, Lock};
use crate::random::random_word;
use rig::patience::patience;

/// Says that the rig made a folder, and so may remove it with all that is in it.
const MARKER: &str = ".tidemark-rig";

/// What is added to a folder's name while it is removed.
const GONE: &str = "gone-";

/// What is added to a folder's name for private rigs.
const PRIVATE: &str = "private-";

/// How long another start may take: it may fetch software or images over a slow network.
const LOCK_TIMEOUT: Duration = Duration::from_secs(600);

/// Makes the folder unless it is there. Others may pass through it, to what is theirs in it, but
/// not list it. `None` where it has gone again at this moment: an end of the servers takes it away.
///
/// # Errors
/// When it cannot be made, when Kafka could not read its name from a file of settings, when it holds
/// files of somebody's own, or when it belongs to another user: `/var/tmp` is open to everybody,
/// and a folder that somebody else prepared is not to be trusted.
fn make(folder: &Path) -> Result<Option<()>, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !folder.to_string_lossy().chars().all(plain) {
        return Err(Failure(format!(
            "the folder {} has a character that Kafka's settings do not take; \
             set TIDEMARK_RIG_DIR to a path of letters, digits and / . _ -",
            folder.display()
        )));
    }
    match DirBuilder::new().mode(0o711).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Failure::of_file("make the folder", folder)(error)),
    }
    let found = unless_gone(fs::symlink_metadata(folder), Failure::of_file("look at", folder))?;
    let Some(found) = found else { return Ok(None) };
    if !found.is_dir() || found.uid() != Uid::effective().as_raw() {
        return Err(Failure(format!(
            "{} belongs to another user; remove it or set TIDEMARK_RIG_DIR to another folder",
            folder.display()
        )));
    }
    mark(folder)
}

/// Whether the rig made this folder, or may take it since it is empty or not there.
///
/// # Errors
/// When it cannot be read.
pub fn is_ours(folder: &Path) -> Result<bool, Failure> {
    let read = unless_gone(fs::read_dir(folder), Failure::of_file("read", folder))?;
    let names: Vec<_> = read.into_iter().flatten().flatten().map(|e| e.file_name()).collect();
    Ok(names.is_empty() || names.iter().any(|name| name == MARKER))
}

fn mark(folder: &Path) -> Result<Option<()>, Failure> {
    let marker = folder.join(MARKER);
    if marker.exists() {
        return Ok(Some(()));
    }
    if !is_ours(folder)? {
        return Err(Failure(format!(
            "{} holds files that are not the rig's; set TIDEMARK_RIG_DIR to an empty folder",
            folder.display()
        )));
    }
    let made = unless_gone(File::create(&marker), Failure::of_file("write", &marker))?;
    Ok(made.map(|_| ()))
}

/// `None` where a file is not there.
fn unless_gone<T>(
    outcome: io::Result<T>,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<Option<T>, Failure> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Takes the place's folder away with all that is in it; fine when there is none.
///
/// It gets another name first. Whoever starts servers at this moment makes a folder of its own,
/// and nobody meets one that is half removed.
///
/// # Errors
/// When something in it cannot be removed.
pub fn take_away(place: &Place) -> Result<(), Failure> {
    let folder = place.folder();
    let gone = place.beside(&format!("{GONE}{}", random_word()?));
    unless_gone(fs::rename(folder, &gone), Failure::of_file("remove", folder))?;
    // Those too that an earlier end was killed at.
    for left in beside(place, GONE) {
        remove_marked(&left)?;
    }
    Ok(())
}

/// Removes a folder of the rig, its marker last: who has it open still sees whose it is. Another
/// process may be at the same work.
fn remove_marked(folder: &Path) -> Result<(), Failure> {
    let entries = unless_gone(fs::read_dir(folder), Failure::of_file("read", folder))?;
    for entry in entries.into_iter().flatten().flatten().filter(|e| e.file_name() != MARKER) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&path)?;
        } else {
            unless_gone(fs::remove_file(&path), Failure::of_file("remove", &path))?;
        }
    }
    remove(folder)
}

/// Removes the folder and all that is in it; fine when there is none.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::of_file("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file that only this user can read, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;

    let draft = path.with_extension("draft");
    let failed = Failure::of_file("write", path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(&failed)?;
    file.write_all(text.as_bytes()).map_err(&failed)?;
    file.sync_all().map_err(&failed)?;
    fs::rename(&draft, path).map_err(&failed)
}

/// Waits for the lock under which servers are started and ended.
///
/// # Errors
/// When the lock file cannot be used, or when another process has it for too long.
pub fn lock_start(place: &Place) -> Result<Lock, Failure> {
    lock_in(place, &place.start_lock(), "another start or end of the servers")
}

/// Waits until no other private rig of this clone runs. Several at a time would make each other
/// slow.
///
/// # Errors
/// When the lock file cannot be used, or when another private rig runs for too long.
pub fn lock_turn(shared: &Place) -> Result<Lock, Failure> {
    lock_in(shared, &shared.turn_lock(), "another test's private rig")
}

fn lock_in(place: &Place, path: &Path, whom: &str) -> Result<Lock, Failure> {
    lock::wait(path, whom, patience(LOCK_TIMEOUT)?, || {
        let Some(()) = make(place.folder())? else { return Ok(None) };
        Ok(unless_gone(Lock::take(path), Failure::of_file("lock", path))?.flatten())
    })
}

/// Takes the lock that says: in this folder, servers are kept. `None` where a keeper has it.
///
/// # Errors
/// When the lock file cannot be used.
pub fn lock_keeper(place: &Place) -> Result<Option<Lock>, Failure> {
    let path = place.keeper_lock();
    Lock::take(&path).map_err(Failure::of_file("lock", &path))
}

/// Whether a keeper has the lock of this place. None has where there is no folder.
///
/// # Errors
/// When the lock file cannot be used.
pub fn is_kept(place: &Place) -> Result<bool, Failure> {
    let path = place.keeper_lock();
    let taken = unless_gone(Lock::take(&path), Failure::of_file("lock", &path))?;
    Ok(taken.is_some_and(|lock| lock.is_none()))
}

/// The folders of private rigs beside this place that nobody removed.
pub fn private_folders(place: &Place) -> Vec<PathBuf> {
    beside(place, PRIVATE)
}

/// What lies beside the place's folder under its name with this addition.
fn beside(place: &Place, addition: &str) -> Vec<PathBuf> {
    let start = place.beside(addition);
    let Some(start) = start.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Vec::new();
    };
    let Some(Ok(entries)) = place.folder().parent().map(fs::read_dir) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_of_place =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&start));
    paths.filter(is_of_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(temp.path(), &link).unwrap();
        let failure = make(&link).unwrap_err().to_string();
        assert!(failure.contains("set TIDEMARK_RIG_DIR"), "{failure}");
    }

    #[test]
    fn a_folder_with_files_of_somebody_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("thesis.txt"), "").unwrap();
        let failure = make(temp.path()).unwrap_err().to_string();
        assert!(failure.contains("holds files that are not the rig's"), "{failure}");
        assert_eq!(is_ours(temp.path()), Ok(false));
    }

    #[test]
    fn a_secret_is_readable_by_its_owner_alone() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("secret");
        write_secret(&path, "first").unwrap();
        write_secret(&path, "second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn starts_and_ends_at_once_do_not_disturb_each_other() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path().join("rig"));
        let starts_and_ends = || {
            for _ in 0..100 {
                let held = lock_start(&place).unwrap();
                fs::write(place.folder().join("data"), "").unwrap();
                take_away(&place).unwrap();
                drop(held);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(starts_and_ends);
            }
        });
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "something is left");
    }

    #[test]
    fn an_end_that_was_killed_is_completed_by_the_next() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path().join("rig"));
        fs::create_dir(temp.path().join("rig.gone-4711")).unwrap();
        take_away(&place).unwrap();
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "something is left");
    }

    #[test]
    fn the_keeper_lock_is_held_by_one() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path());
        assert!(!is_kept(&place).unwrap());
        let held = lock_keeper(&place).unwrap();
        assert!(held.is_some());
        assert!(lock_keeper(&place).unwrap().is_none());
        assert!(is_kept(&place).unwrap());
        drop(held);
        assert!(!is_kept(&place).unwrap());
    }

    #[test]
    fn no_keeper_is_in_a_place_without_a_folder() {
        assert!(!is_kept(&Place::at("/var/tmp/tidemark-not-there")).unwrap());
    }

    #[test]
    fn only_private_folders_of_this_place_are_listed() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path().join("rig"));
        for name in ["rig", "rig.private-7", "rig2.private-8"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        let found: Vec<_> = private_folders(&place);
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["rig.private-7"]);
    }

    #[test]
    fn a_folder_with_a_dot_in_its_name_has_private_ones_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let (one, two) = (temp.path().join("rig.one"), temp.path().join("rig.two"));
        let private = Place::at(one).beside("private-7");
        fs::create_dir(private).unwrap();
        assert!(private_folders(&Place::at(two)).is_empty(), "those of another rig");
    }
}
