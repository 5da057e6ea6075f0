//! Given: a figure by the interval between two checkpoints, as a drawing.

use std::fmt::Write;
use std::time::Duration;

use timeline::span;

/// What was measured.
pub struct Curve {
    /// What stands above the axis that goes up.
    pub title: String,
    /// The drawing in a sentence, for those who do not see it.
    pub label: String,
    /// An interval and its figure, in the order of the intervals.
    pub points: Vec<(Duration, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 680.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 270.0;

/// So many lines go across at most.
const MAX_STEPS: f64 = 6.0;

/// A drawing of the curve in SVG: to the right the interval, each place ten times the one a fixed way
/// before it; upwards the figure, from 0 on. It takes the colour of the text around it and has no empty
/// line, so that a page can include it.
pub fn svg(curve: &Curve) -> String {
    let mut text = format!(
        "<svg class=\"drawing\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" role=\"img\" aria-label=\"{}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"currentColor\">\n",
        curve.label
    );
    let scale = Scale::of(&curve.points);
    scale.draw_axes(&mut text, curve);
    let places: Vec<(f64, f64)> =
        curve.points.iter().map(|(every, figure)| (scale.x(*every), scale.y(*figure))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = writeln!(
        text,
        "<path d=\"M{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"/>",
        path.join("L")
    );
    for (x, y) in places {
        let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
    }
    text += "</svg>\n";
    text
}

/// The place of a point, in pixels.
struct Scale {
    first: f64,
    last: f64,
    /// From one line across to the next.
    step: f64,
    top: f64,
}

impl Scale {
    fn of(points: &[(Duration, f64)]) -> Scale {
        let logs = || points.iter().map(|(every, _)| every.as_secs_f64().log10());
        let first = logs().fold(f64::INFINITY, f64::min);
        let last = logs().fold(f64::NEG_INFINITY, f64::max);
        let highest = points.iter().map(|(_, figure)| *figure).fold(0.0, f64::max).max(1e-9);
        let step = step_for(highest);
        Scale { first, last: last.max(first + 0.1), step, top: (highest / step).ceil() * step }
    }

    fn x(&self, every: Duration) -> f64 {
        let share = (every.as_secs_f64().log10() - self.first) / (self.last - self.first);
        LEFT + 20.0 + share * (RIGHT - LEFT - 40.0)
    }

    fn y(&self, figure: f64) -> f64 {
        BOTTOM - figure / self.top * (BOTTOM - TOP)
    }

    fn draw_axes(&self, text: &mut String, curve: &Curve) {
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\" fill=\"none\" stroke=\"currentColor\"/>"
        );
        *text += "<g font-size=\"12\" text-anchor=\"end\">\n";
        let lines = (self.top / self.step).round() as u32;
        for figure in (0..=lines).map(|line| f64::from(line) * self.step) {
            let y = self.y(figure);
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{:.1}\">{figure}</text><path d=\"M{LEFT} {y:.1}H{RIGHT}\" \
                 stroke=\"currentColor\" stroke-width=\"0.5\" stroke-dasharray=\"2 4\"/>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        *text += "</g>\n<g font-size=\"12\" text-anchor=\"middle\">\n";
        for (every, _) in &curve.points {
            let (x, y) = (self.x(*every), BOTTOM + 20.0);
            let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{y}\">{}</text>", span::text(*every));
        }
        *text += "</g>\n";
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"18\" font-weight=\"bold\">{}</text>",
            LEFT - 40.0,
            curve.title
        );
        let _ = writeln!(
            text,
            "<text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\" font-weight=\"bold\">a checkpoint \
             every</text>",
            BOTTOM + 44.0
        );
    }
}

/// 1, 2 or 5 times a power of ten, so that few lines reach the highest figure.
fn step_for(highest: f64) -> f64 {
    let power = 10_f64.powf((highest / MAX_STEPS).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| highest / step <= MAX_STEPS).unwrap_or(10.0 * power)
}
