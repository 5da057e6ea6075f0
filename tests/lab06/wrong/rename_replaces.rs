//! title: The finished file is renamed to its name
//! file: savepoint.rs
//! caught by: step5_savepoint::a_name_that_comes_into_use_meanwhile_is_not_replaced_either
//!
//! Write beside it, then rename: that is how a file appears whole. A rename also makes another file
//! disappear, without a word, if it came between the look and the rename.

pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SavepointError> {
    use std::io::ErrorKind;

    let failed = |source| SavepointError::File { path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Err(SavepointError::Exists { path: path.to_owned() });
    }
    let part = part_of(path);
    let written = write_through(&part, bytes)
        // Unlike a rename, a link never replaces a file that came meanwhile.
        .and_then(|()| fs::rename(&part, path))
        // A name that the disk may not have is taken back.
        .and_then(|()| sync_folder_of(path).inspect_err(|_| drop(fs::remove_file(path))));
    // Where it was never made there is nothing to remove.
    let _ = fs::remove_file(&part);
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SavepointError::Exists { path: path.to_owned() },
        _ => failed(source),
    })
}
