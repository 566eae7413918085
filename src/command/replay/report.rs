//! The page about what was recorded, beside the answer.

use super::watched::Watched;
use super::{Scope, anomalies};
use crate::command::filter::group_of;
use crate::command::input::{Broker, Follower, Heard, Input, Said};
use crate::config::question::Span;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::anomalies::Anomalies;
use crate::output::console::Console;
use crate::output::html;
use crate::output::html::course::{Account, Belief, Lost, Told};
use crate::output::time::Zone;
use crate::output::uptime;
use crate::state::course::{Chronicle, Chronicled};
use crate::state::diagnosis::{Finding, Phase, What};
use crate::state::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Gathers what the page tells, and writes it when all has been read; beside whoever answers the question.
#[derive(Debug)]
pub struct Report {
    about: About,
    answer: Option<Box<dyn Follower>>,
    brokers: BTreeMap<String, Part>,
}

/// What the page is about, and where it goes.
#[derive(Debug)]
pub struct About {
    pub path: PathBuf,
    pub scope: Scope,
    pub span: Span,
    pub policy: Policy,
    pub worst: usize,
    pub is_redacted: bool,
    /// Of the times on the page.
    pub zone: Zone,
}

/// What is gathered of one broker.
#[derive(Debug)]
struct Part {
    chronicle: Chronicle,
    watched: Watched,
    findings: Vec<Finding>,
    left_out: u64,
    outages: Vec<Outage>,
}

/// An outage, and the numbers of those who were lost.
#[derive(Debug)]
struct Outage {
    told: Lost,
    clients: BTreeSet<u32>,
}

/// What is left when all has been read.
struct Gathered<'a> {
    instance: &'a str,
    zone: Zone,
    broker: &'a Broker,
    bounds: (Timestamp, Timestamp),
    chronicled: Chronicled,
    beliefs: Vec<Belief>,
    outages_of: Vec<Vec<u16>>,
    holes: Vec<(Timestamp, Timestamp)>,
    findings: Vec<Finding>,
    left_out: u64,
    outages: Vec<Lost>,
}

/// Findings of one broker that have a place, and outages.
const FINDINGS_MAX: usize = 1_000;
const OUTAGES_MAX: usize = 200;

impl Report {
    /// Returns one that is beside whoever answers the question. Sees whether the page can be written, so
    /// that no reading is in vain.
    ///
    /// Errors: exit code 4.
    pub fn new(about: About, answer: Option<Box<dyn Follower>>) -> Result<Self, Failure> {
        html::file::check(&about.path)?;
        Ok(Self { about, answer, brokers: BTreeMap::new() })
    }

    fn gather<'a>(
        &mut self,
        input: &'a Input,
        instance: &'a str,
        broker: &'a Broker,
        beliefs: Vec<Belief>,
    ) -> Gathered<'a> {
        let extent = broker.extent(input);
        let bounds = self.about.span.bounds(extent);
        let part = self.brokers.remove(instance);
        let mut part = part.unwrap_or_else(|| Part::new(&self.about.policy, extent.0));
        let found = part.watched.finish(extent.1);
        part.keep(found, self.about.span);
        let clients = broker.presence.fleet().clients.iter();
        for client in clients.filter(|client| self.about.scope.include(client.id())) {
            part.chronicle.know(client.id());
        }
        let Part { chronicle, findings, left_out, outages, .. } = part;
        let chronicled = chronicle.finish(bounds);
        let mut outages_of = vec![Vec::new(); chronicled.courses.len()];
        for (number, outage) in (0..).zip(&outages) {
            for (course, of) in chronicled.courses.iter().zip(&mut outages_of) {
                if outage.clients.contains(&course.number) {
                    of.push(number);
                }
            }
        }
        Gathered {
            instance,
            zone: self.about.zone,
            broker,
            bounds,
            chronicled,
            beliefs,
            outages_of,
            holes: apart(broker.holes(), bounds),
            findings,
            left_out,
            outages: outages.into_iter().map(|outage| outage.told).collect(),
        }
    }

    fn page(&mut self, input: &Input) -> Result<String, Failure> {
        let mut anomalies = Anomalies::new();
        let mut beliefs: BTreeMap<&str, Vec<Belief>> = BTreeMap::new();
        let summary = super::judged(input, |instance, verdict| {
            if self.about.scope.include(&verdict.client) {
                anomalies::count(&mut anomalies, instance, &verdict);
                let belief = Belief { status: verdict.status, anomalies: verdict.anomalies };
                beliefs.entry(instance).or_default().push(belief);
            }
            Ok(())
        })?;
        let mut gathered = Vec::new();
        for (instance, broker) in &input.brokers {
            let beliefs = beliefs.remove(instance.as_str()).unwrap_or_default();
            gathered.push(self.gather(input, instance, broker, beliefs));
        }
        Ok(html::course::course(&Account {
            summary: &summary,
            anomalies: &anomalies,
            brokers: gathered.iter().map(|it| it.told(gathered.len())).collect(),
            worst: self.about.worst,
            is_part: self.about.span != Span::default() || !self.about.scope.is_all(),
            is_redacted: self.about.is_redacted,
            zone: self.about.zone,
        }))
    }
}

