//! title: An assignment is taken for all that a member has
//! file: group.rs
//! caught by: step5_group::the_owners_follow_from_the_changes
//!
//! With the eager protocol it is: everything is revoked first, then told anew. With
//! "cooperative-sticky" an assignment is only what is new, and this code forgets the rest.

pub fn owners(events: &[GroupEvent]) -> BTreeMap<i32, BTreeSet<String>> {
    let mut owners: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        match what {
            What::Rebalanced(Change::Failed(_)) | What::Read { .. } | What::Committed => continue,
            What::Rebalanced(Change::Assigned(_)) | What::Left | What::Killed => {
                owners.values_mut().for_each(|members| {
                    members.remove(member);
                });
            }
            What::Rebalanced(Change::Revoked(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().remove(member);
                }
            }
        }
        if let What::Rebalanced(Change::Assigned(partitions)) = what {
            for partition in partitions {
                owners.entry(*partition).or_default().insert(member.clone());
            }
        }
    }
    owners
}
