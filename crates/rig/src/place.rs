//! The folder of the rig.
//!
//! Each clone of the repository has a rig of its own, in a folder of its own under `/var/tmp`:
//! short and plain for Kafka and PostgreSQL whatever the clone's own path is like, outside of
//! root's home where another user could not reach it, and still there after a restart.
//! `TIDEMARK_RIG_DIR` names another folder.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The folder of one rig and the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place of this clone's rig.
    pub fn of_this_clone() -> Place {
        if let Some(folder) = std::env::var_os("TIDEMARK_RIG_DIR") {
            return Place::at(folder);
        }
        let mut hash = DefaultHasher::new();
        workspace_root().hash(&mut hash);
        Place::at(format!("/var/tmp/tidemark-{:016x}", hash.finish()))
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

    /// What the keeping program has to say.
    pub fn keeper_log(&self) -> PathBuf {
        self.folder.join("keeper.log")
    }
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
