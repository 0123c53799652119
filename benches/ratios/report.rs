//! Samples, and the table that is shown of them.

/// Seconds that something took, again and again.
#[derive(Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub const fn new() -> Samples {
        Samples(Vec::new())
    }

    pub fn add(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The median of how each compares with what ran next to it: other work on the machine
    /// that comes and goes hits both.
    fn ratio(&self, reference: &Samples) -> f64 {
        median(
            self.0
                .iter()
                .zip(&reference.0)
                .map(|(a, b)| a / b)
                .collect(),
        )
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    let middle = samples.get(samples.len() / 2);
    middle.copied().unwrap_or(f64::NAN)
}

/// Shows each result as it comes.
#[derive(Debug)]
pub struct Report {
    words: Vec<String>,
    met: usize,
    missed: usize,
}

impl Report {
    pub fn new(words: Vec<String>) -> Report {
        println!(
            "{:46} {:>10} {:>10} {:>7} {:>8}  met",
            "name", "ours", "reference", "ratio", "target"
        );
        Report {
            words,
            met: 0,
            missed: 0,
        }
    }

    /// Whether a comparison is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|w| name.contains(w.as_str()))
    }

    /// Two times, and how they compare.
    pub fn ratio(&mut self, name: &str, ours: &Samples, reference: &Samples, target: f64) {
        let ratio = ours.ratio(reference);
        let (ours, reference) = (ours.median(), reference.median());
        let met = self.judge(ratio <= target);
        println!(
            "{name:46} {:>10} {:>10} {ratio:>7.2} {target:>8.2}  {met}",
            time(ours),
            time(reference)
        );
    }

    /// One figure and its limit.
    pub fn value(&mut self, name: &str, value: f64, target: f64, unit: &str) {
        let met = self.judge(value <= target);
        let value = format!("{value:.3} {unit}");
        let target = format!("{target} {unit}");
        println!(
            "{name:46} {:>10} {:>10} {:>7} {:>8}  {met}",
            value.trim_end(),
            "",
            "",
            target.trim_end()
        );
    }

    pub fn skipped(&mut self, name: &str, why: &str) {
        println!("{name:46} skipped: {why}");
    }

    fn judge(&mut self, met: bool) -> &'static str {
        match met {
            true => self.met += 1,
            false => self.missed += 1,
        }
        if met { "yes" } else { "NO" }
    }

    pub fn conclude(&self) {
        println!("{} of {} met", self.met, self.met + self.missed);
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.3} s"),
    }
}
