//! What goes on inside, for whoever looks for a fault: one line an event, with its time in UTC.
//!
//! Our own events come by `tracing`, those of libraries by `log` too. Both hold foreign text, so every
//! line is made safe. What a user should know in any case is a warning or talk, and no log.

use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::console::Talk;
use crate::output::sanitize::guard;
use crate::output::style::{Style, Tone};
use crate::output::time::rfc3339;
use std::fmt::{self, Write as _};
use std::io;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_log::{LogTracer, NormalizeEvent as _};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// The environment variable with a filter such as `presence=debug,rumqttc=info`. It outranks `-v`.
pub const VARIABLE: &str = "PRESENCE_LOG";

/// Begins to log as many details as asked for: from 0, nothing, to 2, libraries too. `filter` is the value
/// of [`VARIABLE`]. For the whole process, once.
///
/// Errors: a filter that cannot be read (exit 2).
pub fn start(
    verbosity: u8,
    filter: Option<&str>,
    talk: Talk,
    style: Style,
    now: fn() -> Timestamp,
) -> Result<(), Failure> {
    let Some(filter) = chosen(verbosity, filter) else { return Ok(()) };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        Failure::misuse(format!("`{VARIABLE}` cannot be used as given"))
            .because(error)
            .next("name modules with levels, as in `presence=debug,rumqttc=info`")
    })?;
    let subscriber = subscriber(filter, talk, style, now);
    // Both fail only where a log was begun before, and then that one goes on.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let _ = LogTracer::init();
    }
    Ok(())
}

fn chosen(verbosity: u8, filter: Option<&str>) -> Option<String> {
    match (filter, verbosity) {
        (Some(filter), _) if !filter.is_empty() => Some(filter.to_owned()),
        (_, 0) => None,
        (_, 1) => Some("presence=debug".to_owned()),
        _ => Some("debug,presence=trace".to_owned()),
    }
}

fn subscriber(
    filter: EnvFilter,
    talk: Talk,
    style: Style,
    now: fn() -> Timestamp,
) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .event_format(Line { style, now })
        .with_writer(move || Paper(talk.clone()))
        .finish()
}

/// Hands whole lines to the console.
struct Paper(Talk);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `2026-11-24T14:05:07.123Z DEBUG presence::source: connected session_present=true`
struct Line {
    style: Style,
    now: fn() -> Timestamp,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = match *metadata.level() {
            Level::ERROR => self.style.paint(Tone::Error, "ERROR").to_string(),
            Level::WARN => self.style.paint(Tone::Warning, "WARN").to_string(),
            level => level.to_string(),
        };
        let time = rfc3339((self.now)());
        let (target, text) = (guard(metadata.target()), guard(&fields.0));
        writeln!(writer, "{time} {level} {target}: {text}")
    }
}

/// The message, then the other fields as `name=value`.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to memory fails only where a value does, and then half a line is best.
        let _ = match field.name() {
            "message" => {
                let rest = std::mem::take(&mut self.0);
                write!(self.0, "{value:?}{rest}")
            }
            // Where a line of `log` came from: told by its target.
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.0, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, act: impl FnOnce()) -> String {
        let sheet = Sheet::default();
        let talk = Talk::over(sheet.clone());
        let filter = EnvFilter::try_new(filter).expect("it is a filter");
        let now = || Timestamp(1_760_000_000_123);
        tracing::subscriber::with_default(subscriber(filter, talk, Style::PLAIN, now), act);
        String::from_utf8(sheet.0.lock().expect("nobody panicked").clone()).expect("it is text")
    }

    #[test]
    fn an_event_is_one_line_and_foreign_text_in_it_is_safe() {
        let text = logged("debug", || {
            let id = "\x1b[2J\n2026-01-01T00:00:00.000Z ERROR presence: forged";
            tracing::info!(target: "presence::a", id, number = 7, "heard of {id}");
            tracing::trace!("not asked for");
        });
        let id = r"\x1b[2J\n2026-01-01T00:00:00.000Z ERROR presence: forged";
        let expected =
            format!("2025-10-09T08:53:20.123Z INFO presence::a: heard of {id} id={id} number=7\n");
        assert_eq!(text, expected);
    }

    #[test]
    fn details_come_by_request() {
        assert_eq!(chosen(0, None), None);
        assert_eq!(chosen(0, Some("")), None);
        assert_eq!(chosen(0, Some("presence=info")).as_deref(), Some("presence=info"));
        assert_eq!(chosen(1, None).as_deref(), Some("presence=debug"));
        assert_eq!(chosen(9, None).as_deref(), Some("debug,presence=trace"));
        let text = logged("presence=debug", || {
            tracing::debug!(target: "presence::source", "ours");
            tracing::debug!(target: "rumqttc::state", "theirs");
        });
        assert!(text.contains("ours") && !text.contains("theirs"), "{text}");
    }
}
