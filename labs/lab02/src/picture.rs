//! Given: a group's history as a small drawing.

use std::collections::BTreeSet;

use crate::group::{Change, GroupEvent, What, owners};

/// Draws who owns which partition, a line for each change, the members side by side:
///
/// ```text
///                    a        b
/// a is assigned      0 1 2
/// a is revoked       -
/// b is assigned      -        2
/// ```
///
/// What was read and committed is left out.
pub fn draw(events: &[GroupEvent]) -> String {
    let members: BTreeSet<&str> = events.iter().map(|event| &*event.member).collect();
    let mut picture = line("", members.iter().map(|member| (*member).to_owned()));
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (index, event) in events.iter().enumerate() {
        let Some(what) = what(event) else { continue };
        seen.insert(&event.member);
        let owners = owners(&events[..=index]);
        let owned = |member: &&str| {
            if !seen.contains(member) {
                return String::new();
            }
            let owned = owners.iter().filter(|(_, owners)| owners.contains(*member));
            let owned: Vec<String> = owned.map(|(partition, _)| partition.to_string()).collect();
            if owned.is_empty() { "-".to_owned() } else { owned.join(" ") }
        };
        picture += &line(&format!("{} {what}", event.member), members.iter().map(owned));
    }
    picture
}

fn what(event: &GroupEvent) -> Option<&'static str> {
    match event.what {
        What::Rebalanced(Change::Assigned(_)) => Some("is assigned"),
        What::Rebalanced(Change::Revoked(_)) => Some("is revoked"),
        What::Rebalanced(Change::Failed(_)) => Some("fails"),
        What::Left => Some("leaves"),
        What::Killed => Some("is killed"),
        What::Read { .. } | What::Committed => None,
    }
}

fn line(label: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("{cell:<9}")).collect();
    format!("{label:<19}{cells}").trim_end().to_owned() + "\n"
}
