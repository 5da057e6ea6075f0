//! title: Partitions without a commit are left out
//! file: lag.rs
//! caught by: step5_lag::every_partition_is_listed_with_what_the_group_committed
//!
//! The list is made from the commits, and a partition that has none is not among them. It is the
//! one that nobody reads.

pub fn group_lag(outsider: &Outsider) -> Result<Vec<PartitionLag>, BrokerError> {
    let bounds = outsider.bounds()?;
    let mut lags = Vec::new();
    for (partition, committed) in outsider.committed()? {
        let Some(&crate::broker::Bounds { first, end }) = bounds.get(&partition) else { continue };
        lags.push(PartitionLag { partition, first, end, committed: Some(committed) });
    }
    Ok(lags)
}
