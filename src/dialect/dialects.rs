//! The dialects that a command listens with, and which of them a message belongs to.
//!
//! A message is asked of the dialects whose place its topic is, not of all: what a stranger publishes under a
//! status topic must not be taken for the broker's own word.

use super::described::Described;
use super::lmq::{self, Lmq};
use super::mosquitto::{self, Mosquitto};
use super::plain;
use super::status::Status;
use super::{Events, Malformed, Message, Reading, Reason, topic};

/// One way of speaking about clients.
#[derive(Debug)]
pub enum Dialect {
    Lmq(Lmq),
    Status(Status),
    Mosquitto(Mosquitto),
    Plain(plain::Reader),
    /// As a file describes it.
    Described(&'static Described),
}

impl Dialect {
    /// Returns the name of the voice.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lmq(_) => Lmq::NAME,
            Self::Status(_) => Status::NAME,
            Self::Mosquitto(_) => Mosquitto::NAME,
            Self::Plain(plain) => plain.dialect.name,
            Self::Described(described) => described.name.as_str(),
        }
    }

    /// Returns whose word weighs more, 1 the most: the broker's with strong channels (1) and without
    /// (2), its retained state (3), what devices say of themselves (4).
    #[must_use]
    pub const fn authority(&self) -> u8 {
        match self {
            Self::Lmq(_) => Lmq::AUTHORITY,
            Self::Status(_) => Status::AUTHORITY,
            Self::Mosquitto(_) => Mosquitto::AUTHORITY,
            Self::Plain(plain) => plain.dialect.authority,
            Self::Described(described) => described.authority,
        }
    }

    /// Returns what its messages are, for a person.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Lmq(_) => "LMQ notices",
            Self::Status(_) => "status messages",
            Self::Mosquitto(_) => "a log of Mosquitto",
            Self::Plain(plain) => plain.dialect.title,
            Self::Described(described) => described.title.as_str(),
        }
    }

    /// Returns where it listens unless told otherwise.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let filter = match self {
            Self::Lmq(_) => Lmq::FILTER,
            Self::Status(status) => status.template.filter(),
            Self::Mosquitto(_) => Mosquitto::FILTER,
            Self::Plain(plain) => {
                let filters = plain.dialect.filters.iter();
                return filters.map(|filter| (*filter).to_owned()).collect();
            }
            Self::Described(described) => return described.filters.clone(),
        };
        vec![filter.to_owned()]
    }

    /// Returns for how many ms the broker keeps its own messages for a listener that is away, `None`
    /// if they do not expire.
    #[must_use]
    pub const fn message_life(&self) -> Option<i64> {
        match self {
            Self::Mosquitto(_) => Some(Mosquitto::MESSAGE_LIFE_MS),
            Self::Plain(plain) => plain.dialect.message_life,
            Self::Lmq(_) | Self::Status(_) | Self::Described(_) => None,
        }
    }

    /// Returns whether several watchers may each hear a part of it. Events of other dialects are told
    /// apart by the order in which one listener heard them, or only make sense one after the other.
    #[must_use]
    pub const fn is_shareable(&self) -> bool {
        match self {
            Self::Lmq(_) => true,
            Self::Status(_) | Self::Mosquitto(_) | Self::Plain(_) | Self::Described(_) => false,
        }
    }

    /// Reads one message, whatever its topic may say about whose it is.
    pub fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        match self {
            Self::Lmq(lmq) => lmq.read(message),
            Self::Status(status) => status.read(message),
            Self::Mosquitto(mosquitto) => mosquitto.read(message),
            Self::Plain(plain) => plain.read(message),
            Self::Described(described) => described.read(message),
        }
    }

    /// Messages may have been lost since the last one: forgets what only an unbroken hearing proves.
    pub fn interrupted(&mut self) {
        match self {
            Self::Mosquitto(mosquitto) => mosquitto.interrupted(),
            Self::Plain(plain) => plain.interrupted(),
            Self::Lmq(_) | Self::Status(_) | Self::Described(_) => {}
        }
    }

    /// Returns whether a message of this topic is its business while it listens at its usual place.
    fn speaks_at(&self, topic: &str) -> bool {
        let is_brokers = || {
            let mut heads = [LMQ_TOPICS, MOSQUITTO_TOPICS].iter();
            heads.any(|head| topic.starts_with(head)) || plain::is_brokers(topic)
        };
        match self {
            Self::Lmq(_) => topic.starts_with(LMQ_TOPICS),
            Self::Mosquitto(_) => topic.starts_with(MOSQUITTO_TOPICS),
            Self::Status(status) => status.template.client(topic).is_some() && !is_brokers(),
            Self::Plain(plain) => (plain.dialect.speaks_at)(topic),
            Self::Described(described) => {
                described.speaks_at(topic) && (described.is_brokers || !is_brokers())
            }
        }
    }
}

