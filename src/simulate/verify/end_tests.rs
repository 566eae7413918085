//! Stories of how a run ends, and what is made of all of it.

use super::*;

#[test]
fn what_was_stopped_said_goodbye() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).deed(0, 5_000, 5_000, What::Stopped);
    story.lmq(Opened, 0, 1_005).lmq(Farewell, 0, 5_005).lmq(Closed, 0, 5_006);
    assert_eq!(story.told(), ["Connect Reported", "disconnect Reported"]);
}

#[test]
fn a_silence_that_ends_with_the_run_is_told_in_any_way() {
    let mut story = story(&[LMQ, STATUS], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Silence).deed(0, 12_000, 12_000, What::Stopped);
    story.lmq(Opened, 0, 1_005).lmq(Farewell, 0, 12_005).lmq(Closed, 0, 12_006);
    story.status(Opened, 1_010);
    let reported = "Connect Reported";
    assert_eq!(story.told(), [reported, "silence Reported", reported, "silence NotObservable"]);
}

#[test]
fn what_could_not_be_done_was_missed_by_nobody() {
    let mut story = story(&[LMQ], PLAIN);
    let life = |begin_ms, death| Life { begin_ms, end_ms: begin_ms + 10, death };
    let lives = vec![life(1, Death::Fin), life(20, Death::Rst)];
    story.verification.plan(&Plan { devices: vec![lives].into(), end_ms: 40 });
    story.connect(0, 1_000).die(0, 9_000, Death::Fin).lmq(Opened, 0, 1_005).lmq(Closed, 0, 9_005);
    let reason = "refused".to_owned();
    story.deed(1, 20_000, 20_000, What::Failed { reason, is_refusal: true });
    let findings = story.findings();
    assert!(findings.is_verified());
    let done: Vec<_> = findings.done.iter().map(|(a, d)| (*a, d.planned, d.done)).collect();
    let expected =
        [(Act::Connect, 2, 1), (Act::Died(Death::Fin), 1, 1), (Act::Died(Death::Rst), 1, 0)];
    assert_eq!(done, expected);
}

#[test]
fn what_stood_before_and_what_strangers_do_is_not_told_of_us() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).lmq(Opened, 0, 1_005);
    story.report(&Report { standing: true, ..report(LMQ, Closed, 2_000) });
    story.report(&Report { client: "b".into(), ..report(LMQ, Closed, 2_000) });
    story.report(&report(MOSQUITTO, Closed, 2_000));
    assert_eq!(story.told(), ["Connect Reported"]);
    assert_eq!(story.verification.unplanned(), 1);
}

#[test]
fn what_was_due_while_nobody_listened_is_not_observable() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Silence).connect(1, 30_000).die(
        1,
        35_000,
        Death::Fin,
    );
    story.verification.deaf(ms(16_000), ms(17_000));
    story.verification.deaf(ms(30_500), ms(31_000));
    story.lmq(Opened, 0, 1_005);
    let connects = ["Connect Reported", "Connect NotObservable"];
    assert_eq!(story.told(), [&connects[..], &["fin Missed", "silence NotObservable"]].concat());
    // What comes late may have waited for us.
    story.lmq(Opened, 1, 33_000).lmq(Closed, 1, 35_010);
    assert_eq!(story.told(), [&connects[..], &["fin Reported", "silence NotObservable"]].concat());
}

#[test]
fn what_is_told_again_after_nobody_listened_is_no_duplicate() {
    for (from, to, expected) in [(9_100, 9_200, "fin Reported"), (9_300, 9_400, "fin again")] {
        let mut story = story(&[LMQ], PLAIN);
        story.connect(0, 1_000).die(0, 9_000, Death::Fin).lmq(Opened, 0, 1_005);
        story.lmq(Closed, 0, 9_010).lmq(Closed, 0, 9_250);
        story.verification.deaf(ms(from), ms(to));
        assert_eq!(story.told().last().map(String::as_str), Some(expected));
    }
}

#[test]
fn what_is_still_open_is_not_due_and_awaited() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).lmq(Opened, 0, 1_005);
    assert_eq!(story.verification.outstanding(ms(1_010), Duration::ZERO), Outstanding::default());
    story.die(0, 9_000, Death::Silence);
    let awaited = Outstanding { count: 1, due_by: Some(ms(16_500)) };
    assert_eq!(story.verification.outstanding(ms(9_010), Duration::ZERO), awaited);
    assert_eq!(story.told_at(9_010), ["Connect Reported", "silence NotDue"]);
    let mut other = self::story(&[LMQ], PLAIN);
    other.connect(0, 1_000).die(0, 9_000, Death::Silence);
    assert_eq!(other.verification.outstanding(ms(1_000), Duration::ZERO).count, 2);
    assert_eq!(other.verification.outstanding(ms(16_500), Duration::ZERO), Outstanding::default());
    story.lmq(Closed, 0, 15_000);
    assert_eq!(story.verification.outstanding(ms(15_010), Duration::ZERO), Outstanding::default());
    assert_eq!(story.told_at(15_010), ["Connect Reported", "silence Reported"]);
    // A new deed is awaited anew.
    story.connect(1, 20_000);
    let awaited = Outstanding { count: 1, due_by: Some(ms(21_002)) };
    assert_eq!(story.verification.outstanding(ms(20_010), Duration::ZERO), awaited);
}

