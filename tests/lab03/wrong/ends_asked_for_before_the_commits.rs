//! title: The ends are asked for before the commits
//! file: lag.rs
//! caught by: step5_lag::a_lag_asked_for_while_the_group_is_at_work_is_never_too_small
//!
//! Two questions, and the order seems to be free. A group that writes and commits between them has
//! committed behind the end that was asked for before: a lag of less than nothing.

pub fn group_lag(outsider: &Outsider) -> Result<Vec<PartitionLag>, BrokerError> {
    let bounds = outsider.bounds()?;
    let committed = outsider.committed()?;
    let mut lags = Vec::new();
    for (partition, bounds) in bounds {
        let (first, end) = (bounds.first, bounds.end);
        let committed = committed.get(&partition).copied();
        lags.push(PartitionLag { partition, first, end, committed });
    }
    Ok(lags)
}
