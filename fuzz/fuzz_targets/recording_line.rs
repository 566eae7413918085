//! Any line of a recording: reading must not panic, and whatever is read can be written and read again
//! without loss.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::event::Timestamp;
use presence::source::recording::known::KnownClient;
use presence::source::recording::line::{AnswerLine, Heading, MessageLine, RestartLine};
use presence::source::recording::{Line, SourceLine};
use presence::state::answer::ASKED;
use presence::state::coverage::{Coverage, Member};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;

const CHANNELS_MAX: usize = 8;
const MOMENTS: [Timestamp; 3] = [Timestamp::MIN, Timestamp(1_760_000_000_000), Timestamp::MAX];

fuzz_target!(|data: &[u8]| {
    let Ok(line) = serde_json::from_slice::<Line<'_>>(data) else { return };
    let written = serde_json::to_vec(&line).expect("every line can be written");
    let again: Line<'_> = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, line);
    match &line {
        Line::Recording(heading) => read_heading(heading),
        Line::Message(message) => read_message(message),
        Line::Answer(answer) => read_answer(answer),
        Line::Client(known) => read_client(known),
        Line::Source(source) => read_source(source),
        Line::Restart(restart) => {
            let mut fleet = Fleet::default();
            fleet.join_restart(restart.stamp());
            let stamp = fleet.restart().expect("it was just told");
            assert_eq!(&RestartLine::new(&restart.instance, stamp), restart);
        }
        Line::Judged(_) => {}
    }
});

fn read_heading(heading: &Heading<'_>) {
    // Once more is no change: what no option allows was put right the first time.
    let policy = heading.policy.within_bounds();
    assert_eq!(policy.within_bounds(), policy);
    if let Ok(dialects) = heading.reading.dialects(None) {
        assert_eq!(dialects.iter().count(), heading.reading.dialects.len());
    }
}

fn read_message(message: &MessageLine<'_>) {
    let Some(payload) = message.bytes() else { return };
    let written = MessageLine::new(&message.topic, &payload);
    assert_eq!(written.bytes().expect("it holds a payload"), payload);
}

fn read_answer(answer: &AnswerLine<'_>) {
    let event = answer.event();
    let voice = VoiceKey { authority: ASKED, name: &answer.source };
    let by = Hearsay { voice, mark: None, received: Timestamp(answer.received_ms) };
    let mut fleet = Fleet::default();
    fleet.take(&event, &by, &Policy::DEFAULT);
    for now in MOMENTS {
        let _ = fleet.verdict(&answer.client, now, &Policy::DEFAULT);
    }
}

fn read_client(known: &KnownClient) {
    let Some(client) = known.to_client(CHANNELS_MAX) else { return };
    let told = KnownClient::of(&known.instance, &client);
    assert_eq!(told.to_client(CHANNELS_MAX).as_ref(), Some(&client));
    let mut fleet = Fleet::default();
    let news = fleet.join_client(&client, &Policy::DEFAULT);
    assert!(!fleet.join_client(&client, &Policy::DEFAULT).anything(), "{news:?}");
    for now in MOMENTS {
        let verdict = fleet.verdict(&known.client, now, &Policy::DEFAULT);
        assert!(!verdict.covered, "nobody listened: {verdict:?}");
    }
}

fn read_source(source: &SourceLine) {
    let Some(account) = source.account() else { return };
    let key = source.key();
    assert_eq!(&SourceLine::new(&source.instance, &key, &source.member, &account), source);
    let mut coverage = Coverage::default();
    for member in ["another", &source.member] {
        coverage.join_member(&key, member, &account);
        coverage.join_member(&key, member, &Member::new(0));
    }
    for now in MOMENTS {
        coverage.hear(&source.ear, &source.member, now);
        let marks: Vec<_> = coverage.mark(&key).into_iter().collect();
        let _ = coverage.covers(&key.voice, &marks, now);
        let _ = coverage.covers(&key.voice, &[], now);
        let _ = (coverage.next_silence(now), coverage.hearing(now));
    }
}
