//! A topic of Kafka: where it is, who to be there, and what of it to read.

use super::broker::{Authority, known_as, redacted};
use super::connection::Tls;
use super::topic::{Means, Server, Span};
use crate::cli::kafka as cli;
use crate::failure::Failure;
use crate::secret::Secret;
use std::fmt;
use std::time::Duration;

/// A topic to read, and how.
#[derive(Clone, Debug)]
pub struct Kafka {
    /// Brokers that know the others, in the order in which they are tried. There is one at least.
    pub servers: Vec<Server>,
    pub topic: String,
    /// `None` where nobody asks who we are.
    pub login: Option<Login>,
    pub span: Span,
    /// The topic's name in stores and output.
    pub instance: String,
    pub keep_alive: Duration,
    /// `None` where connections are not encrypted.
    pub tls: Option<Tls>,
}

/// Who to be.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: Secret,
    /// `None` stands for the strongest that a broker has.
    pub mechanism: Option<Mechanism>,
}

/// How somebody shows who they are, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    pub const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// Returns its name in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl From<cli::Sasl> for Mechanism {
    fn from(typed: cli::Sasl) -> Self {
        match typed {
            cli::Sasl::Plain => Self::Plain,
            cli::Sasl::ScramSha256 => Self::ScramSha256,
            cli::Sasl::ScramSha512 => Self::ScramSha512,
        }
    }
}

/// Tells whether a URL names a topic of Kafka.
pub(super) fn is_meant(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme_of(scheme).is_some())
}

/// Returns whether connections are encrypted, `None` for a scheme that is not Kafka's.
fn scheme_of(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "kafka" => Some(false),
        "kafka+ssl" | "kafkas" => Some(true),
        _ => None,
    }
}

impl Kafka {
    /// Reads `scheme://[user[:password]@]host[:port][,host[:port]…]/topic`, and tells whether the password stands
    /// in it.
    pub(super) fn read(
        url: &str,
        options: &cli::Kafka,
        means: &Means,
    ) -> Result<(Self, bool), Failure> {
        let refuse = |cause: &str, next: &str| {
            Failure::misuse(format!("`--source {}` is no source", redacted(url)))
                .because(cause)
                .next(next)
        };
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let is_encrypted =
            scheme_of(scheme).ok_or_else(|| refuse("its scheme is unknown", EXAMPLE))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut servers = Vec::new();
        let (mut username, mut password) = (None, None);
        for server in authority.split(',').filter(|server| !server.is_empty()) {
            let Authority { user, host, port, tail } = Authority::read(server, EXAMPLE, refuse)?;
            if !tail.is_empty() {
                return Err(refuse("it has a query or a fragment", ESCAPES));
            }
            username = username.or(user.username);
            password = password.or(user.password);
            servers.push(Server { host, port: port.unwrap_or(PORT) });
        }
        let Some(first) = servers.first() else { return Err(refuse("it names no host", EXAMPLE)) };
        let topic = topic_of(path).map_err(|cause| refuse(cause, EXAMPLE))?;
        let is_public = password.is_some();
        let username = username.or_else(|| means.username.clone());
        let password = password.or_else(|| means.password.clone());
        let mechanism = options.sasl.map(Mechanism::from);
        let login = match (username, password) {
            (Some(username), Some(password)) => Some(Login { username, password, mechanism }),
            (Some(username), None) => {
                let what = format!("`{}` needs a password", username.escape_debug());
                return Err(Failure::misuse(format!("{what} at {}", redacted(url)))
                    .because("Kafka lets nobody in by name alone")
                    .next("add `--password-file`, or set `PRESENCE_PASSWORD`"));
            }
            // What the environment holds may be meant for others.
            (None, _) if mechanism.is_none() => None,
            (None, _) => {
                return Err(Failure::misuse("`--sasl` without a user")
                    .because("there is nobody to show to be")
                    .next("add `--username` and `--password-file`, or leave `--sasl` out"));
            }
        };
        let instance =
            format!("{}://{}/{topic}", name(is_encrypted), known_as(&first.host, first.port));
        let kafka = Self {
            topic,
            login,
            span: Span::usual(),
            instance: means.instance.clone().unwrap_or(instance),
            keep_alive: means.keep_alive,
            tls: is_encrypted.then(|| means.tls.clone()),
            servers,
        };
        if cfg!(feature = "kafka") { Ok((kafka, is_public)) } else { Err(kafka.unknown()) }
    }

    /// Returns what to say of it where nobody can read it.
    #[must_use]
    pub fn unknown(&self) -> Failure {
        Failure::misuse(format!("`--source {self}` cannot be read"))
            .because("this build knows no Kafka")
            .next("build it with `--features kafka`")
    }
}

/// As it is shown, without user and password.
impl fmt::Display for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(Server::to_string).collect();
        write!(f, "{}://{}/{}", name(self.tls.is_some()), servers.join(","), self.topic)
    }
}

