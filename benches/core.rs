//! How long taking an event in and judging a client take, through the same doors as every command.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::state::coverage::{SourceKey, ear_number};
use presence::state::diagnosis::Diagnosis;
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::presence::{Cause, Change};
use presence::state::record::Mark;
use presence::state::verdict::{Status, Verdict};

const START: i64 = 1_760_000_000_000;
const POLICY: Policy = Policy::DEFAULT;
/// As many clients as make a fleet larger than the caches.
const CLIENTS: usize = 100_000;

fn main() {
    divan::main();
}

/// Who hears: one watcher in its first epoch.
fn hearsay() -> Hearsay<'static> {
    Hearsay {
        voice: VoiceKey { authority: 1, name: "lmq" },
        mark: Some(Mark { ear: ear_number("presence-0123456789abcdef"), epoch: 1 }),
        received: Timestamp(START + 1_000_000_000),
    }
}

fn client_id(client: usize) -> String {
    format!("GID_demo@@@dev-{client:07}")
}

/// A channel id of 32 hex digits, as the broker makes them.
fn channel_id(client: usize, life: usize) -> String {
    let mut rng = fastrand::Rng::with_seed((client * 1_000 + life) as u64);
    format!("{:016x}{:016x}", rng.u64(..), rng.u64(..))
}

fn event(client: usize, life: usize, kind: EventKind) -> ChannelEvent<'static> {
    let lasts = if kind == EventKind::Opened { 0 } else { 50_000 };
    let time = START + i64::try_from(life).expect("a small number") * 60_000 + lasts;
    let stamp = Stamp { time: Timestamp(time), tie: 0, resolution: 0 };
    let channel = Channel::Strong(channel_id(client, life).into());
    let mut event = ChannelEvent::new(client_id(client), channel, kind, Some(stamp));
    event.address = format!("192.0.2.{}:{}", client % 256, 1_024 + client % 60_000).into();
    event
}

/// Returns a fleet whose clients have so many channels, all closed but the last.
fn fleet(clients: usize, channels: usize) -> Fleet {
    let mut fleet = Fleet::default();
    let by = hearsay();
    for client in 0..clients {
        for life in 0..channels {
            fleet.take(&event(client, life, EventKind::Opened), &by, &POLICY);
            if life + 1 < channels {
                fleet.take(&event(client, life, EventKind::Closed), &by, &POLICY);
            }
        }
    }
    let key = SourceKey { voice: "lmq".to_owned(), ear: "presence-0123456789abcdef".to_owned() };
    let me = "presence-0123456789abcdef";
    fleet.coverage.member_mut(&key, me, 12_000).begin_epoch(Timestamp(START));
    fleet
}

mod take {
    use super::{
        Bencher, CLIENTS, EventKind, Fleet, ItemsCount, POLICY, black_box, event, fleet, hearsay,
    };

