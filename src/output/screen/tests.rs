//! The screen as it is seen: news and keys go in, lines of text are read off.

use super::*;
use crate::event::{Channel, ChannelEvent, EventKind, Stamp};
use crate::output::time::Zone;
use crate::state::diagnosis::Lag;
use crate::state::fleet::Hearsay;
use crate::state::packed::VoiceKey;
use crate::state::presence::{Cause, Counts};
use crate::state::verdict::Status;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const NOW: Timestamp = Timestamp(1_760_000_100_000);
const ABLE: Abilities = Abilities { coloured: true, unicode: true, zone: Zone::UTC };

fn screen() -> Screen {
    Screen::new(vec!["localhost:1883".to_owned()], Policy::DEFAULT, ABLE)
}

fn verdict(client: &str, status: Status) -> Verdict {
    Verdict { status, since: Some(NOW.plus(-5_000)), covered: true, ..Verdict::unknown(client) }
}

fn changed(client: &str, to: Status) -> Change {
    let verdict = verdict(client, to);
    Change { at: NOW, from: Status::Unknown, cause: Cause::Connect, verdict, held_ms: None }
}

fn frame(screen: &mut Screen, columns: u16, lines: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, lines));
    // A second later each time, so that the order is made anew.
    let uptime = screen.sorted_at.unwrap_or_default() + Duration::from_secs(1);
    screen.draw(&mut buffer, NOW, uptime);
    buffer
}

fn text(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let line = |y| {
        let mut line = String::new();
        let mut covered = 0;
        for x in 0..area.width {
            let symbol = buffer[(x, y)].symbol();
            // The second half of a wide character.
            if covered == 0 {
                line.push_str(symbol);
            }
            covered = symbol.width().max(covered).saturating_sub(1);
        }
        line.trim_end().to_owned()
    };
    (0..area.height).map(line).collect()
}

fn press(screen: &mut Screen, keys: &str) {
    for key in keys.chars() {
        assert_eq!(screen.press(Key::Char(key)), Wish::Nothing, "{key}");
    }
}

fn small_fleet() -> Screen {
    let mut screen = screen();
    let mut counts = Counts::default();
    for (client, status) in
        [("pump-1", Status::Online), ("pump-2", Status::Offline), ("fan-7", Status::Online)]
    {
        counts.add(status);
        screen.known(0, &verdict(client, status));
    }
    let mut flapping = changed("pump-2", Status::Online);
    flapping.verdict.anomalies = vec!["flapping"];
    flapping.verdict.address = Some("10.0.0.7:4711".into());
    screen.change(0, &flapping);
    let mut vitals = Vitals::default();
    let lag = Lag { latest_ms: 3, least_ms: 0, resolution_ms: 0, samples: 1, span_ms: 0 };
    vitals.add(&counts, true, Some(lag), 0);
    screen.vitals(vitals, 12.5, 0);
    screen
}

/// What `client` did: one connection that ended, and one that stands.
fn fleet_of(client: &str) -> Fleet {
    let mut fleet = Fleet::default();
    fleet.coverage.hear_whole("lmq");
    let mut take = |channel: &str, kind, ago_ms: i64| {
        let stamp = Stamp { time: NOW.plus(-ago_ms), tie: 0, resolution: 0 };
        let event = ChannelEvent::new(client, Channel::Strong(channel.into()), kind, Some(stamp));
        let voice = VoiceKey { authority: 1, name: "lmq" };
        let by = Hearsay { voice, mark: None, received: NOW };
        fleet.take(&event, &by, &Policy::DEFAULT);
    };
    take("c1", EventKind::Opened, 50_000);
    take("c1", EventKind::Farewell, 30_000);
    take("c1", EventKind::Closed, 30_000);
    take("c2", EventKind::Opened, 10_000);
    fleet
}

#[test]
fn the_table_shows_clients_with_what_is_believed_of_them() {
    let lines = text(&frame(&mut small_fleet(), 100, 12));
    assert!(lines[0].starts_with("online 2 · offline 1 · unknown 0 · 12.5 events/s · lag 3 ms"));
    assert_eq!(lines[1], "all 3 shown · by client · localhost:1883");
    assert!(lines[2].starts_with("client▼"), "{}", lines[2]);
    assert!(lines[3].starts_with("fan-7") && lines[3].contains("online"), "{}", lines[3]);
    assert!(lines[5].starts_with("pump-2") && lines[5].contains("5.0 s"), "{}", lines[5]);
    assert!(lines[5].contains("flapping") && lines[5].contains("10.0.0.7:4711"), "{}", lines[5]);
    assert!(lines[11].starts_with("q end"));
}

