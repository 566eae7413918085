//! Foreign text and foreign files: nothing acts on a terminal, nothing is believed that is not whole,
//! and nothing panics.

use super::sample::{fault, is_kept, printed, read, run};
use presence::failure::Outcome as Ends;
use presence::output::html::verification;
use presence::output::style::Style;
use presence::output::verification::{Verified, compare, comparison_text, text};
use presence::simulate::verify::findings::{Fault, Key, Wrong};

const EVIL: &str = "</td><script>alert('1')</script>\"&\u{202e}\x1b[2J\0\n";

#[test]
fn foreign_text_does_not_act_on_a_terminal() {
    let mut evil = run();
    evil.findings.faults[0].client = EVIL.into();
    evil.findings.faults[0].voice = EVIL.into();
    let row = evil.findings.rows.pop_first().expect("there are some");
    evil.findings.rows.insert(Key { voice: EVIL.into(), ..row.0 }, row.1);
    let context = &mut evil.context;
    for text in [&mut context.instance, &mut context.run, &mut context.mqtt, &mut context.presence]
    {
        *text = EVIL.into();
    }
    context.broker = Some(EVIL.into());
    context.scenario = Some(EVIL.into());
    context.expectation = EVIL.into();
    context.options = vec![EVIL.into()];
    context.distrust = vec![EVIL.into()];
    let shown = text(&evil, Style::PLAIN, Some(80));
    assert!(!shown.contains(['\x1b', '\u{202e}', '\0']), "{shown}");
    assert_eq!(read(&printed(&evil)).expect("it is whole"), evil);
}