    /// Takes these events into a copy of the fleet, all in one go; counts them one by one.
    fn take_all(
        bencher: Bencher,
        fleet: &Fleet,
        events: &[presence::event::ChannelEvent<'static>],
    ) {
        let by = hearsay();
        bencher
            .counter(ItemsCount::new(events.len()))
            .with_inputs(|| fleet.clone())
            .bench_local_refs(|fleet| {
                for event in events {
                    black_box(fleet.take(black_box(event), &by, &POLICY));
                }
            });
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn opening_of_a_new_client(bencher: Bencher) {
        let events: Vec<_> = (0..CLIENTS).map(|c| event(c, 0, EventKind::Opened)).collect();
        take_all(bencher, &Fleet::default(), &events);
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn end_of_a_known_client(bencher: Bencher) {
        let events: Vec<_> = (0..CLIENTS).map(|c| event(c, 0, EventKind::Closed)).collect();
        take_all(bencher, &fleet(CLIENTS, 1), &events);
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn reconnect_of_a_known_client(bencher: Bencher) {
        let events: Vec<_> = (0..CLIENTS).map(|c| event(c, 1, EventKind::Opened)).collect();
        take_all(bencher, &fleet(CLIENTS, 1), &events);
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn redelivery(bencher: Bencher) {
        let events: Vec<_> = (0..CLIENTS).map(|c| event(c, 0, EventKind::Opened)).collect();
        take_all(bencher, &fleet(CLIENTS, 1), &events);
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn reconnect_of_a_client_with_all_its_channels(bencher: Bencher) {
        let clients = CLIENTS / 10;
        let events: Vec<_> = (0..clients).map(|c| event(c, 8, EventKind::Opened)).collect();
        take_all(bencher, &fleet(clients, POLICY.channels_max), &events);
    }

    /// What a broker's queue holds on an ordinary day: clients come and go, a tenth of the notices
    /// comes twice, neighbours change places. `items/s` is events a second.
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn hundred_thousand_mixed_events_of_ten_thousand_clients(bencher: Bencher) {
        const EVENTS: usize = 100_000;
        let mut rng = fastrand::Rng::with_seed(7);
        let mut lives = vec![(0, false); 10_000];
        let mut events = Vec::with_capacity(EVENTS);
        while events.len() < EVENTS {
            let client = rng.usize(..lives.len());
            let (life, is_open) = &mut lives[client];
            if *is_open {
                if rng.u8(..3) == 0 {
                    events.push(event(client, *life, EventKind::Farewell));
                }
                events.push(event(client, *life, EventKind::Closed));
                *life += 1;
            } else {
                events.push(event(client, *life, EventKind::Opened));
            }
            *is_open = !*is_open;
            if rng.u8(..10) == 0 {
                let earlier = events.len() - 1 - rng.usize(..events.len().min(1_000));
                events.push(events[earlier].clone());
            }
            let last = events.len() - 1;
            let neighbour = last - rng.usize(..=last.min(20));
            events.swap(last, neighbour);
        }
        events.truncate(EVENTS);
        take_all(bencher, &Fleet::default(), &events);
    }
}

mod verdict {
    use super::{
        Bencher, CLIENTS, Fleet, ItemsCount, POLICY, START, Timestamp, black_box, client_id, fleet,
    };

    fn judge_all(bencher: Bencher, fleet: &Fleet) {
        let ids: Vec<String> = (0..fleet.clients.len()).map(client_id).collect();
        let now = Timestamp(START + 1_000);
        bencher.counter(ItemsCount::new(ids.len())).bench_local(|| {
            for id in &ids {
                black_box(fleet.verdict(black_box(id), now, &POLICY));
            }
        });
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn of_a_client_with_one_channel(bencher: Bencher) {
        judge_all(bencher, &fleet(CLIENTS, 1));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn of_a_client_with_eight_channels(bencher: Bencher) {
        judge_all(bencher, &fleet(CLIENTS / 10, 8));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn of_a_client_nobody_heard_of(bencher: Bencher) {
        let fleet = fleet(CLIENTS, 1);
        let ids: Vec<String> = (CLIENTS..2 * CLIENTS).map(client_id).collect();
        bencher.counter(ItemsCount::new(ids.len())).bench_local(|| {
            for id in &ids {
                black_box(fleet.verdict(black_box(id), Timestamp(START), &POLICY));
            }
        });
    }
}

/// Changes of a restless fleet, 20,000 a second by their stamps, through the diagnosis.
#[divan::bench]
fn diagnosing_1000_changes(bencher: Bencher<'_, '_>) {
    let changes: Vec<Change> = (0..200_000_i64).map(change_of_mind).collect();
    let mut diagnosis = Diagnosis::new(1, &POLICY);
    let mut batches = changes.chunks(1_000).cycle();
    bencher.counter(ItemsCount::new(1_000_usize)).bench_local(|| {
        let batch = batches.next().expect("it begins anew");
        let now = batch[999].at;
        diagnosis.observe(0, batch, now);
        diagnosis.handle_timeout(now);
        while let Some(finding) = diagnosis.poll_finding() {
            black_box(finding);
        }
    });
}

/// Some client comes or goes.
fn change_of_mind(number: i64) -> Change {
    let comes = number % 2 == 0;
    let client = number / 2 * 7_919 % 100_000;
    let (from, status, cause) = if comes {
        (Status::Offline, Status::Online, Cause::Connect)
    } else {
        (Status::Online, Status::Offline, Cause::Tcpclean)
    };
    let verdict = Verdict {
        status,
        voice: Some("lmq".into()),
        address: Some(format!("10.{}.{}.7:4001", client % 200, client % 250).into()),
        ..Verdict::unknown(format!("GID_demo@@@dev-{client:07}"))
    };
    Change { at: Timestamp(START + number / 20), from, cause, verdict, held_ms: None }
}
