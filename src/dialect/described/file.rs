//! The file that describes a dialect, read strictly: what is not understood is a mistake, and has its line.

use super::fields::{Field, Unit};
use super::topics::{Topic, check_filter};
use super::{Channels, Described, Rule, Says, Told, Words, find_word};
use crate::dialect::pointer::Wanted;
use crate::dialect::trimmed;
use crate::table::{At, Mistake, Table};
use regex::{Regex, RegexBuilder};

/// Bytes of a file. Longer ones are none that a person wrote.
pub const FILE_MAX: usize = 64 * 1024;

impl Described {
    /// Reads a description.
    ///
    /// Errors: the first mistake, with its line.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        if text.len() > FILE_MAX {
            return Err(Mistake {
                line: None,
                what: "it is too long".to_owned(),
                cause: format!("it has {} bytes, of which at most {FILE_MAX} are read", text.len()),
                next: format!("check that this is the file; the format is in {PAGE}"),
            });
        }
        Table::parse(text, PAGE, described)
    }
}

fn described(mut table: Table<'_>) -> Result<Described, Mistake> {
    let name =
        required(&mut table, "name", "the one that `--dialect` would take: `name = \"acme\"`")?;
    let title =
        required(&mut table, "title", "what its messages are: `title = \"status of pumps\"`")?;
    let is_brokers = table.read("speaker", &|word| one_of(&SPEAKERS, word))?;
    let is_brokers = is_brokers.is_some_and(|at| at.value);
    let channels = table.read("channels", &|word| one_of(&CHANNELS, word))?;
    let channels = channels.map_or(Channels::None, |at| at.value);
    let is_kept = table.flag("retained")?.is_some_and(|at| at.value);
    let authority = table.number("authority", &(1..5))?;
    let goodbyes = table.flag("goodbyes")?;
    let takeovers = table.flag("takeovers")?;
    let enable = table.text("enable")?.map(|at| at.value.to_owned());
    let filters = table.texts("filters")?;
    let messages = table.tables("message", |number| format!("message {number}"))?;
    table.end()?;
    check_name(&table, &name)?;
    check_title(&table, &title)?;
    if messages.is_empty() || messages.len() > RULES_MAX {
        return Err(table.mistake(
            1,
            "it says nothing of its messages",
            format!(
                "it has {} tables `[[message]]`, and 1 to {RULES_MAX} are possible",
                messages.len()
            ),
            "write a `[[message]]` with a `topic`",
        ));
    }
    let rules = messages.into_iter().map(|table| rule(table, channels));
    let rules: Vec<Rule> = rules.collect::<Result<_, _>>()?;
    let filters = match &filters {
        Some(at) => {
            for filter in &at.value {
                let next = "write out a level of it; the format is in docs/custom-dialects.md";
                check_filter(filter).map_err(|cause| {
                    table.mistake(at.line, "`filters` cannot be used", cause, next)
                })?;
            }
            at.value.iter().map(|filter| (*filter).to_owned()).collect()
        }
        None => filters_of(&rules),
    };
    let all_told = || rules.iter().flat_map(Rule::told);
    let has_goodbye = || all_told().any(|told| matches!(told, Told::Left | Told::Farewell));
    let usual = match (is_brokers, channels, is_kept) {
        (false, ..) => 4,
        (true, Channels::Strong, _) => 1,
        (true, _, false) => 2,
        (true, _, true) => 3,
    };
    Ok(Described {
        name: name.value.to_owned(),
        title: title.value.to_owned(),
        is_brokers,
        authority: authority.map_or(usual, |at| u8::try_from(at.value).unwrap_or(usual)),
        channels,
        goodbyes: goodbyes.map_or_else(has_goodbye, |at| at.value),
        takeovers: takeovers.map_or(channels == Channels::Strong, |at| at.value),
        filters,
        is_kept,
        enable: enable.unwrap_or_else(|| "its file does not say".to_owned()),
        rules,
    })
}

/// Returns where messages of these topics are listened for, each filter once.
fn filters_of(rules: &[Rule]) -> Vec<String> {
    let mut filters: Vec<String> = Vec::new();
    for topic in rules.iter().flat_map(|rule| &rule.topics) {
        if !filters.contains(&topic.filter) {
            filters.push(topic.filter.clone());
        }
    }
    filters
}

impl Rule {
    /// Returns whatever it may tell.
    fn told(&self) -> impl Iterator<Item = Told> {
        let reasons = self.reason.iter().flat_map(|(_, reasons)| reasons);
        let (always, words, otherwise) = match &self.says {
            Says::Always(told) => (Some(*told), &[][..], None),
            Says::Word { events, otherwise, .. } => (None, events.as_slice(), *otherwise),
        };
        let words = words.iter().chain(reasons).map(|(_, told)| *told);
        always.into_iter().chain(words).chain(otherwise)
    }

    /// Tells whether it ever speaks of a client.
    fn is_of_a_client(&self) -> bool {
        self.told().any(|told| told.kind().is_ok())
    }
}

