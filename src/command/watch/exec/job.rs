//! What a command is told about a change: data only, in variables and as JSON.

use crate::cli::watch::On;
use crate::output::object::ChangeObject;
use crate::state::presence::Change;
use crate::state::verdict::How;

/// One run of the command.
#[derive(Debug, Default)]
pub struct Job {
    /// For messages about the run.
    pub client: String,
    /// Names with the prefix, and values without NUL.
    pub variables: Vec<(String, String)>,
    /// The object of the change, and a line end.
    pub json: Vec<u8>,
}

/// Bytes of one value. The system has a limit too, beyond which nothing could be run.
const VALUE_MAX: usize = 65_535;

impl Job {
    pub fn new(instance: &str, change: &Change, on: &[On]) -> Self {
        let mut json = serde_json::to_vec(&ChangeObject::new(instance, change)).unwrap_or_default();
        json.push(b'\n');
        let mut job =
            Self { client: change.verdict.client.to_string(), variables: Vec::new(), json };
        job.fill(instance, change, on);
        job
    }

    fn fill(&mut self, instance: &str, change: &Change, on: &[On]) {
        let verdict = &change.verdict;
        let words: Vec<&str> = on.iter().map(|on| on.word()).collect();
        let held = change.held_ms.map(|held| held.to_string());
        let mut altered = Vec::new();
        for (name, value) in [
            ("ON", words.join(" ").as_str()),
            ("INSTANCE", instance),
            ("CLIENT", &verdict.client),
            ("FROM", change.from.word()),
            ("TO", verdict.status.word()),
            ("CAUSE", change.cause.word()),
            ("AT_MS", &change.at.0.to_string()),
            ("CHANNEL", verdict.channel.as_deref().unwrap_or_default()),
            ("ADDRESS", verdict.address.as_deref().unwrap_or_default()),
            ("HOW", verdict.how.map(How::word).unwrap_or_default()),
            ("VOICE", verdict.voice.as_deref().unwrap_or_default()),
            ("ANOMALIES", &verdict.anomalies.join(" ")),
            ("HELD_MS", held.as_deref().unwrap_or_default()),
        ] {
            let fits = fitting(value);
            if fits != value {
                altered.push(name.to_ascii_lowercase());
            }
            self.variables.push((format!("{PREFIX}{name}"), fits));
        }
        self.variables.push((format!("{PREFIX}ALTERED"), altered.join(" ")));
    }
}

/// Returns a value as the environment can hold it: without NUL, and not too long.
fn fitting(value: &str) -> String {
    let end = value.floor_char_boundary(VALUE_MAX);
    value[..end].replace('\0', "\u{fffd}")
}

const PREFIX: &str = "PRESENCE_CHANGE_";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::state::presence::Cause;
    use crate::state::verdict::{Status, Verdict};

    fn job(client: &str) -> Job {
        let verdict = Verdict { status: Status::Offline, ..Verdict::unknown(client) };
        let (at, cause) = (Timestamp(7), Cause::Tcpclean);
        let change = Change { at, from: Status::Online, cause, verdict, held_ms: None };
        Job::new("broker.example:1883", &change, &[On::Offline])
    }

    fn variable<'a>(job: &'a Job, name: &str) -> &'a str {
        let name = format!("PRESENCE_CHANGE_{name}");
        let found = job.variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.as_str()).expect("it is there")
    }

    #[test]
    fn what_the_environment_cannot_hold_is_replaced_and_said() {
        let job = job("a\0b");
        assert_eq!((variable(&job, "CLIENT"), variable(&job, "ALTERED")), ("a\u{fffd}b", "client"));
        let read: serde_json::Value = serde_json::from_slice(&job.json).expect("it is JSON");
        assert_eq!(read["client"], "a\0b");
    }

    #[test]
    fn a_long_id_is_cut_between_characters() {
        let job = job(&"泵".repeat(100_000));
        let client = variable(&job, "CLIENT");
        assert!(client.len() <= VALUE_MAX && client.chars().all(|c| c == '泵'));
        assert_eq!(variable(&job, "ALTERED"), "client");
    }

    #[test]
    fn an_ordinary_change_is_told_as_it_is() {
        let job = job("pump-7");
        for (name, value) in [
            ("ON", "offline"),
            ("INSTANCE", "broker.example:1883"),
            ("FROM", "online"),
            ("TO", "offline"),
            ("CAUSE", "tcpclean"),
            ("AT_MS", "7"),
            ("CHANNEL", ""),
            ("ALTERED", ""),
        ] {
            assert_eq!(variable(&job, name), value, "{name}");
        }
        assert!(job.json.ends_with(b"}\n"));
    }
}
