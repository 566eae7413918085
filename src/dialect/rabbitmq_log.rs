//! RabbitMQ's log, up to 3.11: who comes and goes at its plugin for MQTT.
//!
//! Ids stand there unescaped, and what is behind an end of a line in one is written like a line of its own. But
//! every line names the process that writes it, and a connection's process writes of that connection alone: so
//! the process tells whose a line is, and not what the line says.

use super::connections::{Connections, Owner};
use super::plain::{How, Memory, Plain};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, line_of};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use std::borrow::Cow;

pub const RABBITMQ_LOG: Plain = Plain {
    name: "rabbitmq-log",
    title: "a log of RabbitMQ",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| line_of(line).is_ok_and(|text| Line::of(text).is_some())),
    read: How::Together(|| Box::new(Log::default())),
};

/// The reader of one node's log.
#[derive(Debug, Default)]
struct Log {
    /// By their processes.
    connections: Connections,
}

impl Memory for Log {
    /// Reads one line.
    ///
    /// Shape: `TIME [LEVEL] <PROCESS> TEXT`. The begin, `accepting MQTT connection <PROCESS> (NAME, client id: ID)`,
    /// names the client, ends do not: whose a process is, is remembered. NAME is `IP:PORT -> IP:PORT`, of which the
    /// first half is a weak channel, since ports come back.
    /// Units: TIME with its offset, of which ms are kept; the tie is the place in the log.
    /// Errors: `Malformed` for a begin without a client or by a process that has one already, which somebody
    /// forged.
    /// Source: rabbitmq/rabbitmq-server v3.10.8 `rabbit_mqtt_reader.erl` and `rabbit_mqtt_processor.erl`, run;
    /// samples in `tests/fixtures/dialects/rabbitmq-3.10.log`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let text = match line_of(message.payload) {
            Ok(text) => text,
            Err(malformed) => return Reading::Malformed(malformed),
        };
        let Some(Line { time, process, told }) = Line::of(text) else { return Reading::NotMine };
        let stamp = Stamp { time, tie: message.tie, resolution: 0 };
        let event = |client: String, name: &str, kind| {
            let address: Cow<'a, str> = peer_of(name).to_owned().into();
            let channel = Channel::Weak(Some(address.clone()));
            let event = ChannelEvent::new(client, channel, kind, Some(stamp));
            ChannelEvent { address, ..event }
        };
        match told {
            Told::Nothing => Reading::Events(Events::default()),
            Told::Refused => Reading::Events(Events::only(Remark::Refused)),
            Told::Started => {
                self.connections = Connections::default();
                Reading::Events(Events::one(Event::Restarted(Some(stamp))))
            }
            Told::Begin { client: "", .. } => {
                let detail = format!("no client in `{}`", excerpt(message.payload));
                Reading::Malformed(Malformed::new(Reason::ClientMissing, detail))
            }
            Told::Begin { name, client } => {
                let client = id_of(client);
                if let Some(owner) = self.connections.end(process) {
                    self.connections.begin(process, owner);
                    let detail =
                        format!("{process} has a client already: `{}`", excerpt(message.payload));
                    return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
                }
                self.connections.begin(process, Owner::Client(format!("{name}\n{client}").into()));
                let begun = event(client, name, EventKind::Opened);
                Reading::Events(Events::one(Event::Channel(begun)))
            }
            Told::End { is_goodbye } => match self.connections.end(process) {
                Some(Owner::Client(owner)) => {
                    let (name, client) = owner.split_once('\n').unwrap_or(("", &owner));
                    let ended = event(client.to_owned(), name, EventKind::Closed);
                    Reading::Events(super::plain::ending(ended, is_goodbye))
                }
                Some(Owner::Other) | None => Reading::Events(Events::only(Remark::UnknownEnd)),
            },
        }
    }

    /// A process may have ended, and another have its name by now.
    fn interrupted(&mut self) {
        self.connections = Connections::default();
    }
}

/// Returns an id as the client sent it: 3.10 writes each of its bytes as if it were a character.
fn id_of(written: &str) -> String {
    let bytes: Option<Vec<u8>> = written.chars().map(|char| u8::try_from(char).ok()).collect();
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    id.unwrap_or_else(|| written.to_owned())
}

/// Returns the client's side of a connection.
fn peer_of(name: &str) -> &str {
    name.split_once(" -> ").map_or(name, |(peer, _)| peer)
}

struct Line<'a> {
    time: Timestamp,
    process: &'a str,
    told: Told<'a>,
}

#[derive(Clone, Copy)]
enum Told<'a> {
    Begin { name: &'a str, client: &'a str },
    End { is_goodbye: bool },
    Refused,
    Started,
    Nothing,
}

impl<'a> Line<'a> {
    /// Cuts a line up; `None` for what is none of this log.
    fn of(text: &'a str) -> Option<Self> {
        let (time, rest) = text.split_once(" [")?;
        let (level, rest) = rest.split_once("] ")?;
        let (process, text) = rest.split_once(' ')?;
        let is_process = process.starts_with("<0.") && process.ends_with('>');
        let is_level = level.bytes().all(|byte| byte.is_ascii_lowercase());
        let (true, true, true) = (is_process, is_level, time.len() >= "YYYY-MM-DD HH:MM:SSZ".len())
        else {
            return None;
        };
        let time: jiff::Timestamp = time.parse().ok()?;
        let told = told(text.trim_start(), process);
        Some(Self { time: Timestamp(time.as_millisecond()), process, told })
    }
}

