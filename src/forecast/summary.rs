//! What a change gains, in numbers.

use super::{Outcome, Subject, Theme, forecast, scenarios};

/// What a scenario finds in the cache, before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gain {
    /// What changes, as the start of a sentence.
    pub cause: String,
    pub before: Outcome,
    pub after: Outcome,
}

impl Gain {
    /// A clause: how many steps are repeated where these are fewer now, else how many are found in the cache.
    pub fn text(&self) -> String {
        let (before, after) = (self.before.again(), self.after.again());
        if after.1 < before.1 {
            let steps = if before == (1, 1) { "step" } else { "steps" };
            return format!("{} repeated {} {steps}, now {}", self.cause, range(before), range(after));
        }
        let of = |outcome: &Outcome| format!("{} of {}", range(outcome.cached()), outcome.steps.len());
        format!("{} left {} steps in the cache, now {}", self.cause, of(&self.before), of(&self.after))
    }

    /// Steps that are repeated no more, and steps that are found more.
    fn saved(&self) -> (usize, usize) {
        let less = self.before.again().1.saturating_sub(self.after.again().1);
        (less, self.after.cached().0.saturating_sub(self.before.cached().0))
    }
}

fn range((least, most): (usize, usize)) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// The scenario of a theme in which `after` gains most over `before`; none where it gains nothing.
pub fn gain(before: &Subject<'_>, after: &Subject<'_>, theme: Theme) -> Option<Gain> {
    let found = scenarios(before, Some(after)).into_iter().filter(|scenario| scenario.theme == theme);
    let gains = found.filter_map(|scenario| {
        let outcome = |subject| forecast(subject, &scenario, false).ok();
        Some(Gain { cause: scenario.cause(), before: outcome(before)?, after: outcome(after)? })
    });
    // Of several that gain the same the first.
    let best = gains.reduce(|best, other| if other.saved() > best.saved() { other } else { best });
    best.filter(|gain| gain.saved() > (0, 0))
}
