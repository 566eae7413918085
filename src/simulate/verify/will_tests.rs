//! Stories that a device tells of itself, by its birth and its will.

use super::*;

/// The will of one connection after one way to end, with what is done afterwards.
fn will(promise: Promise, end: What, back: Option<u64>, closed: Option<u64>) -> String {
    let mut story = story(&[STATUS], promise);
    story.connect(0, 1_000).status(Opened, 1_010).deed(0, 10_000, 9_500, end);
    if let Some(back) = back {
        story.connect(1, back).status(Opened, back + 10);
    }
    if let Some(closed) = closed {
        story.status(Closed, closed);
    }
    let told = story.told();
    let rest: Vec<_> = told.iter().filter(|told| *told != "Connect Reported").cloned().collect();
    assert_eq!(told.len() - rest.len(), 1 + usize::from(back.is_some()), "{told:?}");
    rest.join(", ")
}

#[test]
fn a_will_is_sent_or_not_as_the_version_has_it() {
    let died = What::Died;
    let v5 = Promise { version: Version::V5, ..PLAIN };
    let brief = Promise { session_expiry: 2, ..PATIENT };
    let session_less = Promise { persistent: false, ..PATIENT };
    for (promise, end, back, closed, expected) in [
        // A goodbye takes the will back, unless it says otherwise.
        (PLAIN, died(Death::Disconnect), None, None, "disconnect Withheld"),
        (PLAIN, died(Death::Disconnect), None, Some(10_010), "disconnect Unwanted"),
        (PLAIN, died(Death::Stay), None, None, "stay Withheld"),
        (PLAIN, What::Stopped, None, None, "disconnect Withheld"),
        (v5, died(Death::DisconnectWith(4)), None, Some(10_010), "disconnect-with-will Reported"),
        (v5, died(Death::DisconnectWith(4)), None, None, "disconnect-with-will Missed"),
        (v5, died(Death::DisconnectWith(0)), None, None, "disconnect-0x00 Withheld"),
        // Whoever left no will is not heard of.
        (Promise { will: None, ..PLAIN }, died(Death::Fin), None, None, "fin NotObservable"),
        // At once.
        (PLAIN, died(Death::Fin), None, Some(10_010), "fin Reported"),
        (PLAIN, died(Death::Rst), None, Some(11_001), "rst Late"),
        (PLAIN, died(Death::TlsCut), None, None, "tls-cut Missed"),
        (PLAIN, What::GaveUp, None, Some(10_010), "GaveUp Reported"),
        // After the window of the silence, which begins with the last packet.
        (PLAIN, died(Death::Silence), None, Some(15_499), "silence Early"),
        (PLAIN, died(Death::Silence), None, Some(15_500), "silence Reported"),
        (PLAIN, died(Death::Silence), None, Some(18_000), "silence Reported"),
        (PLAIN, died(Death::Silence), None, Some(18_001), "silence Late"),
        // After a delay, or the end of the session.
        (PATIENT, died(Death::Fin), None, Some(14_000), "fin Early"),
        (PATIENT, died(Death::Fin), None, Some(15_000), "fin Reported"),
        (PATIENT, died(Death::Fin), None, Some(17_500), "fin Reported"),
        (PATIENT, died(Death::Fin), None, Some(17_501), "fin Late"),
        (PATIENT, died(Death::Fin), None, None, "fin Missed"),
        (brief, died(Death::Fin), None, Some(12_100), "fin Reported"),
        (session_less, died(Death::Fin), None, Some(10_100), "fin Reported"),
        (PATIENT, died(Death::Silence), None, Some(20_499), "silence Early"),
        (PATIENT, died(Death::Silence), None, Some(24_000), "silence Reported"),
        (
            PATIENT,
            died(Death::DisconnectWith(4)),
            None,
            Some(15_100),
            "disconnect-with-will Reported",
        ),
        // A return in time cancels it.
        (PATIENT, died(Death::Fin), Some(12_000), None, "fin Withheld"),
        (PATIENT, died(Death::Fin), Some(12_000), Some(15_100), "fin Unwanted"),
        (PATIENT, died(Death::Fin), Some(30_000), Some(15_100), "fin Reported"),
        (PATIENT, died(Death::Fin), Some(30_000), None, "fin Missed"),
        (PATIENT, died(Death::Fin), Some(15_300), None, "fin NotObservable"),
        (PATIENT, died(Death::Silence), Some(12_000), None, "silence Withheld"),
        (PATIENT, died(Death::Silence), Some(17_000), None, "silence Withheld"),
        (PATIENT, died(Death::Silence), Some(22_000), None, "silence NotObservable"),
        (PATIENT, died(Death::Silence), Some(22_000), Some(21_500), "silence Reported"),
        // A take-over sends it, but for a delay of a session that goes on.
        (PLAIN, died(Death::TakeOver), Some(10_000), Some(10_005), "takeover Reported"),
        (PLAIN, died(Death::TakeOver), Some(10_000), None, "takeover Missed"),
        (v5, died(Death::TakeOver), Some(10_000), Some(10_005), "takeover Reported"),
        (session_less, died(Death::TakeOver), Some(10_000), Some(10_005), "takeover Reported"),
        (PATIENT, died(Death::TakeOver), Some(10_000), None, "takeover Withheld"),
        (PATIENT, died(Death::TakeOver), Some(10_000), Some(10_020), "takeover Unwanted"),
        (PLAIN, died(Death::Silence), Some(12_000), Some(12_005), "silence Reported"),
        // An old will over a newer birth.
        (PLAIN, died(Death::TakeOver), Some(10_000), Some(10_020), "takeover WrongOrder"),
        (PLAIN, died(Death::Fin), Some(10_200), Some(10_500), "fin WrongOrder"),
        (PLAIN, died(Death::Fin), Some(20_000), Some(20_500), "fin WrongOrder"),
    ] {
        let told = will(promise, end.clone(), back, closed);
        assert_eq!(told, expected, "{promise:?}, {end:?}, back {back:?}, told {closed:?}");
    }
}

#[test]
fn a_will_out_of_the_blue_is_a_false_offline() {
    let mut story = story(&[STATUS], PLAIN);
    story.connect(0, 1_000).status(Opened, 1_010).status(Closed, 4_000);
    story.die(0, 9_000, Death::Disconnect);
    assert_eq!(story.told(), ["Connect Reported", "disconnect Withheld", "false offline"]);
}

#[test]
fn a_birth_that_was_refused_or_cut_off_is_not_missed() {
    let mut story = story(&[STATUS], PLAIN);
    story.connect(0, 1_000).die(0, 1_100, Death::Rst).status(Closed, 1_110);
    assert_eq!(story.told(), ["Connect NotObservable", "rst Reported"]);
    let mut story = self::story(&[STATUS], PLAIN);
    story.connect(0, 1_000).deed(0, 1_010, 1_001, What::Refused { reason: "no".into() });
    assert_eq!(story.told(), ["Connect NotObservable"]);
    let mut story = self::story(&[STATUS], Promise { has_birth: false, ..PLAIN });
    story.connect(0, 1_000);
    assert_eq!(story.told(), ["Connect NotObservable"]);
    assert!(!story.findings().is_verified(), "nothing was told");
}
