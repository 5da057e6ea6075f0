//! `rig stop` and `rig down`: no process, port, lock or folder is left.

use std::time::Duration;

use rig::cluster::Cluster;
use rig::control::Control;
use rig::place::Place;

use crate::containers;
use crate::failure::Failure;
use crate::folder;
use crate::orphans;

/// How long a keeper may take to end its servers.
const KEEPER_TIMEOUT: Duration = Duration::from_secs(45);

/// Whether the data stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They are there again at the next start.
    Keep,
    /// The folder goes.
    Remove,
}

/// Ends the servers of a place and returns whether there were any.
///
/// # Errors
/// When something does not end or cannot be removed.
pub fn end(place: &Place, data: Data) -> Result<bool, Failure> {
    if !place.folder().exists() {
        let left = orphans::end(place.folder())?;
        return Ok(containers::clear(place)? || left > 0);
    }
    if !folder::is_ours(place.folder()) {
        return Err(Failure(format!(
            "{} was not made by the rig, so nothing in it is touched",
            place.folder().display()
        )));
    }
    let _lock = folder::lock_start(place)?;
    let asked = ask_keeper(place)?;
    // A keeper that was killed leaves servers; one that hangs is a left-over itself.
    let left = orphans::end(place.folder())?;
    let _ = std::fs::remove_file(place.cluster_file());
    let containers_ran = match data {
        Data::Keep => containers::stop(place)?,
        Data::Remove => containers::clear(place)?,
    };
    if data == Data::Remove {
        folder::remove(place.folder())?;
    }
    Ok(asked || containers_ran || left > 0)
}

/// Ends everything of this clone, private rigs among them.
///
/// # Errors
/// When something does not end or cannot be removed.
pub fn end_all(place: &Place, data: Data) -> Result<bool, Failure> {
    let mut any = false;
    for folder in folder::private_folders(place) {
        any |= end(&Place::at(folder), Data::Remove)?;
    }
    for lock in [place.folder().with_extension("private.lock"), place.fill_lock()] {
        let _ = std::fs::remove_file(lock);
    }
    Ok(end(place, data)? || any)
}

/// Asks the keeper of a place, if there is one, to end its servers, and waits until it has.
///
/// # Errors
/// When the keeper's lock cannot be used.
pub fn ask_keeper(place: &Place) -> Result<bool, Failure> {
    let Some(cluster) = Cluster::read(place) else { return Ok(false) };
    let Ok(mut control) = Control::connect(&cluster) else { return Ok(false) };
    if control.ask("down").is_err() {
        return Ok(false);
    }
    Ok(folder::lock_keeper(place, KEEPER_TIMEOUT)?.is_some())
}