/// The dialects of a command, in order.
#[derive(Debug, Default)]
pub struct Dialects {
    all: Vec<Dialect>,
    /// With what the topics begin at which each of them speaks.
    heads: Vec<Head>,
    topics: Vec<String>,
}

impl Dialects {
    /// Returns the dialects, listening at `topics` instead of their usual places if there are any.
    #[must_use]
    pub fn new(dialects: Vec<Dialect>, topics: Vec<String>) -> Self {
        let heads = dialects.iter().map(|dialect| match dialect {
            // A file may listen at fewer places than it can read.
            Dialect::Described(_) => Head::of(&[]),
            other => Head::of(&other.filters()),
        });
        let heads = heads.collect();
        Self { all: dialects, heads, topics }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Dialect> {
        self.all.iter()
    }

    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Dialect> {
        self.all.get(index)
    }

    /// Returns whether they listen at other places than their usual ones.
    #[must_use]
    pub const fn is_overridden(&self) -> bool {
        !self.topics.is_empty()
    }

    /// Returns what to subscribe to, each filter once.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let wanted = if self.topics.is_empty() {
            self.all.iter().flat_map(Dialect::filters).collect()
        } else {
            self.topics.clone()
        };
        let mut filters: Vec<String> = Vec::with_capacity(wanted.len());
        for filter in wanted {
            if !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        filters
    }

    /// Tells whether a message of this topic is somebody's business.
    #[must_use]
    pub fn listen_at(&self, topic: &str) -> bool {
        let is_chosen = || self.topics.iter().any(|filter| topic::matches(filter, topic));
        self.all.iter().any(|dialect| dialect.speaks_at(topic)) || is_chosen()
    }

    /// Messages may have been lost: to be told after every hole in what was heard.
    pub fn interrupted(&mut self) {
        self.all.iter_mut().for_each(Dialect::interrupted);
    }

    /// Reads one message that came over MQTT, with the index of the dialect that took it for its own.
    ///
    /// Asked are the dialects whose place its topic is, and where it is nobody's, but one that the user chose
    /// to listen to, all of them: then the content tells whose it is. A single dialect is asked about
    /// everything that comes from there.
    /// Errors: besides those of a dialect, `Malformed` of none where two of them understand a message. It may
    /// mean something else to each.
    pub fn read<'a>(&mut self, message: &Message<'a>) -> (Option<usize>, Reading<'a>) {
        let topic = message.topic;
        let is_chosen = self.topics.iter().any(|filter| topic::matches(filter, topic));
        if let ([only], true) = (&mut *self.all, is_chosen) {
            let reading = only.read(message);
            let is_taken = !matches!(reading, Reading::NotMine);
            return (is_taken.then_some(0), reading);
        }
        let start = Head::start(topic);
        let speaks = |dialect: &Dialect, head: Head| head.is_of(start) && dialect.speaks_at(topic);
        let asked = self.asked(message, speaks, |_| true);
        if !is_chosen || !matches!(asked.1, Reading::NotMine) {
            return asked;
        }
        // The others have said that it is not theirs.
        let is_left = |dialect: &Dialect, head| !speaks(dialect, head);
        self.asked(message, is_left, |dialect| claims(dialect.name(), message.payload))
    }

    /// Reads a message with some of the dialects. `may_fail` tells whose failure to read it counts.
    fn asked<'a>(
        &mut self,
        message: &Message<'a>,
        is_asked: impl Fn(&Dialect, Head) -> bool,
        may_fail: impl Fn(&Dialect) -> bool,
    ) -> (Option<usize>, Reading<'a>) {
        let may_say = |dialect: &Dialect| match dialect {
            Dialect::Plain(plain) => plain.dialect.may_say(message.payload),
            Dialect::Lmq(_)
            | Dialect::Status(_)
            | Dialect::Mosquitto(_)
            | Dialect::Described(_) => true,
        };
        let mut asked = (self.all.iter_mut().zip(&self.heads).enumerate())
            .filter(|(_, (dialect, head))| is_asked(dialect, **head))
            .map(|(index, (dialect, _))| (index, dialect));
        let read = |dialect: &mut Dialect| match dialect.read(message) {
            Reading::Malformed(_) if !may_fail(dialect) => Reading::NotMine,
            reading => reading,
        };
        let Some((mut index, dialect)) = asked.next() else { return (None, Reading::NotMine) };
        let mut asked = asked.peekable();
        let is_only = asked.peek().is_none();
        let mut best = if is_only || may_say(dialect) { read(dialect) } else { Reading::NotMine };
        let mut is_anyones = true;
        let mut other = None;
        for (next, dialect) in asked.filter(|(_, dialect)| may_say(dialect)) {
            let reading = read(dialect);
            match (weight(&reading), weight(&best)) {
                (Weight::Said, Weight::Said) => {
                    other = Some(next);
                    break;
                }
                // To neither of the two can be said to have been told something wrong.
                (Weight::Failed, Weight::Failed) => {
                    best = of_nobody(best);
                    is_anyones = false;
                }
                (found, so_far) if found > so_far => {
                    (best, index, is_anyones) = (reading, next, true);
                }
                _ => {}
            }
        }
        if let Some(other) = other {
            return (None, self.ambiguous(index, other));
        }
        let is_taken = is_anyones && !matches!(best, Reading::NotMine);
        (is_taken.then_some(index), best)
    }

    fn ambiguous(&self, first: usize, second: usize) -> Reading<'static> {
        let name = |index| self.all.get(index).map_or("", Dialect::name);
        let detail = format!("`{}` and `{}` both read it", name(first), name(second));
        Reading::Malformed(Malformed::new(Reason::Ambiguous, detail))
    }
}

