//! title: The savepoint is written under its name at once
//! file: savepoint.rs
//! caught by: step5_savepoint::who_dies_half_way_leaves_nothing_under_the_name
//!
//! `create_new` refuses a name that is in use, in one call. And what was begun is removed where the disk is full.
//! A process that is killed removes nothing: half a savepoint has the name, and the next try is refused.

pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SavepointError> {
    use std::io::{ErrorKind, Write};

    let created = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = created.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SavepointError::Exists { path: path.to_owned() },
        _ => SavepointError::File { path: path.to_owned(), source },
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let written = written.and_then(|()| sync_folder_of(path));
    written.map_err(|source| {
        let _ = fs::remove_file(path);
        SavepointError::File { path: path.to_owned(), source }
    })
}
