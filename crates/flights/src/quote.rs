//! Text from the outside, made fit for an error message.

use std::borrow::Cow;

/// More than this many characters of a wrong value help nobody.
const MAX_QUOTED_CHARS: usize = 40;

/// Puts text between backticks, with control characters escaped, and cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    let shown: Cow<'_, str> = match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    };
    format!("`{}`", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn control_characters_are_escaped_and_letters_stay_readable() {
        assert_eq!(quoted("Zürich\u{1b}[2J\r"), r"`Zürich\u{1b}[2J\r`");
    }

    #[test]
    fn a_long_text_is_cut_after_forty_characters() {
        assert_eq!(quoted(&"é".repeat(40)), format!("`{}`", "é".repeat(40)));
        assert_eq!(quoted(&"é".repeat(41)), format!("`{}…`", "é".repeat(40)));
    }
}
