//! What `check` answers: a verdict for each client, and an exit code for all.

use super::{Ended, Inquiry};
use crate::cli::check::Check;
use crate::clock;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::explain::{
    AnswerObject, AskedObject, Case, EvidenceObject, answers, evidence, explanation,
};
use crate::output::object::VerdictObject;
use crate::output::sanitize::sanitize;
use crate::output::verdict;
use crate::output::warning::Warning;
use crate::state::verdict::{Status, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

impl Inquiry {
    /// Tells what is known of each client, and returns what that comes to.
    ///
    /// Errors: nothing could be asked, exit 4.
    pub(super) fn answer(
        mut self,
        ended: Ended,
        options: &Check,
        console: &mut Console,
    ) -> Result<Outcome, Failure> {
        let now = clock::now();
        self.warn(console)?;
        let mut worst = Outcome::Yes;
        let mut not_online = 0;
        let ids = std::mem::take(&mut self.ids);
        let verdicts: Vec<Verdict> = ids.iter().map(|id| self.verdict(id, now)).collect();
        let elsewhere = self.elsewhere(&verdicts);
        for verdict in &verdicts {
            worst = worse(worst, outcome(verdict.status));
            not_online += usize::from(verdict.status.online() != Some(true));
            let elsewhere = elsewhere.get(&*verdict.client).map_or(&[][..], Vec::as_slice);
            self.print(options, console, verdict, elsewhere, now)?;
        }
        Ok(match (ended, options.answer.max_offline) {
            (Ended::Reached, _) => Outcome::Yes,
            (Ended::RanOut, _) => Outcome::RanOut,
            (Ended::Answered, Some(max)) if not_online <= max.of(ids.len()) => Outcome::Yes,
            (Ended::Answered, Some(_)) => Outcome::No,
            (Ended::Answered, None) => worst,
        })
    }

    /// Warns of sources that could not be asked.
    ///
    /// Errors: none could be.
    pub(super) fn warn(&self, console: &mut Console) -> Result<(), Failure> {
        let asked_any = self.asked.iter().any(|asked| asked.asked);
        if !asked_any {
            let (_, failure) = self.troubles.last().cloned().unwrap_or_else(|| {
                let failure = Failure::new("no source could be asked")
                    .because("there is no store, and the broker was not to be asked")
                    .next("run `presence watch`, or add to `--evidence`");
                (String::new(), failure)
            });
            return Err(failure);
        }
        for (source, failure) in &self.troubles {
            let cause = failure.cause.clone().unwrap_or_else(|| failure.what.clone());
            console.warn(&Warning::SourceSilent { source: source.clone(), cause });
        }
        Ok(())
    }

    fn print(
        &self,
        options: &Check,
        console: &mut Console,
        verdict: &Verdict,
        elsewhere: &[String],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let fleet = self.presence.fleet();
        let given = self.answers.get(&verdict.client[..]).map_or(&[][..], Vec::as_slice);
        if console.is_json() {
            let object = CheckObject {
                verdict: VerdictObject::new(&self.instance, verdict),
                evidence: evidence(fleet, &verdict.client, now, &self.policy),
                answers: answers(fleet, &verdict.client, now, &self.policy, given),
                asked: &self.asked,
                elsewhere,
            };
            console.json_line(&object)?;
        } else if options.answer.explain {
            let case = Case {
                instance: &self.instance,
                verdict,
                fleet,
                policy: &self.policy,
                now,
                answers: given,
                asked: &self.asked,
                elsewhere,
            };
            console.print(&explanation(&case, console.style(), console.columns()))?;
        } else {
            let mut line = verdict::line(verdict, console.style());
            if verdict.status == Status::Unknown {
                for why in given.iter().filter_map(AnswerObject::cannot_tell) {
                    line += "  ";
                    line += &why;
                }
            }
            if !elsewhere.is_empty() {
                line += "  known elsewhere: ";
                line += &sanitize(&elsewhere.join(", "), 120);
            }
            console.print_line(line)?;
        }
        Ok(())
    }

    /// Returns the other brokers of the store that know ids which this one's evidence says nothing about.
    fn elsewhere(&mut self, verdicts: &[Verdict]) -> BTreeMap<String, Vec<String>> {
        let unknown = verdicts.iter().filter(|verdict| verdict.status == Status::Unknown);
        let ids: Vec<&str> = unknown.map(|verdict| &*verdict.client).collect();
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let Some(store) = self.store.as_mut().filter(|_| !ids.is_empty()) else { return known };
        // It is no more than a hint: a store that fails has failed before.
        for other in store.names().unwrap_or_default() {
            if other == self.instance {
                continue;
            }
            let fleet = store.fleet_of(&other, &ids).unwrap_or_default();
            for client in fleet.clients.iter() {
                known.entry(client.id().to_owned()).or_default().push(other.clone());
            }
        }
        known
    }
}

/// A verdict, and what it rests on.
#[derive(Serialize)]
struct CheckObject<'a> {
    #[serde(flatten)]
    verdict: VerdictObject<'a>,
    evidence: Vec<EvidenceObject>,
    answers: Vec<AnswerObject>,
    asked: &'a [AskedObject],
    elsewhere: &'a [String],
}

const fn outcome(status: Status) -> Outcome {
    match status {
        Status::Online | Status::Closing => Outcome::Yes,
        Status::Offline => Outcome::No,
        Status::Unknown => Outcome::CannotTell,
        Status::Suspect => Outcome::Suspect,
    }
}

/// Returns the worse of two outcomes, in the order 4, 3, 5, 1, 0.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::CouldNotAsk => 4,
        Outcome::CannotTell => 3,
        Outcome::Suspect => 2,
        Outcome::No => 1,
        _ => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_ids_the_worst_counts() {
        let all = [Outcome::Yes, Outcome::No, Outcome::Suspect, Outcome::CannotTell];
        for (place, outcome) in all.into_iter().enumerate() {
            for better in &all[..=place] {
                assert_eq!(worse(*better, outcome), outcome);
                assert_eq!(worse(outcome, *better), outcome);
            }
        }
    }
}