#[test]
fn keys_sort_and_filter() {
    let mut screen = small_fleet();
    press(&mut screen, "S");
    let lines = text(&frame(&mut screen, 100, 12));
    assert!(lines[2].starts_with("client▲") && lines[3].starts_with("pump-2"), "{lines:?}");
    press(&mut screen, "8");
    assert!(text(&frame(&mut screen, 100, 12))[3].starts_with("pump-2"), "the most changes");
    press(&mut screen, "1/fan");
    let lines = text(&frame(&mut screen, 100, 12));
    assert!(lines[1].starts_with("1 of 3 shown") && lines[11] == "/fan█", "{lines:?}");
    screen.press(Key::Escape);
    press(&mut screen, "f");
    let lines = text(&frame(&mut screen, 100, 12));
    assert!(lines[1].starts_with("1 of 3 shown · flapping only"), "{lines:?}");
    assert!(lines[3].starts_with("pump-2"), "{lines:?}");
    press(&mut screen, "x");
    assert_eq!(text(&frame(&mut screen, 100, 12))[3], "none of them");
    screen.press(Key::Escape);
    assert!(text(&frame(&mut screen, 100, 12))[1].starts_with("all 3"));
}

#[test]
fn the_cursor_stays_on_its_client() {
    let mut screen = small_fleet();
    frame(&mut screen, 80, 12);
    screen.press(Key::Down);
    screen.known(0, &verdict("a-newcomer", Status::Online));
    let buffer = frame(&mut screen, 80, 12);
    let marked = |y| buffer[(0, y)].modifier.contains(Modifier::REVERSED);
    let places: Vec<u16> = (0..12).filter(|y| marked(*y)).collect();
    assert_eq!(places, [5]);
    assert!(text(&buffer)[5].starts_with("pump-1"));
}

