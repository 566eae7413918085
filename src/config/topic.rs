//! Topics that keep what was read: which of them to read, and from where.

use super::access_key::{self, AccessKey};
use super::broker::redacted;
use super::connection::{Surroundings, Tls, check_sources, read_password, read_tls};
use super::division::Division;
use super::kafka::{self, Kafka};
use super::rocketmq::{self, RocketMq};
use super::time::moment_in;
use super::warning::Warning;
use super::{broker, door};
use crate::cli::connection::Connection;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::secret::Secret;
use jiff::tz::TimeZone;
use std::fmt;
use std::time::Duration;
use url::Host;

/// A topic to read.
#[derive(Clone, Debug)]
pub enum Topic {
    RocketMq(RocketMq),
    Kafka(Kafka),
}

impl Topic {
    /// Returns its name in stores and output.
    pub fn instance(&self) -> &str {
        match self {
            Self::RocketMq(topic) => &topic.instance,
            Self::Kafka(topic) => &topic.instance,
        }
    }

    /// Returns its name at its servers, which its messages come under.
    pub fn name(&self) -> &str {
        match self {
            Self::RocketMq(topic) => &topic.topic,
            Self::Kafka(topic) => &topic.topic,
        }
    }

    pub const fn keep_alive(&self) -> Duration {
        match self {
            Self::RocketMq(topic) => topic.keep_alive,
            Self::Kafka(topic) => topic.keep_alive,
        }
    }

    /// Returns `None` where connections are not encrypted.
    pub const fn tls(&self) -> Option<&Tls> {
        match self {
            Self::RocketMq(topic) => topic.tls.as_ref(),
            Self::Kafka(topic) => topic.tls.as_ref(),
        }
    }

    /// Returns the dialects that it is read with unless others were chosen.
    pub const fn dialects(&self) -> &'static [&'static str] {
        match self {
            Self::RocketMq(_) => door::ROCKETMQ,
            Self::Kafka(_) => door::KAFKA,
        }
    }

    pub const fn span(&self) -> &Span {
        match self {
            Self::RocketMq(topic) => &topic.span,
            Self::Kafka(topic) => &topic.span,
        }
    }

    pub const fn span_mut(&mut self) -> &mut Span {
        match self {
            Self::RocketMq(topic) => &mut topic.span,
            Self::Kafka(topic) => &mut topic.span,
        }
    }

    /// Tells whether its readers may be members of a group that divides its queues.
    pub const fn has_members(&self) -> bool {
        matches!(self, Self::RocketMq(_))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RocketMq(topic) => topic.fmt(f),
            Self::Kafka(topic) => topic.fmt(f),
        }
    }
}

/// What of a topic is read.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Where to begin in a queue of which nothing was read yet.
    pub start: Start,
    /// Begin there also where more than that was read.
    pub starts_over: bool,
    /// Leave out what is stored then or later, and end with it.
    pub until: Option<Timestamp>,
    /// Which of its queues are read.
    pub division: Division,
}

impl Span {
    /// Returns what is read unless something else was asked for.
    pub(super) const fn usual() -> Self {
        Self { start: USUAL_START, starts_over: false, until: None, division: Division::Whole }
    }
}

/// Where a server listens that is asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: Host,
    pub port: u16,
}

