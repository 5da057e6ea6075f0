//! The folder of the rig.
//!
//! Each clone of the repository has a rig of its own, in a folder of its own under `/var/tmp`:
//! short and plain for Kafka and PostgreSQL whatever the clone's own path is like, outside of
//! root's home where another user could not reach it, and still there after a restart.
//! `TIDEMARK_RIG_DIR` names another folder.

use std::path::{Path, PathBuf};

use crate::setting::setting;

/// The folder of one rig and the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place of this clone's rig.
    pub fn of_this_clone() -> Place {
        if let Some(folder) = setting("TIDEMARK_RIG_DIR") {
            return Place::at(PathBuf::from(folder));
        }
        let clone = workspace_root().as_os_str().as_encoded_bytes();
        Place::at(format!("/var/tmp/tidemark-{:016x}", fnv_1a(clone)))
    }

    /// A place in a folder of the caller's choice.
    ///
    /// The path is kept without relative parts and links, but for a link as its last part, which
    /// is refused later. The keeper works elsewhere, where a relative path would mean another
    /// folder, and processes show the real path of where they work: `/private/var` for macOS's
    /// `/var`.
    pub fn at(folder: impl AsRef<Path>) -> Place {
        let folder = std::path::absolute(folder.as_ref()).unwrap_or(folder.as_ref().to_owned());
        let parent = folder.parent().and_then(|parent| parent.canonicalize().ok());
        let real = parent.zip(folder.file_name()).map(|(parent, name)| parent.join(name));
        Place { folder: real.unwrap_or(folder) }
    }

    /// The path beside this folder with this addition to its name.
    pub fn beside(&self, addition: &str) -> PathBuf {
        let mut path = self.folder.clone().into_os_string();
        path.push(".");
        path.push(addition);
        path.into()
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the program tells its clients about servers that are up.
    pub fn cluster_file(&self) -> PathBuf {
        self.folder.join("cluster.json")
    }

    /// Locked by the one program that keeps servers in this folder.
    pub fn keeper_lock(&self) -> PathBuf {
        self.folder.join("keeper.lock")
    }

    /// Locked by whoever starts servers or fetches what they need.
    pub fn start_lock(&self) -> PathBuf {
        self.folder.join("start.lock")
    }

    /// Locked for as long as a private rig of this clone is up.
    pub fn turn_lock(&self) -> PathBuf {
        self.folder.join("private.lock")
    }

    /// Locked by the one run of this clone that fills a topic. Beside the folder, which is not there
    /// where the environment names the servers.
    pub fn fill_lock(&self) -> PathBuf {
        self.beside("fill.lock")
    }

    /// What the keeping program has to say.
    pub fn keeper_log(&self) -> PathBuf {
        self.folder.join("keeper.log")
    }
}

/// The hash FNV-1a of 64 bits, which stays the same from one toolchain to the next.
/// See the Internet-Draft "The FNV Non-Cryptographic Hash Algorithm".
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The root of the clone that this crate was compiled in.
pub fn workspace_root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Whether the rig's program lies where cargo puts it. A stale one counts: cargo brings it up to
/// date in a moment.
pub fn program_was_built() -> bool {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace_root().join("target"), |target| workspace_root().join(target));
    target.join("debug/rig").exists()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Place, fnv_1a};

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the draft: the empty text and "foobar".
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_folder_has_one_path_whatever_links_lead_to_it() {
        let temp = tempfile::tempdir().unwrap();
        let real = temp.path().canonicalize().unwrap().join("real");
        let link = temp.path().join("link");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(Place::at(link.join("rig")), Place::at(real.join("rig")));
        assert_eq!(Place::at(link.join("rig")).folder(), real.join("rig"));
        // Not followed: a link in the place of the folder itself is somebody's trap.
        assert_eq!(Place::at(&link).folder(), real.with_file_name("link"));
    }

    #[test]
    fn what_lies_beside_keeps_the_whole_name() {
        let place = Place::at("/var/tmp/rig.one");
        assert_eq!(place.beside("private-7").file_name(), Some("rig.one.private-7".as_ref()));
        assert_eq!(Place::at("/").folder(), Path::new("/"));
    }
}