/// The first bytes of some topics, as many as all of them have in common, at most sixteen: compared in one go, they
/// spare most dialects a look at a topic of another.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: u128,
    mask: u128,
}

impl Head {
    /// Returns that of the topics which these filters deliver. Who listens nowhere may speak anywhere.
    fn of(filters: &[String]) -> Self {
        let starts = filters
            .iter()
            .map(|filter| filter.find(['+', '#']).map_or(&**filter, |at| &filter[..at]));
        let common = starts.reduce(|common, start| {
            let length = common.bytes().zip(start.bytes()).take_while(|(a, b)| a == b).count();
            &common[..common.floor_char_boundary(length)]
        });
        let common = common.unwrap_or_default();
        let mask = Self::start(&"\u{7f}".repeat(common.len())) / 0x7f * 0xff;
        Self { bytes: Self::start(common), mask }
    }

    /// Returns the first bytes of a topic, 0 where it has none.
    fn start(topic: &str) -> u128 {
        let first = topic.as_bytes().first_chunk().copied();
        u128::from_le_bytes(first.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(topic.bytes()).for_each(|(byte, found)| *byte = found);
            bytes
        }))
    }

    const fn is_of(self, start: u128) -> bool {
        start & self.mask == self.bytes
    }
}

/// What a reading is worth beside that of another dialect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    NotMine,
    /// Understood, and about no client.
    Nothing,
    Failed,
    Said,
}

const fn weight(reading: &Reading<'_>) -> Weight {
    match reading {
        Reading::NotMine => Weight::NotMine,
        Reading::Malformed(_) => Weight::Failed,
        Reading::Events(Events { first: None, remark: None, .. }) => Weight::Nothing,
        Reading::Events(_) => Weight::Said,
    }
}

/// Returns what was set aside without the client that one dialect found in it.
fn of_nobody(reading: Reading<'_>) -> Reading<'_> {
    match reading {
        Reading::Malformed(malformed) => {
            Reading::Malformed(Malformed { client: None, ..malformed })
        }
        other => other,
    }
}

/// What one line tells about the file that it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    Nothing,
    /// It is in the words of this dialect.
    One(&'static str),
    /// It may be in the words of either: which one, only a person knows.
    Several(&'static str, &'static str),
}

/// Returns what a file seems to be, judged by one line of it.
#[must_use]
pub fn sniff(line: &[u8]) -> Sniffed {
    let mut claiming = file_names().filter(|name| claims(name, line));
    match (claiming.next(), claiming.next()) {
        (None, _) => Sniffed::Nothing,
        (Some(only), None) => Sniffed::One(only),
        (Some(first), Some(second)) => Sniffed::Several(first, second),
    }
}

/// Returns the names of the dialects that files are in.
pub fn file_names() -> impl Iterator<Item = &'static str> {
    let plain = plain::ALL.iter().filter(|plain| plain.is_line.is_some());
    [Lmq::NAME, Mosquitto::NAME].into_iter().chain(plain.map(|plain| plain.name))
}

