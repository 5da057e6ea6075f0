//! title: A revocation takes everything
//! file: group.rs
//! caught by: step5_group::the_owners_follow_from_the_changes
//!
//! By default a rebalance takes all partitions away and gives them out anew, so this is what one sees.
//! The cooperative protocol takes only what goes to somebody else, and the rest stays with its owner.

pub fn owners(events: &[GroupEvent]) -> BTreeMap<i32, BTreeSet<String>> {
    let mut owners: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        match what {
            What::Rebalanced(Change::Assigned(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().insert(member.clone());
                }
            }
            What::Rebalanced(Change::Revoked(_)) | What::Left | What::Killed => {
                owners.values_mut().for_each(|members| {
                    members.remove(member);
                });
            }
            What::Rebalanced(Change::Failed(_)) | What::Read { .. } | What::Committed => {}
        }
    }
    owners
}
