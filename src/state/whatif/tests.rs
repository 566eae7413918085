//! Laws of the comparison, over random histories.

use super::{Compared, Reason, Rule, Standing};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use crate::state::fleet::{Fleet, Hearsay};
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use fastrand::Rng;

const VOICE: VoiceKey<'static> = VoiceKey { authority: 1, name: "lmq" };
const RULES: [Rule; 6] = [
    Rule::LastEvent,
    Rule::LatestStamp,
    Rule::VendorSample,
    Rule::AnyOpen,
    Rule::Counter,
    Rule::Debounce(5_000),
];
const END: Timestamp = Timestamp(2_000_000);

/// An event, and when it arrived.
type Told = (Event<'static>, Timestamp);

fn event(client: &str, kind: EventKind, channel: &str, at: i64) -> Event<'static> {
    let stamp = Stamp { time: Timestamp(at), tie: 0, resolution: 0 };
    let channel = Channel::Strong(channel.to_owned().into());
    Event::Channel(ChannelEvent::new(client.to_owned(), channel, kind, Some(stamp)))
}

/// Connections of a few clients with ends of all kinds, each event stamped when it happened.
fn history(rng: &mut Rng) -> Vec<Event<'static>> {
    let mut events: Vec<(i64, Event<'static>)> = Vec::new();
    for client in ["a", "b", "c"] {
        let mut at = 1_000_000 + rng.i64(0..10_000);
        for number in 0..rng.usize(1..50) {
            let channel = format!("{client}{number}");
            let mut tell = |kind, at| events.push((at, event(client, kind, &channel, at)));
            tell(EventKind::Opened, at);
            let lasts = rng.i64(1..20_000);
            if rng.bool() {
                tell(EventKind::Farewell, at + lasts);
            }
            if rng.i64(0..5) > 0 {
                tell(EventKind::Closed, at + lasts + rng.i64(0..3_000));
            }
            at += rng.i64(1..25_000);
        }
    }
    if rng.bool() {
        let at = 1_000_000 + rng.i64(0..300_000);
        let stamp = Stamp { time: Timestamp(at), tie: 0, resolution: 0 };
        events.push((at, Event::Restarted(Some(stamp))));
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

fn stamp(event: &Event<'_>) -> Timestamp {
    match event {
        Event::Channel(event) => event.stamp,
        Event::Restarted(stamp) => *stamp,
    }
    .map_or(END, |stamp| stamp.time)
}

/// Hands events on as they arrive, to us and to the rules.
fn compare(told: &[Told], rules: &[Rule], bounds: (Timestamp, Timestamp)) -> Vec<Standing> {
    let policy = Policy::default();
    let mut presence = Presence::new(Fleet::default(), policy);
    presence.coverage_mut().hear_whole(VOICE.name);
    presence.follow_files(Timestamp::MIN);
    let mut compared = Compared::new(rules, policy, bounds);
    let tell = |presence: &mut Presence, compared: &mut Compared| {
        while let Some(change) = presence.poll_change() {
            compared.change(&change, presence.now());
        }
    };
    for (event, now) in told {
        presence.handle_timeout(*now);
        tell(&mut presence, &mut compared);
        let by = Hearsay { voice: VOICE, mark: None, received: *now };
        let is_news = presence.handle_event(event, &by);
        compared.hear(event, VOICE, *now, is_news);
        tell(&mut presence, &mut compared);
    }
    presence.handle_timeout(END);
    tell(&mut presence, &mut compared);
    compared.finish(END, bounds, |_| true).0
}

const ALWAYS: (Timestamp, Timestamp) = (Timestamp::MIN, Timestamp::MAX);

#[test]
fn where_everything_arrives_at_once_hindsight_knows_no_more() {
    for seed in 0..30 {
        let told: Vec<Told> = history(&mut Rng::with_seed(seed))
            .into_iter()
            .map(|event| (event.clone(), stamp(&event)))
            .collect();
        for standing in compare(&told, &RULES, ALWAYS) {
            let score = &standing.all;
            assert_eq!(score.then, score.hindsight, "seed {seed}: {:?}", standing.rule);
            if standing.rule.is_none() {
                assert_eq!(score.then.wrong_ms(), 0, "seed {seed}");
            }
        }
    }
}

#[test]
fn right_wrong_and_undecided_are_the_whole_time() {
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let mut told: Vec<Told> = Vec::new();
        for event in history(&mut rng) {
            let late = if rng.i64(0..4) == 0 { rng.i64(0..40_000) } else { 0 };
            told.push((event.clone(), stamp(&event).plus(late)));
        }
        told.sort_by_key(|(_, arrival)| *arrival);
        let bounds = (Timestamp(1_000_000), Timestamp(1_000_000 + rng.i64(1..900_000)));
        let standings = compare(&told, &RULES, bounds);
        let span = |sums: &super::Sums| sums.wrong_ms() + sums.right_ms + sums.undecided_ms;
        let whole = span(&standings[0].all.then);
        let in_hindsight = span(&standings[0].all.hindsight);
        for standing in &standings {
            assert_eq!(span(&standing.all.then), whole, "seed {seed}: {:?}", standing.rule);
            assert_eq!(span(&standing.all.hindsight), in_hindsight, "seed {seed}");
        }
        assert!(whole <= 3 * bounds.1.since(bounds.0), "seed {seed}");
    }
}

#[test]
fn who_waits_for_nothing_believes_what_we_do() {
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let mut told: Vec<Told> = Vec::new();
        for event in history(&mut rng) {
            told.push((event.clone(), stamp(&event).plus(rng.i64(0..5_000))));
        }
        told.sort_by_key(|(_, arrival)| *arrival);
        let standings = compare(&told, &[Rule::Debounce(0)], ALWAYS);
        let waiting = &standings[1];
        assert_eq!(waiting.all.then.wrong_ms(), 0, "seed {seed}");
        assert_eq!(
            (waiting.all.wrong_at_end, waiting.clients.len()),
            (0, standings[0].clients.len())
        );
        assert_eq!(waiting.all.hindsight, standings[0].all.hindsight, "seed {seed}");
    }
}

