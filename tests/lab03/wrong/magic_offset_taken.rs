//! title: Offset -1 is taken
//! file: start.rs
//! caught by: step3_start::any_other_text_is_refused_with_what_there_is
//!
//! `parse::<i64>()` reads every number, and a negative one seems harmless. To the client -1 is
//! the end and -2 the beginning.

impl FromStr for Start {
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownStart { found: text.escape_debug().take(40).collect() };
        match text {
            "earliest" => Ok(Start::Earliest),
            "latest" => Ok(Start::Latest),
            "committed" => Ok(Start::Committed),
            _ => match text.strip_prefix("offset:") {
                Some(offset) => offset.parse().map(Start::Offset).map_err(|_| unknown()),
                None => flights::utc::parse(text).map(Start::Time).map_err(|_| unknown()),
            },
        }
    }
}
