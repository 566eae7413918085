//! A topic of RocketMQ: where it is, who to be there, and what of it to read.

use super::access_key::{self, AccessKey};
use super::broker::{Authority, known_as, redacted};
use super::connection::Tls;
use super::topic::{Means, Server, Span};
use crate::cli::rocketmq as cli;
use crate::failure::Failure;
use crate::secret::Secret;
use std::fmt;
use std::time::Duration;
use url::Host;

/// A topic to read, and how.
#[derive(Clone, Debug)]
pub struct RocketMq {
    /// Name servers, or proxies, in the order in which they are tried. There is one at least.
    pub servers: Vec<Server>,
    /// With the instance of a cloud before it, where there is one.
    pub topic: String,
    pub group: String,
    /// None: messages with any tag, or without one.
    pub tags: Vec<String>,
    pub span: Span,
    pub access_key: Option<AccessKey>,
    /// Behind the servers is Alibaba's cloud, which wants to be told where requests come from.
    pub is_alibaba: bool,
    /// The topic's name in stores and output.
    pub instance: String,
    pub keep_alive: Duration,
    /// `None` where connections are not encrypted.
    pub tls: Option<Tls>,
}

/// Tells whether a URL names a topic of RocketMQ.
pub(super) fn is_meant(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme_of(scheme).is_some())
}

/// Returns whether connections are encrypted, `None` for a scheme that is not RocketMQ's.
fn scheme_of(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "rocketmq" => Some(false),
        "rocketmq+ssl" | "rocketmqs" => Some(true),
        _ => None,
    }
}

/// Reads the topic that a command sends to.
pub fn target(
    url: &Secret,
    access_key: &crate::cli::access_key::AccessKey,
    secrets: &access_key::Secrets,
) -> Result<RocketMq, Failure> {
    let means = Means { access_key: access_key::read(access_key, secrets)?, ..Means::default() };
    let options =
        cli::RocketMq { consumer_group: cli::GROUP.to_owned(), ..cli::RocketMq::default() };
    RocketMq::read(url.reveal(), &options, &means)
}

impl RocketMq {
    /// Reads `scheme://host[:port][,host[:port]…]/topic`.
    pub(super) fn read(url: &str, options: &cli::RocketMq, means: &Means) -> Result<Self, Failure> {
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
        for server in authority.split([',', ';']).filter(|server| !server.is_empty()) {
            let Authority { user, host, port, .. } = Authority::read(server, EXAMPLE, refuse)?;
            if user.username.is_some() || user.password.is_some() {
                return Err(refuse(
                    "RocketMQ knows no users, but access keys",
                    "name one with `--access-key-id` and `--access-key-secret-file`",
                ));
            }
            servers.push(Server { host, port: port.unwrap_or(PORT) });
        }
        let Some(first) = servers.first() else { return Err(refuse("it names no host", EXAMPLE)) };
        let topic = topic_of(path).map_err(|cause| refuse(cause, EXAMPLE))?;
        let group = &options.consumer_group;
        for (flag, name) in
            [("--consumer-group", Some(group)), ("--namespace", options.namespace.as_ref())]
        {
            if let Some(name) = name.filter(|name| !is_name(name)) {
                return Err(Failure::misuse(format!(
                    "`{flag} {}` is no name",
                    name.escape_debug()
                ))
                .because(NAMES)
                .next("pass it as the console shows it"));
            }
        }
        let is_alibaba = servers.iter().any(is_alibabas) || options.namespace.is_some();
        let within = |name: String| match &options.namespace {
            Some(namespace) if !name.starts_with(namespace.as_str()) => {
                format!("{namespace}%{name}")
            }
            _ => name,
        };
        let scheme = if is_encrypted { "rocketmq+ssl" } else { "rocketmq" };
        let instance = format!("{scheme}://{}/{topic}", known_as(&first.host, first.port));
        Ok(Self {
            topic: within(topic),
            // That one is the broker's own.
            group: if group == cli::GROUP { group.clone() } else { within(group.clone()) },
            tags: tags(&options.tags)?,
            span: Span::usual(),
            access_key: means.access_key.clone(),
            is_alibaba,
            instance: means.instance.clone().unwrap_or(instance),
            keep_alive: means.keep_alive,
            tls: is_encrypted.then(|| means.tls.clone()),
            servers,
        })
    }
}

fn is_alibabas(server: &Server) -> bool {
    matches!(&server.host, Host::Domain(name) if name.ends_with(".aliyuncs.com"))
}

/// As it is shown, without what it is called in stores.
impl fmt::Display for RocketMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(Server::to_string).collect();
        let scheme = if self.tls.is_some() { "rocketmq+ssl" } else { "rocketmq" };
        write!(f, "{scheme}://{}/{}", servers.join(","), self.topic)
    }
}

/// Returns the topic that was typed. A group of MQTT clients stands for the topic of its notices.
fn topic_of(path: &str) -> Result<String, &'static str> {
    // The `%` between an instance and a topic is one, and need not be encoded.
    let name = path.trim_end_matches('/').replace("%25", "%");
    if name.is_empty() {
        return Err("it names no topic");
    }
    if name.contains(['?', '#']) {
        return Err("it has a query or a fragment");
    }
    if !is_name(&name) {
        return Err(NAMES);
    }
    let own = name.rsplit('%').next().unwrap_or_default();
    let is_group = own.starts_with("GID_") || own.starts_with("GID-");
    Ok(if is_group && !name.ends_with(SUFFIX) { name + SUFFIX } else { name })
}