fn rule(mut table: Table<'_>, channels: Channels) -> Result<Rule, Mistake> {
    let Some(at) = table.texts("topic")? else {
        let next = "write `topic = \"site/{client}/state\"`";
        return Err(table.mistake(
            table.line,
            "there is no `topic`",
            "nothing is read without",
            next,
        ));
    };
    if at.value.is_empty() || at.value.len() > TOPICS_MAX {
        let cause = format!("it has {} topics, and 1 to {TOPICS_MAX} are possible", at.value.len());
        return Err(table.mistake(at.line, "`topic` cannot be used", cause, table.mend()));
    }
    let wrong = |cause| table.mistake(at.line, "`topic` cannot be used", cause, table.mend());
    let topics = at.value.iter().map(|text| Topic::parse(text).map_err(wrong));
    let topics: Vec<Topic> = topics.collect::<Result<_, _>>()?;
    let regex = table.read("regex", &regex)?.map(|at| at.value);
    let mut names: Vec<String> = Vec::new();
    for topic in &topics {
        names.extend(topic.names().map(str::to_owned));
    }
    if let Some(regex) = &regex {
        if let Some(twice) = regex.capture_names().flatten().find(|name| has(&names, name)) {
            let cause = format!("its group `{twice}` is a gap of the topic as well");
            let next = "give one of them another name";
            return Err(table.mistake(table.line, "`regex` cannot be used", cause, next));
        }
        names.extend(regex.capture_names().flatten().map(str::to_owned));
    }
    let client = match field(&mut table, "client", &names)? {
        Some(client) => Some(client),
        None if has(&names, "client") => Field::parse(&["{client}"]).ok(),
        None => None,
    };
    let says = says(&mut table, &names)?;
    let reason = reason(&mut table, &names)?;
    let channel = field(&mut table, "channel", &names)?;
    let time = field(&mut table, "time", &names)?;
    let unit = table.read("unit", &|word| one_of(&Unit::ALL, word))?;
    let address = field(&mut table, "address", &names)?;
    table.end()?;
    if let (Some(at), None) = (&unit, &time) {
        let next = "write where the `time` stands, or take `unit` out";
        return Err(table.mistake(at.line, "`unit` without `time`", "nothing has that unit", next));
    }
    let unit = unit.map_or(Unit::Auto, |at| at.value);
    let time = time.map(|time| (time, unit));
    let wanted = Wanted::default();
    let rule = Rule { topics, regex, client, says, channel, time, address, reason, wanted };
    let rule = rule.with_wanted();
    if rule.client.is_none() && rule.is_of_a_client() {
        return Err(table.mistake(
            table.line,
            "it does not say whose messages these are",
            "neither the topic nor the `regex` has a part `client`",
            "write `{client}` into the topic, or `client = \"{/pointer/into/json}\"`",
        ));
    }
    check_channel(&table, &rule, channels)?;
    Ok(rule)
}

/// The messages of a dialect name connections in one way, or none does: else an end would meet no beginning.
fn check_channel(table: &Table<'_>, rule: &Rule, channels: Channels) -> Result<(), Mistake> {
    match (channels, &rule.channel) {
        (Channels::None, Some(_)) => Err(table.mistake(
            table.line,
            "`channel` in a dialect that names no connections",
            "`channels` is not there, or is \"none\"",
            "write `channels = \"strong\"` at the top if such a name never comes back, else `\"weak\"`",
        )),
        (Channels::Strong | Channels::Weak, None) if rule.is_of_a_client() => Err(table.mistake(
            table.line,
            "there is no `channel`",
            "`channels` says that connections are named, and that has to hold for every message",
            "write where the name stands, or `channels = \"none\"` at the top",
        )),
        _ => Ok(()),
    }
}

fn says(table: &mut Table<'_>, names: &[String]) -> Result<Says, Mistake> {
    let event = table.read("event", &told)?;
    let word = field(table, "word", names)?;
    let events = words(table, "events")?;
    let otherwise = table.read("otherwise", &|word| match word {
        "malformed" => Ok(None),
        word => told(word).map(Some),
    })?;
    match (event, word, events) {
        (Some(event), None, None) if otherwise.is_none() => Ok(Says::Always(event.value)),
        (Some(event), ..) => Err(table.mistake(
            event.line,
            "`event` beside `word`, `events` or `otherwise`",
            "it says that the topic alone tells what happened",
            "take one of them out",
        )),
        (None, Some(word), Some(events)) => {
            let otherwise = otherwise.and_then(|at| at.value);
            Ok(Says::Word { word, events, otherwise })
        }
        (None, None, Some(events)) => {
            let word = Field::parse(&["{}"]);
            let word = word.map_err(|cause| table.mistake(table.line, "`word`", cause, table.mend()))?;
            let otherwise = otherwise.and_then(|at| at.value);
            Ok(Says::Word { word, events, otherwise })
        }
        (None, _, None) => Err(table.mistake(
            table.line,
            "it does not say what happened",
            "there is neither `event` nor `events`",
            "write `event = \"opened\"`, or `events = { online = \"opened\", offline = \"closed\" }`",
        )),
    }
}

