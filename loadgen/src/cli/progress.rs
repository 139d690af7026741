//! The live line: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::{Phase, Progress, Steer};
use crate::quantity::show_count;
use crate::report::Row;

/// A line that lives while a run goes on.
pub(super) struct Line {
    bar: ProgressBar,
    name: String,
    /// When the next line is due where there is no terminal.
    next_line: Instant,
    /// What was counted when the rate was last taken.
    rate_from: (Instant, u64),
    rate: u64,
}

impl Line {
    /// Begins a line; what the run waits for first is said at once.
    pub(super) fn new(name: &str) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(1_000), target);
        let style = ProgressStyle::with_template("{spinner} {prefix} {bar:24} {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        bar.set_prefix(name.to_owned());
        bar.set_message("getting ready");
        // Drawn by a thread of its own, whatever the run may be waiting for.
        bar.enable_steady_tick(Duration::from_millis(200));
        if bar.is_hidden() {
            eprintln!("{name}: getting ready");
        }
        let now = Instant::now();
        Self {
            bar,
            name: name.to_owned(),
            next_line: now + LINE_EVERY,
            rate_from: (now, 0),
            rate: 0,
        }
    }

    /// Shows how a run is going, and says whether the user wants to stop it.
    pub(super) fn show(&mut self, progress: &Progress) -> Steer {
        let text = self.text(progress, Instant::now());
        let done = progress.elapsed.as_secs_f64() / progress.planned.as_secs_f64().max(1e-3);
        self.bar.set_position((done * 1_000.0).min(1_000.0) as u64);
        if self.bar.is_hidden() && Instant::now() >= self.next_line {
            self.next_line = Instant::now() + LINE_EVERY;
            eprintln!("{}: {text}", self.name);
        }
        self.bar.set_message(text);
        if is_interrupted() {
            Steer::Stop
        } else {
            Steer::GoOn
        }
    }

    fn text(&mut self, progress: &Progress, now: Instant) -> String {
        let (published, consumed) = (progress.published, progress.consumed);
        let idle_groups = published.max(consumed) == 0 && progress.answered > 0;
        let count = if idle_groups {
            progress.answered
        } else {
            published.max(consumed)
        };
        let (since, before) = self.rate_from;
        let passed = now.saturating_duration_since(since);
        if passed >= RATE_EVERY {
            let rate = count.saturating_sub(before) as f64 / passed.as_secs_f64();
            (self.rate, self.rate_from) = (rate as u64, (now, count));
        }
        let phase = match progress.phase {
            Phase::Connecting => return "connecting".to_owned(),
            Phase::WarmingUp => "warming up",
            Phase::Measuring => "measuring",
            Phase::Settling => "waiting for answers",
            Phase::Reading => "reading to the end",
        };
        let counted = if idle_groups {
            format!("{} answers of coordinators", show_count(progress.answered))
        } else {
            let (published, consumed) = (show_count(published), show_count(consumed));
            format!("{published} acknowledged, {consumed} read")
        };
        let violations = match progress.violations {
            0 => String::new(),
            count => format!(", {} VIOLATIONS", show_count(count)),
        };
        let idle = match progress.idle {
            idle if idle >= IDLE_SHOWN => format!(", NOTHING for {} s", idle.as_secs()),
            _ => String::new(),
        };
        format!(
            "{phase}, {:.0} of {:.0} s, {}/s, {counted}{violations}{idle}",
            progress.elapsed.as_secs_f64(),
            progress.planned.as_secs_f64(),
            show_count(self.rate),
        )
    }

    /// The run is over: its line makes room for one that stays.
    pub(super) fn finish(&self, row: &Row) {
        let result = &row.result;
        let total = result.timeline.total();
        let p99 = total
            .publish
            .quantile_us(0.99)
            .map_or_else(String::new, |us| format!(", p99 {} µs", show_count(us)));
        let wrong = match (&result.failure, result.findings.is_clean()) {
            (Some(_), _) => ", FAILED",
            (None, false) => ", VIOLATED",
            (None, true) => "",
        };
        self.bar.finish_and_clear();
        if !row.has_load() {
            return eprintln!("{}: done{wrong}", self.name);
        }
        eprintln!(
            "{}: {} records/s, {:.1} MB/s{p99}{wrong}",
            self.name,
            show_count(result.records_per_second().round() as u64),
            result.bytes_per_second() / 1e6,
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// True once the user wants to stop: what is running ends in good order, nothing more is begun. A
/// second signal ends the program as usual.
pub(super) fn is_interrupted() -> bool {
    static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let flag = INTERRUPTED.get_or_init(|| {
        let flag = Arc::<AtomicBool>::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // Neither fails for a signal that may be caught.
            let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag));
            let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
        }
        flag
    });
    flag.load(Ordering::Relaxed)
}

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(3);
const RATE_EVERY: Duration = Duration::from_millis(500);
/// A pause of this length is worth a word.
const IDLE_SHOWN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_waited_for_and_how_fast_it_goes() {
        let mut line = Line::new("a run");
        let begun = line.rate_from.0;
        let mut progress = Progress {
            planned: Duration::from_secs(5),
            ..Progress::default()
        };
        assert_eq!(line.text(&progress, begun), "connecting");
        progress.phase = Phase::Measuring;
        progress.elapsed = Duration::from_secs(2);
        progress.published = 6_000;
        let text = line.text(&progress, begun + Duration::from_secs(2));
        assert_eq!(
            text,
            "measuring, 2 of 5 s, 3,000/s, 6,000 acknowledged, 0 read"
        );
        progress.phase = Phase::Reading;
        progress.violations = 1;
        progress.idle = Duration::from_secs(4);
        let text = line.text(&progress, begun + Duration::from_secs(4));
        assert!(text.starts_with("reading to the end"), "{text}");
        assert!(text.ends_with("1 VIOLATIONS, NOTHING for 4 s"), "{text}");
    }
}
