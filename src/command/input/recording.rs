//! Recordings: who heard what, under which epoch, in whatever order the files are given.

use super::super::hear::{is_ours, voice_of};
use super::super::watcher::{DROPPED, UPTIME};
use super::Input;
use super::deliver::Delivery;
use crate::dialect::{Dialects, Message, Reading, Reason};
use crate::event::{Event, Timestamp};
use crate::failure::Failure;
use crate::source::recording::line::{AnswerLine, Heading, MessageLine, SourceLine};
use crate::source::recording::{Line, VERSION};
use crate::state::answer::ASKED;
use crate::state::coverage::{Coverage, Member, SourceKey};
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::VoiceKey;
use crate::state::presence::Teller;
use crate::state::record::Mark;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where the reading of one recording stands.
#[derive(Debug, Default)]
pub(super) struct Recording {
    contexts: BTreeMap<String, Context>,
    /// The broker of the last heading.
    current: Option<String>,
}

/// Who heard what follows about one broker.
#[derive(Debug)]
struct Context {
    ear: String,
    /// The ears of voices that are heard together with others.
    shared: BTreeMap<String, String>,
    member: String,
    /// The client id under which it listened.
    own: String,
    dialects: Dialects,
    /// The epoch in which each voice is heard, as far as this file has been read. Another file may
    /// have told of a later one already; what is heard here was heard in this one all the same.
    epochs: BTreeMap<String, u64>,
    /// What was told of the listener, less what follows from the messages since it gave an account of
    /// itself. Its next account decides: it knows which of them came while nothing was certain.
    accounts: BTreeMap<SourceKey, Member>,
    /// A message came since the listener gave an account of itself.
    is_hearing: bool,
    /// No file has told of a later one.
    is_present: bool,
    /// It began after the moment asked about.
    is_later: bool,
}