#[test]
fn a_client_is_shown_in_full() {
    let mut screen = small_fleet();
    frame(&mut screen, 100, 30);
    screen.press(Key::Down);
    screen.press(Key::Enter);
    assert_eq!(screen.question(), Some((0, "pump-1")));
    assert_eq!(text(&frame(&mut screen, 100, 30))[2], "asking …");
    screen.tell(0, "another", fleet_of("another"));
    assert_eq!(text(&frame(&mut screen, 100, 30))[2], "asking …");
    screen.tell(0, "pump-1", fleet_of("pump-1"));
    let lines = text(&frame(&mut screen, 100, 30));
    assert_eq!(lines[1], "pump-1");
    assert_eq!(lines[2], "online for 10.0 s · 0 changes seen");
    // A minute in 100 columns: 10 s nothing known, 20 s online, 20 s offline, 10 s online.
    assert!(lines[4].trim_start().starts_with('▄') || lines[4].trim_start().starts_with('█'));
    assert_eq!(lines[4].matches('·').count(), 33, "{}", lines[4]);
    assert!(lines[5].starts_with("1m ago until now"), "{lines:?}");
    let all = lines.join("\n");
    for part in [
        "last connections, by lmq:",
        "opened 2025-10-09T08:54:50.000Z · open · channel c2",
        "opened 2025-10-09T08:54:10.000Z · goodbye 2025-10-09T08:54:30.000Z · closed",
        "graceful",
        "decided: lmq reported the connection, and no end of it",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    press(&mut screen, "+");
    assert!(text(&frame(&mut screen, 100, 30))[5].starts_with("5m ago"));
    press(&mut screen, "q");
    assert_eq!(screen.question(), None);
    assert!(text(&frame(&mut screen, 100, 30))[2].starts_with("client"));
}

#[test]
fn messages_stand_below_the_table_until_they_are_read() {
    let mut screen = small_fleet();
    let cause = "reset".to_owned();
    let broker = "mqtt://h:1883".to_owned();
    screen.warn(NOW, &Warning::ConnectionLost { broker, cause });
    screen.finding(NOW, "312 clients lost within 4 s");
    let lines = text(&frame(&mut screen, 100, 12));
    assert_eq!(lines[10], "08:55:00.000Z (+1 g) 312 clients lost within 4 s");
    press(&mut screen, "g");
    let lines = text(&frame(&mut screen, 100, 12));
    assert!(lines[2].ends_with("312 clients lost within 4 s"), "{lines:?}");
    assert!(lines[3].ends_with("lost `mqtt://h:1883`: reset; trying again"), "{lines:?}");
    screen.press(Key::Escape);
    assert_eq!(text(&frame(&mut screen, 100, 12))[10], "");
}

#[test]
fn a_broker_that_is_away_is_said_first() {
    let mut screen = screen();
    assert!(text(&frame(&mut screen, 40, 6))[0].starts_with("NOT CONNECTED  online 0"));
}

#[test]
fn without_colour_there_is_none() {
    let plain = Abilities { coloured: false, unicode: false, zone: Zone::UTC };
    let mut screen = Screen::new(vec!["h".to_owned()], Policy::DEFAULT, plain);
    screen.known(0, &verdict("pump-1", Status::Online));
    let buffer = frame(&mut screen, 80, 10);
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
    assert!(text(&buffer)[2].starts_with("clientv"));
    let mut screen = small_fleet();
    let buffer = frame(&mut screen, 80, 10);
    assert!(buffer.content.iter().any(|cell| cell.fg == Color::Green));
}

#[test]
fn what_acts_on_a_terminal_is_shown_as_text() {
    let mut screen = screen();
    screen.known(0, &verdict("\x1b[2Jevil\u{202e}", Status::Online));
    let lines = text(&frame(&mut screen, 140, 10));
    assert!(lines[3].starts_with(r"\x1b[2Jevil\u{202e}"), "{lines:?}");
}

#[test]
fn a_frame_costs_no_more_than_its_lines() {
    let mut screen = screen();
    for number in 0..10_500 {
        screen.known(0, &verdict(&format!("device-{number}"), Status::Offline));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    for tenth in 0..21 {
        for number in 0..200 {
            screen.change(0, &changed(&format!("device-{number}"), Status::Online));
        }
        screen.draw(&mut buffer, NOW, Duration::from_millis(tenth * 100));
        screen.press(Key::Down);
    }
    assert_eq!(screen.sortings(), 3, "once in each second");
    assert!(screen.is_dirty(), "what came last is still to be shown");
}

#[test]
fn no_bytes_keys_or_sizes_break_the_screen() {
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut screen = screen();
        for _ in 0..rng.usize(0..40) {
            let length = if rng.u8(..) == 0 { 65_535 } else { rng.usize(0..24) };
            let id = random_id(&mut rng, length);
            let status = Status::ALL[rng.usize(..Status::ALL.len())];
            let mut change = changed(&id, status);
            change.verdict.channel = Some(random_id(&mut rng, 9).into());
            change.verdict.address = Some(random_id(&mut rng, 30).into());
            screen.change(0, &change);
        }
        screen.finding(NOW, &random_id(&mut rng, 100));
        for _ in 0..40 {
            screen.press(random_key(&mut rng));
            if let Some((broker, client)) = screen.question() {
                let client = client.to_owned();
                screen.tell(broker, &client, fleet_of(&client));
            }
            let (columns, lines) = (rng.u16(1..130), rng.u16(1..40));
            let buffer = frame(&mut screen, columns, lines);
            for line in text(&buffer) {
                assert!(line.width() <= columns.into(), "seed {seed}: {line:?}");
                assert!(!line.contains(char::is_control), "seed {seed}: {line:?}");
            }
        }
    }
}

fn random_id(rng: &mut fastrand::Rng, length: usize) -> String {
    const ODD: [char; 12] = [
        '泵', 'é', '\u{301}', '\u{202e}', '\x1b', '\n', '👩', '\u{200d}', 'ש', '\u{fe0f}', '🇩', '*',
    ];
    let bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
    let mut id = String::from_utf8_lossy(&bytes).into_owned();
    for _ in 0..rng.usize(0..6) {
        id.insert(0, ODD[rng.usize(..ODD.len())]);
    }
    id
}

fn random_key(rng: &mut fastrand::Rng) -> Key {
    const KEYS: [Key; 9] = [
        Key::Up,
        Key::Down,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
        Key::Enter,
        Key::Escape,
        Key::Backspace,
    ];
    if rng.bool() { KEYS[rng.usize(..KEYS.len())] } else { Key::Char(rng.char('!'..='~')) }
}
