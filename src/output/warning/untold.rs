//! What files that were read do not tell.

use super::value;

/// Something that was asked of files, or expected of them, and is not in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untold {
    /// A file says nothing, for this reason; with what would help.
    Nothing { path: String, why: String, next: &'static str },
    /// The moment asked about lies so long after the end of what was read.
    AfterTheEnd { at: String, end: String, by: String },
    /// Nobody listened at the moment asked about.
    NobodyListened { instance: String, at: String, from: String, until: Option<String> },
}

impl Untold {
    /// Returns what is not there.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Nothing { path, why, .. } => {
                format!("nothing was read from {}: {why}", value(path))
            }
            Self::AfterTheEnd { at, end, by } => format!(
                "what was read ends at {end}, {by} before {at}: what came then is not in it"
            ),
            Self::NobodyListened { instance, at, from, until } => {
                let until = until.as_ref().map_or_else(
                    || "and nothing that was read tells of later".to_owned(),
                    |until| format!("until {until}"),
                );
                let broker =
                    if instance.is_empty() { "the broker".to_owned() } else { value(instance) };
                format!("nobody listened to {broker} at {at}: not from {from}, {until}")
            }
        }
    }

    /// Returns what can be done about it.
    pub(super) const fn next(&self) -> &'static str {
        match self {
            Self::Nothing { next, .. } => next,
            Self::AfterTheEnd { .. } => {
                "read what goes on from there as well, or ask about a moment before that end"
            }
            Self::NobodyListened { .. } => {
                "ask about a moment in which somebody did, or read what another watcher recorded then"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::warning::Warning;

    #[test]
    fn every_warning_reads_well() {
        let listened = |until: Option<&str>| Untold::NobodyListened {
            instance: "10.0.0.5:1883".into(),
            at: "05:00".into(),
            from: "04:00".into(),
            until: until.map(str::to_owned),
        };
        for (untold, expected) in [
            (
                Untold::Nothing {
                    path: "night\n.log".into(),
                    why: "it is empty".into(),
                    next: "wait",
                },
                r"nothing was read from `night\n.log`: it is empty",
            ),
            (
                Untold::AfterTheEnd { at: "05:00".into(), end: "04:00".into(), by: "1h".into() },
                "what was read ends at 04:00, 1h before 05:00: what came then is not in it",
            ),
            (
                listened(Some("06:00")),
                "nobody listened to `10.0.0.5:1883` at 05:00: not from 04:00, until 06:00",
            ),
            (
                listened(None),
                "nobody listened to `10.0.0.5:1883` at 05:00: not from 04:00, and nothing that was read tells of later",
            ),
        ] {
            let next = untold.next();
            let expected = format!("warning: {expected}\n  next:  {next}");
            assert_eq!(Warning::from(untold).to_string(), expected);
        }
    }
}
