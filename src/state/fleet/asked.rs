//! What the broker answered about the clients of a fleet, beside what was heard of them.

use super::{Fleet, Opinion, believe, decide};
use crate::event::Timestamp;
use crate::state::answer::{ASKED, Answer, COVERS_MS, Weighed};
use crate::state::judge::judge;
use crate::state::packed::{Client, Voice};
use crate::state::policy::Policy;
use crate::state::verdict::{Blind, LastKnown, Status, Verdict};
use compact_str::CompactString;

/// What to do with an answer that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It says what is known.
    Known,
    /// It contradicts what was heard at about the same time: which of both was later nobody can tell.
    TooClose,
    News,
}

impl Fleet {
    /// Returns the answers that a watcher was given about a client and has kept, with the addresses in them.
    pub fn kept_answers<'a>(
        &self,
        voices: &[Voice<'a>],
        now: Timestamp,
        policy: &Policy,
    ) -> Vec<(Answer, Option<&'a str>)> {
        let asked = voices.iter().filter(|voice| voice.key.authority == ASKED);
        asked.filter_map(|voice| self.kept_answer(voice, now, policy)).collect()
    }

    /// `None` if the broker has started since: whoever was connected then is not any more.
    fn kept_answer<'a>(
        &self,
        voice: &Voice<'a>,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<(Answer, Option<&'a str>)> {
        let judgement = judge(voice, None, now, policy);
        let record = voice.records.get(judgement.named?)?;
        let (online, at) = (judgement.status.online()?, record.last_heard()?);
        if online && self.restart.is_some_and(|restart| restart.time > at) {
            return None;
        }
        let stands = self.coverage.covers(voice.key.name, &record.marks, now).is_ok();
        let source = voice.key.name.to_owned();
        let address = record.opening().observation().map(|opening| opening.address);
        let address = address.filter(|address| online && !address.is_empty());
        Some((Answer { source, online, at, cached: false, stands }, address))
    }

    /// Weighs the broker's answers, where there are any, against what the events say.
    pub(super) fn weigh(
        &self,
        mut verdict: Verdict,
        events: Option<&Opinion<'_, '_>>,
        voices: &[Voice<'_>],
        now: Timestamp,
        policy: &Policy,
    ) -> Verdict {
        let given = self.answers.get(verdict.client.as_str());
        if given.is_none() && voices.iter().all(|voice| voice.key.authority != ASKED) {
            return verdict;
        }
        let counts = |answer: &Answer| answer.stands || now.since(answer.at) <= COVERS_MS;
        let mut answers = given.cloned().unwrap_or_default();
        for (kept, _) in self.kept_answers(voices, now, policy) {
            // One of another time says nothing against those who listen now.
            if counts(&kept) || !verdict.covered {
                answers.take(kept);
            }
        }
        let status = events.map_or(Status::Unknown, |opinion| opinion.judgement.status);
        let heard = events
            .and_then(|opinion| opinion.last_heard)
            .max(self.restart.filter(|_| events.is_some()).map(|restart| restart.time));
        let channel = events.and_then(|opinion| opinion.channel().map(CompactString::from));
        let disagree = |verdict: &mut Verdict| {
            verdict.anomalies.push("probe-disagrees");
            verdict.anomalies.sort_unstable();
        };
        let weighed = answers.weigh(status, heard, policy);
        if let Some(answer) = weighed.answer().filter(|answer| !answer.stands && counts(answer)) {
            let passes = answer.at.plus(COVERS_MS + 1);
            verdict.next = verdict.next.into_iter().chain([passes]).min();
        }
        match weighed {
            Weighed::Events => {}
            Weighed::Suspect(answer) if !verdict.covered && !counts(answer) => {}
            Weighed::Suspect(_) => {
                decide(&mut verdict, Status::Suspect, channel);
                disagree(&mut verdict);
            }
            Weighed::Confirmed(answer) => {
                if let (false, true, Some(opinion)) = (verdict.covered, counts(answer), events) {
                    believe(&mut verdict, opinion);
                }
            }
            Weighed::Answered { answer, disagrees } => {
                answered(&mut verdict, answer, channel, counts(answer));
                if disagrees {
                    disagree(&mut verdict);
                }
            }
        }
        verdict
    }

    /// Tells what an answer about a client is worth, asked at this time.
    #[must_use]
    pub fn receives(
        &self,
        client: &str,
        answer: (bool, Timestamp),
        now: Timestamp,
        policy: &Policy,
    ) -> Reception {
        let (online, at) = answer;
        let Some(place) = self.clients.find(client) else { return Reception::News };
        let voices = self.clients.at(place).voices();
        let opinions = self.opinions(&voices, now, policy);
        let covered = opinions.iter().find(|opinion| opinion.coverage.is_ok());
        let Some(deciding) = covered.or(opinions.first()) else { return Reception::News };
        if deciding.judgement.status.online() == Some(online) {
            // It takes back what was answered before.
            let mut kept = self.kept_answers(&voices, now, policy).into_iter();
            let is_known = covered.is_some() && kept.all(|(kept, _)| kept.online == online);
            return if is_known { Reception::Known } else { Reception::News };
        }
        let close = |heard: Timestamp| heard.since(at).abs() <= policy.judge_skew_ms;
        if deciding.last_heard.is_some_and(close) { Reception::TooClose } else { Reception::News }
    }

    /// Tells whether the verdict about a client rests on a kept answer that stands: nothing newer was heard
    /// of it since somebody listens.
    #[must_use]
    pub fn rests_on_answer(&self, client: &Client, now: Timestamp, policy: &Policy) -> bool {
        let voices = client.voices();
        let opinions = self.opinions(&voices, now, policy);
        let heard = opinions.iter().find(|opinion| opinion.coverage.is_ok());
        let rests = |answer: &Answer| {
            let Some(heard) = heard else { return true };
            let newer =
                heard.last_heard.is_some_and(|heard| heard.since(answer.at) > policy.judge_skew_ms);
            heard.judgement.status.online() != Some(answer.online) && !newer
        };
        let answers = self.kept_answers(&voices, now, policy);
        answers.iter().any(|(answer, _)| answer.stands && rests(answer))
    }
}

fn answered(verdict: &mut Verdict, answer: &Answer, channel: Option<CompactString>, counts: bool) {
    let at = answer.at;
    let status = if answer.online { Status::Online } else { Status::Offline };
    // A ghost is named; a channel that only the broker knows is not.
    let channel = channel.filter(|_| !answer.online);
    verdict.voice = None;
    if counts {
        decide(verdict, status, channel);
    } else {
        decide(verdict, Status::Unknown, None);
        verdict.covered = false;
        verdict.last_known = Some(Box::new(LastKnown {
            status,
            channel,
            since: None,
            until: Some(at),
            blind: Blind::Outdated(at),
        }));
    }
}