/// Tells whether a line looks like one of this dialect.
#[must_use]
pub fn claims(name: &str, line: &[u8]) -> bool {
    match name {
        Lmq::NAME => lmq::is_notice(line),
        Mosquitto::NAME => mosquitto::is_log_line(line),
        name => plain::find(name).and_then(|plain| plain.is_line).is_some_and(|is| is(line)),
    }
}

const LMQ_TOPICS: &str = "$presence/";
const MOSQUITTO_TOPICS: &str = "$SYS/broker/log/";

#[cfg(test)]
mod tests {
    use super::super::described;
    use super::*;
    use crate::dialect::status::Words;
    use crate::event::Timestamp;

    const NOTICE: &str = r#"{"clientId":"a","eventType":"connect","channelId":"c","time":1}"#;
    const LINE: &str = "1795313001: Client a disconnected.";

    fn lmq() -> Dialect {
        Dialect::Lmq(Lmq)
    }

    fn mosquitto() -> Dialect {
        Dialect::Mosquitto(Mosquitto::new(None))
    }

    fn status(template: &str) -> Dialect {
        let template = topic::Template::parse(template).expect("valid");
        Dialect::Status(Status { template, words: Words::default() })
    }

    fn asked(dialects: &mut Dialects, topic: &str, payload: &str) -> Option<usize> {
        let payload = payload.as_bytes();
        let received = Timestamp(0);
        let (tag, qos, retain, tie) = (None, 0, false, 1);
        dialects.read(&Message { topic, payload, tag, qos, retain, received, tie }).0
    }

    #[test]
    fn every_dialect_listens_at_its_own_place() {
        let dialects = Dialects::new(
            vec![lmq(), mosquitto(), status("a/{client}"), status("a/{client}")],
            vec![],
        );
        assert_eq!(dialects.filters(), ["$presence/#", "$SYS/broker/log/#", "a/+"]);
        let voices: Vec<_> = dialects
            .iter()
            .map(|dialect| (dialect.name(), dialect.authority(), dialect.message_life()))
            .collect();
        assert_eq!(
            voices,
            [
                ("lmq", 1, None),
                ("mosquitto", 2, Some(20_000)),
                ("status", 4, None),
                ("status", 4, None)
            ]
        );
    }

    #[test]
    fn a_message_is_asked_of_the_dialect_that_owns_its_topic() {
        // A status template may lie across the others' topics; it gets nothing of theirs.
        let wide = [status("$presence/{client}"), status("$SYS/broker/log/{client}")];
        let mut all: Vec<_> = wide.into_iter().collect();
        all.extend([lmq(), mosquitto(), status("devices/{client}/status")]);
        let mut dialects = Dialects::new(all, vec![]);
        for (topic, payload, expected) in [
            ("$presence/a", NOTICE, Some(2)),
            ("$presence/a", "no notice", Some(2)),
            ("$presence/a", "online", Some(2)),
            ("$SYS/broker/log/N", LINE, Some(3)),
            ("$SYS/broker/log/N", "online", None),
            ("$SYS/broker/log/M/subscribe", LINE, None),
            ("devices/a/status", "online", Some(4)),
            ("devices/a/status", NOTICE, Some(4)),
            ("devices/a/status", LINE, Some(4)),
            ("devices/a/b/status", "online", None),
            ("other", NOTICE, None),
            ("", LINE, None),
        ] {
            assert_eq!(asked(&mut dialects, topic, payload), expected, "{topic} {payload}");
        }
    }

    #[test]
    fn a_single_dialect_reads_whatever_its_override_delivers() {
        let topics = vec!["site/+/notices".to_owned(), "site/+/notices".to_owned()];
        let mut dialects = Dialects::new(vec![lmq()], topics);
        assert_eq!(dialects.filters(), ["site/+/notices"]);
        assert_eq!(asked(&mut dialects, "site/a/notices", NOTICE), Some(0));
        assert_eq!(asked(&mut dialects, "other", NOTICE), None);
        let mut dialects = Dialects::new(vec![mosquitto()], vec!["site/#".to_owned()]);
        assert_eq!(asked(&mut dialects, "site/log/N", LINE), Some(0));
        assert_eq!(asked(&mut dialects, "site/log/M/subscribe", LINE), None);
        let mut dialects = Dialects::new(vec![status("site/{client}")], vec!["#".to_owned()]);
        assert_eq!(asked(&mut dialects, "site/a", "online"), Some(0));
        assert_eq!(asked(&mut dialects, "site/a/b", "online"), None);
    }