/// Tells whether RocketMQ takes it for the name of a topic or a group.
fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "%|_-".contains(c);
    (1..=NAME_MAX).contains(&name.len()) && name.chars().all(is_part)
}

fn tags(typed: &[String]) -> Result<Vec<String>, Failure> {
    let tags: Vec<String> = typed.iter().map(|tag| tag.trim().to_owned()).collect();
    if tags.iter().any(|tag| tag == "*") {
        return Ok(Vec::new());
    }
    // What stands between two tags in a subscription.
    let is_tag = |tag: &String| !tag.is_empty() && !tag.contains("||") && tag.len() <= NAME_MAX;
    match tags.iter().find(|tag| !is_tag(tag)) {
        Some(wrong) => Err(Failure::misuse(format!("`--tags` holds `{}`", wrong.escape_debug()))
            .because("that is no tag")
            .next(
                "separate tags by commas, as in `--tags connect,disconnect`, or pass `*` for all",
            )),
        None => Ok(tags),
    }
}

const PORT: u16 = 9876;
const SUFFIX: &str = "_MQTT";
/// What RocketMQ allows (5.3, `TopicValidator`).
const NAME_MAX: usize = 127;
const NAMES: &str = "names have up to 127 letters, digits, `%`, `|`, `_` and `-`";
const EXAMPLE: &str =
    "write `rocketmq://NAMESERVER:9876/GID_xxx_MQTT`; with TLS, `rocketmq+ssl://`";

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> cli::RocketMq {
        cli::RocketMq {
            tags: cli::TAGS.split(',').map(str::to_owned).collect(),
            consumer_group: cli::GROUP.to_owned(),
            namespace: None,
        }
    }

    fn means() -> Means {
        Means { keep_alive: Duration::from_secs(5), ..Means::default() }
    }

    fn read(url: &str) -> RocketMq {
        let read = RocketMq::read(url, &options(), &means());
        read.unwrap_or_else(|failure| panic!("{url}: {failure}"))
    }

    #[test]
    fn every_part_of_a_url_is_read() {
        for (url, shown, instance) in [
            ("rocketmq://h/GID_a", "rocketmq://h:9876/GID_a_MQTT", "rocketmq://h:9876/GID_a_MQTT"),
            (
                "rocketmq://h:1/GID_a_MQTT/",
                "rocketmq://h:1/GID_a_MQTT",
                "rocketmq://h:1/GID_a_MQTT",
            ),
            (
                "ROCKETMQ://127.0.0.1:2,b/status",
                "rocketmq://127.0.0.1:2,b:9876/status",
                "rocketmq://localhost:2/status",
            ),
            ("rocketmq://a;[::1]:3/t", "rocketmq://a:9876,[::1]:3/t", "rocketmq://a:9876/t"),
            (
                "rocketmq://h/MQ_INST_1_x%GID-a",
                "rocketmq://h:9876/MQ_INST_1_x%GID-a_MQTT",
                "rocketmq://h:9876/MQ_INST_1_x%GID-a_MQTT",
            ),
        ] {
            let topic = read(url);
            assert_eq!((&*topic.to_string(), &*topic.instance), (shown, instance), "{url}");
        }
        let encrypted = read("rocketmq+ssl://h/t");
        assert!(encrypted.tls.is_some());
        assert_eq!(encrypted.instance, "rocketmq+ssl://h:9876/t");
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for (url, cause) in [
            ("rocketmq://h", "no topic"),
            ("rocketmq:///t", "no host"),
            ("rocketmq://h/a/b", "names have"),
            ("rocketmq://h/t?x=1", "query"),
            ("rocketmq://u:hunter2@h/t", "access keys"),
            ("rocketmq://h:99999/t", "port"),
        ] {
            let failure = RocketMq::read(url, &options(), &means()).expect_err(url);
            assert!(failure.cause.as_deref().unwrap_or_default().contains(cause), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn an_instance_of_the_cloud_stands_before_topic_and_group() {
        let options = cli::RocketMq {
            namespace: Some("MQ_INST_1_x".to_owned()),
            consumer_group: "GID_reader".to_owned(),
            ..options()
        };
        let topic = RocketMq::read("rocketmq://h/GID_a", &options, &means()).expect("it is one");
        assert_eq!(
            (&*topic.topic, &*topic.group),
            ("MQ_INST_1_x%GID_a_MQTT", "MQ_INST_1_x%GID_reader")
        );
        assert!(topic.is_alibaba);
        let topic = read("rocketmq://x.mq-internet.aliyuncs.com:8080/GID_a");
        assert!(topic.is_alibaba && topic.group == cli::GROUP);
        assert!(!read("rocketmq://h/GID_a").is_alibaba);
    }

    #[test]
    fn tags_are_those_that_were_named_or_all() {
        let tags = |typed: &[&str]| {
            let typed: Vec<String> = typed.iter().map(|tag| (*tag).to_owned()).collect();
            super::tags(&typed).ok()
        };
        assert_eq!(
            tags(&["connect", " tcpclean"]),
            Some(vec!["connect".to_owned(), "tcpclean".to_owned()])
        );
        assert_eq!(tags(&["connect", "*"]), Some(Vec::new()));
        assert_eq!(tags(&["a||b"]), None);
        assert_eq!(tags(&[""]), None);
    }
}