impl Input {
    pub(super) fn recorded(
        &mut self,
        recording: &mut Recording,
        line: Line<'_>,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let line = match &self.redactor {
            Some(redactor) => redactor.line(line),
            None => line,
        };
        let is_later = |recording: &Recording, instance: &str| {
            recording.contexts.get(instance).is_some_and(|context| context.is_later)
        };
        match line {
            Line::Recording(heading) => {
                let context = self.context(&heading, name, number)?;
                let instance = heading.instance.into_owned();
                recording.contexts.insert(instance.clone(), context);
                recording.current = Some(instance);
            }
            Line::Message(message) => {
                return self.recorded_message(recording, &message, name, number);
            }
            Line::Answer(answer) => return self.recorded_answer(recording, &answer, name, number),
            Line::Source(source) => return self.recorded_source(recording, &source, name, number),
            Line::Client(known) if !is_later(recording, &known.instance) => {
                let channels_max = self.broker(&known.instance).presence.policy().channels_max;
                let Some(client) = known.to_client(channels_max) else {
                    let detail = "a client that no store could have written";
                    return self.set_aside(Reason::Unreadable, name, number, detail);
                };
                let broker = self.broker(&known.instance);
                broker.recalls();
                broker.presence.handle_client(&client);
            }
            Line::Restart(restart) if !is_later(recording, &restart.instance) => {
                let mut told = Fleet::default();
                told.join_restart(restart.stamp());
                let presence = &mut self.broker(&restart.instance).presence;
                presence.handle_others(&told, Teller::Everybody, Timestamp::MIN);
            }
            Line::Judged(judged) => {
                let now = Timestamp(judged.now_ms);
                let until = self.at.map_or(now, |at| now.min(at));
                let broker = self.broker(&judged.instance);
                broker.judged(now);
                broker.advance(until);
            }
            Line::Client(_) | Line::Restart(_) => {}
        }
        Ok(())
    }

    fn context(
        &mut self,
        heading: &Heading<'_>,
        name: &str,
        number: u64,
    ) -> Result<Context, Failure> {
        if heading.version > VERSION {
            return Err(newer(&heading.version, name, number));
        }
        let unusable = |wrong: &dyn std::fmt::Display| unusable(wrong, name, number);
        // Its watcher knew which zone it read; the one that was asked for may only be that of the reader.
        let zone = match &heading.reading.time_zone {
            Some(zone) => {
                let zone = crate::config::reading::time_zone(zone);
                Some(zone.map_err(|failure| unusable(&failure.cause.unwrap_or(failure.what)))?)
            }
            None => self.zone.clone(),
        };
        let dialects = heading.reading.dialects(zone.as_ref()).map_err(|wrong| unusable(&wrong))?;
        let (asked, begun) = (self.asked, Timestamp(heading.begun_ms));
        let is_later = self.at.is_some_and(|at| begun > at);
        let broker = self.broker(&heading.instance);
        broker.begin(heading.begun_ms, heading.policy.within_bounds(), &asked);
        if is_later {
            broker.resumes(begun);
        } else {
            broker.enters(begun);
        }
        Ok(Context {
            ear: heading.ear.clone().into_owned(),
            shared: heading.shared.clone(),
            member: match &self.redactor {
                Some(redactor) => redactor.member(&heading.member),
                None => heading.member.clone().into_owned(),
            },
            own: heading.member.clone().into_owned(),
            dialects,
            epochs: BTreeMap::new(),
            accounts: BTreeMap::new(),
            is_hearing: false,
            is_present: true,
            is_later,
        })
    }

    fn recorded_source(
        &mut self,
        recording: &mut Recording,
        source: &SourceLine,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let Some(mut account) = source.account() else {
            let detail = "an account that no watcher could have written";
            return self.set_aside(Reason::Unreadable, name, number, detail);
        };
        // Whoever has stopped listening is shown no patience, but did listen when it last heard.
        account.patience_ms = account.patience_ms.max(0);
        let at = self.at;
        let key = source.key();
        let broker = self.broker(&source.instance);
        let mut context = recording.contexts.get_mut(&source.instance);
        if let Some(context) = &mut context
            && (context.key(&source.voice), &context.member) == (key.clone(), &source.member)
        {
            context.take_back(&key, broker.presence.coverage_mut());
            let before = context.epochs.insert(source.voice.clone(), account.epoch);
            if before.is_some_and(|before| before < account.epoch) {
                // As the watcher did: what was heard before the hole proves nothing after it.
                context.dialects.interrupted();
            }
        }
        let is_later = context.as_ref().is_some_and(|context| context.is_later)
            || at.is_some_and(|at| account.began > at);
        if let Some(at) = at
            && account.began > at
        {
            broker.resumes(account.began);
        }
        if !is_later {
            if let Some(at) = at {
                account.left &= account.heard <= at;
                account.heard = account.heard.min(at);
                account.holes.retain(|hole| hole.to <= at);
            }
            let news = account.holes.iter().filter(|hole| broker.hole(&source.member, hole));
            let gaps = news.count() as u64;
            broker.presence.coverage_mut().join_member(&key, &source.member, &account);
            broker.received(account.heard);
            broker.advance(account.heard);
            self.tally.gaps += gaps;
        }
        if let Some(context) = context {
            let broker = self.broker(&source.instance);
            context.is_present = context.is_in_the_present(broker.presence.coverage_mut());
        }
        Ok(())
    }

    fn recorded_message(
        &mut self,
        recording: &mut Recording,
        line: &MessageLine<'_>,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let Some(payload) = line.bytes() else {
            let detail = "neither `payload` nor readable `payload_b64`";
            return self.set_aside(Reason::Unreadable, name, number, detail);
        };
        let current = recording.current.as_deref();
        let instance = line.instance.as_deref().or(current).unwrap_or(&self.instance).to_owned();
        if !recording.contexts.contains_key(&instance) {
            let context = self.listener_of_nobody(&instance)?;
            recording.contexts.insert(instance.clone(), context);
        }
        let context = recording.contexts.get_mut(&instance).expect("it was just made");
        let message = Message {
            topic: &line.topic,
            payload: &payload,
            tag: line.tag.as_deref(),
            qos: line.qos,
            retain: line.retain,
            received: Timestamp(line.received_ms),
            tie: line.tie,
        };
        self.listens(context, &instance, message.received);
        let is_of_the_account = is_of_the_account(&line.topic);
        let (index, reading) = if is_of_the_account {
            (None, Reading::NotMine)
        } else {
            context.dialects.read(&message)
        };
        let is_judged = !is_of_the_account && !is_ours(&reading, &context.own);
        let redacted = self.redactor.as_ref().map(|redactor| redactor.reading(&reading));
        let reading = redacted.unwrap_or(reading);
        let voice = voice_of(&context.dialects, index);
        let (at, broker) = (self.at, self.broker(&instance));
        if let Some(at) = at.filter(|at| context.is_later || message.received > *at) {
            if is_judged {
                let by = Hearsay { voice, mark: None, received: message.received };
                let broker = self.brokers.get_mut(&instance).expect("it was found above");
                broker.late.take(&reading, &by, at, &self.asked.policy);
            }
            return Ok(());
        }
        let mark =
            if is_judged { context.mark(broker.presence.coverage_mut(), voice.name) } else { None };
        let by = Hearsay { voice, mark, received: message.received };
        let (message, reading, arrival) = (&message, &reading, Some(message.received));
        let (instance, is_plain) = (&*instance, false);
        let delivery = Delivery { instance, message, reading, by, arrival, is_judged, is_plain };
        let place = self.place(name, number);
        self.deliver(&delivery, &place)?;
        self.if_strict(reading, &place)
    }

    /// Takes in an answer, at once: whatever is done to the order of messages, no answer is one.
    fn recorded_answer(
        &mut self,
        recording: &mut Recording,
        line: &AnswerLine<'_>,
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        let Some(context) = recording.contexts.get_mut(&*line.instance) else {
            let detail = "an answer that no heading introduces";
            return self.set_aside(Reason::Unreadable, name, number, detail);
        };
        let received = Timestamp(line.received_ms);
        self.listens(context, &line.instance, received);
        if context.is_later || self.at.is_some_and(|at| received > at) {
            return Ok(());
        }
        let broker = self.broker(&line.instance);
        let coverage = broker.presence.coverage_mut();
        let mark = context.mark(coverage, &line.source).filter(|_| !line.passing);
        let voice = VoiceKey { authority: ASKED, name: &line.source };
        broker.advance(received);
        // What time alone has changed comes before what is changed by this.
        self.tell()?;
        let presence = &mut self.broker(&line.instance).presence;
        presence.handle_event(&Event::Channel(line.event()), &Hearsay { voice, mark, received });
        Ok(())
    }

    /// What comes later within one epoch shows that somebody listened all the while.
    fn listens(&mut self, context: &mut Context, instance: &str, received: Timestamp) {
        if context.is_later {
            return;
        }
        let heard = self.at.map_or(received, |at| received.min(at));
        let broker = self.broker(instance);
        context.hear(broker.presence.coverage_mut(), heard);
        broker.received(heard);
        broker.hears(heard);
    }

    /// Returns the context of messages that no heading introduces: heard without loss, as the user
    /// says they are to be read.
    fn listener_of_nobody(&mut self, instance: &str) -> Result<Context, Failure> {
        let dialects = self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse)?;
        let broker = self.broker(instance);
        for dialect in dialects.iter() {
            broker.presence.coverage_mut().hear_whole(dialect.name());
        }
        Ok(Context {
            ear: String::new(),
            shared: BTreeMap::new(),
            member: String::new(),
            own: String::new(),
            dialects,
            epochs: BTreeMap::new(),
            accounts: BTreeMap::new(),
            is_hearing: false,
            is_present: true,
            is_later: false,
        })
    }
}