    #[test]
    fn with_several_dialects_the_content_tells_whose_a_message_of_an_override_is() {
        let mut dialects = Dialects::new(vec![lmq(), status("site/{client}")], vec!["#".into()]);
        assert_eq!(dialects.filters(), ["#"]);
        assert_eq!(asked(&mut dialects, "site/a", "online"), Some(1));
        assert_eq!(asked(&mut dialects, "site/a/b", NOTICE), Some(0));
        assert_eq!(asked(&mut dialects, "site/a/b", "hello"), None);
        assert_eq!(asked(&mut dialects, "site/a/b", LINE), None);
        assert_eq!(asked(&mut dialects, "$presence/a", NOTICE), Some(0));
    }

    /// A dialect that understands `yes` below `x/`, fails at `bad`, and knows of nobody in `quiet`.
    const YES: plain::Plain = plain::Plain {
        name: "yes",
        title: "",
        authority: 1,
        filters: &["x/#"],
        message_life: None,
        is_usual: false,
        speaks_at: |topic| topic.starts_with("x/"),
        is_line: None,
        read: plain::How::Alone(|message, _| match message.payload {
            b"yes" => Reading::Events(Events::only(crate::dialect::Remark::TakeOver)),
            b"quiet" => Reading::Events(Events::default()),
            b"bad" => {
                let client = Some(("a".into(), crate::event::Flags::NONE));
                Reading::Malformed(Malformed {
                    client,
                    ..Malformed::new(Reason::Unreadable, "cut")
                })
            }
            _ => Reading::NotMine,
        }),
    };
    const YES_TOO: plain::Plain = plain::Plain { name: "yes-too", ..YES };
    const FAILS: plain::Plain = plain::Plain {
        name: "fails",
        read: plain::How::Alone(|_, _| {
            Reading::Malformed(Malformed::new(Reason::UnknownEvent, "what?"))
        }),
        ..YES
    };

