//! The rig's folder on the disk: made for this user alone, taken away whole.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::Uid;
use rig::place::Place;

use crate::failure::Failure;

/// Says that the rig made a folder, and so may remove it with all that is in it.
const MARKER: &str = ".tidemark-rig";

/// Makes the folder unless it is there. Others may pass through it, to what is theirs in it, but
/// not list it.
///
/// # Errors
/// When it cannot be made, when Kafka could not read its name from a file of settings, when it holds
/// files of somebody's own, or when it belongs to another user: `/var/tmp` is open to everybody,
/// and a folder that somebody else prepared is not to be trusted.
pub fn make(folder: &Path) -> Result<(), Failure> {
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
    let found = fs::symlink_metadata(folder).map_err(Failure::of_file("look at", folder))?;
    if !found.is_dir() || found.uid() != Uid::effective().as_raw() {
        return Err(Failure(format!(
            "{} belongs to another user; remove it or set TIDEMARK_RIG_DIR to another folder",
            folder.display()
        )));
    }
    mark(folder)
}

/// Whether the rig made this folder.
pub fn is_ours(folder: &Path) -> bool {
    folder.join(MARKER).exists()
}

fn mark(folder: &Path) -> Result<(), Failure> {
    if is_ours(folder) {
        return Ok(());
    }
    let mut entries = fs::read_dir(folder).map_err(Failure::of_file("read", folder))?;
    // Another start may have marked it since.
    if entries.next().is_some() && !is_ours(folder) {
        return Err(Failure(format!(
            "{} holds files that are not the rig's; set TIDEMARK_RIG_DIR to an empty folder",
            folder.display()
        )));
    }
    let marker = folder.join(MARKER);
    File::create(&marker).map_err(Failure::of_file("write", &marker))?;
    Ok(())
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

/// Waits for the lock under which servers are started and ended. It is free again when the
/// returned file is dropped, or its process ends, however it ends.
///
/// # Errors
/// When the lock file cannot be used.
pub fn lock_start(place: &Place) -> Result<File, Failure> {
    let path = place.start_lock();
    loop {
        make(place.folder())?;
        let file = File::create(&path).map_err(Failure::of_file("write", &path))?;
        file.lock().map_err(Failure::of_file("lock", &path))?;
        // `rig down` may have removed the folder while this process waited for the lock; then the
        // lock is on a file that nobody else will find.
        if is_same_file(&file, &path) {
            return Ok(file);
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// Takes the lock that says: in this folder, servers are kept. `None` when another program has
/// had it for the whole `patience`.
///
/// # Errors
/// When the lock file cannot be used.
pub fn lock_keeper(place: &Place, patience: Duration) -> Result<Option<File>, Failure> {
    let path = place.keeper_lock();
    let file = File::create(&path).map_err(Failure::of_file("write", &path))?;
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(Failure::of_file("lock", &path)(error)),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The folders of private rigs beside this place that nobody removed.
pub fn private_folders(place: &Place) -> Vec<PathBuf> {
    let (Some(parent), Some(name)) = (place.folder().parent(), place.folder().file_name()) else {
        return Vec::new();
    };
    let prefix = format!("{}.private-", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&prefix)))
        .collect()
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
        assert!(!is_ours(temp.path()));
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
    fn the_keeper_lock_is_held_by_one() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path());
        let held = lock_keeper(&place, Duration::ZERO).unwrap();
        assert!(held.is_some());
        assert!(lock_keeper(&place, Duration::ZERO).unwrap().is_none());
        drop(held);
        assert!(lock_keeper(&place, Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn only_private_folders_of_this_place_are_listed() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::at(temp.path().join("rig"));
        for name in ["rig", "rig.private-7", "rig2.private-8"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        assert_eq!(private_folders(&place), [temp.path().join("rig.private-7")]);
    }
}
