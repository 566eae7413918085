//! Single clients that share an id, flap, or leave something behind.

use super::*;

#[test]
fn two_addresses_that_throw_each_other_out_share_an_id() {
    let from = ["10.0.3.4:5001", "10.0.9.8:6001"];
    let times = || (0..60).map(|n| n * 1_000);
    let mut fight: Vec<Change> = times()
        .zip(from.into_iter().cycle())
        .map(|(ms, address)| take_over(ms, "dev-17", address))
        .collect();
    let found = diagnose(&[], &fight, 100_000);
    assert_eq!(told(&found), "shared-id begins, shared-id goes-on, shared-id ends, ");
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    let addresses: Vec<String> = sharing.addresses.iter().map(ToString::to_string).collect();
    assert_eq!((addresses, sharing.more), (vec!["10.0.3.4".into(), "10.0.9.8".into()], false));
    assert_eq!((sharing.every_ms, sharing.take_overs), (Some(1_000), 4));
    assert_eq!(found[0].since, at(0));
    let What::SharedId(sharing) = &found[2].what else { panic!("{found:?}") };
    assert_eq!((sharing.every_ms, sharing.take_overs), (Some(1_000), 60));

    // The first connection throws nobody out.
    let first = come(-1_000, "dev-17", from[1]);
    let found = diagnose(&[], &[&[first], &fight[..4]].concat(), 0);
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((sharing.every_ms, sharing.take_overs, found[0].since), (Some(1_000), 3, at(0)));

    // In a little disorder it is the same fight.
    for pair in fight.chunks_mut(2) {
        pair.swap(0, 1);
    }
    let found = diagnose(&[], &fight, 100_000);
    assert_eq!(told(&found), "shared-id begins, shared-id goes-on, shared-id ends, ");

    // Where the end of the one is told before the beginning of the other.
    let pairs = [from, [from[1], from[0]]];
    let turns: Vec<Change> = times()
        .zip(pairs.into_iter().cycle())
        .flat_map(|(ms, [one, other])| [go(ms, "dev-17", one), come(ms + 10, "dev-17", other)])
        .collect();
    assert_eq!(
        told(&diagnose(&[], &turns, 100_000)),
        "shared-id begins, shared-id goes-on, shared-id ends, "
    );
}

#[test]
fn one_address_takes_more_before_it_counts_as_two_devices() {
    let fight: Vec<Change> =
        (0..8).map(|n| take_over(n * 500, "dev-17", &format!("10.0.3.4:{n}"))).collect();
    assert_eq!(told(&diagnose(&[], &fight[..5], 1_000)), "");
    let found = diagnose(&[], &fight, 1_000);
    assert_eq!(told(&found), "shared-id begins, ");
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    assert_eq!(sharing.addresses.len(), 1);

    // Brokers that tell the end of the old connection first; stamps in whole seconds cannot tell.
    for (offset, pause, expected) in
        [(7, 1, "shared-id begins, "), (7, 50, "flapping begins, "), (0, 0, "flapping begins, ")]
    {
        let turns: Vec<Change> = (0..9)
            .map(|n| n * 1_000 + offset)
            .flat_map(|ms| {
                [go(ms, "dev-17", "10.0.3.4:1"), come(ms + pause, "dev-17", "10.0.3.4:2")]
            })
            .collect();
        assert_eq!(told(&diagnose(&[], &turns, 1_000)), expected, "{offset} {pause}");
    }
}

#[test]
fn a_device_that_travels_is_neither_shared_nor_flapping() {
    let trip: Vec<Change> =
        (0..20).map(|n| take_over(n * 15_000, "van-1", &format!("10.{n}.0.1:1"))).collect();
    assert_eq!(told(&diagnose(&[], &trip, 100_000)), "");
}

#[test]
fn a_client_that_comes_and_goes_flaps_until_it_is_quiet() {
    let flaps: Vec<Change> = (0..30)
        .flat_map(|n| [come(n * 5_000, "pump-7", ""), go(n * 5_000 + 3_000, "pump-7", "")])
        .collect();
    let found = diagnose(&[], &flaps, 100_000);
    assert_eq!(
        told(&found),
        "flapping begins, flapping goes-on, flapping goes-on, flapping goes-on, flapping ends, "
    );
    let What::Flapping { connections, span_ms, .. } = &found[4].what else { panic!("{found:?}") };
    assert_eq!((*connections, *span_ms), (30, 29 * 5_000));

    let slow: Vec<Change> = (0..30)
        .flat_map(|n| [come(n * 25_000, "pump-7", ""), go(n * 25_000 + 3_000, "pump-7", "")])
        .collect();
    assert_eq!(told(&diagnose(&[], &slow, 100_000)), "");
}

#[test]
fn an_end_that_was_never_told_is_a_ghost_only_after_a_while() {
    for (lives_ms, expected) in [(1_000, ""), (60_000, "ghosts begins, ghosts ends, ")] {
        let mut end = go(lives_ms, "dev-1", "");
        end.verdict.anomalies = vec!["superseded-open"];
        let found = diagnose(&[], &[take_over(0, "dev-1", ""), end], 700_000);
        assert_eq!(told(&found), expected);
    }
}

#[test]
fn lost_notices_are_told_of_clients_that_were_whole_before() {
    let missing = |ms, client: &str| {
        let mut end = go(ms, client, "");
        end.verdict.anomalies = vec!["connect-missing"];
        end
    };
    let ids: Vec<String> = (0..6).map(|n| format!("dev-{n}")).collect();
    let mut changes: Vec<Change> = ids.iter().map(|id| come(0, id, "")).collect();
    changes.extend(ids.iter().map(|id| missing(20_000, id)));
    let found = diagnose(&[], &changes, 1_000);
    let What::LostNotices(crowd) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((crowd.count, &*crowd.first), (6, "dev-0"));
    // Who was online before anybody listened ends without a beginning, too.
    assert_eq!(told(&diagnose(&[], &changes[6..], 1_000)), "");
}
