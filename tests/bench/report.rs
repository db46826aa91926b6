//! Results as a table and as JSON.

use std::io::Write as _;

use serde_json::{Value, json};

/// Several measurements of one thing.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Samples(values)
    }

    pub(crate) fn median(&self) -> f64 {
        let values = &self.0;
        match values.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => values[n / 2],
            n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
        }
    }

    fn low(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    fn high(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// `median [min..max] unit`.
    fn show(&self, unit: &str) -> String {
        if self.0.len() == 1 {
            return format!("{} {unit}", figure(self.median()));
        }
        format!("{} [{}..{}] {unit}", figure(self.median()), figure(self.low()), figure(self.high()))
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What a target is compared with.
pub(crate) enum Goal {
    /// The median must be at least, or at most, this.
    AtLeast(f64),
    AtMost(f64),
    /// The ratio to the other samples' median must be at least, or at most, this.
    ShareOf(Samples, &'static str, f64),
    TimesOf(Samples, &'static str, f64),
}

/// One line of the table.
pub(crate) struct Line {
    pub(crate) row: &'static str,
    pub(crate) what: String,
    pub(crate) measured: Samples,
    pub(crate) unit: &'static str,
    pub(crate) goal: Goal,
    /// What else was seen.
    pub(crate) note: String,
}

/// All results of a run.
pub(crate) struct Report {
    machine: Value,
    quick: bool,
    lines: Vec<Value>,
}

impl Report {
    pub(crate) fn new(machine: Value, quick: bool) -> Self {
        let report = Report { machine, quick, lines: Vec::new() };
        let text =
            |key: &str| report.machine[key].as_str().map_or_else(|| report.machine[key].to_string(), str::to_owned);
        say(&format!(
            "machine: {} cores, {}, Linux {}, {}, load {} before the run{}",
            text("cores"),
            text("cpu"),
            text("kernel"),
            text("filesystem"),
            text("load"),
            if quick { "; quick: small data, the targets do not apply" } else { "" },
        ));
        say("| row | what | target | measured: median [min..max] | ratio | verdict | note |");
        say("|---|---|---|---|---|---|---|");
        report
    }

    /// Prints the line at once.
    pub(crate) fn add(&mut self, line: Line) {
        let median = line.measured.median();
        let unit = line.unit;
        let (target, ratio, met) = match &line.goal {
            Goal::AtLeast(goal) => (format!(">= {} {unit}", figure(*goal)), None, Some(median >= *goal)),
            Goal::AtMost(goal) => (format!("<= {} {unit}", figure(*goal)), None, Some(median <= *goal)),
            Goal::ShareOf(other, name, goal) => {
                let ratio = median / other.median();
                (format!(">= {goal} x {name} ({})", other.show(unit)), Some(ratio), Some(ratio >= *goal))
            }
            Goal::TimesOf(other, name, goal) => {
                let ratio = median / other.median();
                (format!("<= {goal} x {name} ({})", other.show(unit)), Some(ratio), Some(ratio <= *goal))
            }
        };
        let verdict = met.map_or("-", |met| if met { "ok" } else { "misses" });
        say(&format!(
            "| {} | {} | {target} | {} | {} | {verdict} | {} |",
            line.row,
            line.what,
            line.measured.show(unit),
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            line.note,
        ));
        self.lines.push(json!({
            "row": line.row, "what": line.what, "target": target, "unit": unit, "median": median,
            "min": line.measured.low(), "max": line.measured.high(), "ratio": ratio, "met": met, "note": line.note,
        }));
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "machine": self.machine, "quick": self.quick, "rows": self.lines })
    }
}

/// Results go to stdout.
pub(crate) fn say(line: &str) {
    // Nobody may be reading any more.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What is going on goes to stderr.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "# {line}");
}
