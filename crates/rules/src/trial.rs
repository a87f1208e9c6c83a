//! Rules in evaluate mode: what each would have done, had it counted.

use crate::decision::{Decision, Effect, Facts};
use crate::files::rules::Mode;
use crate::pack::Pack;
use crate::truth::Truth;

impl Pack {
    /// The ids of the rules that are in evaluate mode, in file order.
    pub fn rules_on_trial(&self) -> impl Iterator<Item = &str> {
        let rules = self.inner.rules.rules.iter();
        rules.filter(|rule| rule.mode == Mode::Evaluate).map(|rule| rule.id.as_str())
    }

    /// The rules of [`Decision::would_have`], each with what it would have done. The decision must be this pack's,
    /// on these facts.
    pub fn would_have<'p>(&'p self, facts: &Facts<'_>, decision: &Decision) -> Vec<(&'p str, Effect)> {
        let tried = decision.would_have.iter();
        let rules = tried.filter_map(|id| self.inner.rules.rules.iter().find(|rule| rule.id == *id));
        rules
            .map(|rule| {
                let scene = self.inner.scene(facts);
                let effect = match (rule.eval(&scene), &rule.term) {
                    (Truth::Unknown, Some(term)) => {
                        let mut missing = Vec::new();
                        term.undecided(&scene, &mut missing);
                        Effect::Hold { missing }
                    }
                    _ => rule.effect.clone(),
                };
                (rule.id.as_str(), effect)
            })
            .collect()
    }
}