impl Context {
    fn key(&self, voice: &str) -> SourceKey {
        let ear = self.shared.get(voice).unwrap_or(&self.ear).clone();
        SourceKey { voice: voice.to_owned(), ear }
    }

    /// Returns the number of the epoch of which the account is told.
    fn told(&self, coverage: &Coverage, key: &SourceKey) -> Option<u64> {
        Some(coverage.source(key)?.members.get(&self.member)?.epoch)
    }

    fn is_in_the_present(&self, coverage: &Coverage) -> bool {
        self.epochs
            .iter()
            .all(|(voice, epoch)| self.told(coverage, &self.key(voice)) == Some(*epoch))
    }

    /// Takes back what messages made of an account, before the listener gives the next one.
    fn take_back(&mut self, key: &SourceKey, coverage: &mut Coverage) {
        if let Some(account) = self.accounts.remove(key) {
            let told = coverage.member_mut(key, &self.member, account.patience_ms);
            *told = account;
            self.is_hearing = false;
        }
    }

    /// Keeps the accounts as they are before messages add to them.
    fn keep_accounts(&mut self, coverage: &Coverage) {
        for (key, source) in coverage.sources() {
            let is_own = key.ear == self.ear || self.shared.values().any(|ear| *ear == key.ear);
            if let (true, Some(account)) = (is_own, source.members.get(&self.member)) {
                self.accounts.entry(key.clone()).or_insert_with(|| account.clone());
            }
        }
    }

