//! Step 6: set a group's offsets anew.

use rdkafka::error::KafkaError;
use thiserror::Error;

use crate::broker::Outsider;
use crate::progress::Offsets;
use crate::start::{Start, StartError};

// ANCHOR: reset_error
/// Why a group was not reset. Where the broker refused, its offsets are what they were. Where no answer
/// came, nobody here knows.
#[derive(Debug, Error)]
pub enum ResetError {
    /// A member of the group is alive. It would go on from its own position, and its next commit
    /// would undo the reset.
    #[error("group `{group}` is in use: stop its members first")]
    InUse {
        /// The group.
        group: String,
    },
    /// It is not known where to set the group.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The broker refused the commit for another reason.
    #[error("group `{group}`: the broker refused the commit: {source}")]
    Refused {
        /// The group.
        group: String,
        /// The client's reason.
        source: KafkaError,
    },
}
// ANCHOR_END: reset_error

/// Sets the group's committed offset in each of the topic's partitions, and gives the offsets. A
/// group that nobody has used comes into being. This call blocks its thread.
///
/// # Errors
/// - [`ResetError::InUse`] when a member of the group is alive.
/// - [`ResetError::Start`] when the topic does not exist or an offset is not there.
/// - [`ResetError::Refused`] when the broker refuses.
pub fn reset(outsider: &Outsider, start: Start) -> Result<Offsets, ResetError> {
    use crate::broker::partition_list;
    use crate::start::resolve;
    use rdkafka::consumer::{CommitMode, Consumer};
    use rdkafka::error::RDKafkaErrorCode;

    let group = &outsider.group;
    let offsets = resolve(outsider, start)?;
    let failed = |source: KafkaError| match source.rdkafka_error_code() {
        // The broker takes a commit from outside of a group only while the group is empty.
        Some(RDKafkaErrorCode::UnknownMemberId) => ResetError::InUse { group: group.clone() },
        _ => ResetError::Refused { group: group.clone(), source },
    };
    let list = partition_list(&outsider.topic, &offsets).map_err(failed)?;
    outsider.consumer.commit(&list, CommitMode::Sync).map_err(failed)?;
    Ok(offsets)
}
