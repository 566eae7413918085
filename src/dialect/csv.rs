//! Tables of notices, as databases and consoles export them: a header, and one notice a row.
//!
//! A quoted cell may hold the delimiter and ends of lines. What the cells say is read as an LMQ notice, so
//! that a table is judged as the notices themselves would be.

use super::lmq::{self, Lmq, Row};
use super::{Malformed, PAYLOAD_MAX, Reading, Reason, excerpt, trimmed};
use crate::event::{Flags, Stamp, Timestamp};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use jiff::civil;
use jiff::tz::TimeZone;
use memchr::memchr_iter;

/// Which columns matter, and what is said in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The column that holds a part, as the header calls it. Empty to go by the usual names.
    pub named: Vec<(Part, String)>,
    /// Words for types of events other than the usual ones, and which they stand for.
    pub words: Vec<(String, EventWord)>,
}

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Client,
    Event,
    Time,
    Channel,
    Ip,
}

/// A type of event, in the word of the notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventWord(pub &'static str);

/// A column that the header lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    pub part: Part,
    pub column: String,
    /// What the header has.
    pub header: Vec<String>,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Client, Self::Event, Self::Time, Self::Channel, Self::Ip];
    /// Without them a row says nothing.
    pub const NEEDED: [Self; 2] = [Self::Client, Self::Event];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Event => "event",
            Self::Time => "time",
            Self::Channel => "channel",
            Self::Ip => "ip",
        }
    }

    /// Returns what its column is usually called, without what separates words.
    const fn usual_names(self) -> &'static [&'static str] {
        match self {
            Self::Client => &["clientid", "client"],
            Self::Event => &["eventtype", "event"],
            Self::Time => &["time", "timestamp"],
            Self::Channel => &["channelid", "channel"],
            Self::Ip => &["clientip", "ip", "address"],
        }
    }
}

impl EventWord {
    pub const ALL: [Self; 3] = [Self("connect"), Self("disconnect"), Self("tcpclean")];
}

/// A table whose header was read.
#[derive(Clone, Debug)]
pub struct Table {
    cutter: Cutter,
    /// Where each part stands, in the order of [`Part::ALL`].
    places: [Option<usize>; 5],
    words: Vec<(String, EventWord)>,
    zone: Option<TimeZone>,
}

impl Table {
    /// Reads a header. Returns `None` if the line is none.
    pub fn of(
        header: &[u8],
        columns: &Columns,
        zone: Option<&TimeZone>,
    ) -> Option<Result<Self, Lacking>> {
        let is_json = header.trim_ascii_start().starts_with(b"{");
        if header.len() > PAYLOAD_MAX || is_json {
            return None;
        }
        let count = |delimiter: &u8| memchr_iter(*delimiter, header).count();
        let delimiter = DELIMITERS.into_iter().rev().max_by_key(count)?;
        let mut cutter = Cutter::new(delimiter);
        cutter.cut(header)?;
        let names: Vec<String> = (0..cutter.ends.len())
            .map(|at| cutter.cell(at).unwrap_or_default().to_owned())
            .collect();
        let places = if columns.named.is_empty() {
            usual_places(&names)?
        } else {
            match named_places(&columns.named, names) {
                Ok(places) => places,
                Err(lacking) => return Some(Err(lacking)),
            }
        };
        let (words, zone) = (columns.words.clone(), zone.cloned());
        Some(Ok(Self { cutter, places, words, zone }))
    }

    /// Returns what separates cells.
    #[must_use]
    pub const fn delimiter(&self) -> u8 {
        self.cutter.delimiter
    }

    /// Reads one row, whose quoted cells may hold ends of lines.
    ///
    /// Units: the time as in a notice, or RFC 3339, or a local time without zone, of which the user
    /// says where it is. A text without fraction is known to the second.
    /// Errors: those of a notice; `Unreadable` for a cell that does not end or is no text,
    /// `ZoneMissing` for a local time of no zone.
    pub fn read<'a>(&'a mut self, line: &'a [u8]) -> Reading<'a> {
        if line.len() > PAYLOAD_MAX {
            return Reading::Malformed(Malformed::too_long(line));
        }
        if self.cutter.cut(line).is_none() {
            let detail = format!("no whole row: `{}`", excerpt(line));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        }
        let table: &'a Self = self;
        let cells = table.places.map(|place| place.map_or(Some(""), |at| table.cutter.cell(at)));
        let [Some(client), Some(event), Some(time), Some(channel), Some(address)] = cells else {
            let detail = format!("no text: `{}`", excerpt(line));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        };
        match table.stamp(time) {
            Ok(stamp) => {
                let event = table.meant(event);
                Lmq::read_row(Row { client, event, channel, address, stamp, line })
            }
            Err(malformed) => Reading::Malformed(malformed),
        }
    }

