//! Two values, shown so that the first difference is seen.

/// What a line may hold, its indent of two apart.
const LINE_CHARS: usize = 96;
/// How much of a long value is shown: a line less the label and the two marks of a cut.
const WINDOW_CHARS: usize = 84;
/// How much of it stands before the first difference.
const BEFORE_CHARS: usize = 40;
const LABEL_CHARS: usize = 10;
/// So many lines that only one text has are shown.
const SHOWN_LINES: usize = 10;

/// Shows two texts under each other. Long ones are cut round the first difference, and a mark
/// points at it.
pub fn show(expected: &str, got: &str) -> String {
    let (expected, got) = (visible(expected), visible(got));
    let differs_at = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let is_long = expected.len().max(got.len()) > WINDOW_CHARS;
    let start = if is_long { differs_at.saturating_sub(BEFORE_CHARS) } else { 0 };

    let mut shown = format!("expected  {}\ngot       {}", cut(&expected, start), cut(&got, start));
    if expected.len().min(got.len()) > BEFORE_CHARS {
        let column = LABEL_CHARS + differs_at - start + usize::from(start > 0);
        shown += &format!("\n{:column$}^ the first difference", "");
    }
    shown
}

/// Shows the lines that only one of two texts has, in their order and at most ten of each.
pub fn show_lines(expected: &str, got: &str) -> String {
    let (missing, unexpected) = (only_in(expected, got), only_in(got, expected));
    if missing.is_empty() && unexpected.is_empty() {
        return "expected  the same lines\ngot       them, in another order".to_owned();
    }
    format!("expected  {}\ngot       {}", under_a_label(&missing), under_a_label(&unexpected))
}

/// The lines of a text that the other has not, or has less often.
fn only_in<'a>(text: &'a str, other: &str) -> Vec<&'a str> {
    let mut unmatched: Vec<&str> = other.lines().collect();
    let mut is_only_here = |line: &&str| {
        let matching = unmatched.iter().position(|other| other == line);
        matching.map(|at| unmatched.remove(at)).is_none()
    };
    text.lines().filter(|line| is_only_here(line)).collect()
}

fn under_a_label(lines: &[&str]) -> String {
    let mut shown: Vec<String> = lines.iter().take(SHOWN_LINES).map(|line| shorten(line)).collect();
    match lines.len().saturating_sub(SHOWN_LINES) {
        _ if lines.is_empty() => shown.push("nothing in their place".to_owned()),
        0 => {}
        further => shown.push(format!("… and {further} further lines")),
    }
    shown.join(&format!("\n{:LABEL_CHARS$}", ""))
}

/// Breaks lines that are too long for a terminal, at a space or behind a comma.
pub fn wrap(text: &str) -> String {
    let wrapped: Vec<String> = text.lines().flat_map(wrap_line).collect();
    wrapped.join("\n")
}

/// What follows `expected` or `got` stays in its column.
fn wrap_line(line: &str) -> Vec<String> {
    let is_labelled = ["expected  ", "got       "].iter().any(|label| line.starts_with(label));
    let indent = " ".repeat(if is_labelled { LABEL_CHARS } else { 0 });
    let mut lines = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > LINE_CHARS {
        let may_break = |at: &usize| rest[*at] == ' ' || rest[*at - 1] == ',';
        let first = LABEL_CHARS + 1;
        let at = (first..=LINE_CHARS).rev().find(may_break).unwrap_or(LINE_CHARS);
        let behind = rest.split_off(at);
        lines.push(rest.iter().collect());
        rest = indent.chars().chain(behind.into_iter().skip_while(|c| *c == ' ')).collect();
    }
    lines.push(rest.iter().collect());
    lines
}

/// Cuts one value to what a line holds.
pub fn shorten(text: &str) -> String {
    cut(&visible(text), 0)
}

/// Control characters would break the lines apart, and nothing at all would look like a mistake of
/// the message.
fn visible(text: &str) -> Vec<char> {
    let text = if text.is_empty() { "(empty)" } else { text };
    text.chars()
        .flat_map(|c| {
            let escaped: Vec<char> =
                if c.is_control() { c.escape_default().collect() } else { vec![c] };
            escaped
        })
        .collect()
}

fn cut(text: &[char], start: usize) -> String {
    let end = text.len().min(start + WINDOW_CHARS);
    let head = if start > 0 { "…" } else { "" };
    let tail = if end < text.len() { "…" } else { "" };
    let body: String = text.get(start..end).unwrap_or_default().iter().collect();
    format!("{head}{body}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_stand_under_each_other() {
        assert_eq!(show("3", "4"), "expected  3\ngot       4");
    }

    #[test]
    fn the_mark_stands_under_the_first_difference() {
        let same = "a".repeat(50);
        let shown = show(&format!("{same}X"), &format!("{same}Y"));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0].find('X'), lines[2].find('^'));
    }

    #[test]
    fn long_values_are_cut_round_the_first_difference() {
        let same = "a".repeat(300);
        let shown = show(&format!("{same}X{same}"), &format!("{same}Y{same}"));
        let lines: Vec<Vec<char>> = shown.lines().map(|line| line.chars().collect()).collect();
        let mark = lines[2].iter().position(|c| *c == '^').unwrap();
        assert_eq!((lines[0][mark], lines[1][mark]), ('X', 'Y'));
        assert!(lines.iter().all(|line| line.len() <= 100), "{shown}");
    }

    #[test]
    fn of_lines_those_are_shown_that_only_one_text_has() {
        assert_eq!(show_lines("a\nb\nc", "a\nc\nd"), "expected  b\ngot       d");
        assert_eq!(show_lines("a", "a\na"), "expected  nothing in their place\ngot       a");
        let many = (0..12).map(|line| format!("{line}\n")).collect::<String>();
        let shown = show_lines("", &many);
        assert!(shown.ends_with("\n          9\n          … and 2 further lines"), "{shown}");
        assert!(show_lines("a\nb", "b\na").contains("in another order"));
    }

    #[test]
    fn a_long_line_breaks_at_a_space_or_behind_a_comma() {
        let words = "word ".repeat(40);
        let wrapped = wrap(&words);
        assert_eq!(wrapped.lines().count(), 3);
        assert!(wrapped.lines().all(|line| line.chars().count() <= 96 && !line.starts_with(' ')));

        let json = r#""field":12345,"#.repeat(20);
        assert!(wrap(&json).lines().all(|line| line.ends_with(',')));
        assert_eq!(wrap(&"x".repeat(200)).lines().count(), 3);
        let labelled = wrap(&format!("got       {words}"));
        assert!(labelled.lines().skip(1).all(|line| line.starts_with("          word")));
        assert_eq!(wrap("short\n\n  as it was"), "short\n\n  as it was");
    }

    #[test]
    fn a_value_that_ends_early_is_pointed_at_behind_its_end() {
        let text = "b".repeat(60);
        let shown = show(&format!("{text}}}"), &text);
        assert!(shown.ends_with("^ the first difference"), "{shown}");
        assert_eq!(shorten("a\nb"), "a\\nb");
    }
}
