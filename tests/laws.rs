//! The laws of the state logic, over many seeds. A failure prints the seed and the smallest history
//! that still fails.

mod model;

use fastrand::Rng;
use model::history::{
    CLIENTS, INSTANCES, KINDS, START, Said, Story, Told, beyond_bounds, pick, shrink, within_bounds,
};
use model::{Channel, Defined, Observation};
use presence::event::{self, ChannelEvent, EventKind, Flags, Stamp, Timestamp};
use presence::state::answer::{self, ASKED, Answer};
use presence::state::coverage::Coverage;
use presence::state::fleet::{Fleet, Hearsay, Taken};
use presence::state::judge::Condition;
use presence::state::packed::{Client, VoiceKey};
use presence::state::policy::Policy;
use presence::state::verdict::{How, Status, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

const SEEDS: u64 = 1_000;

/// What is believed about each instance, with every voice heard without loss.
#[derive(Clone, Debug, Default)]
struct Believed(BTreeMap<&'static str, Fleet>);

impl Believed {
    fn of(events: &[Told], policy: &Policy) -> Self {
        let mut believed = Self::default();
        for event in events {
            believed.take(event, policy);
        }
        believed
    }

    /// Returns whether it was news.
    fn take(&mut self, told: &Told, policy: &Policy) -> bool {
        let fleet = self.0.entry(told.instance).or_default();
        fleet.coverage.hear_whole(told.voice);
        let received = Timestamp(told.received);
        let stamp = told.observation.as_ref().map(|seen| Stamp {
            time: Timestamp(seen.time),
            tie: seen.tie,
            resolution: seen.resolution,
        });
        let Said::Of { client, channel, kind } = &told.said else {
            return fleet.take_restart(stamp, received, policy);
        };
        let mut event = ChannelEvent::new(*client, channel_of(channel), *kind, stamp);
        if let Some(seen) = &told.observation {
            event.address = seen.address.as_str().into();
            event.sequence = seen.sequence.as_slice().into();
        }
        event.flags = told.flags;
        let voice = VoiceKey { authority: told.authority, name: told.voice };
        match fleet.take(&event, &Hearsay { voice, mark: None, received }, policy) {
            Taken::Joined { joined, .. } => joined.news,
            Taken::Confirmed { .. } => false,
        }
    }

    fn join(&mut self, other: &Self, policy: &Policy) {
        for (instance, fleet) in &other.0 {
            self.0.entry(instance).or_default().join(fleet, policy);
        }
    }

    fn verdict(&self, instance: &str, client: &str, now: i64, policy: &Policy) -> Verdict {
        self.0.get(instance).map_or_else(
            || Verdict::unknown(client),
            |fleet| fleet.verdict(client, Timestamp(now), policy),
        )
    }

    fn verdicts(&self, story: &Story) -> BTreeMap<(&'static str, &'static str), Verdict> {
        everyone().map(|(i, c)| ((i, c), self.verdict(i, c, story.now, &story.policy))).collect()
    }
}

fn channel_of(channel: &Channel) -> event::Channel<std::borrow::Cow<'_, str>> {
    match channel {
        Channel::Strong(name) => event::Channel::Strong(name.as_str().into()),
        Channel::Weak(name) => event::Channel::Weak(name.as_deref().map(Into::into)),
    }
}

fn everyone() -> impl Iterator<Item = (&'static str, &'static str)> {
    INSTANCES.into_iter().flat_map(|instance| CLIENTS.map(|client| (instance, client)))
}

type Check = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(left: &T, right: &T) -> Check {
    if left == right { Ok(()) } else { Err(format!("  left: {left:?}\n right: {right:?}")) }
}

/// Checks a law over many stories. The law gets a source of chance of its own, the same one for
/// every attempt to make a failing story smaller.
fn law(seeds: u64, tell: impl Fn(&mut Rng) -> Story, holds: impl Fn(&Story, &mut Rng) -> Check) {
    for seed in 0..seeds {
        let mut rng = Rng::with_seed(seed);
        let story = tell(&mut rng);
        let chance = rng.u64(..);
        let attempt = |events: &[Told]| {
            let story = Story { events: events.to_vec(), ..story.clone() };
            catch_unwind(AssertUnwindSafe(|| holds(&story, &mut Rng::with_seed(chance))))
                .unwrap_or_else(|_| Err("panicked".to_owned()))
                .err()
        };
        if attempt(&story.events).is_some() {
            let events = shrink(story.events.clone(), |events| attempt(events).is_some());
            let why = attempt(&events).unwrap_or_default();
            panic!("seed {seed}, {:?}{why}", Story { events, ..story.clone() });
        }
    }
}

/// Returns the events in any order, with any of them repeated.
fn scrambled(events: &[Told], rng: &mut Rng) -> Vec<Told> {
    let mut scrambled = events.to_vec();
    for event in events {
        if rng.u8(..3) == 0 {
            scrambled.push(event.clone());
        }
    }
    rng.shuffle(&mut scrambled);
    scrambled
}

/// Deals the events out to so many listeners, each to one at least. Who hears an event depends on the
/// event and the salt only, so that a smaller history is dealt out alike.
fn dealt<const N: usize>(events: &[Told], salt: u64) -> [Vec<Told>; N] {
    let mut hands = [const { Vec::new() }; N];
    for event in events {
        let mut hasher = DefaultHasher::new();
        (salt, format!("{event:?}")).hash(&mut hasher);
        let mut rng = Rng::with_seed(hasher.finish());
        let first = rng.usize(..N);
        for (place, hand) in hands.iter_mut().enumerate() {
            if place == first || rng.u8(..4) == 0 {
                hand.push(event.clone());
            }
        }
    }
    hands
}

#[test]
fn order_and_repetition_do_not_change_what_is_believed() {
    law(SEEDS, within_bounds, |story, rng| {
        let heard = Believed::of(&story.events, &story.policy);
        let otherwise = Believed::of(&scrambled(&story.events, rng), &story.policy);
        same(&heard.verdicts(story), &otherwise.verdicts(story))
    });
}

#[test]
fn halves_that_overlap_join_to_the_whole() {
    law(SEEDS, within_bounds, |story, rng| {
        let parts: [Vec<Told>; 3] = dealt(&story.events, rng.u64(..));
        let [a, b, c] = parts.map(|part| Believed::of(&scrambled(&part, rng), &story.policy));
        let whole = Believed::of(&story.events, &story.policy).verdicts(story);
        let joined = |first: &Believed, second: &Believed| {
            let mut all = first.clone();
            all.join(second, &story.policy);
            all
        };
        same(&joined(&joined(&a, &b), &c).verdicts(story), &whole)?;
        same(&joined(&c, &joined(&b, &a)).verdicts(story), &whole)?;
        let all = joined(&joined(&b, &c), &a);
        same(&joined(&all, &all).verdicts(story), &whole)
    });
}

#[test]
fn a_closed_strong_channel_is_never_open_again() {
    law(SEEDS, within_bounds, |story, _| {
        let mut believed = Believed::default();
        let mut closed = BTreeSet::new();
        for event in &story.events {
            believed.take(event, &story.policy);
            if let Said::Of { client, channel, kind: EventKind::Closed } = &event.said
                && channel.is_strong()
            {
                closed.insert((event.instance, *client, event.voice, channel.name()));
            }
            for (instance, client, voice, channel) in &closed {
                let fleet = &believed.0[instance];
                let place = fleet.clients.find(client).ok_or("the client is lost")?;
                let voices = fleet.clients.at(place).voices();
                let opinions = fleet.opinions(&voices, Timestamp(story.now), &story.policy);
                let judged = opinions
                    .iter()
                    .filter(|opinion| opinion.voice.key.name == *voice)
                    .flat_map(|opinion| &opinion.judgement.channels)
                    .find(|judged| judged.channel.is_strong() && judged.channel.name() == *channel)
                    .ok_or("the channel is lost")?;
                same(&judged.condition, &Condition::Ended)?;
            }
        }
        Ok(())
    });
}

#[test]
fn events_of_others_change_nothing_about_a_client() {
    law(SEEDS, within_bounds, |story, _| {
        let all = Believed::of(&story.events, &story.policy);
        for (instance, client) in everyone() {
            let own: Vec<Told> = story
                .events
                .iter()
                .filter(|event| event.instance == instance)
                .filter(|event| match event.said {
                    Said::Restarted => true,
                    Said::Of { client: named, .. } => named == client,
                })
                .cloned()
                .collect();
            let alone = Believed::of(&own, &story.policy);
            let now = story.now;
            same(
                &alone.verdict(instance, client, now, &story.policy),
                &all.verdict(instance, client, now, &story.policy),
            )?;
        }
        Ok(())
    });
}

#[test]
fn an_online_client_has_an_opening_and_no_end_that_counts() {
    law(SEEDS, within_bounds, |story, _| {
        let believed = Believed::of(&story.events, &story.policy);
        let model = modelled(&story.events, &story.policy);
        for ((instance, client), verdict) in believed.verdicts(story) {
            if verdict.status != Status::Online {
                continue;
            }
            let voice = model.clients[&(instance.to_owned(), client.to_owned())]
                .iter()
                .find(|((_, name), _)| Some(name.as_str()) == verdict.voice.as_deref())
                .map(|(_, voice)| voice)
                .ok_or("the verdict names a voice that did not speak")?;
            let is_open = voice.records.keys().any(|channel| {
                channel.name() == verdict.channel.as_deref() && voice.is_open_ended(channel)
            });
            same(&(is_open, &verdict), &(true, &verdict))?;
        }
        Ok(())
    });
}

/// Returns the moments at which a grace runs out, in order.
fn graces(story: &Story) -> BTreeSet<i64> {
    let grace = story.policy.close_grace_ms;
    story
        .events
        .iter()
        .filter(|event| matches!(event.said, Said::Of { kind: EventKind::Farewell, .. }))
        .filter_map(|event| Some(event.observation.as_ref()?.time + grace?))
        .collect()
}

fn without_next(verdict: Verdict) -> Verdict {
    Verdict { next: None, ..verdict }
}

#[test]
fn a_verdict_changes_only_when_a_grace_runs_out() {
    law(SEEDS, within_bounds, |story, _| {
        let believed = Believed::of(&story.events, &story.policy);
        let mut from = START - 1_000_000;
        for until in graces(story).into_iter().chain([START + 1_000_000_000]) {
            for (instance, client) in everyone() {
                let at = |now| without_next(believed.verdict(instance, client, now, &story.policy));
                same(&at(from), &at(until - 1))?;
            }
            from = until;
        }
        Ok(())
    });
}

/// Checks that the first change of what `essence` leaves of a verdict is announced before it happens.
fn announces(story: &Story, essence: fn(Verdict) -> Verdict) -> Check {
    let believed = Believed::of(&story.events, &story.policy);
    for (instance, client) in everyone() {
        let at = |now| believed.verdict(instance, client, now, &story.policy);
        let before = at(story.now);
        let coming = graces(story).into_iter().filter(|moment| *moment > story.now);
        let change = coming.into_iter().find(|m| essence(at(*m)) != essence(before.clone()));
        let Some(change) = change else { continue };
        if before.next.is_none_or(|next| next.0 > change) {
            return Err(format!(
                "unannounced at +{}: {before:?}, {:?}",
                change - START,
                at(change)
            ));
        }
    }
    Ok(())
}

#[test]
fn the_next_change_of_a_state_is_announced() {
    law(SEEDS, within_bounds, |story, _| {
        announces(story, |verdict| Verdict {
            next: None,
            since: None,
            anomalies: Vec::new(),
            ..verdict
        })
    });
}

#[test]
fn the_next_change_of_anything_shown_is_announced() {
    law(SEEDS, within_bounds, |story, _| announces(story, without_next));
}

#[test]
fn a_history_taken_in_twice_counts_once() {
    law(SEEDS, within_bounds, |story, _| {
        let once = Believed::of(&story.events, &story.policy);
        let mut twice = once.clone();
        for event in &story.events {
            same(&(twice.take(event, &story.policy), event), &(false, event))?;
        }
        same(&once.verdicts(story), &twice.verdicts(story))
    });
}

/// Returns what is kept about a client, whatever the order in which it is kept.
fn kept(believed: &Believed) -> Vec<String> {
    let mut kept: Vec<String> = believed
        .0
        .iter()
        .flat_map(|(instance, fleet)| {
            let restart = format!("{instance} {:?}", fleet.restart());
            fleet
                .clients
                .iter()
                .flat_map(move |client| {
                    client.voices().into_iter().flat_map(move |mut voice| {
                        let records = std::mem::take(&mut voice.records);
                        let about = format!("{instance} {} {voice:?}", client.id());
                        let lines = records.into_iter().map({
                            let key = format!("{instance} {} {:?}", client.id(), voice.key);
                            move |record| format!("{key} {record:?}")
                        });
                        std::iter::once(about).chain(lines.collect::<Vec<_>>())
                    })
                })
                .chain([restart])
        })
        .collect();
    kept.sort_unstable();
    kept
}

#[test]
fn an_event_is_news_exactly_if_it_changed_something() {
    for tell in [within_bounds, beyond_bounds] {
        law(SEEDS, tell, |story, _| {
            let mut believed = Believed::default();
            for event in &story.events {
                let before = kept(&believed);
                let news = believed.take(event, &story.policy);
                let after = kept(&believed);
                // A start of the broker without a time makes the instance known and says nothing.
                if after.len() > before.len() && event.said == Said::Restarted && !news {
                    continue;
                }
                same(&(news, event), &(before != after, event))?;
            }
            Ok(())
        });
    }
}

#[test]
fn a_message_set_aside_flags_its_client_and_changes_no_record() {
    law(SEEDS, within_bounds, |story, rng| {
        let mut believed = Believed::of(&story.events, &story.policy);
        let before = believed.verdicts(story);
        let flags = Flags::UNKNOWN_EVENT;
        for ((instance, client), verdict) in before {
            let fleet = believed.0.entry(instance).or_default();
            // Flagged by the voice that decides, or by one that said nothing else.
            let name = verdict.voice.clone().map_or_else(|| "lmq".to_owned(), String::from);
            let authority = story
                .events
                .iter()
                .find(|event| event.voice == name)
                .map_or(1, |event| event.authority);
            for _ in 0..=rng.usize(..3) {
                fleet.flag(client, VoiceKey { authority, name: &name }, flags);
            }
            let mut expected = verdict;
            if !expected.anomalies.contains(&"unknown-event") {
                expected.anomalies.push("unknown-event");
                expected.anomalies.sort_unstable();
            }
            same(&believed.verdict(instance, client, story.now, &story.policy), &expected)?;
        }
        Ok(())
    });
}

#[test]
fn no_bytes_of_a_store_make_reading_or_judging_panic() {
    let policy = Policy::DEFAULT;
    law(SEEDS, within_bounds, |story, rng| {
        let believed = Believed::of(&story.events, &story.policy);
        for client in believed.0.values().flat_map(|fleet| fleet.clients.iter()) {
            let mut body = client.body().to_vec();
            for _ in 0..rng.usize(1..4) {
                match rng.u8(..3) {
                    0 => body.truncate(rng.usize(..=body.len())),
                    1 => body.insert(rng.usize(..=body.len()), rng.u8(..)),
                    _ if body.is_empty() => {}
                    _ => {
                        let place = rng.usize(..body.len());
                        body[place] = rng.u8(..);
                    }
                }
            }
            let Some(damaged) = Client::from_body(client.id(), &body) else { continue };
            let mut fleet = Fleet::default();
            fleet.join_client(&damaged, &policy);
            fleet.join_client(client, &policy);
            fleet.join_client(&damaged, &policy);
            let _ = fleet.verdict(client.id(), Timestamp(story.now), &policy);
        }
        Ok(())
    });
}

#[test]
fn stamps_at_the_ends_of_time_are_judged_like_any_other() {
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    law(SEEDS, within_bounds, |story, rng| {
        let mut events = story.events.clone();
        for event in &mut events {
            event.received = *pick(rng, &edges);
            if let Some(seen) = &mut event.observation {
                seen.time = *pick(rng, &edges);
            }
        }
        let heard = Believed::of(&events, &story.policy);
        let otherwise = Believed::of(&scrambled(&events, rng), &story.policy);
        for now in edges {
            let story = Story { now, ..story.clone() };
            same(&heard.verdicts(&story), &otherwise.verdicts(&story))?;
        }
        Ok(())
    });
}

/// A client that reconnects for ever, told in the order of time: strong channels (or stand-ins that
/// are never used again), connects further apart than the skew, some ends lost.
fn reconnecting(rng: &mut Rng) -> Story {
    let policy = Policy { channels_max: rng.usize(2..=8), ..Policy::DEFAULT };
    let strong = rng.u8(..3) != 0;
    let mut events = Vec::new();
    let mut time = START;
    for life in 0..rng.usize(1..=40) {
        let name = format!("{:02x}", life.wrapping_mul(0x9d) & 0xff);
        let channel = if strong { Channel::Strong(name) } else { Channel::Weak(Some(name)) };
        let mut tell = |kind, time| {
            let observation = Observation {
                sequence: Vec::new(),
                time,
                tie: 0,
                address: String::new(),
                resolution: 0,
            };
            events.push(Told {
                instance: INSTANCES[0],
                authority: 1,
                voice: "lmq",
                said: Said::Of { client: CLIENTS[0], channel: channel.clone(), kind },
                observation: Some(observation),
                flags: Flags::NONE,
                received: i64::MAX,
            });
        };
        tell(EventKind::Opened, time);
        let lasts = rng.i64(1..400_000);
        if rng.u8(..4) == 0 {
            tell(EventKind::Farewell, time + lasts);
        }
        if rng.u8(..5) != 0 {
            // The end of a channel that was taken over comes after the next connect.
            tell(EventKind::Closed, time + lasts);
        }
        time += rng.i64(1_001..300_000);
    }
    Story { policy, now: time + rng.i64(0..120_000), events }
}

/// Returns the events as they arrive if each is up to ten minutes late.
fn late(events: &[Told], rng: &mut Rng) -> Vec<Told> {
    let mut arriving: Vec<(i64, Told)> = events
        .iter()
        .map(|event| {
            let time = event.observation.as_ref().map_or(START, |seen| seen.time);
            (time + rng.i64(0..=600_000), event.clone())
        })
        .collect();
    arriving.sort_by_key(|(arrival, _)| *arrival);
    arriving.into_iter().map(|(_, event)| event).collect()
}

/// Tells whether an end comes before its own opening with as many other such ends between them as are
/// kept: what the bound on memory is stated to cost.
fn is_too_much_disorder(events: &[Told], channels_max: usize) -> bool {
    let mut opened = BTreeSet::new();
    let mut early_ends: Vec<&Channel> = Vec::new();
    for event in events {
        let Said::Of { channel, kind, .. } = &event.said else { continue };
        if *kind == EventKind::Opened {
            if let Some(place) = early_ends.iter().position(|early| *early == channel)
                && early_ends.len() - place > channels_max
            {
                return true;
            }
            opened.insert(channel);
        } else if !opened.contains(channel) && !early_ends.contains(&channel) {
            early_ends.push(channel);
        }
    }
    false
}

/// Returns state, online and channel: what stays free of order beyond the bound.
fn gist(believed: &Believed, story: &Story) -> (Status, Option<bool>, Option<String>) {
    let verdict = believed.verdict(INSTANCES[0], CLIENTS[0], story.now, &story.policy);
    (verdict.status, verdict.status.online(), verdict.channel.map(String::from))
}

#[test]
fn beyond_the_bound_late_events_and_repetition_do_not_change_who_is_online() {
    law(SEEDS, reconnecting, |story, rng| {
        let policy = &story.policy;
        let in_order = gist(&Believed::of(&story.events, policy), story);
        let mut arriving = late(&story.events, rng);
        if is_too_much_disorder(&arriving, policy.channels_max) {
            return Ok(());
        }
        same(&gist(&Believed::of(&arriving, policy), story), &in_order)?;
        let again = late(&story.events, rng);
        if !is_too_much_disorder(&again, policy.channels_max) {
            arriving.extend(again);
        }
        same(&gist(&Believed::of(&arriving, policy), story), &in_order)
    });
}

#[test]
fn beyond_the_bound_two_watchers_join_to_what_one_would_believe() {
    law(SEEDS, reconnecting, |story, rng| {
        let policy = &story.policy;
        let in_order = gist(&Believed::of(&story.events, policy), story);
        let arriving = late(&story.events, rng);
        if is_too_much_disorder(&arriving, policy.channels_max) {
            return Ok(());
        }
        let [one, other] = dealt(&arriving, rng.u64(..)).map(|half| Believed::of(&half, policy));
        let mut joined = one.clone();
        joined.join(&other, policy);
        same(&gist(&joined, story), &in_order)?;
        let mut joined = other;
        joined.join(&one, policy);
        same(&gist(&joined, story), &in_order)
    });
}

#[test]
fn ten_thousand_channels_take_no_more_memory_than_those_that_are_kept() {
    for channels_max in [1, 8] {
        let policy = Policy { channels_max, ..Policy::DEFAULT };
        // Name, two observations a slot, each with an address, and what stands around them.
        let record_max = 40 + KINDS.len() * 2 * (16 + 32);
        let bytes_max = 64 + (2 * channels_max + 1) * record_max;
        let mut fleet = Fleet::default();
        for seed in 0..10_000 {
            let mut rng = Rng::with_seed(seed);
            let name = format!("{:016x}{:016x}", rng.u64(..), rng.u64(..));
            let channel = Channel::Strong(name);
            let start = START + i64::try_from(seed).expect("a small number") * 2_000;
            for kind in KINDS {
                // An opening that is missing leaves the channel in the list of those without one.
                if rng.u8(..4) == 0 {
                    continue;
                }
                for _ in 0..2 {
                    let stamp = Stamp {
                        time: Timestamp(start + rng.i64(0..1_000)),
                        tie: rng.u64(1..1 << 14),
                        resolution: 0,
                    };
                    let mut event =
                        ChannelEvent::new("pump-1", channel_of(&channel), kind, Some(stamp));
                    event.address = format!("192.0.2.{}:{}", rng.u8(..), rng.u16(..)).into();
                    let voice = VoiceKey { authority: 1, name: "lmq" };
                    let by = Hearsay { voice, mark: None, received: Timestamp(i64::MAX) };
                    let place = fleet.take(&event, &by, &policy).place();
                    let bytes = fleet.clients.at(place).heap_bytes();
                    assert!(bytes <= bytes_max, "seed {seed}: {bytes} bytes of {bytes_max}");
                }
            }
        }
        let voices = fleet.clients.at(0).voices();
        let records = &voices[0].records;
        for with_opening in [true, false] {
            let count = records.iter().filter(|r| r.opening().is_there() == with_opening).count();
            assert_eq!(count, channels_max, "with an opening: {with_opening}");
        }
    }
}

#[test]
fn only_clients_that_are_gone_for_long_are_dropped_whole() {
    law(SEEDS, within_bounds, |story, rng| {
        let before = Timestamp(story.now - rng.i64(-60_000..120_000));
        let mut believed = Believed::of(&story.events, &story.policy);
        let all = believed.verdicts(story);
        for fleet in believed.0.values_mut() {
            for id in fleet.idle_clients(before, Timestamp(story.now), &story.policy) {
                let place = fleet.clients.find(&id).expect("it was just named");
                fleet.clients.remove(place);
            }
        }
        for (who, left) in believed.verdicts(story) {
            let verdict = &all[&who];
            let fleet = believed.0.get(who.0);
            let is_kept = fleet.is_some_and(|fleet| fleet.clients.find(who.1).is_some());
            let must_stay = verdict.status.online() == Some(true)
                || verdict.last_heard.as_ref().is_some_and(|(heard, _)| *heard >= before);
            same(&(must_stay && !is_kept, verdict), &(false, verdict))?;
            let expected = if is_kept { verdict.clone() } else { Verdict::unknown(who.1) };
            same(&left, &expected)?;
        }
        Ok(())
    });
}

#[test]
fn a_weaker_voice_changes_nothing_that_a_better_one_knows() {
    law(SEEDS, within_bounds, |story, rng| {
        let best = story.events.iter().map(|event| event.authority).min().unwrap_or(4);
        let (better, weaker): (Vec<Told>, Vec<Told>) = story
            .events
            .iter()
            .cloned()
            .partition(|event| event.authority == best || event.said == Said::Restarted);
        let alone = Believed::of(&better, &story.policy);
        let mut both = better;
        both.extend(weaker);
        let both = Believed::of(&scrambled(&both, rng), &story.policy);
        for (who, verdict) in alone.verdicts(story) {
            if verdict.voice.is_none() {
                continue;
            }
            let told_by_both = both.verdicts(story).remove(&who).ok_or("the client is lost")?;
            // What another voice last heard is shown, and a grace of its own may run out.
            let essence = |verdict: Verdict| Verdict { last_heard: None, next: None, ..verdict };
            same(&essence(verdict), &essence(told_by_both))?;
        }
        Ok(())
    });
}

/// Compares with the reference model what the specification defines.
fn agrees(believed: &Believed, model: &model::State, story: &Story) -> Check {
    for ((instance, client), found) in believed.verdicts(story) {
        let key = (instance.to_owned(), client.to_owned());
        compare(&found, &model.verdict(&key, story.now, &story.policy))?;
    }
    Ok(())
}

fn compare(found: &Verdict, expected: &model::Verdict) -> Check {
    let essence = (
        found.status.word(),
        found.channel.as_deref(),
        found.anomalies.iter().copied().collect::<BTreeSet<_>>(),
    );
    let wanted = (expected.state, expected.channel.as_deref(), expected.anomalies.clone());
    same(&(&essence, &found), &(&wanted, &found))?;
    if let Defined::As(since) = expected.since {
        same(&(found.since.map(|since| since.0), found), &(since, found))?;
        // An answer that decides is nobody's voice.
        same(&(found.voice.as_deref(), found), &(expected.voice.as_deref(), found))?;
    }
    if let Defined::As(how) = expected.how {
        same(&(found.how.map(How::word), found), &(how, found))?;
    }
    Ok(())
}

fn modelled(events: &[Told], policy: &Policy) -> model::State {
    let mut model = model::State::default();
    for event in events {
        model.take(event, policy);
    }
    model
}

/// Returns the same state, put into the bytes of a store and read back.
fn stored(believed: &Believed, policy: &Policy) -> Result<Believed, String> {
    let mut back = Believed::default();
    for (instance, fleet) in &believed.0 {
        let again = back.0.entry(instance).or_default();
        for client in fleet.clients.iter() {
            let read = Client::from_body(client.id(), client.body())
                .ok_or_else(|| format!("not readable: {client:?}"))?;
            same(&read.voices(), &client.voices())?;
            again.join_client(&read, policy);
        }
        if let Some(restart) = fleet.restart() {
            again.join_restart(restart);
        }
        again.coverage.join(&fleet.coverage);
    }
    Ok(back)
}

#[test]
fn the_reference_model_comes_to_the_same_verdicts() {
    law(5_000, within_bounds, |story, rng| {
        let policy = &story.policy;
        let believed = Believed::of(&story.events, policy);
        let model = modelled(&story.events, policy);
        agrees(&believed, &model, story)?;
        agrees(&stored(&believed, policy)?, &model, story)?;

        let [one, other] = dealt(&story.events, rng.u64(..));
        let mut joined = stored(&Believed::of(&one, policy), policy)?;
        joined.join(&stored(&Believed::of(&other, policy), policy)?, policy);
        agrees(&joined, &model, story)
    });
}

#[test]
fn the_reference_model_forgets_the_same_channels() {
    law(5_000, beyond_bounds, |story, _| {
        let believed = Believed::of(&story.events, &story.policy);
        agrees(&believed, &modelled(&story.events, &story.policy), story)?;
        agrees(&stored(&believed, &story.policy)?, &modelled(&story.events, &story.policy), story)
    });
}

#[test]
fn a_join_forgets_the_same_channels_as_the_reference_model() {
    law(5_000, beyond_bounds, |story, rng| {
        let policy = &story.policy;
        let [one, other] = dealt(&story.events, rng.u64(..));
        let mut believed = Believed::of(&one, policy);
        believed.join(&Believed::of(&other, policy), policy);
        let mut model = modelled(&one, policy);
        model.join(&modelled(&other, policy), policy);
        agrees(&believed, &model, story)
    });
}

/// The smallest case of the law above: the end of `x` came early and is remembered here, the opening
/// of `x` is remembered there, and the end of `y` between them must not push the early end out.
#[test]
fn an_early_end_meets_its_opening_in_a_join_whatever_else_is_joined() {
    let policy = Policy { channels_max: 1, ..Policy::DEFAULT };
    let heard = |events: &[(&str, EventKind, i64)]| {
        let mut fleet = Fleet::default();
        fleet.coverage.hear_whole("lmq");
        for (name, kind, time) in events {
            let time = Timestamp(START + time);
            let stamp = Stamp { time, tie: 0, resolution: 0 };
            let channel = event::Channel::Strong((*name).into());
            let event = ChannelEvent::new("pump-1", channel, *kind, Some(stamp));
            let voice = VoiceKey { authority: 1, name: "lmq" };
            fleet.take(&event, &Hearsay { voice, mark: None, received: time }, &policy);
        }
        fleet
    };
    let here = heard(&[("x", EventKind::Closed, 5)]);
    let there = heard(&[("y", EventKind::Closed, 7), ("x", EventKind::Opened, 1)]);
    for (one, other) in [(&there, &here), (&here, &there)] {
        let mut joined = one.clone();
        joined.join(other, &policy);
        let verdict = joined.verdict("pump-1", Timestamp(START + 10), &policy);
        assert_eq!((verdict.status, verdict.channel.as_deref()), (Status::Offline, Some("x")));
    }
}

/// Returns answers that random sources gave about a client so long ago, or, while that is no longer ago
/// than the first of these ages, just where the tolerance begins or ends around an event.
fn random_answers(rng: &mut Rng, story: &Story, ages: &[i64]) -> Vec<model::Answer> {
    let tolerance = story.policy.judge_skew_ms;
    let edges: Vec<i64> = story
        .events
        .iter()
        .filter_map(|event| Some(event.observation.as_ref()?.time))
        .flat_map(|time| [-tolerance, tolerance].map(|edge| time + edge))
        .flat_map(|edge| [edge - 1, edge, edge + 1])
        .filter(|at| story.now - at <= ages[0])
        .collect();
    (0..rng.usize(..4))
        .map(|_| model::Answer {
            source: (*pick(rng, &["api", "management"])).to_owned(),
            online: rng.bool(),
            at: if rng.bool() && !edges.is_empty() {
                *pick(rng, &edges)
            } else {
                story.now - pick(rng, ages)
            },
            cached: rng.u8(..4) == 0,
        })
        .collect()
}

fn take_answers(fleet: &mut Fleet, client: &str, answers: &[model::Answer]) {
    for answer in answers {
        let model::Answer { source, online, at, cached } = answer.clone();
        let answer = Answer { source, online, at: Timestamp(at), cached, stands: false };
        fleet.take_answer(client, answer);
    }
}

#[test]
fn the_reference_model_weighs_answers_the_same_way() {
    let ages = [9_999, 0, 1, 999, 1_000, 1_001, 5_000, 5_001];
    law(5_000, within_bounds, |story, rng| {
        let policy = &story.policy;
        let mut believed = Believed::of(&story.events, policy);
        let model = modelled(&story.events, policy);
        for (instance, client) in everyone() {
            let answers = random_answers(rng, story, &ages);
            take_answers(believed.0.entry(instance).or_default(), client, &answers);
            let found = believed.verdict(instance, client, story.now, policy);
            let key = (instance.to_owned(), client.to_owned());
            let expected = model.verdict_with(&key, &answers, story.now, policy);
            compare(&found, &expected).map_err(|why| format!("{why}\nanswers: {answers:#?}"))?;
        }
        Ok(())
    });
}

#[test]
fn kept_answers_weigh_like_those_of_this_run_in_any_order_and_repeated() {
    let ages = [9_999, 0, 1, 999, 1_000, 1_001, 5_000, 5_001];
    law(5_000, within_bounds, |story, rng| {
        let policy = &story.policy;
        let mut given = Believed::of(&story.events, policy);
        let mut kept = Believed::of(&story.events, policy);
        for (instance, client) in everyone() {
            let (given, kept) =
                (given.0.entry(instance).or_default(), kept.0.entry(instance).or_default());
            let mut answers = random_answers(rng, story, &ages);
            // A start of the broker takes back what was answered before, which only what is kept can be.
            let started = given.restart().map(|start| start.time.0);
            answers.retain(|answer| !answer.cached && started.is_none_or(|at| at <= answer.at));
            // Nobody is asked in the future.
            answers.retain(|answer| answer.at <= story.now);
            take_answers(given, client, &answers);
            answers.extend_from_within(..);
            rng.shuffle(&mut answers);
            for answer in &answers {
                let stamp = Stamp { time: Timestamp(answer.at), tie: 0, resolution: 0 };
                let voice = VoiceKey { authority: ASKED, name: &answer.source };
                let by = Hearsay { voice, mark: None, received: Timestamp(story.now) };
                kept.take(&answer::kept(client, answer.online, stamp), &by, policy);
            }
            let now = Timestamp(story.now);
            same(&kept.verdict(client, now, policy), &given.verdict(client, now, policy))
                .map_err(|why| format!("{why}\nanswers: {answers:#?}"))?;
        }
        Ok(())
    });
}

#[test]
fn no_verdict_contradicts_itself() {
    let ages = [60_000, 0, 1_000, 9_999, 10_001];
    law(SEEDS, within_bounds, |story, rng| {
        let mut believed = Believed::of(&story.events, &story.policy);
        for (instance, client) in everyone() {
            let answers = random_answers(rng, story, &ages);
            let fleet = believed.0.entry(instance).or_default();
            if rng.bool() {
                // Nobody listened: what was heard is what was last known.
                fleet.coverage = Coverage::default();
            }
            take_answers(fleet, client, &answers);
            let verdict = believed.verdict(instance, client, story.now, &story.policy);
            is_consistent(&verdict).map_err(|why| {
                format!("{why}\n{verdict:#?}\nnow: {}\nanswers: {answers:#?}", story.now)
            })?;
        }
        Ok(())
    });
}

fn is_consistent(verdict: &Verdict) -> Check {
    let live = verdict.status.online() == Some(true);
    let blind = verdict.status == Status::Unknown;
    for (holds, claim) in [
        (!(live && verdict.how.is_some()), "what lives has not ended"),
        (!(verdict.inferred && verdict.how.is_none()), "only an end can be inferred"),
        (!(blind && verdict.channel.is_some()), "unknown names no channel"),
        (!(blind && verdict.since.is_some()), "unknown is not dated"),
        (!(blind && verdict.how.is_some()), "unknown has not ended"),
        (blind != verdict.covered, "unknown is what is not covered"),
        (!(verdict.covered && verdict.last_known.is_some()), "what is known is not last known"),
        (verdict.anomalies.is_sorted_by(|a, b| a < b), "anomalies are sorted, each once"),
    ] {
        if !holds {
            return Err(claim.to_owned());
        }
    }
    Ok(())
}