fn reason(table: &mut Table<'_>, names: &[String]) -> Result<Option<(Field, Words)>, Mistake> {
    let (reason, reasons) = (field(table, "reason", names)?, words(table, "reasons")?);
    match (reason, reasons) {
        (None, None) => Ok(None),
        (Some(reason), Some(reasons)) => Ok(Some((reason, reasons))),
        _ => Err(table.mistake(
            table.line,
            "`reason` and `reasons` need each other",
            "one tells where it stands, the other what it means",
            "write both, or none",
        )),
    }
}

/// Takes a text with gaps, or several of which the first counts that can be filled.
fn field(
    table: &mut Table<'_>,
    key: &'static str,
    names: &[String],
) -> Result<Option<Field>, Mistake> {
    let Some(At { value, line }) = table.texts(key)? else { return Ok(None) };
    let wrong = |cause| table.mistake(line, format!("`{key}` cannot be used"), cause, table.mend());
    let field = Field::parse(&value).map_err(wrong)?;
    if let Some(missing) = field.names().find(|name| !has(names, name)) {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(table.mistake(
            line,
            format!("`{key}` asks for a part `{missing}`"),
            format!("the topic and the `regex` name these parts: {known}"),
            format!(
                "write `{{{missing}}}` into the topic, or `{{/{missing}}}` for a member of JSON"
            ),
        ));
    }
    Ok(Some(field))
}

/// Takes words with what they stand for.
fn words(table: &mut Table<'_>, key: &'static str) -> Result<Option<Words>, Mistake> {
    let Some(found) = table.words(key)? else { return Ok(None) };
    let mut words = Words::new();
    for At { value: (word, event), line } in found {
        let refuse = |cause, next: &str| {
            Err(table.mistake(line, format!("`{key}` cannot be used"), cause, next))
        };
        if find_word(&words, word).is_some() {
            let cause =
                format!("`{word}` is there twice: neither case nor blanks around it matter");
            return refuse(cause, "take one of them out");
        }
        match told(event) {
            Ok(event) => words.push((trimmed(word).to_owned(), event)),
            Err(cause) => return refuse(cause, "write one of these"),
        }
    }
    if words.is_empty() || words.len() > WORDS_MAX {
        let cause = format!("it has {} words, and 1 to {WORDS_MAX} are possible", words.len());
        let what = format!("`{key}` cannot be used");
        return Err(table.mistake(table.line, what, cause, table.mend()));
    }
    Ok(Some(words))
}

fn told(word: &str) -> Result<Told, String> {
    one_of(&Told::ALL, word)
}

/// Returns what a word is the name of.
fn one_of<T: Copy>(all: &[(&str, T)], word: &str) -> Result<T, String> {
    let found = all.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("there is no `{word}`, there are {}", names.join(", "))
    })
}

fn regex(text: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(text).size_limit(REGEX_MAX).dfa_size_limit(DFA_MAX).build();
    regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(max) => {
            format!(
                "it takes more than {max} bytes: shorten its repetitions, or begin it with `(?-u)`"
            )
        }
        error => {
            // The last line says what it is, those before draw it.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

fn required<'t>(
    table: &mut Table<'t>,
    key: &'static str,
    next: &str,
) -> Result<At<&'t str>, Mistake> {
    let found = table.text(key)?;
    found.ok_or_else(|| {
        let (what, cause) = (format!("there is no `{key}`"), "every dialect has one");
        table.mistake(1, what, cause, format!("write {next}"))
    })
}

fn check_name(table: &Table<'_>, name: &At<&str>) -> Result<(), Mistake> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = name.value.starts_with(|c: char| c.is_ascii_lowercase())
        && name.value.len() <= NAME_MAX
        && name.value.chars().all(is_word);
    if is_name {
        return Ok(());
    }
    let cause = format!("a name has 1 to {NAME_MAX} small letters, digits and `-`, a letter first");
    Err(table.mistake(name.line, "`name` cannot be used", cause, "write another one"))
}

fn check_title(table: &Table<'_>, title: &At<&str>) -> Result<(), Mistake> {
    let length = title.value.chars().count();
    if (1..=TITLE_MAX).contains(&length) && !title.value.chars().any(char::is_control) {
        return Ok(());
    }
    let cause = format!("a title is one line of 1 to {TITLE_MAX} characters");
    Err(table.mistake(title.line, "`title` cannot be used", cause, "write another one"))
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

const SPEAKERS: [(&str, bool); 2] = [("broker", true), ("devices", false)];
const CHANNELS: [(&str, Channels); 3] =
    [("strong", Channels::Strong), ("weak", Channels::Weak), ("none", Channels::None)];

/// Where the format is described.
const PAGE: &str = "docs/custom-dialects.md";
/// Tables `[[message]]`.
const RULES_MAX: usize = 32;
/// Topics of one.
const TOPICS_MAX: usize = 16;
/// Words of `events` or `reasons`.
const WORDS_MAX: usize = 64;
const NAME_MAX: usize = 32;
const TITLE_MAX: usize = 80;
/// What a regular expression may take, in bytes, as it is and while it is used.
const REGEX_MAX: usize = 1 << 18;
const DFA_MAX: usize = 1 << 20;