    /// Returns the type of event that a word stands for.
    fn meant<'a>(&self, event: &'a str) -> &'a str {
        let known = self.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(event));
        known.map_or(event, |(_, known)| known.0)
    }

    fn stamp(&self, time: &str) -> Result<(Option<Stamp>, Flags), Malformed<'static>> {
        if time.is_empty() {
            return Ok((None, Flags::TIME_MISSING));
        }
        let written = if let Ok(moment) = time.parse::<jiff::Timestamp>() {
            Some(moment)
        } else if let Ok(local) = time.parse::<civil::DateTime>() {
            let zone = self.zone.as_ref().ok_or_else(|| {
                let detail = format!("local time `{}`", excerpt(time.as_bytes()));
                Malformed::new(Reason::ZoneMissing, detail)
            })?;
            zone.to_ambiguous_timestamp(local).compatible().ok()
        } else {
            return Ok(lmq::stamped(lmq::stamp_of(time)));
        };
        let resolution = if time.contains('.') { 0 } else { 1_000 };
        let stamp = |moment: jiff::Timestamp| {
            let time = Timestamp(moment.as_millisecond());
            Stamp { time, tie: 0, resolution }
        };
        Ok(lmq::stamped(written.map(stamp)))
    }
}

/// Returns where the parts stand in a header with the usual names, if it is one.
fn usual_places(names: &[String]) -> Option<[Option<usize>; 5]> {
    let plain = |name: &String| name.replace(['_', '-', ' '], "").to_lowercase();
    let names: Vec<String> = names.iter().map(plain).collect();
    let place = |usual: &&str| names.iter().position(|name| name == usual);
    let places = Part::ALL.map(|part| part.usual_names().iter().find_map(place));
    (places[0].is_some() && places[1].is_some()).then_some(places)
}

fn named_places(
    named: &[(Part, String)],
    header: Vec<String>,
) -> Result<[Option<usize>; 5], Lacking> {
    let mut places = [None; 5];
    for (place, part) in places.iter_mut().zip(Part::ALL) {
        let Some((_, column)) = named.iter().find(|(named, _)| *named == part) else { continue };
        *place = header.iter().position(|name| name == column);
        if place.is_none() {
            return Err(Lacking { part, column: column.clone(), header });
        }
    }
    Ok(places)
}

/// Cuts lines into cells.
#[derive(Debug)]
struct Cutter {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    delimiter: u8,
}

impl Clone for Cutter {
    /// Returns one that cuts alike. A reader of csv-core 0.1.13 that was cloned reads nothing any more:
    /// its table is copied in parts.
    fn clone(&self) -> Self {
        Self::new(self.delimiter)
    }
}

impl Cutter {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, text: Vec::new(), ends: Vec::new(), delimiter }
    }

    /// Cuts a line. Returns `None` if a quoted cell does not end on it.
    fn cut(&mut self, line: &[u8]) -> Option<()> {
        let Self { reader, text, ends, delimiter } = self;
        reader.reset();
        let cells_max = memchr_iter(*delimiter, line).count() + 1;
        text.clear();
        // It refuses to go on without room for one byte more.
        text.resize(line.len() + 1, 0);
        ends.clear();
        ends.resize(cells_max + 1, 0);
        let (_, read, written, ended) = reader.read_record(line, text, ends);
        let (result, _, _, last) =
            reader.read_record(b"\n", &mut text[written..], &mut ends[ended..]);
        ends.truncate(ended + last);
        (read == line.len() && result == ReadRecordResult::Record).then_some(())
    }

    /// Returns a cell of the line that was cut, empty where the line has none. `None` if it is no text.
    fn cell(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before));
        let (Some(start), Some(end)) = (start, self.ends.get(at)) else { return Some("") };
        str::from_utf8(self.text.get(*start..*end)?).ok().map(trimmed)
    }
}

