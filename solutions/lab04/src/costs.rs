//! Given: the curve of both weeks, as tables and as a drawing.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use flights::weeks::Week;
use lab04::chart::{Curve, svg, table};
use lab04::curve::{BOUNDS_MIN, measure};

use crate::Costs;

pub fn run(costs: &Costs, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let curves = Week::ALL.map(|week| {
        let departed = week.load().departed;
        let bounds = BOUNDS_MIN.map(|minutes| Duration::from_secs(60 * minutes));
        let points = bounds.map(|bound| measure(&departed, bound));
        Curve { name: format!("{} week", week.name()), points: points.to_vec() }
    });
    for curve in &curves {
        writeln!(out, "{}", table(curve))?;
    }
    let file = &costs.svg;
    let broken = |error| format!("cannot write {}: {error}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(broken)?;
    }
    std::fs::write(file, svg(&curves)).map_err(broken)?;
    writeln!(out, "Drawn in {}", file.display())?;
    Ok(())
}