#[test]
fn a_line_that_was_changed_is_refused_with_its_number() {
    let whole = printed(&run());
    for (from, to, cause) in [
        (r#""act":"fin","planned""#, r#""act":"sin","planned""#, "no act is called `sin`"),
        (r#""outcome":"early""#, r#""outcome":"soon""#, "no outcome is called `soon`"),
        (r#""names":"address""#, r#""names":"guess""#, "no way to tell connections apart"),
        (r#""count":197}"#, r#""count":-1}"#, "-1"),
        (r#""count":197}"#, r#""count":1e99}"#, "1e+99"),
        (r#""count":197}"#, r#""count":1000000000001}"#, "too large"),
        (r#""count":197}"#, r#""count":197"#, "EOF"),
        (r#""digits":3"#, r#""digits":200"#, "digits"),
        (r#""histogram":[["#, r#""histogram":[[99999999999999,1],["#, "delay"),
        (r#""histogram":[["#, r#""histogram":[[5,1],["#, "add up"),
        (r#""window_ms":[7000,8500]"#, r#""window_ms":[8500,7000]"#, "window"),
        (r#""type":"told","#, r#""type":"voice","#, "missing field"),
        (r#""what":"missed""#, r#""what":"x""#, "no fault is called `x`"),
        (r#""device":7,"#, r#""device":4294967296,"#, "4294967296"),
        (r#""at_ms":5000,"#, r#""at_ms":4000,"#, "back in time"),
        (r#""faults":3,"#, r#""faults":2,"#, "more faults"),
        (r#""shards":null"#, r#""shards":{"of":2,"present":[2,1]}"#, "shards"),
        (r#""shards":null"#, r#""shards":{"of":2,"present":[3]}"#, "shards"),
        (r#""keep_alive":5,"#, r#""keep_alive":70000,"#, "70000"),
        (r#"{"type":"state","#, r#"["state","#, "line"),
        (r#"{"type":"state","#, r#"{"kind":"state","#, "type"),
    ] {
        assert!(whole.contains(from), "{from}");
        let changed = whole.replacen(from, to, 1);
        let number = 1 + whole[..whole.find(from).expect("it is there")].matches('\n').count();
        let failure = read(&changed).expect_err(to);
        assert_eq!(failure.outcome, Ends::Misused, "{failure}");
        let said = failure.to_string();
        assert!(said.contains(&format!("report.json, line {number}: ")), "{to}: {said}");
        assert!(said.contains(cause), "{to}: {said}");
        assert!(failure.next.is_some());
    }
}

#[test]
fn a_line_that_is_missing_or_there_twice_is_noticed() {
    let whole = printed(&run());
    let lines: Vec<&str> = whole.lines().collect();
    let of = |kind: &str| {
        let head = format!(r#"{{"type":"{kind}","#);
        lines.iter().position(|line| line.starts_with(&head)).expect("it is there")
    };
    for kind in ["act", "told", "outcome", "voice", "state", "timeline", "summary"] {
        let mut twice = lines.clone();
        twice.insert(of(kind), lines[of(kind)]);
        assert!(read(&twice.join("\n")).is_err(), "{kind} twice");
    }
    for kind in ["told", "outcome", "summary"] {
        let mut less = lines.clone();
        less.remove(of(kind));
        assert!(read(&less.join("\n")).is_err(), "without {kind}");
    }
    assert!(read("").is_err() && read(&whole.repeat(2)).is_err());
}

#[test]
fn no_file_takes_more_than_a_bounded_amount() {
    let line = |kind: &str, at: u32| match kind {
        "fault" => format!(
            r#"{{"type":"fault","instance":"i","at_us":1,"client":"c","device":{at},"connection":0,"voice":"v","what":"stray","act":null,"alive":null,"delay_us":null}}"#
        ),
        "timeline" => {
            format!(r#"{{"type":"timeline","instance":"i","at_ms":{at},"alive":1,"online":null}}"#)
        }
        "voice" => format!(
            r#"{{"type":"voice","instance":"i","voice":"{at}","reports":1,"false_offline":0,"strays":0,"names":"order"}}"#
        ),
        _ => format!(
            r#"{{"type":"told","instance":"i","voice":"{at}","act":"fin","window_ms":null,"done":0,"duplicates":0,"delay":{{"count":0,"p50_us":null,"p90_us":null,"p99_us":null,"max_us":null,"digits":3,"histogram":[]}}}}"#
        ),
    };
    for (kind, most) in [("fault", 1_000), ("timeline", 2_000), ("voice", 64), ("told", 5_000)] {
        let lines: Vec<String> = (0..=most).map(|at| line(kind, at)).collect();
        let failure = read(&lines.join("\n")).expect_err(kind).to_string();
        assert!(failure.contains(&format!("line {}: ", most + 1)), "{kind}: {failure}");
    }
    let mut long = run();
    long.findings.faults =
        vec![Fault { client: "x".repeat(65_536), ..fault(1, 1, "lmq", Wrong::Stray, None) }];
    assert!(read(&printed(&long)).is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    let whole = printed(&run()).into_bytes();
    let mut random = presence::random::Random::new(5, 0);
    for _ in 0..2_000 {
        let mut bytes = whole.clone();
        let place = |random: &mut presence::random::Random, bytes: &[u8]| {
            random.below(u32::try_from(bytes.len()).expect("it is small")) as usize
        };
        for _ in 0..=random.below(3) {
            let at = place(&mut random, &bytes);
            match random.below(3) {
                0 => bytes[at] = u8::try_from(random.below(256)).expect("it is a byte"),
                1 => bytes.truncate(at.max(1)),
                _ => drop(bytes.remove(at)),
            }
        }
        let lines = bytes.split(|byte| *byte == b'\n');
        if let Ok(verified) = Verified::read("report.json", lines) {
            let _ = text(&verified, Style::COLOURED, Some(3));
            let _ = verification(&verified);
            let _ = comparison_text(&compare(&run(), &verified), Style::PLAIN, None);
        }
    }
}

#[test]
fn foreign_text_is_text_on_a_page() {
    let mut evil = run();
    evil.findings.faults[0].client = EVIL.into();
    evil.findings.faults[1].voice = EVIL.into();
    let (key, row) = evil.findings.rows.pop_first().expect("there are some");
    evil.findings.rows.insert(Key { voice: EVIL.into(), ..key }, row);
    let context = &mut evil.context;
    for text in [&mut context.instance, &mut context.run, &mut context.mqtt, &mut context.presence]
    {
        *text = EVIL.into();
    }
    (context.broker, context.scenario) = (Some(EVIL.into()), Some(EVIL.into()));
    (context.options, context.distrust) = (vec![EVIL.into()], vec![EVIL.into()]);
    context.expectation = EVIL.into();

    let page = verification(&evil);

    assert!(!page.contains("<script") && !page.contains("alert('"), "{page}");
    assert!(!page.contains(['\u{202e}', '\x1b', '\0']), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 12, "{page}");
    // Quotes close no attribute: every tag is one of ours.
    let known = [
        "!DOCTYPE",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "p",
        "dl",
        "dt",
        "dd",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "svg",
        "rect",
        "line",
        "path",
        "text",
        "figcaption",
    ];
    for tag in page.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>', '/']).next().unwrap_or_default();
        assert!(known.contains(&name), "<{name}");
        let inside = tag.split('>').next().unwrap_or_default();
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
        assert!(!inside.contains(" on"), "{inside}");
    }
}

#[test]
fn a_page_shows_what_there_is() {
    let page = verification(&run());
    is_kept("report.html", &page);
    for part in [
        "not verified: 1 duplicate, 1 early, 1 missed",
        "<rect class=\"window\"",
        "<rect class=\"late\"",
        "<path class=\"alive\"",
        "<path class=\"believed\"",
        "sim-3fa92c-13",
        "mosquitto version 2.0.11",
        "seed 42",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!verification(&Verified::default()).contains("<figure"));
}