impl Server {
    /// Returns the host as resolvers and certificates name it.
    pub fn host_name(&self) -> String {
        broker::host_name(&self.host)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest message that is still stored.
    Earliest,
    /// With what is stored from now on.
    Latest,
    /// With the first that was stored then or later, on the broker's clock.
    At(Timestamp),
    /// This long ago.
    Ago(Duration),
}

impl Start {
    /// Reads `earliest`, `latest`, a duration as in `2h`, or a moment. A time that names no zone is one of
    /// `zone`.
    pub fn read(typed: &str, zone: Option<&TimeZone>) -> Result<Self, Failure> {
        match typed {
            "earliest" => return Ok(Self::Earliest),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if let Ok(ago) = humantime::parse_duration(typed) {
            return Ok(Self::Ago(ago));
        }
        moment_in(typed, zone).map(Self::At).map_err(|_| {
            Failure::misuse(format!("`--since {}` names no beginning", typed.escape_debug())).next(
                "write `earliest`, `latest`, how long ago as in `2h`, or a moment as in \
                 2026-11-24T02:14:07Z",
            )
        })
    }
}

/// As long as RocketMQ keeps messages, unless told otherwise.
const USUAL_START: Start = Start::Ago(Duration::from_hours(72));

/// What all topics of a run have in common.
#[derive(Debug, Default)]
pub(super) struct Means {
    /// For connections that are encrypted.
    pub tls: Tls,
    pub access_key: Option<AccessKey>,
    /// Who to be, where the URL does not say it.
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub keep_alive: Duration,
    /// The name that was given in place of a topic's own.
    pub instance: Option<String>,
}

/// What the options of a command say of each kind of topic.
#[derive(Clone, Copy, Debug)]
pub struct Kinds<'a> {
    pub rocketmq: &'a crate::cli::rocketmq::RocketMq,
    pub kafka: &'a crate::cli::kafka::Kafka,
}

/// Tells whether a URL names a topic that keeps what was read.
pub(super) fn is_meant(url: &str) -> bool {
    rocketmq::is_meant(url) || kafka::is_meant(url)
}

/// Checks the options of a command that reads topics, and no broker. Times without a zone are of `zone`.
pub fn topics(
    options: &Connection,
    (urls, kinds): (&[Secret], Kinds<'_>),
    since: Option<&str>,
    zone: Option<&TimeZone>,
    surroundings: &mut Surroundings<'_>,
) -> Result<(Vec<Topic>, Vec<Warning>), Failure> {
    if urls.is_empty() {
        // What the environment holds of keys and certificates is meant for other commands.
        return Ok((Vec::new(), Vec::new()));
    }
    if let Some(other) = urls.iter().find(|url| !is_meant(url.reveal())) {
        let shown = redacted(other.reveal());
        return Err(Failure::misuse(format!("`--source {shown}` cannot be read to an end"))
            .because("only topics of RocketMQ and Kafka are kept")
            .next(
                "pass `rocketmq://NAMESERVER/TOPIC` or `kafka://HOST/TOPIC`, or listen to it with \
                 `presence watch`",
            ));
    }
    let signs = urls.iter().any(|url| door::signs(url.reveal()));
    let access_key = signs.then(|| access_key::read(&options.access_key, &surroundings.access_key));
    let logs_in = urls.iter().any(|url| kafka::is_meant(url.reveal()));
    let password = if logs_in { read_password(options, surroundings)? } else { None };
    let means = Means {
        tls: read_tls(options)?,
        access_key: access_key.transpose()?.flatten(),
        username: options.username.clone(),
        password: password.or_else(|| surroundings.password.clone()),
        // Whoever reads to the end waits for nothing.
        keep_alive: Duration::ZERO,
        instance: options.instance.clone(),
    };
    let read = read_all(urls, kinds, (Some(since.unwrap_or("earliest")), zone), &means)?;
    check_sources(read.0.iter().map(Topic::instance))?;
    Ok(read)
}

/// Reads topics, and what is worth saying about them. `since`: where to begin, where that was said; a time
/// without a zone is of the zone beside it.
pub(super) fn read_all<'u>(
    urls: impl IntoIterator<Item = &'u Secret>,
    kinds: Kinds<'_>,
    (since, zone): (Option<&str>, Option<&TimeZone>),
    means: &Means,
) -> Result<(Vec<Topic>, Vec<Warning>), Failure> {
    let (mut topics, mut warnings) = (Vec::new(), Vec::new());
    for url in urls {
        let url = url.reveal();
        let mut topic = if kafka::is_meant(url) {
            let (topic, is_public) = Kafka::read(url, kinds.kafka, means)?;
            if is_public {
                warnings.push(Warning::PasswordInUrl { broker: topic.instance.clone() });
            }
            Topic::Kafka(topic)
        } else {
            Topic::RocketMq(RocketMq::read(url, kinds.rocketmq, means)?)
        };
        if let Some(typed) = since {
            let span = topic.span_mut();
            (span.start, span.starts_over) = (Start::read(typed, zone)?, true);
        }
        if topic.tls().is_some() && means.tls.insecure {
            warnings.push(Warning::Unverified { broker: topic.instance().to_owned() });
        }
        topics.push(topic);
    }
    check_kinds(&topics, kinds)?;
    Ok((topics, warnings))
}

/// Has reading end where `until` says. A time without a zone is of `zone`. `others`: how many other sources there
/// are.
pub(super) fn end_all(
    topics: &mut [Topic],
    others: usize,
    until: Option<&str>,
    zone: Option<&TimeZone>,
) -> Result<(), Failure> {
    let Some(typed) = until else { return Ok(()) };
    let until = moment_in(typed, zone)?;
    if topics.is_empty() || others > 0 {
        return Err(Failure::misuse("`--until` with a source that keeps nothing")
            .because("only topics say when something was stored")
            .next("end it with `--for`, or watch the topics by a command of their own"));
    }
    for span in topics.iter_mut().map(Topic::span_mut) {
        if matches!(span.start, Start::At(since) if since >= until) {
            return Err(Failure::misuse("`--since` is not before `--until`")
                .because("no time lies between them")
                .next("exchange them"));
        }
        span.until = Some(until);
    }
    Ok(())
}

/// Refuses options of RocketMQ where all topics are Kafka's. Those that stand at what they are anyway say nothing.
fn check_kinds(topics: &[Topic], kinds: Kinds<'_>) -> Result<(), Failure> {
    use crate::cli::rocketmq::{GROUP, RocketMq, TAGS};
    let RocketMq { tags, consumer_group, namespace } = kinds.rocketmq;
    let is_kafkas = |topic: &Topic| matches!(topic, Topic::Kafka(_));
    if topics.is_empty() || !topics.iter().all(is_kafkas) {
        return Ok(());
    }
    let (flag, cause) = if ![String::new(), TAGS.to_owned()].contains(&tags.join(",")) {
        ("--tags", "messages of Kafka have no tags")
    } else if !["", GROUP].contains(&consumer_group.as_str()) {
        ("--consumer-group", "topics of Kafka are read without a group")
    } else if namespace.is_some() {
        ("--namespace", "Kafka has none")
    } else {
        return Ok(());
    };
    Err(Failure::misuse(format!("`{flag}` with `--source kafka://…`"))
        .because(cause)
        .next(format!("leave `{flag}` out: it is about RocketMQ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_begins_where_it_was_told_to() {
        let start = |typed: &str| Start::read(typed, None).ok();
        assert_eq!(start("earliest"), Some(Start::Earliest));
        assert_eq!(start("latest"), Some(Start::Latest));
        assert_eq!(start("2h"), Some(Start::Ago(Duration::from_hours(2))));
        assert_eq!(start("1700000000000"), Some(Start::At(Timestamp(1_700_000_000_000))));
        assert_eq!(start("2023-11-14T22:13:20Z"), Some(Start::At(Timestamp(1_700_000_000_000))));
        assert_eq!(start("soon"), None);
    }
}