    /// The listener was alive then, in its epoch of then.
    fn hear(&mut self, coverage: &mut Coverage, now: Timestamp) {
        if !std::mem::replace(&mut self.is_hearing, true) {
            self.keep_accounts(coverage);
        }
        if self.is_present {
            let shared = self.shared.values().collect::<BTreeSet<_>>();
            for ear in shared.into_iter().chain([&self.ear]) {
                coverage.hear(ear, &self.member, now);
            }
            return;
        }
        for (voice, epoch) in &self.epochs {
            let key = self.key(voice);
            if self.told(coverage, &key) == Some(*epoch) {
                let member = coverage.member_mut(&key, &self.member, 0);
                member.heard = member.heard.max(now);
            }
        }
    }

    /// Returns the mark that news leave which are heard here.
    fn mark(&self, coverage: &Coverage, voice: &str) -> Option<Mark> {
        let key = self.key(voice);
        let mut mark = coverage.mark(&key)?;
        if let (false, Some(epoch)) = (self.is_present, self.epochs.get(voice)) {
            // The epoch of a group is the sum of its members'; ours is the one of then.
            let told = self.told(coverage, &key).unwrap_or(0);
            mark.epoch = mark.epoch.saturating_sub(told).saturating_add(*epoch);
        }
        (mark.epoch > 0).then_some(mark)
    }
}

/// Fails if a line that could not be read is a heading all the same: what follows it would be taken
/// for the hearing of another listener, or of one that never missed anything.
pub(super) fn refuse_heading(
    line: &[u8],
    error: &serde_json::Error,
    name: &str,
    number: u64,
) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Claim {
        r#type: String,
        #[serde(default)]
        version: serde_json::Value,
    }
    match serde_json::from_slice::<Claim>(line) {
        Ok(claim) if claim.r#type == "recording" => match claim.version.as_u64() {
            Some(version) if version > u64::from(VERSION) => Err(newer(&version, name, number)),
            _ => Err(unusable(error, name, number)),
        },
        _ => Ok(()),
    }
}

fn newer(version: &dyn std::fmt::Display, name: &str, number: u64) -> Failure {
    Failure::new(format!("{name}, line {number}: a recording of version {version}"))
        .because(format!("this build reads versions up to {VERSION}"))
        .next("read it with the release that wrote it, or a newer one")
}

fn unusable(cause: &dyn std::fmt::Display, name: &str, number: u64) -> Failure {
    Failure::new(format!("{name}, line {number}: a heading that cannot be used"))
        .because(cause)
        .next("mend the heading: without it nobody can tell who heard what follows, and when")
}

/// Tells whether a message served the account of the watcher's absences, which is recorded by itself.
fn is_of_the_account(topic: &str) -> bool {
    topic == UPTIME || topic == DROPPED
}
