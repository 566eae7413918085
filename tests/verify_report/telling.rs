//! One report: what was read back, and what people get to see.

use super::sample::{clean, delays_us, fault, is_kept, printed, read, run, window};
use presence::failure::Outcome as Ends;
use presence::output::style::Style;
use presence::output::verification::{Shards, Verified, brief, text};
use presence::simulate::plan::Death;
use presence::simulate::verify::findings::{Act, Done, FAULTS_MAX, Key, Outcome, Row, Wrong};

#[test]
fn what_was_printed_is_read_back_as_it_was() {
    let mut odd = run();
    odd.context.shards = Some(Shards { of: 10, present: vec![3, 7] });
    odd.context.scenario = None;
    odd.context.broker = None;
    odd.context.begun_ms = -1;
    odd.context.seed = u64::MAX;
    odd.context.distrust = vec!["the clock stepped".into()];
    (odd.context.interrupted, odd.context.broker_died) = (true, true);
    odd.findings.faults = vec![
        fault(0, 0, "", Wrong::State { alive: true }, None),
        fault(1, 0, "lmq", Wrong::FalseOffline, Some(-5)),
        fault(2, u32::MAX, "lmq", Wrong::Stray, Some(i64::MIN)),
        fault(3, 0, "\x1b\u{202e}\0", Wrong::Told(Act::GaveUp, Outcome::WrongOrder), Some(0)),
    ];
    odd.findings.faults_total = 1_000_000;
    odd.findings.done.insert(Act::Died(Death::DisconnectWith(0x81)), Done { planned: 1, done: 0 });
    for (delays, window) in [(vec![(0, 3), (1 << 39, 1)], None), (vec![], Some(window(0, 0)))] {
        let key = Key { voice: "lmq".into(), act: Act::Lost, window };
        let outcomes = [(Outcome::NotDue, 4)].into();
        odd.findings
            .rows
            .insert(key, Row { outcomes, duplicates: 9, delays_us: delays_us(&delays) });
    }
    for verified in [run(), clean(), odd, Verified::default()] {
        let text = printed(&verified);
        let read = read(&text).expect("it was printed by us");
        assert_eq!(read, verified);
        assert_eq!(printed(&read), text);
    }
}

#[test]
fn every_line_begins_with_its_type_and_the_summary_comes_last() {
    let text = printed(&run());
    assert!(text.lines().all(|line| line.starts_with(r#"{"type":""#)), "{text}");
    let last = text.lines().last().expect("there are lines");
    assert!(last.starts_with(r#"{"type":"summary","clients":400,"#), "{last}");
    let outcome = r#"{"type":"outcome","instance":"localhost:1883","voice":"lmq","act":"silence","window_ms":[7000,8500],"outcome":"reported","count":197}"#;
    assert!(text.lines().any(|line| line == outcome), "{text}");
}

#[test]
fn lines_of_other_types_and_fields_that_were_added_are_passed_over() {
    let text = printed(&run());
    let added = text.replace(r#""type":"voice""#, r#""type":"voice","later":{"a":[1]}"#);
    let mixed =
        format!("\n{{\"type\":\"simulation\",\"run\":\"x\"}}\n{added}\n{{\"type\":\"weather\"}}\n");
    assert_eq!(read(&mixed).expect("it can be read"), run());
}

#[test]
fn the_answer_is_one_of_three() {
    assert_eq!(clean().outcome(), Ends::Yes);
    assert_eq!(run().outcome(), Ends::No);
    assert_eq!(Verified::default().outcome(), Ends::No, "nothing was observed");
    let mut slow = clean();
    slow.context.distrust = vec!["timers were up to 1.2 s late".into()];
    assert_eq!(slow.outcome(), Ends::Overloaded);
    let answer = |verified: &Verified| {
        let text = text(verified, Style::PLAIN, Some(80));
        text.rsplit("\n\n").next().expect("it has an end").to_owned()
    };
    assert_eq!(
        answer(&clean()),
        "verified: lmq and status told all there is to tell of 799 deeds, rightly and in time\n"
    );
    assert_eq!(answer(&run()), "not verified: 1 duplicate, 1 early, 1 missed\n");
    assert_eq!(answer(&Verified::default()), "not verified: nothing could be observed\n");
    assert_eq!(
        answer(&slow).lines().next(),
        Some("figures not to be trusted: timers were up to 1.2 s late")
    );
}

#[test]
fn people_see_tables_a_picture_and_the_first_faults() {
    let shown = text(&run(), Style::PLAIN, Some(80));
    is_kept("report.txt", &shown);
    assert!(shown.lines().all(|line| line.chars().count() <= 84), "{shown}");
}

#[test]
fn a_long_list_of_faults_is_cut_and_says_so() {
    let mut many = run();
    many.findings.faults =
        (0..FAULTS_MAX as u64).map(|at| fault(at, 1, "lmq", Wrong::Stray, None)).collect();
    many.findings.faults_total = 5_000;
    let shown = text(&many, Style::PLAIN, None);
    assert_eq!(shown.matches("told of no connection there was").count(), 10, "{shown}");
    assert!(shown.contains("and 4,990 more"), "{shown}");
}

#[test]
fn in_short_it_has_the_same_answer_and_every_row() {
    for verified in [run(), clean(), Verified::default()] {
        let whole = text(&verified, Style::PLAIN, Some(100));
        let short = brief(&verified, Style::PLAIN, Some(100));
        assert_eq!(short.lines().last(), whole.lines().last());
        assert!(short.lines().count() <= whole.lines().count(), "{short}");
        for (key, row) in &verified.findings.rows {
            let Act::Died(death) = key.act else { continue };
            let (word, done) = (death.word(), row.deeds().to_string());
            let is_it =
                |line: &str| line.replace(',', "").split_whitespace().take(2).eq([&*word, &*done]);
            assert!(short.lines().any(is_it), "{key:?}:\n{short}");
        }
    }
}
