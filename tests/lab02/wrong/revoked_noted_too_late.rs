//! title: What is taken away is noted when it is gone
//! file: group.rs
//! caught by: step5_group::what_goes_is_noted_before_it_goes_and_what_comes_when_it_has_come
//!
//! Both callbacks are told of both kinds, so one of them seems enough, and "after" is when things
//! are true. For a partition that goes, "after" is too late to do anything for it.

pub fn change_before(rebalance: &Rebalance<'_>) -> Option<Change> {
    match rebalance {
        Rebalance::Error(error) => Some(Change::Failed(error.to_string())),
        Rebalance::Assign(_) | Rebalance::Revoke(_) => None,
    }
}

pub fn change_after(rebalance: &Rebalance<'_>) -> Option<Change> {
    match rebalance {
        Rebalance::Assign(partitions) => Some(Change::Assigned(numbers(partitions))),
        Rebalance::Revoke(partitions) => Some(Change::Revoked(numbers(partitions))),
        Rebalance::Error(_) => None,
    }
}