/// What may stand between cells. Of several that are as frequent, the first is meant.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Events;
    use crate::event::{Channel, Event, EventKind};

    fn table(header: &str, named: &[(Part, &str)], zone: Option<&TimeZone>) -> Table {
        let named = named.iter().map(|(part, column)| (*part, (*column).to_owned())).collect();
        let words = vec![("close".to_owned(), EventWord("tcpclean"))];
        let columns = Columns { named, words };
        Table::of(header.as_bytes(), &columns, zone).expect("a header").expect("whole")
    }

    /// Returns client, kind, channel, time and address of a row, or why it was set aside.
    fn read(table: &mut Table, row: &str) -> Result<(String, EventKind, String, i64), Reason> {
        match table.read(row.as_bytes()) {
            Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => {
                let channel = match event.channel {
                    Channel::Strong(name) => name.into_owned(),
                    Channel::Weak(name) => name.unwrap_or_default().into_owned(),
                };
                let time = event.stamp.map_or(-1, |stamp| stamp.time.0);
                Ok((event.client.into_owned(), event.kind, channel, time))
            }
            Reading::Malformed(malformed) => Err(malformed.reason),
            other => panic!("{row}: {other:?}"),
        }
    }

    #[test]
    fn the_usual_names_need_no_map() {
        for header in [
            "clientId,time,eventType,channelId,clientIp",
            "client_id;timestamp;event;channel;ip",
            "\"Client ID\"\tTime\tEvent-Type\tChannel\tAddress",
            "client|time|event|channel|address",
        ] {
            let mut table = table(header, &[], None);
            let delimiter = char::from(table.cutter.delimiter).to_string();
            let row = ["a", "1760000000000", "CONNECT", "c", "h:1"].join(&delimiter);
            let expected = ("a".into(), EventKind::Opened, "c".into(), 1_760_000_000_000);
            assert_eq!(read(&mut table, &row), Ok(expected), "{header}");
        }
        for other in
            ["", "It was a dark night.", "time,channel", "{\"clientId\":1}", "\"client,event"]
        {
            let found = Table::of(other.as_bytes(), &Columns::default(), None);
            assert!(found.is_none(), "{other}");
        }
    }

    #[test]
    fn a_map_names_the_columns_and_words() {
        let named = [(Part::Client, "Device"), (Part::Event, "Type")];
        let mut table = table("When,Type,Device", &named, None);
        let expected = ("a".into(), EventKind::Closed, String::new(), -1);
        assert_eq!(read(&mut table, "never,Close,a"), Ok(expected));

        let named = vec![(Part::Client, "device".to_owned()), (Part::Event, "Type".to_owned())];
        let columns = Columns { named, words: vec![] };
        let lacking = Table::of(b"Type,Device", &columns, None).expect("a map makes it a header");
        let lacking = lacking.expect_err("names are taken as they stand");
        assert_eq!((lacking.part, &*lacking.column), (Part::Client, "device"));
        assert_eq!(lacking.header, ["Type", "Device"]);
    }

    #[test]
    fn times_come_as_numbers_and_in_writing() {
        let berlin = TimeZone::get("Europe/Berlin").expect("it is known");
        let mut table = table("client,event,time", &[], Some(&berlin));
        for (time, expected) in [
            ("1760000000123", 1_760_000_000_123),
            ("1760000000", 1_760_000_000_000),
            ("2025-10-09T08:53:20.5Z", 1_760_000_000_500),
            ("2025-10-09T10:53:20+02:00", 1_760_000_000_000),
            ("2025-10-09 08:53:20Z", 1_760_000_000_000),
            ("2025-10-09 10:53:20.123", 1_760_000_000_123),
            ("2025-10-09T10:53:20", 1_760_000_000_000),
            ("yesterday", -1),
            ("", -1),
        ] {
            let read = read(&mut table, &format!("a,connect,{time}")).expect("it is a row");
            assert_eq!(read.3, expected, "{time}");
        }
    }

    #[test]
    fn a_local_time_needs_its_zone() {
        let mut table = table("client,event,time", &[], None);
        let row = "a,connect,2025-10-09 10:53:20";
        assert_eq!(read(&mut table, row), Err(Reason::ZoneMissing));
    }

    #[test]
    fn cells_may_be_quoted_and_missing() {
        let mut table = table("client,event,channel", &[], None);
        for (row, client, channel) in [
            ("\"a,b\",connect,c", "a,b", "c"),
            ("\"say \"\"a\"\"\",connect,c", "say \"a\"", "c"),
            (" a , connect ", "a", ""),
            ("a,connect,c,more,still more", "a", "c"),
            ("\"a\nb\",connect,c", "a\nb", "c"),
            ("a,connect,c,\"went away,\r\n\"\"tired\"\"\n\"", "a", "c"),
        ] {
            let expected = (client.into(), EventKind::Opened, channel.into(), -1);
            assert_eq!(read(&mut table, row), Ok(expected), "{row}");
        }
        for (row, reason) in [
            ("\"a,connect,c", Reason::Unreadable),
            ("a\rb,connect,c", Reason::Unreadable),
            (",connect,c", Reason::ClientMissing),
            ("a", Reason::UnknownEvent),
            ("a,heartbeat,c", Reason::UnknownEvent),
        ] {
            assert_eq!(read(&mut table, row), Err(reason), "{row}");
            // The next row is read as if nothing had been.
            assert!(read(&mut table, "a,connect,c").is_ok(), "{row}");
        }
        let bytes = table.read(b"\xff,connect,c");
        assert!(matches!(bytes, Reading::Malformed(_)), "{bytes:?}");
    }

    #[test]
    fn a_table_that_was_cloned_reads_the_same_rows() {
        let mut one = table("client;event;channel", &[], None);
        let mut other = one.clone();
        for row in ["a;connect;c", "\"a;b\";connect;\"c\"\"d\"", "\"a;connect;c"] {
            assert_eq!(one.read(row.as_bytes()), other.read(row.as_bytes()), "{row}");
        }
    }
}
