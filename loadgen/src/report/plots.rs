//! Plots as SVG text.

use plotters::prelude::*;

use super::Row;
use crate::load::Pace;
use crate::measure::{Latency, supported};

/// Latency over percentile, one curve a run, both axes logarithmic: the x axis is 1/(1-quantile),
/// so that p90, p99, p99.9 are as far from each other. Curves end where samples end to support
/// them. `None` if there is nothing to plot.
pub(super) fn percentiles(rows: &[&Row], title: &str, of: fn(&Row) -> &Latency) -> Option<String> {
    let curves: Vec<(String, Vec<(f64, f64)>)> = rows
        .iter()
        .map(|row| (row.name.clone(), curve(of(row))))
        .collect();
    let points = || curves.iter().flat_map(|(_, points)| points);
    let right = points().map(|p| p.0).fold(0.0, f64::max);
    let top = points().map(|p| p.1).fold(0.0, f64::max);
    let low = points().map(|p| p.1).fold(f64::MAX, f64::min);
    if right <= 1.0 {
        return None;
    }
    let mut svg = String::new();
    let drawn = (|| -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (x, y) = (
            (1.0..right * 1.1).log_scale(),
            (low * 0.8..top * 1.3).log_scale(),
        );
        let mut chart = ChartBuilder::on(&area)
            .caption(title, FONT)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc("percentile")
            .y_desc("ms")
            .x_labels(8)
            .x_label_formatter(&|x| format!("p{}", trim(100.0 - 100.0 / x)))
            .y_label_formatter(&|y| trim(*y))
            .draw()?;
        for (at, (name, points)) in curves.iter().enumerate() {
            let colour = Palette99::pick(at).to_rgba();
            chart
                .draw_series(LineSeries::new(
                    points.iter().copied(),
                    colour.stroke_width(2),
                ))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
        }
        legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
        area.present()?;
        Ok(())
    })();
    drawn.ok().map(|()| svg)
}

/// A value over the seconds of the runs, one line a run.
pub(super) fn over_time(
    rows: &[&Row],
    title: &str,
    unit: &str,
    value: impl Fn(&crate::measure::Second) -> Option<f64>,
) -> Option<String> {
    let lines: Vec<(String, Vec<(f64, f64)>)> = rows
        .iter()
        .map(|row| {
            let seconds = row.result.timeline.seconds().iter().enumerate();
            let points = seconds.filter_map(|(at, second)| Some((at as f64 + 0.5, value(second)?)));
            (row.name.clone(), points.collect())
        })
        .collect();
    let points = || lines.iter().flat_map(|(_, points)| points);
    let right = points().map(|p| p.0 + 0.5).fold(0.0, f64::max);
    let top = points().map(|p| p.1).fold(0.0, f64::max);
    if right <= 0.0 || top <= 0.0 {
        return None;
    }
    let mut svg = String::new();
    let drawn = (|| -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, FONT)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..right, 0.0..top * 1.15)?;
        chart
            .configure_mesh()
            .x_desc("seconds")
            .y_desc(unit)
            .x_label_formatter(&|x| trim(*x))
            .y_label_formatter(&|y| trim(*y))
            .draw()?;
        for (at, (name, points)) in lines.iter().enumerate() {
            let colour = Palette99::pick(at).to_rgba();
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            chart
                .draw_series(line.point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
        }
        legend(&mut chart, SeriesLabelPosition::LowerRight)?;
        area.present()?;
        Ok(())
    })();
    drawn.ok().map(|()| svg)
}

/// Percentiles over the offered load, one line a percentile. `None` unless there are three rates.
pub(super) fn against_load(rows: &[&Row]) -> Option<String> {
    let mut rates: Vec<f64> = rows.iter().filter_map(|row| offered(row)).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    if rates.len() < 3 {
        return None;
    }
    let line = |quantile: f64| -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|row| {
                let micros = row.result.timeline.total().publish.quantile_us(quantile)?;
                Some((offered(row)?, micros as f64 / 1e3))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let lines = [
        ("p50", line(0.5)),
        ("p99", line(0.99)),
        ("p99.9", line(0.999)),
    ];
    let heights = || lines.iter().flat_map(|(_, points)| points).map(|p| p.1);
    let (low, top) = (
        heights().fold(f64::MAX, f64::min),
        heights().fold(0.0, f64::max),
    );
    let right = rates.last().copied().unwrap_or_default() * 1.05;
    let mut svg = String::new();
    let drawn = (|| -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption("Publish latency against offered load", FONT)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..right, (low * 0.8..top * 1.3).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("records per second offered")
            .y_desc("ms")
            .x_label_formatter(&|x| trim(*x))
            .y_label_formatter(&|y| trim(*y))
            .draw()?;
        for (at, (name, points)) in lines.iter().enumerate() {
            let colour = Palette99::pick(at).to_rgba();
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            chart
                .draw_series(line.point_size(3))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
        }
        legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
        area.present()?;
        Ok(())
    })();
    drawn.ok().map(|()| svg)
}

fn offered(row: &Row) -> Option<f64> {
    match row.plan.pace {
        Pace::Open { rate, .. } => Some(rate),
        Pace::Closed => None,
    }
}

fn legend<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    position: SeriesLabelPosition,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.2))
        .draw()
        .map_err(|error| error.to_string().into())
}

fn curve(latency: &Latency) -> Vec<(f64, f64)> {
    let count = latency.count();
    let steps = latency.histogram().iter_quantiles(8);
    let points = steps.map(|step| (step.quantile_iterated_to(), step.value_iterated_to()));
    points
        .take_while(|&(quantile, _)| quantile < 1.0 && supported(quantile, count))
        .map(|(quantile, micros)| (1.0 / (1.0 - quantile), micros as f64 / 1e3))
        .collect()
}

/// A number without digits that say nothing.
fn trim(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

const SIZE: (u32, u32) = (900, 420);
const FONT: (&str, u32) = ("sans-serif", 20);