impl Follower for Report {
    fn read(&mut self, said: &Said<'_>) -> Result<(), Failure> {
        self.answer.as_mut().map_or(Ok(()), |answer| answer.read(said))
    }

    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if let Some(answer) = &mut self.answer {
            answer.hear(heard)?;
        }
        let Self { about, brokers, .. } = self;
        if !about.scope.include(&heard.change.verdict.client) {
            return Ok(());
        }
        if !brokers.contains_key(heard.instance) {
            brokers.insert(heard.instance.to_owned(), Part::new(&about.policy, heard.first));
        }
        let part = brokers.get_mut(heard.instance).expect("it was there, or was just added");
        let bounds = about.span.bounds((heard.first, Timestamp::MAX));
        part.chronicle.change(heard.change, heard.now, bounds);
        let found = part.watched.hear(heard);
        part.keep(found, about.span);
        Ok(())
    }

    /// The page comes last, so that what can be told is told if the disk is full.
    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        let answered = match self.answer.take() {
            Some(mut answer) => answer.conclude(input, console)?,
            None => Outcome::Yes,
        };
        console.flush()?;
        let page = self.page(input)?;
        html::file::write(&self.about.path, &page)?;
        console.say(format_args!("the report is in {}", self.about.path.display()));
        Ok(answered)
    }
}

impl Part {
    fn new(policy: &Policy, first: Timestamp) -> Self {
        Self {
            chronicle: Chronicle::default(),
            watched: Watched::new(policy, first),
            findings: Vec::new(),
            left_out: 0,
            outages: Vec::new(),
        }
    }

    /// Keeps findings of the time asked about, as far as there is room.
    fn keep(&mut self, found: Vec<Finding>, span: Span) {
        for finding in found.into_iter().filter(|finding| span.holds(finding.since)) {
            match &finding.what {
                What::MassOutage(outage) => {
                    let until = finding.since.plus(outage.within_ms);
                    let lost = self.chronicle.lost_within(finding.since, until);
                    self.outage(finding, lost);
                }
                _ if self.findings.len() < FINDINGS_MAX => self.findings.push(finding),
                _ => self.left_out += u64::from(finding.phase == Phase::Begins),
            }
        }
    }

    /// Adds what is said of an outage to what was said of it before.
    fn outage(&mut self, finding: Finding, lost: Vec<u32>) {
        let apart =
            |outage: &&mut Outage| outage.told.last.since.since(finding.since).saturating_abs();
        let is_full = self.outages.len() >= OUTAGES_MAX;
        let known = self.outages.iter_mut().min_by_key(apart);
        match known.filter(|_| finding.phase != Phase::Begins) {
            Some(known) => {
                known.told.last = finding;
                known.clients.extend(lost);
            }
            None if is_full => self.left_out += 1,
            None => {
                let told = Lost { begins: finding.clone(), last: finding };
                self.outages.push(Outage { told, clients: lost.into_iter().collect() });
            }
        }
    }
}

impl Gathered<'_> {
    fn told(&self, beside: usize) -> Told<'_> {
        Told {
            instance: self.instance,
            zone: self.zone,
            bounds: self.bounds,
            uptime: uptime::Report::new(
                self.instance,
                self.bounds,
                &self.chronicled.clients,
                group_of,
            ),
            courses: &self.chronicled.courses,
            beliefs: &self.beliefs,
            outages_of: &self.outages_of,
            curve: &self.chronicled.curve,
            peak: self.chronicled.peak,
            holes: &self.holes,
            is_plain: self.broker.is_plain(),
            findings: &self.findings,
            left_out: self.left_out,
            outages: &self.outages,
            places: &self.chronicled.places,
            placeless: self.chronicled.placeless,
            begin: self.chronicled.begin,
            beside,
        }
    }
}

/// Returns what lies within the bounds, joined where it overlaps.
fn apart(
    holes: impl Iterator<Item = (Timestamp, Timestamp)>,
    (first, last): (Timestamp, Timestamp),
) -> Vec<(Timestamp, Timestamp)> {
    let cut = holes.map(|(from, to)| (from.max(first), to.min(last)));
    let mut holes: Vec<_> = cut.filter(|(from, to)| from < to).collect();
    holes.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in holes {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_that_overlap_are_one() {
        let of = |holes: &[(i64, i64)]| -> Vec<(i64, i64)> {
            let holes = holes.iter().map(|(from, to)| (Timestamp(*from), Timestamp(*to)));
            let found = apart(holes, (Timestamp(10), Timestamp(100)));
            found.into_iter().map(|(from, to)| (from.0, to.0)).collect()
        };
        assert_eq!(of(&[(50, 60), (0, 20), (15, 30), (60, 61)]), [(10, 30), (50, 61)]);
        assert_eq!(of(&[(0, 10), (100, 120)]), []);
    }
}