const fn name(is_encrypted: bool) -> &'static str {
    if is_encrypted { "kafka+ssl" } else { "kafka" }
}

fn topic_of(path: &str) -> Result<String, &'static str> {
    let name = path.trim_end_matches('/');
    if name.is_empty() {
        return Err("it names no topic");
    }
    if name.contains(['?', '#']) {
        return Err("it has a query or a fragment");
    }
    // What Kafka takes (`Topic`, 4.3).
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.len() > NAME_MAX || !name.chars().all(is_part) || [".", ".."].contains(&name) {
        return Err("names of topics have up to 249 letters, digits, `.`, `_` and `-`");
    }
    Ok(name.to_owned())
}

const PORT: u16 = 9092;
const NAME_MAX: usize = 249;
const EXAMPLE: &str = "write `kafka://BROKER:9092/TOPIC`; with TLS, `kafka+ssl://`";
const ESCAPES: &str = "name the topic behind a `/`; in a user or password, write `#` as `%23` and `?` as `%3F`, or \
     pass `--username` and `--password-file`";

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use super::*;

    fn means() -> Means {
        Means {
            username: Some("ann".to_owned()),
            password: Some(Secret::from("hunter2")),
            ..Means::default()
        }
    }

    fn read(url: &str, means: &Means) -> (Kafka, bool) {
        let read = Kafka::read(url, &cli::Kafka::default(), means);
        read.unwrap_or_else(|failure| panic!("{url}: {failure}"))
    }

    #[test]
    fn every_part_of_a_url_is_read() {
        for (url, shown, instance) in [
            ("kafka://h/t", "kafka://h:9092/t", "kafka://h:9092/t"),
            (
                "KAFKA://127.0.0.1:2,b/a.b_c-1/",
                "kafka://127.0.0.1:2,b:9092/a.b_c-1",
                "kafka://localhost:2/a.b_c-1",
            ),
            ("kafka+ssl://[::1]:3/t", "kafka+ssl://[::1]:3/t", "kafka+ssl://localhost:3/t"),
            ("kafka://u:p@h/t", "kafka://h:9092/t", "kafka://h:9092/t"),
        ] {
            let (topic, _) = read(url, &Means::default());
            assert_eq!((&*topic.to_string(), &*topic.instance), (shown, instance), "{url}");
            assert_eq!(topic.tls.is_some(), url.contains("ssl"));
        }
    }

    #[test]
    fn the_url_says_first_who_to_be() {
        let (topic, is_public) = read("kafka://ckafka-x%23bob:secret@h1,h2/t", &means());
        let login = topic.login.expect("it has one");
        assert_eq!((&*login.username, login.password.reveal()), ("ckafka-x#bob", "secret"));
        assert!(is_public);
        let (topic, is_public) = read("kafka://bob@h/t", &means());
        let login = topic.login.expect("it has one");
        assert_eq!((&*login.username, login.password.reveal()), ("bob", "hunter2"));
        assert!(!is_public);
        assert_eq!(read("kafka://h/t", &means()).0.login.expect("it has one").username, "ann");
        let nobody = Means { username: None, ..means() };
        assert!(read("kafka://h/t", &nobody).0.login.is_none(), "it may be meant for others");
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        let long = format!("kafka://h/{}", "t".repeat(NAME_MAX + 1));
        for (url, cause) in [
            ("kafka://h", "no topic"),
            ("kafka:///t", "no host"),
            ("kafka://h/a/b", "names of topics"),
            ("kafka://h/..", "names of topics"),
            (&long, "names of topics"),
            ("kafka://h/t?x=1", "query"),
            ("kafka://a#b:hunter2@h/t", "query or a fragment"),
            ("kafka://u:hunter2@h:99999/t", "port"),
            ("kafka://u@h/t", "by name alone"),
        ] {
            let read = Kafka::read(url, &cli::Kafka::default(), &Means::default());
            let failure = read.expect_err(url);
            assert!(failure.cause.as_deref().unwrap_or_default().contains(cause), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
        let options = cli::Kafka { sasl: Some(cli::Sasl::Plain) };
        let failure = Kafka::read("kafka://h/t", &options, &Means::default()).expect_err("nobody");
        assert!(failure.to_string().contains("`--sasl` without a user"), "{failure}");
    }
}

#[cfg(all(test, not(feature = "kafka")))]
mod without {
    use super::*;

    #[test]
    fn a_build_without_kafka_says_so() {
        let read = Kafka::read("kafka://u:p@h/t", &cli::Kafka::default(), &Means::default());
        let failure = read.expect_err("nobody could read it").to_string();
        assert!(failure.contains("this build knows no Kafka"), "{failure}");
        assert!(failure.contains("`--source kafka://h:9092/t`"), "{failure}");
    }
}
