//! title: What was begun is left where it is
//! file: savepoint.rs
//! caught by: step5_savepoint::a_full_disk_leaves_no_part_of_a_savepoint
//!
//! The error is given on, and that is that. The part stays, on a disk that was full before, and each
//! further attempt adds one.

pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SavepointError> {
    use std::io::ErrorKind;

    let failed = |source| SavepointError::File { path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Err(SavepointError::Exists { path: path.to_owned() });
    }
    let part = part_of(path);
    write_through(&part, bytes).map_err(failed)?;
    let written = Ok(())
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
