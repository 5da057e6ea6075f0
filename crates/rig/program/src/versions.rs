//! The servers' versions, from `versions.env` at the root.

use rig::setting::text_setting;

const PINNED: &str = include_str!("../../../../versions.env");

/// The Kafka that every provider starts.
pub fn kafka() -> &'static str {
    pinned("KAFKA_VERSION")
}

/// The PostgreSQL that every provider starts where the machine brings none of its own.
pub fn postgres() -> &'static str {
    pinned("POSTGRES_VERSION")
}

/// Kafka's image with its tag, from the mirror that `TIDEMARK_REGISTRY` names where it is set.
pub fn kafka_image() -> String {
    image("KAFKA_IMAGE", kafka())
}

/// PostgreSQL's image with its tag, from the same mirror.
pub fn postgres_image() -> String {
    image("POSTGRES_IMAGE", postgres())
}

fn image(name: &str, tag: &str) -> String {
    let image = pinned(name);
    match text_setting("TIDEMARK_REGISTRY") {
        Some(mirror) => format!("{mirror}/{image}:{tag}"),
        None => format!("{image}:{tag}"),
    }
}

/// The oldest Kafka of somebody's own that serves.
pub fn kafka_at_least() -> &'static str {
    pinned("KAFKA_VERSION_AT_LEAST")
}

/// The oldest Java that runs this Kafka.
pub fn java_at_least() -> u32 {
    pinned("JAVA_VERSION_AT_LEAST").parse().expect("versions.env holds a number here; tested")
}

fn pinned(name: &str) -> &'static str {
    let value = |line: &'static str| line.strip_prefix(name)?.strip_prefix('=');
    PINNED.lines().find_map(value).expect("versions.env holds this name; tested")
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_env_holds_every_version() {
        assert!(super::java_at_least() >= 17);
        for version in [super::kafka(), super::kafka_at_least(), super::postgres()] {
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "found `{version}`");
        }
    }
}