#[test]
fn the_end_is_compared_with_the_truth_where_a_voice_can_tell() {
    let wrong = States { wrong: 1, ..States::default() };
    let right = States { right: 1, ..States::default() };
    let unknown = States { unknown: 1, ..States::default() };
    let not_observable = States { not_observable: 1, ..States::default() };
    for (voice, death, alive, believed, expected) in [
        (LMQ, None, true, Some(true), right),
        (LMQ, None, true, Some(false), wrong),
        (LMQ, None, true, None, unknown),
        (LMQ, Some(Death::Fin), false, Some(false), right),
        (LMQ, Some(Death::Fin), false, Some(true), wrong),
        // After a goodbye the birth still stands.
        (STATUS, Some(Death::Disconnect), false, Some(true), not_observable),
        (STATUS, Some(Death::Disconnect), false, Some(false), right),
        (STATUS, Some(Death::Fin), false, Some(true), wrong),
        (MOSQUITTO, Some(Death::TakeOver), false, None, not_observable),
    ] {
        let mut story = story(&[voice], PLAIN);
        story.connect(0, 1_000);
        if let Some(death) = death {
            story.die(0, 9_000, death);
        }
        story.verification.state(0, alive, believed);
        let findings = story.findings();
        assert_eq!(findings.states, expected, "{voice}, {death:?}, {believed:?}");
        let is_faulted = findings.faults.iter().any(|fault| fault.what == Wrong::State { alive });
        assert_eq!(is_faulted, expected == wrong);
    }
}

#[test]
fn devices_that_share_an_id_are_judged_as_one_client() {
    let terms = Terms {
        expectation: Expectation::ANY,
        voices: vec![LMQ],
        speaking: vec![LMQ],
        promises: Promises::all(PLAIN),
        begun: Duration::ZERO,
    };
    let ids = [(0, "a".to_owned()), (1, "a".to_owned())];
    let verification = Verification::new(terms, ids.into_iter());
    let mut story = Story { verification, keep_alive: KEEP_ALIVE };
    story.connect(0, 1_000).lmq(Opened, 0, 1_005);
    let local = Some(([127, 0, 0, 1], 7_001).into());
    let (asked, took) = (ms(5_000), Duration::ZERO);
    let what = What::Connected { local, session_present: false, took, asked, keep_alive: 4 };
    let deed = Deed { device: 1, life: 0, connection: 0, at: ms(5_002), last_sent: asked, what };
    story.verification.deed(&deed);
    story.deed(0, 5_010, 4_000, What::Lost { reason: "taken over".into() });
    story.lmq(Closed, 0, 5_004).lmq(Opened, 1, 5_005);
    assert_eq!(story.told(), ["Connect Reported", "Connect Reported", "Lost Reported"]);
}

#[test]
fn findings_of_shards_add_up() {
    let part = |device: u32, voice: &'static str| {
        let mut story = story(&[voice], PLAIN);
        story.connect(0, 1_000 + u64::from(device)).die(0, 9_000, Death::Fin);
        story.lmq(Opened, 0, 1_010).lmq(Opened, 0, 1_011);
        story.findings()
    };
    let mut whole = part(0, LMQ);
    whole.merge(part(1, LMQ));
    whole.merge(part(2, STATUS));
    let connects = &whole.rows[&Key { voice: LMQ.into(), act: Act::Connect, window: Some(PROMPT) }];
    assert_eq!((connects.deeds(), connects.duplicates, connects.delays_us.len()), (2, 2, 2));
    assert_eq!(whole.voices[LMQ].reports, 4);
    assert_eq!(whole.voices[LMQ].names, Naming::Order);
    assert_eq!(whole.faults_total, 2 * 2 + 2);
    assert_eq!(whole.faults.len(), 6);
    assert!(whole.faults.is_sorted());
    assert!(!whole.is_verified());
}

#[test]
fn only_the_first_faults_are_kept() {
    let mut story = story(&[LMQ], PLAIN);
    for connection in 0..2_000 {
        let at = 1_000 + u64::from(connection) * 10_000;
        story.connect(connection, at).die(connection, at + 5_000, Death::Fin);
        let port = u16::try_from(connection).expect("the test's own");
        story.lmq(Opened, port, at + 5);
    }
    let findings = story.verification.judge(ms(100_000_000));
    assert_eq!((findings.faults_total, findings.faults.len()), (2_000, 1_000));
    let last = findings.faults.last().map(|fault| fault.at);
    assert_eq!(last, Some(ms(1_000 + 999 * 10_000 + 5_000)));
    assert!(findings.faults.is_sorted());
}

#[test]
fn each_deed_comes_with_what_one_voice_told_of_it_so_far() {
    let mut story = story(&[LMQ, STATUS], PLAIN);
    story.connect(0, 100).lmq(Opened, 0, 104).status(Opened, 190);
    story.die(0, 2_000, Death::Disconnect).lmq(Closed, 0, 2_003);
    let told = |story: &Story, voice| {
        let told = story.verification.told(voice, ms(2_004)).into_iter();
        told.map(|told| (told.act, told.at, told.outcome, told.delay_us)).collect::<Vec<_>>()
    };
    let goodbye = Act::Died(Death::Disconnect);

    let began = (Act::Connect, ms(102), Outcome::Reported, Some(4_000));
    // The first half of a goodbye is still to come.
    let ended = (goodbye, ms(2_000), Outcome::NotDue, Some(3_000));
    assert_eq!(told(&story, LMQ), [began, ended]);
    let began = (Act::Connect, ms(102), Outcome::Reported, Some(90_000));
    assert_eq!(told(&story, STATUS), [began, (goodbye, ms(2_000), Outcome::NotDue, None)]);
    assert_eq!(told(&story, MOSQUITTO), []);

    story.lmq(Farewell, 0, 2_003);
    assert_eq!(told(&story, LMQ)[1].2, Outcome::Reported);
}
