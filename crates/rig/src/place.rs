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
            let folder = PathBuf::from(folder);
            // The keeper works elsewhere, so a relative path would mean another folder to it.
            return Place::at(std::path::absolute(&folder).unwrap_or(folder));
        }
        let clone = workspace_root().as_os_str().as_encoded_bytes();
        Place::at(format!("/var/tmp/tidemark-{:016x}", fnv_1a(clone)))
    }

    /// A place in a folder of the caller's choice.
    pub fn at(folder: impl Into<PathBuf>) -> Place {
        Place { folder: folder.into() }
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

    /// Locked by the one run of this clone that fills a topic. Beside the folder, which is not there
    /// where the environment names the servers.
    pub fn fill_lock(&self) -> PathBuf {
        self.folder.with_extension("fill.lock")
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
    use super::fnv_1a;

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the draft: the empty text and "foobar".
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