    fn told(all: &[&'static plain::Plain], topics: &[&str], topic: &str, payload: &str) -> String {
        let all = all.iter().map(|plain| Dialect::Plain(plain::Reader::new(plain, None))).collect();
        let mut dialects =
            Dialects::new(all, topics.iter().map(|topic| (*topic).to_owned()).collect());
        let payload = payload.as_bytes();
        let (tag, qos, retain, received, tie) = (None, 0, false, Timestamp(0), 1);
        let (index, reading) =
            dialects.read(&Message { topic, payload, tag, qos, retain, received, tie });
        let by = index.map_or("nobody", |index| dialects.get(index).expect("there").name());
        let what = match reading {
            Reading::NotMine => "not mine".to_owned(),
            Reading::Events(_) => "understood".to_owned(),
            Reading::Malformed(malformed) => {
                let client = malformed.client.map_or("", |_| " of a client");
                format!("{}{client}: {}", malformed.reason.code(), malformed.detail)
            }
        };
        format!("{by}: {what}")
    }

    #[test]
    fn what_two_dialects_understand_is_believed_of_neither() {
        for (all, payload, expected) in [
            (&[&YES, &YES_TOO][..], "yes", "nobody: ambiguous: `yes` and `yes-too` both read it"),
            (
                &[&YES, &FAILS, &YES_TOO],
                "yes",
                "nobody: ambiguous: `yes` and `yes-too` both read it",
            ),
            // Who fails to read it says nothing against the one who can.
            (&[&YES, &FAILS], "yes", "yes: understood"),
            (&[&FAILS, &YES], "yes", "yes: understood"),
            (&[&YES, &FAILS], "quiet", "fails: unknown-event: what?"),
            (&[&YES, &YES_TOO], "quiet", "yes: understood"),
            (&[&YES, &YES_TOO], "bad", "nobody: unreadable: cut"),
            (&[&YES], "bad", "yes: unreadable of a client: cut"),
            (&[&YES, &YES_TOO], "no", "nobody: not mine"),
        ] {
            assert_eq!(told(all, &[], "x/a", payload), expected, "{payload}");
            assert_eq!(told(all, &[], "y/a", payload), "nobody: not mine", "{payload}");
        }
    }

    #[test]
    fn where_a_topic_is_nobodys_the_content_tells_unless_two_understand_it() {
        for (all, payload, expected) in [
            (&[&YES, &FAILS][..], "yes", "yes: understood"),
            (&[&YES, &YES_TOO], "yes", "nobody: ambiguous: `yes` and `yes-too` both read it"),
            // It was never claimed.
            (&[&YES, &FAILS], "bad", "nobody: not mine"),
            (&[&FAILS], "bad", "fails: unknown-event: what?"),
        ] {
            assert_eq!(told(all, &["y/#"], "y/a", payload), expected, "{payload}");
            assert_eq!(told(all, &["y/#"], "z/a", payload), "nobody: not mine", "{payload}");
        }
    }

    #[test]
    fn a_file_may_read_more_than_it_listens_to() {
        let text = "name = \"narrow\"\ntitle = \"x\"\nspeaker = \"devices\"\nenable = \"x\"\nfilters = [\"a/b/+\"]\n[[message]]\ntopic = \"a/{client}/state\"\n\
                    event = \"opened\"\n";
        let narrow = described::custom(text).expect("valid");
        let all = vec![Dialect::Described(narrow), lmq()];
        let mut dialects = Dialects::new(all, vec![]);
        assert_eq!(asked(&mut dialects, "a/c/state", "online"), Some(0));
    }

    #[test]
    fn one_line_tells_the_format_of_a_file() {
        for (line, expected) in [
            (NOTICE, Sniffed::One(Lmq::NAME)),
            (r#" {"channelId":"x","eventType":"TcpClean ","more":[1]} "#, Sniffed::One(Lmq::NAME)),
            (r#"{"clientId":"a","channelId":null,"clientIp":"h:1"}"#, Sniffed::One(Lmq::NAME)),
            (r#"{"clientId":"a","channelId":"c","eventType":"kick"}"#, Sniffed::One(Lmq::NAME)),
            (r#"{"clientId":"a","channelId":"c"}"#, Sniffed::Nothing),
            (r#"{"clientId":"a","eventType":"connected","time":1}"#, Sniffed::Nothing),
            (r#"{"eventType":"connect","time":1}"#, Sniffed::Nothing),
            (r#"{"time":1}"#, Sniffed::Nothing),
            (r#"{"topic":"a","payload":"b"}"#, Sniffed::Nothing),
            (r#"["clientId"]"#, Sniffed::Nothing),
            (LINE, Sniffed::One(Mosquitto::NAME)),
            ("Client a disconnected.", Sniffed::One(Mosquitto::NAME)),
            (
                "2026-11-22T02:27:33: mosquitto version 2.0.11 starting\r",
                Sniffed::One(Mosquitto::NAME),
            ),
            ("1795313001: Opening ipv4 listen socket on port 1883.", Sniffed::Nothing),
            ("", Sniffed::Nothing),
            ("hello", Sniffed::Nothing),
        ] {
            assert_eq!(sniff(line.as_bytes()), expected, "{line}");
        }
        assert_eq!(sniff(b"\xff\xfe"), Sniffed::Nothing);
    }

    #[test]
    fn of_two_dialects_that_claim_a_line_none_is_chosen() {
        let event = r#"{"eventType":"Microsoft.Devices.DeviceConnected","data":{}}"#;
        assert_eq!(sniff(event.as_bytes()), Sniffed::One("azure-iothub"));
        for (line, expected) in [
            // EMQX's rules have all that Tencent's events have.
            (
                r#"{"event":"client.connected","clientid":"a","connected_at":1}"#,
                Sniffed::Several("tencent-tdmq", "emqx-rule"),
            ),
            (
                r#"{"event":"client.connected","clientid":"a","connected_at":1,"sockname":"h:1"}"#,
                Sniffed::One("emqx-rule"),
            ),
            (
                r#"{"action":"client_disconnected","clientid":"a","connected_at":1}"#,
                Sniffed::One("emqx-rule"),
            ),
        ] {
            assert_eq!(sniff(line.as_bytes()), expected, "{line}");
        }
        let listed = format!("[{event}]");
        assert_eq!(sniff(listed.as_bytes()), Sniffed::One("azure-iothub"));
        let hub = || {
            let dialect = plain::find("azure-iothub").expect("there is one");
            Dialect::Plain(plain::Reader::new(dialect, None))
        };
        for (dialects, expected) in [
            (vec![lmq(), hub()], Some(1)),
            (vec![mosquitto(), hub()], Some(1)),
            (vec![lmq(), mosquitto()], None),
        ] {
            let mut dialects = Dialects::new(dialects, vec!["site/#".to_owned()]);
            assert_eq!(asked(&mut dialects, "site/a", event), expected);
        }
    }
}