/// What an event says, of which connection, when, and when that arrived.
type Line<'a> = (EventKind, &'a str, i64, i64);

fn told(told: &[Line<'_>]) -> Vec<Told> {
    let one = |(kind, channel, at, arrival): &Line<'_>| {
        (event("x", *kind, channel, *at), Timestamp(*arrival))
    };
    told.iter().map(one).collect()
}

#[test]
fn a_rule_is_wrong_for_as_long_as_it_believes_the_opposite() {
    let take_over = told(&[
        (EventKind::Opened, "a", 1_000_000, 1_000_000),
        (EventKind::Opened, "b", 1_010_000, 1_010_000),
        (EventKind::Closed, "a", 1_010_100, 1_010_200),
        (EventKind::Closed, "b", 1_070_200, 1_070_200),
    ]);
    let standings = compare(&take_over, &[Rule::LastEvent], ALWAYS);
    let naive = &standings[1];
    assert_eq!((naive.all.then.false_offline_ms, naive.all.then.false_online_ms), (60_000, 0));
    assert_eq!((naive.all.wrong_at_end, naive.all.ever_wrong, naive.all.flips), (0, 1, 1));
    let [(id, _, Some(example))] = &naive.clients[..] else { panic!("one client is concerned") };
    assert_eq!((&**id, example.reason), ("x", Reason::ForeignEnd));
    assert_eq!((example.channel.as_deref(), example.other.as_deref()), (Some("a"), Some("b")));
    assert_eq!((example.from, example.length_ms()), (Timestamp(1_010_200), 60_000));
}

#[test]
fn hindsight_dates_what_arrived_late() {
    // The end is told 100 s late: until then everybody, we too, takes the client for online.
    let late = told(&[
        (EventKind::Opened, "a", 1_000_000, 1_000_000),
        (EventKind::Closed, "a", 1_100_000, 1_200_000),
    ]);
    let standings = compare(&late, &[Rule::LastEvent], ALWAYS);
    for standing in &standings {
        assert_eq!(standing.all.then.wrong_ms(), 0, "{:?}", standing.rule);
        assert_eq!(standing.all.hindsight.false_online_ms, 100_000, "{:?}", standing.rule);
    }
}

#[test]
fn each_way_of_being_fooled_has_a_name() {
    use EventKind::{Closed, Farewell, Opened};
    let (at, later) = (1_000_000, 1_010_000);
    let cases: [(Rule, &[Line<'_>], Reason); 7] = [
        (
            Rule::LastEvent,
            &[(Opened, "a", at, at), (Closed, "a", later, later), (Opened, "a", at, later + 5)],
            Reason::RepeatedConnect,
        ),
        (
            Rule::LastEvent,
            &[(Closed, "a", later, later), (Opened, "a", at, later + 5)],
            Reason::LateConnect,
        ),
        (Rule::LastEvent, &[(Opened, "a", at, at), (Farewell, "a", later, later)], Reason::Goodbye),
        (
            Rule::VendorSample,
            &[(Opened, "a", at, at), (Farewell, "a", later, later)],
            Reason::EndlessGoodbye,
        ),
        (
            Rule::AnyOpen,
            &[
                (Opened, "a", at, at),
                (Opened, "b", later, later),
                (Closed, "b", later + 9, later + 9),
            ],
            Reason::Ghost,
        ),
        (
            Rule::Counter,
            &[(Closed, "z", at, at), (Opened, "a", later, later)],
            Reason::MissedConnect,
        ),
        (
            Rule::Debounce(60_000),
            &[(Opened, "a", at, at), (Closed, "a", later, later)],
            Reason::Waiting,
        ),
    ];
    for (rule, events, expected) in cases {
        let standings = compare(&told(events), &[rule], ALWAYS);
        let fooled: Vec<Reason> = standings[1].all.fooled.keys().copied().collect();
        // A rule that waits has heard nothing that lasted before, so nobody can be wrong.
        let expected = if rule == Rule::Debounce(60_000) { vec![] } else { vec![expected] };
        assert_eq!(fooled, expected, "{rule} of {events:?}");
    }
}

#[test]
fn what_is_kept_for_hindsight_is_bounded() {
    // All stamped alike, and far ahead of their arrival.
    let mut compared = Compared::new(&[Rule::LastEvent], Policy::default(), ALWAYS);
    for number in 0..10_000 {
        let event = event("x", EventKind::Opened, "a", 1_000_000);
        compared.hear(&event, VOICE, Timestamp(900_000 + number), false);
    }
    assert!(compared.kept("x") <= 64, "{}", compared.kept("x"));
}
