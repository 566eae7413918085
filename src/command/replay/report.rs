//! The page about what was recorded, beside the answer.

use super::watched::Watched;
use super::{Scope, anomalies};
use crate::command::filter::group_of;
use crate::command::input::{AskedAbout, Broker, Follower, Heard, Input, Names, Round, Said, Seen};
use crate::config::question::Span;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::anomalies::{Anomalies, Anomaly};
use crate::output::console::Console;
use crate::output::html;
use crate::output::html::course::{Account, Belief, Lost, Told};
use crate::output::object::Summary;
use crate::output::time::Zone;
use crate::output::uptime;
use crate::state::course::{Chronicle, Chronicled, Peak, Tracks};
use crate::state::diagnosis::{Client, Finding, Phase, Rules, Track, What, Who};
use crate::state::policy::Policy;
use crate::state::turn::Turn;
use crate::state::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Gathers what the page tells, and writes it when all has been read; beside whoever answers the question.
#[derive(Debug)]
pub struct Report {
    about: About,
    answer: Option<Box<dyn Follower>>,
    brokers: BTreeMap<String, Part>,
    judged: Judged,
}

/// What is believed at the moment judged.
#[derive(Debug, Default)]
struct Judged {
    /// By broker.
    believed: BTreeMap<String, Believed>,
    /// `None` until all are judged.
    summary: Option<Summary>,
}

