//! title: What is revoked is nobody's
//! file: group.rs
//! caught by: step5_group::two_may_believe_that_they_own_a_partition
//!
//! A partition has one owner, so when it is revoked it has none. A member that was given up hears of that late, when
//! somebody else has had the partition for a minute.

pub fn owners(events: &[GroupEvent]) -> BTreeMap<i32, BTreeSet<String>> {
    let mut owners: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        match what {
            What::Rebalanced(Change::Assigned(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().insert(member.clone());
                }
            }
            What::Rebalanced(Change::Revoked(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().clear();
                }
            }
            What::Left | What::Killed => {
                owners.values_mut().for_each(|members| {
                    members.remove(member);
                });
            }
            What::Rebalanced(Change::Failed(_)) | What::Read { .. } | What::Committed => {}
        }
    }
    owners
}
