//! Two runs beside each other: what became worse, and what makes them not the same.

use super::sample::{FIN, SILENCE, clean, delays_us, is_kept, run};
use presence::output::style::Style;
use presence::output::verification::{
    About, Comparison, Verified, compare, comparison_lines, comparison_text,
};
use presence::simulate::verify::findings::{Act, Key, Outcome, Row};

#[test]
fn a_run_is_not_worse_than_itself() {
    for same in [run(), clean(), Verified::default()] {
        let comparison = compare(&same, &same);
        assert!(!comparison.has_regressions(), "{comparison:?}");
        assert_eq!(comparison.caveats, [""; 0]);
    }
}

#[test]
fn a_fault_whose_share_rose_is_worse_and_one_that_fell_is_not() {
    assert_eq!(worse(&compare(&clean(), &run()), SILENCE), ["early", "missed"]);
    assert_eq!(worse(&compare(&clean(), &run()), Act::Connect), ["duplicate"]);
    assert!(!compare(&run(), &clean()).has_regressions());
    // Twice as many of twice as many are as many.
    let mut large = run();
    for row in large.findings.rows.values_mut() {
        row.outcomes.values_mut().for_each(|count| *count *= 2);
        row.duplicates *= 2;
    }
    assert!(!compare(&run(), &large).has_regressions());
    *row(&mut large, SILENCE).outcomes.get_mut(&Outcome::Missed).expect("it is there") += 1;
    assert_eq!(worse(&compare(&run(), &large), SILENCE), ["missed"]);
}

#[test]
fn a_delay_is_worse_if_it_grew_by_a_fifth_and_by_50_ms() {
    for (before, after, expected) in [
        (1_000, 50_000, &[][..]),
        (1_000, 60_000, &["p50", "p99"]),
        (1_000_000, 1_190_000, &[]),
        (1_000_000, 1_210_000, &["p50", "p99"]),
        (1_000_000, 500_000, &[]),
    ] {
        let (mut base, mut now) = (clean(), clean());
        row(&mut base, FIN).delays_us = delays_us(&[(before, 200)]);
        row(&mut now, FIN).delays_us = delays_us(&[(after, 200)]);
        assert_eq!(worse(&compare(&base, &now), FIN), expected, "{before} {after}");
    }
    let mut now = clean();
    row(&mut now, FIN).delays_us = delays_us(&[(1_200, 190), (900_000, 10)]);
    assert_eq!(worse(&compare(&clean(), &now), FIN), ["p99"]);
}

#[test]
fn what_is_told_no_more_is_worse_and_what_is_done_no_more_is_not() {
    let key = |row: &Row| Row { outcomes: [(Outcome::NotObservable, 200)].into(), ..row.clone() };
    let mut now = clean();
    for (_, row) in now.findings.rows.iter_mut().filter(|(key, _)| key.act == FIN) {
        *row = key(row);
    }
    assert_eq!(worse(&compare(&clean(), &now), FIN), ["untold"]);
    let mut now = clean();
    now.findings.rows.retain(|key, _| key.act != FIN);
    now.findings.done.remove(&FIN);
    let comparison = compare(&clean(), &now);
    assert!(!comparison.has_regressions(), "{comparison:?}");
    assert_eq!(comparison.caveats.len(), 2, "{comparison:?}");
}

#[test]
fn voices_and_beliefs_are_compared_as_well() {
    let mut now = clean();
    now.findings.voices.get_mut("lmq").expect("it speaks").false_offline = 1;
    now.findings.states.wrong = 1;
    let comparison = compare(&clean(), &now);
    let found: Vec<_> = (comparison.rows.iter())
        .filter(|row| !row.regressions.is_empty())
        .map(|row| (row.about.clone(), row.regressions.clone()))
        .collect();
    assert_eq!(
        found,
        [(About::Voice("lmq".into()), vec!["false-offline"]), (About::States, vec!["state"])]
    );
}

#[test]
fn what_makes_two_runs_different_is_named() {
    let mut now = clean();
    now.context.scenario = Some("nat\x1b".into());
    now.context.broker = None;
    now.context.keep_alive = 60;
    now.context.distrust = vec!["slow".into()];
    let comparison = compare(&clean(), &now);
    assert_eq!(
        comparison.caveats,
        [
            r"the scenario was `every-death`, and is `nat\x1b`",
            "the broker was `mosquitto version 2.0.11`, and is `none`",
            "the keep alive in s was `5`, and is `60`",
            "the figures of this run are not to be trusted",
        ]
    );
    assert!(!comparison.has_regressions());
}

#[test]
fn people_see_a_table_and_an_answer() {
    let mut now = run();
    now.context.keep_alive = 60;
    let shown = comparison_text(&compare(&clean(), &now), Style::PLAIN, None);
    is_kept("comparison.txt", &shown);
    let none = comparison_text(&compare(&clean(), &clean()), Style::PLAIN, Some(80));
    assert!(none.ends_with("\nnothing became worse\n"), "{none}");
}

#[test]
fn programs_see_a_line_for_each_thing() {
    let comparison = compare(&clean(), &run());
    let lines: Vec<serde_json::Value> = comparison_lines(&comparison, "localhost:1883")
        .map(|line| serde_json::to_value(line).expect("it is JSON"))
        .collect();
    assert_eq!(lines.len(), comparison.rows.len());
    let silence = lines.iter().find(|line| line["act"] == "silence").expect("it is there");
    assert_eq!(silence["regressions"], serde_json::json!(["early", "missed"]));
    assert_eq!(silence["now"]["faults"], serde_json::json!({"early": 1, "missed": 1}));
}

fn row(verified: &mut Verified, act: Act) -> &mut Row {
    let is_it = |key: &Key| key.voice == "lmq" && key.act == act;
    verified.findings.rows.iter_mut().find(|(key, _)| is_it(key)).expect("it is there").1
}

fn worse(comparison: &Comparison, act: Act) -> Vec<&'static str> {
    let about = About::Told("lmq".into(), act);
    let row = comparison.rows.iter().find(|row| row.about == about).expect("it is there");
    row.regressions.clone()
}