/// What is believed of the clients of one broker.
#[derive(Debug, Default)]
struct Believed {
    /// Of each.
    beliefs: Vec<Belief>,
    /// By code.
    anomalies: BTreeMap<&'static str, Anomaly>,
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
    peak: Peak,
    /// The stamp of each client's last loss, by its number; `Timestamp::MIN` where there was none.
    lost: Vec<Timestamp>,
    /// Each client's last connections, by its number, where its changes are heard one by one.
    seen: Vec<Track>,
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
    peak: Option<(u64, Timestamp)>,
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
        Ok(Self { about, answer, brokers: BTreeMap::new(), judged: Judged::default() })
    }

    /// Returns what is gathered of a broker, and of which time.
    fn part(&mut self, instance: &str, first: Timestamp) -> (&mut Part, &About) {
        let Self { about, brokers, .. } = self;
        if !brokers.contains_key(instance) {
            brokers.insert(instance.to_owned(), Part::new(&about.policy, first));
        }
        let part = brokers.get_mut(instance).expect("it was there, or was just added");
        (part, about)
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
        let Part { chronicle, peak, findings, left_out, outages, .. } = part;
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
            peak: peak.most(),
            beliefs,
            outages_of,
            holes: apart(broker.holes(), bounds),
            findings,
            left_out,
            outages: outages.into_iter().map(|outage| outage.told).collect(),
        }
    }

    fn page(&mut self, input: &Input) -> Result<String, Failure> {
        if self.judged.summary.is_none() {
            let summary = super::judged(input, |instance, verdict| {
                if self.about.scope.include(&verdict.client) {
                    self.judged.take(instance, &verdict);
                }
                Ok(())
            })?;
            self.judged.summary = Some(summary);
        }
        let Judged { mut believed, summary } = std::mem::take(&mut self.judged);
        let (mut anomalies, mut gathered) = (Anomalies::new(), Vec::new());
        for (instance, broker) in &input.brokers {
            let Believed { beliefs, anomalies: found } =
                believed.remove(instance).unwrap_or_default();
            let of_broker = |(code, anomaly)| ((instance.as_str(), code), anomaly);
            anomalies.extend(found.into_iter().map(of_broker));
            gathered.push(self.gather(input, instance, broker, beliefs));
        }
        Ok(html::course::course(&Account {
            summary: &summary.unwrap_or_default(),
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
        let client = heard.change.verdict.client.as_str();
        if !self.about.scope.include(client) {
            return Ok(());
        }
        let (part, about) = self.part(heard.instance, heard.first);
        let (turn, hash) = (Turn::of(heard.change), heard.hasher.hash(client));
        let bounds = about.span.bounds((heard.first, Timestamp::MAX));
        let number = part.chronicle.turn(client, &turn, heard.now, bounds);
        if number as usize >= part.seen.len() {
            part.seen.resize_with(number as usize + 1, Track::default);
            part.watched.name(number, client);
        }
        let (sight, in_loop) = part.seen[number as usize].turn(&turn, &Rules::of(&about.policy));
        let who = Who { hash, client: Client::Number(number), voice: turn.voice };
        let (sight, in_loop) = (&sight, in_loop.as_ref());
        part.see(&Seen { who, number, sight, in_loop, now: heard.now }, bounds, about.span);
        Ok(())
    }

    fn divides(&self) -> Option<(AskedAbout, Span)> {
        // Another answer asks about each change.
        self.answer.is_none().then(|| {
            let scope = self.about.scope.clone();
            let asked = AskedAbout::about(move |client| scope.include(client), &self.about.policy);
            (asked, self.about.span)
        })
    }

    fn hear_round(&mut self, round: &Round<'_>) -> Result<(), Failure> {
        let (part, About { span, .. }) = self.part(round.instance, round.first);
        for (number, id) in round.newcomers() {
            part.watched.name(number, id);
        }
        let bounds = span.bounds((round.first, Timestamp::MAX));
        for near in round.seen() {
            for seen in near.clone() {
                part.watched.approach(&seen.who);
            }
            for seen in near {
                part.see(&seen, bounds, *span);
            }
        }
        Ok(())
    }

    fn take_over(&mut self, instance: &str, tracks: Tracks, seen: Vec<Track>, names: &Names) {
        if let Some(part) = self.brokers.get_mut(instance) {
            part.chronicle = Chronicle::of(tracks, names.numbered());
            part.seen = seen;
        }
    }

    fn judged(&mut self, instance: &str, verdict: &Verdict) {
        self.judged.take(instance, verdict);
    }

    fn summed_up(&mut self, summary: &Summary) {
        self.judged.summary = Some(summary.clone());
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

impl Judged {
    fn take(&mut self, instance: &str, verdict: &Verdict) {
        if !self.believed.contains_key(instance) {
            self.believed.insert(instance.to_owned(), Believed::default());
        }
        let Some(Believed { beliefs, anomalies }) = self.believed.get_mut(instance) else { return };
        anomalies::count(anomalies, verdict, |code| code);
        beliefs.push(Belief { status: verdict.status, anomalies: verdict.anomalies.clone() });
    }
}

impl Part {
    fn new(policy: &Policy, first: Timestamp) -> Self {
        Self {
            chronicle: Chronicle::default(),
            peak: Peak::default(),
            lost: Vec::new(),
            seen: Vec::new(),
            watched: Watched::numbered(policy, first),
            findings: Vec::new(),
            left_out: 0,
            outages: Vec::new(),
        }
    }

    /// Something changed about a client.
    fn see(&mut self, seen: &Seen<'_>, bounds: (Timestamp, Timestamp), span: Span) {
        let Seen { who, number, sight, in_loop, now } = *seen;
        self.peak.change((sight.from, sight.to), now, bounds);
        if sight.is_loss() {
            let number = number as usize;
            if number >= self.lost.len() {
                self.lost.resize(number + 1, Timestamp::MIN);
            }
            self.lost[number] = sight.at;
        }
        let found = self.watched.see(&who, (sight, in_loop), now);
        if !found.is_empty() {
            self.keep(found, span);
        }
    }

    /// Returns the clients whose last loss is stamped between these moments.
    fn lost_within(&self, first: Timestamp, last: Timestamp) -> Vec<u32> {
        let is_lost = |at: Timestamp| at > Timestamp::MIN && first <= at && at <= last;
        (0..).zip(&self.lost).filter(|(_, at)| is_lost(**at)).map(|(number, _)| number).collect()
    }

    /// Keeps findings of the time asked about, as far as there is room.
    fn keep(&mut self, found: Vec<Finding>, span: Span) {
        for finding in found.into_iter().filter(|finding| span.holds(finding.since)) {
            match &finding.what {
                What::MassOutage(outage) => {
                    let until = finding.since.plus(outage.within_ms);
                    let lost = self.lost_within(finding.since, until);
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
            peak: self.peak,
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
