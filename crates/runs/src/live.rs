//! One line that shows how far the run is.
//!
//! On a terminal it is drawn again and again in its place, on the standard error. Where the
//! standard error is a file or a pipe, a line is written every ten seconds and one at the end.
//! Where nobody reads it, nothing happens.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rig::say::say;
use tokio::time::Instant;

const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);

const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A run that took less has no speed worth the name.
const SHORTEST_S: f64 = 0.001;

/// What a run knows of itself at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures<'a> {
    /// The records that were read since the run began.
    pub read: u64,
    /// The records that are on the topic and not read yet.
    pub lag: u64,
    /// Further counters, each with its name: `("dead letters", 3)`.
    pub counters: &'a [(&'a str, u64)],
}

/// The line.
pub struct LiveLine {
    title: String,
    total_records: Option<u64>,
    /// Drawn on a terminal only.
    bar: ProgressBar,
    on_terminal: bool,
    began: Instant,
    shown: Instant,
}

impl LiveLine {
    /// Begins a line with a title, and with a bar where it is known how many records there are.
    pub fn begin(title: &str, total_records: Option<u64>) -> LiveLine {
        let template = match total_records {
            Some(_) => "{prefix} · read {human_pos} of {human_len} ▕{bar:14}▏ {percent} % · {msg}",
            None => "{prefix} · read {human_pos} · {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("the templates are tested");
        let bar = ProgressBar::with_draw_target(total_records, ProgressDrawTarget::stderr())
            .with_prefix(title.to_owned())
            .with_style(style.progress_chars("█▌ "));
        let now = Instant::now();
        LiveLine {
            title: title.to_owned(),
            total_records,
            bar,
            on_terminal: stderr().is_terminal(),
            began: now,
            shown: now,
        }
    }

    /// Shows new figures where it is time to: on a terminal after a tenth of a second, else after
    /// ten seconds. So it may be called for each record.
    pub fn show(&mut self, figures: &Figures<'_>) {
        self.show_with("", figures);
    }

    /// Does the same, with a few words before the counters: `watermark 08 Feb 14:25`.
    pub fn show_with(&mut self, note: &str, figures: &Figures<'_>) {
        let pause = if self.on_terminal { BETWEEN_DRAWINGS } else { BETWEEN_LINES };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        if self.on_terminal {
            self.bar.set_position(figures.read);
            let speed = per_second(self.bar.per_sec());
            self.bar.set_message(format!("{speed} · {}", noted(note, figures)));
        } else {
            say(&self.line(note, figures));
        }
    }

    /// Ends the line with the last figures and the speed of the whole run.
    pub fn end(self, figures: &Figures<'_>) {
        self.end_with("", figures);
    }

    /// Does the same, with a few words before the counters.
    pub fn end_with(self, note: &str, figures: &Figures<'_>) {
        self.bar.finish_and_clear();
        say(&self.line(note, figures));
    }

    /// `lab02 · read 3,412 of 6,292 in 0.8 s, 4,265/s · lag 2,880 · dead letters 3`.
    fn line(&self, note: &str, figures: &Figures<'_>) -> String {
        let of_total =
            self.total_records.map_or(String::new(), |total| format!(" of {}", HumanCount(total)));
        let took_s = self.began.elapsed().as_secs_f64();
        format!(
            "{} · read {}{of_total} in {took_s:.1} s, {} · {}",
            self.title,
            HumanCount(figures.read),
            per_second(figures.read as f64 / took_s.max(SHORTEST_S)),
            noted(note, figures)
        )
    }
}

/// `watermark 08 Feb 14:25 · lag 2,880 · dead letters 3`, or without the note.
fn noted(note: &str, figures: &Figures<'_>) -> String {
    match note {
        "" => counters(figures),
        note => format!("{note} · {}", counters(figures)),
    }
}

/// `lag 2,880 · dead letters 3`.
fn counters(figures: &Figures<'_>) -> String {
    let lag = [("lag", figures.lag)];
    let counters = lag.iter().chain(figures.counters);
    let parts: Vec<String> =
        counters.map(|(name, count)| format!("{name} {}", HumanCount(*count))).collect();
    parts.join(" · ")
}

fn per_second(records: f64) -> String {
    format!("{}/s", HumanCount(records.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: Figures<'_> =
        Figures { read: 3_412, lag: 2_880, counters: &[("rows", 3_409), ("dead letters", 3)] };

    #[tokio::test(start_paused = true)]
    async fn the_line_has_speed_lag_and_counters_by_name() {
        let line = LiveLine::begin("lab02 calm week", Some(6_292));
        tokio::time::advance(Duration::from_millis(1_600)).await;
        assert_eq!(
            line.line("", &FIGURES),
            "lab02 calm week · read 3,412 of 6,292 in 1.6 s, 2,133/s · lag 2,880 · rows 3,409 · \
             dead letters 3"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_total_and_without_time_there_is_a_line_as_well() {
        let nothing = Figures { read: 0, lag: 0, counters: &[] };
        let line = LiveLine::begin("lab02", None);
        assert_eq!(line.line("", &nothing), "lab02 · read 0 in 0.0 s, 0/s · lag 0");
    }

    #[tokio::test(start_paused = true)]
    async fn a_note_stands_before_the_counters() {
        let line = LiveLine::begin("lab05", None);
        let figures = Figures { read: 0, lag: 3, counters: &[("open windows", 2)] };
        assert_eq!(
            line.line("watermark none", &figures),
            "lab05 · read 0 in 0.0 s, 0/s · watermark none · lag 3 · open windows 2"
        );
    }
}
