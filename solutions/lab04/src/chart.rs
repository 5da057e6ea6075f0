//! Given: the curve of step 8 as a table and as a drawing.

use std::fmt::Write;

use indicatif::HumanCount;
use timeline::span::signed_minutes;

use crate::curve::Point;

/// The points of one week, under the name that the table and the drawing give it.
#[derive(Debug, Clone)]
pub struct Curve {
    /// `calm week`.
    pub name: String,
    /// One point a bound, in the order of the bounds.
    pub points: Vec<Point>,
}

/// A table in Markdown: a line a bound.
pub fn table(curve: &Curve) -> String {
    let mut text = format!("**{}**\n\n", curve.name);
    text += "| bound | late | dropped | half of the windows fire by | nine in ten by | open at the end |\n";
    text += "|---:|---:|---:|---:|---:|---:|\n";
    for point in &curve.points {
        let wait = |percent| point.wait_quantile_ms(percent).map_or("none".into(), signed_minutes);
        let percent = 100.0 * point.dropped_share();
        let _ = writeln!(
            text,
            "| {} min | {} | {} ({percent:.1} %) | {} | {} | {} |",
            point.bound.as_secs() / 60,
            HumanCount(point.late),
            HumanCount(point.dropped),
            wait(50),
            wait(90),
            point.open_at_end,
        );
    }
    text
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 390.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 650.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 330.0;
/// Bounds that have a label, in minutes: the others stand too close.
const LABELLED_MIN: [u64; 6] = [0, 15, 30, 60, 120, 240];

/// A drawing of the curves in SVG: to the right how long half of the windows wait, upwards the share
/// of records that came too late. The first curve is a full line with discs, the second one dashed
/// with squares. It takes the colour of the text around it and has no empty line, so that a page can
/// include it.
pub fn svg(curves: &[Curve]) -> String {
    let scale = Scale::of(curves);
    let mut text = format!(
        "<svg class=\"drawing\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" role=\"img\" aria-label=\"The share of flights that come too late for \
         their window falls as the median wait of the windows grows.\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"currentColor\">\n"
    );
    axes(&mut text, &scale);
    for (index, curve) in curves.iter().enumerate() {
        draw(&mut text, &scale, curve, index);
    }
    let (x, y) = (RIGHT - 118.0, TOP + 16.0 + 22.0 * curves.len() as f64);
    let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\">labels: the bound</text>");
    text += "</svg>\n";
    text
}

/// The place of a point, in pixels.
struct Scale {
    /// The smallest wait that is drawn, in minutes; never above zero.
    first_min: f64,
    last_min: f64,
    top_percent: f64,
}

/// From one label below the drawing to the next.
const STEP_MIN: f64 = 60.0;
/// The drawing begins at a multiple of it: waits below zero are short.
const FIRST_STEP_MIN: f64 = 30.0;
const STEP_PERCENT: f64 = 5.0;

impl Scale {
    fn of(curves: &[Curve]) -> Scale {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let waits = || points().filter_map(wait_min);
        let up = |value: f64, step: f64| (value / step).ceil().max(1.0) * step;
        Scale {
            first_min: (waits().fold(0.0, f64::min) / FIRST_STEP_MIN).floor() * FIRST_STEP_MIN,
            last_min: up(waits().fold(0.0, f64::max), STEP_MIN),
            top_percent: up(points().map(percent).fold(0.0, f64::max), STEP_PERCENT),
        }
    }

    fn x(&self, wait_min: f64) -> f64 {
        LEFT + (wait_min - self.first_min) / (self.last_min - self.first_min) * (RIGHT - LEFT)
    }

    fn y(&self, percent: f64) -> f64 {
        BOTTOM - percent / self.top_percent * (BOTTOM - TOP)
    }
}

fn wait_min(point: &Point) -> Option<f64> {
    Some(point.wait_quantile_ms(50)? as f64 / 60_000.0)
}

fn percent(point: &Point) -> f64 {
    100.0 * point.dropped_share()
}

fn axes(text: &mut String, scale: &Scale) {
    let zero = scale.x(0.0);
    *text += "<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1\">\n";
    let _ = writeln!(text, "<path d=\"M{LEFT} {BOTTOM}H{RIGHT}M{LEFT} {TOP}V{BOTTOM}\"/>");
    let _ = writeln!(text, "<path d=\"M{zero:.1} {TOP}V{BOTTOM}\" stroke-dasharray=\"2 4\"/>");
    *text += "</g>\n<g font-size=\"12\" text-anchor=\"middle\">\n";
    let mut wait_min = (scale.first_min / STEP_MIN).ceil() * STEP_MIN;
    while wait_min <= scale.last_min {
        let label = signed_minutes((wait_min * 60_000.0) as i64);
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{}\">{label}</text>",
            scale.x(wait_min),
            BOTTOM + 20.0
        );
        wait_min += STEP_MIN;
    }
    *text += "</g>\n<g font-size=\"12\" text-anchor=\"end\">\n";
    let mut share = 0.0;
    while share <= scale.top_percent {
        let y = scale.y(share) + 4.0;
        let _ = writeln!(text, "<text x=\"{}\" y=\"{y:.1}\">{share} %</text>", LEFT - 8.0);
        share += STEP_PERCENT;
    }
    *text += "</g>\n";
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"16\" font-weight=\"bold\">flights dropped</text>",
        LEFT - 40.0
    );
    let _ = writeln!(
        text,
        "<text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\" font-weight=\"bold\">median wait, from the \
         end of a window to its firing</text>",
        BOTTOM + 44.0
    );
}

fn draw(text: &mut String, scale: &Scale, curve: &Curve, index: usize) {
    let places: Vec<(f64, f64, &Point)> = curve
        .points
        .iter()
        .filter_map(|point| Some((scale.x(wait_min(point)?), scale.y(percent(point)), point)))
        .collect();
    let path: Vec<String> = places.iter().map(|(x, y, _)| format!("{x:.1} {y:.1}")).collect();
    let dashes = if index == 0 { "" } else { " stroke-dasharray=\"6 4\"" };
    let _ = writeln!(
        text,
        "<path d=\"M{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"{dashes}/>",
        path.join("L")
    );
    for (x, y, point) in &places {
        *text += &mark(*x, *y, index);
        let bound_min = point.bound.as_secs() / 60;
        if index == 0 && LABELLED_MIN.contains(&bound_min) {
            let (x, y, anchor) = if *x < scale.x(0.0) {
                (x + 14.0, y - 10.0, "end")
            } else {
                (x + 8.0, y - 8.0, "start")
            };
            let _ = writeln!(
                text,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{bound_min} min</text>"
            );
        }
    }
    let y = TOP + 12.0 + 22.0 * index as f64;
    *text += &mark(RIGHT - 130.0, y, index);
    let _ = writeln!(text, "<text x=\"{}\" y=\"{}\">{}</text>", RIGHT - 118.0, y + 4.0, curve.name);
}

fn mark(x: f64, y: f64, index: usize) -> String {
    if index == 0 {
        format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n")
    } else {
        format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>\n", x - 3.5, y - 3.5)
    }
}