fn told<'a>(text: &'a str, process: &str) -> Told<'a> {
    begin(text, process)
        .or_else(|| end(text, process))
        .or_else(|| {
            let is_start = text.starts_with("Starting RabbitMQ ");
            is_start.then_some(Told::Started)
        })
        .or_else(|| {
            let is_refused = text.starts_with("MQTT connection ")
                && text.ends_with(" is closing due to an authentication failure");
            is_refused.then_some(Told::Refused)
        })
        .unwrap_or(Told::Nothing)
}

fn begin<'a>(text: &'a str, process: &str) -> Option<Told<'a>> {
    let rest = text.strip_prefix("accepting MQTT connection ")?.strip_prefix(process)?;
    // A name has no comma, whatever the id has.
    let (name, client) = rest.strip_prefix(" (")?.strip_suffix(')')?.split_once(", client id: ")?;
    Some(Told::Begin { name, client })
}

fn end<'a>(text: &str, process: &str) -> Option<Told<'a>> {
    if let Some(rest) = text.strip_prefix("closing MQTT connection ") {
        return Some(Told::End { is_goodbye: rest.starts_with(process) });
    }
    let is_gone = text.starts_with("MQTT connection \"")
        && text.ends_with("\" will terminate because peer closed TCP connection");
    let is_taken_over = text.starts_with("MQTT disconnecting client \"")
        && text.ends_with('\'')
        && text.contains("\" with duplicate id '");
    (is_gone || is_taken_over).then_some(Told::End { is_goodbye: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::{self, Reader};

    fn told(lines: &[&str]) -> Vec<String> {
        let mut reader = Reader::new(&RABBITMQ_LOG, None);
        let line = |line: &str| format!("2026-11-22 02:08:17.832186+00:00 [info] {line}");
        lines.iter().map(|text| plain::told_by(&mut reader, "", line(text))).collect()
    }

    #[test]
    fn the_process_tells_whose_an_end_is() {
        let found = told(&[
            "<0.1.0> accepting MQTT connection <0.1.0> (h:1 -> s:2, client id: a)",
            "<0.2.0> accepting MQTT connection <0.2.0> (h:3 -> s:2, client id: a)",
            "<0.1.0> MQTT disconnecting client \"h:1 -> s:2\" with duplicate id 'a'",
            "<0.2.0> closing MQTT connection <0.2.0> (h:3 -> s:2)",
            "<0.2.0> closing MQTT connection \"h:3 -> s:2\" (keepalive timeout)",
        ]);
        assert_eq!(found, ["+a (h:1)", "+a (h:3)", "-a (h:1)", "~a (h:3) -a (h:3)", "UnknownEnd"]);
    }

    #[test]
    fn no_id_speaks_for_another_client() {
        let found = told(&[
            "<0.1.0> accepting MQTT connection <0.1.0> (h:1 -> s:2, client id: valve)",
            "<0.2.0> accepting MQTT connection <0.2.0> (h:3 -> s:2, client id: x), client id: valve)",
            "<0.2.0> accepting MQTT connection <0.2.0> (h:9 -> s:2, client id: pump)",
            "<0.2.0> closing MQTT connection <0.1.0> (h:1 -> s:2)",
            "<0.3.0> closing MQTT connection <0.1.0> (h:1 -> s:2)",
        ]);
        let forger = "x), client id: valve";
        let expected = [
            "+valve (h:1)".to_owned(),
            format!("+{forger} (h:3)"),
            "unreadable".to_owned(),
            format!("-{forger} (h:3)"),
            "UnknownEnd".to_owned(),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_id_outside_ascii_is_read_as_it_was_sent() {
        let mangled: String = "设备-é".bytes().map(char::from).collect();
        for (written, id) in [(&*mangled, "设备-é"), ("é", "é"), ("世", "世"), ("a\\b", "a\\b")]
        {
            assert_eq!(id_of(written), id);
        }
    }

    #[test]
    fn a_start_ends_everybody_and_other_lines_tell_nothing() {
        let found = told(&[
            "<0.1.0> accepting MQTT connection <0.1.0> (h:1 -> s:2, client id: a)",
            "<0.9.0> Starting RabbitMQ 3.10.8 on Erlang 25.2.3",
            "<0.1.0> closing MQTT connection <0.1.0> (h:1 -> s:2)",
            "<0.4.0> MQTT connection h:1 -> s:2 is closing due to an authentication failure",
            "<0.4.0> MQTT login failed for user 'guest', authentication failed: Refused",
            "<0.5.0> accepting MQTT connection <0.5.0> (h:1 -> s:2, client id: )",
            "nobody accepting",
        ]);
        assert_eq!(
            found,
            ["+a (h:1)", "!", "UnknownEnd", "Refused", "", "client-missing", "not mine"]
        );
    }
}
