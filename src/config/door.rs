//! Where brokers tell about their clients beside MQTT: at a door of their own, or by posting it to us.

use super::broker::{Authority, host_name, known_as, redacted};
use super::connection::{Tls, password_from};
use super::metrics;
use super::rocketmq;
use super::status_queue::StatusQueue;
use super::topic::{self, Means};
use super::warning::Warning;
use crate::cli::connection as cli;
use crate::cli::watch::Sources;
use crate::config::secret::Secret;
use crate::failure::Failure;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use url::Host;

/// What is spoken at a broker's other door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// AMQP 0-9-1, as RabbitMQ speaks it.
    Amqp,
    /// The same, as Alibaba Cloud's MQTT speaks it.
    AliyunAmqp,
    /// STOMP 1.2, as ActiveMQ and Artemis speak it.
    Stomp,
}

/// A broker's other door: where it is, who to be there, and whom to believe.
#[derive(Clone, Debug)]
pub struct Remote {
    pub tongue: Tongue,
    host: Host,
    pub port: u16,
    /// Of AMQP: the virtual host. Of STOMP: empty.
    pub vhost: String,
    /// The broker's name in stores and output.
    pub instance: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub keep_alive: Duration,
    /// `None` where the connection is not encrypted.
    pub tls: Option<Tls>,
    /// What to take of Alibaba Cloud's MQTT, which knows neither user nor password of its own.
    pub status_queue: Option<StatusQueue>,
}

/// What a URL says of a door.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub remote: Remote,
    pub is_encrypted: bool,
    /// Of a queue of status notices, unchecked.
    pub group: Option<String>,
}

impl Remote {
    /// Reads `scheme://[user[:password]@]host[:port][/vhost or /group]`.
    pub(super) fn read(url: &str) -> Result<Read, Failure> {
        let refuse = |cause: &str, next: &str| {
            Failure::misuse(format!("`--source {}` is no source", redacted(url)))
                .because(cause)
                .next(next)
        };
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| refuse("it has no scheme, such as `amqp://`", EXAMPLES))?;
        let (tongue, is_encrypted) = match scheme.to_ascii_lowercase().as_str() {
            "amqp" => (Tongue::Amqp, false),
            "amqps" => (Tongue::Amqp, true),
            "aliyun-amqp" => (Tongue::AliyunAmqp, false),
            "aliyun-amqps" => (Tongue::AliyunAmqp, true),
            "stomp" => (Tongue::Stomp, false),
            "stomp+ssl" | "stomps" => (Tongue::Stomp, true),
            "mqtt" | "mqtts" | "tcp" | "ssl" | "tls" | "ws" | "wss" => {
                return Err(refuse("MQTT is no other source", "name it with `--broker`"));
            }
            _ => return Err(refuse("its scheme is unknown", EXAMPLES)),
        };
        let Authority { user, host, port, tail } = Authority::read(rest, EXAMPLES, refuse)?;
        let path = path(tongue, tail).map_err(|(cause, next)| refuse(cause, next))?;
        let port = port.unwrap_or(match (tongue, is_encrypted) {
            (Tongue::Amqp | Tongue::AliyunAmqp, false) => 5672,
            (Tongue::Amqp | Tongue::AliyunAmqp, true) => 5671,
            (Tongue::Stomp, false) => 61613,
            (Tongue::Stomp, true) => 61614,
        });
        let mut instance = format!("{}://{}", name(tongue, is_encrypted), known_as(&host, port));
        let (vhost, group) = if tongue == Tongue::AliyunAmqp {
            // Each group of a service is told of for itself.
            instance = format!("{instance}/{path}");
            (ALIYUN_VHOST.to_owned(), Some(path))
        } else {
            (path, None)
        };
        let remote = Self {
            tongue,
            host,
            port,
            vhost,
            instance,
            username: user.username,
            password: user.password,
            keep_alive: Duration::ZERO,
            tls: None,
            status_queue: None,
        };
        Ok(Read { remote, is_encrypted, group })
    }

    /// Takes on who to be there, unless the URL says it. RabbitMQ comes with an account that may be used
    /// from its own machine only, and every client of it knows that one.
    pub(super) fn log_in(&mut self, username: Option<&str>, password: Option<&Secret>) {
        let said = self.username.clone();
        self.username = said.or_else(|| username.map(str::to_owned));
        self.password = self.password.take().or_else(|| password.cloned());
        if self.tongue == Tongue::Amqp {
            let username = self.username.get_or_insert_with(|| GUEST.to_owned());
            if username == GUEST && self.password.is_none() {
                self.password = Some(Secret::from(GUEST));
            }
        }
    }

    /// Returns the host as resolvers and certificates name it.
    #[must_use]
    pub fn host_name(&self) -> String {
        host_name(&self.host)
    }
}

/// Without user, password and virtual host.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = name(self.tongue, self.tls.is_some());
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Tells whether a URL names a source at which an access key signs.
pub(super) fn signs(url: &str) -> bool {
    let is_aliyun = |(scheme, _): (&str, &str)| scheme.to_ascii_lowercase().starts_with("aliyun-");
    rocketmq::is_meant(url) || url.split_once("://").is_some_and(is_aliyun)
}

/// Reads all sources but topics that keep what was read. `given`: the password for those that say no other.
///
/// Errors: a URL or options that name none, or one twice (exit 2).
pub(super) fn remotes(
    options: &cli::Connection,
    sources: &Sources,
    means: &Means,
    given: Option<&Secret>,
) -> Result<(Vec<Remote>, Vec<Warning>), Failure> {
    let mut remotes: Vec<Remote> = Vec::new();
    let mut warnings = Vec::new();
    for url in sources.source.iter().filter(|url| !topic::is_meant(url.reveal())) {
        let Read { mut remote, is_encrypted, group } = Remote::read(url.reveal())?;
        if remote.password.is_some() {
            warnings.push(Warning::PasswordInUrl { broker: remote.instance.clone() });
        }
        if is_encrypted && means.tls.insecure {
            warnings.push(Warning::Unverified { broker: remote.instance.clone() });
        }
        remote.tls = is_encrypted.then(|| means.tls.clone());
        remote.keep_alive = means.keep_alive;
        match group {
            Some(group) => {
                let key = means.access_key.clone();
                let queue = StatusQueue::read(options, sources, &remote, group, key)?;
                remote.status_queue = Some(queue);
            }
            None => remote.log_in(options.username.as_deref(), given),
        }
        if let Some(name) = &means.instance {
            remote.instance.clone_from(name);
        }
        if remotes.iter().any(|other| other.instance == remote.instance) {
            return Err(Failure::misuse(format!("`--source` names `{}` twice", remote.instance))
                .next("name each source once"));
        }
        remotes.push(remote);
    }
    Ok((remotes, warnings))
}

/// Where others may post what brokers tell, and who they must be.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub address: SocketAddr,
    /// `None` lets everybody who reaches it post.
    pub secret: Option<Secret>,
}

/// Reads where to listen for what is posted, `None` where nobody asked for it.
///
/// Errors: what is no address; one that other machines reach, without a secret (exit 2); a secret that
/// cannot be read (exit 4).
pub fn webhook(options: &Sources) -> Result<Option<Webhook>, Failure> {
    let Some(typed) = &options.listen_webhook else { return Ok(None) };
    let address = metrics::read(typed).ok_or_else(|| {
        Failure::misuse(format!("`--listen-webhook {}` is no address", typed.escape_debug()))
            .because("an IP address with a port is needed, or a port alone")
            .next("write it as in `--listen-webhook 127.0.0.1:8080`")
    })?;
    let secret = options.listen_webhook_secret_file.as_deref().map(password_from).transpose()?;
    if secret.is_none() && !address.ip().is_loopback() {
        return Err(Failure::misuse(format!(
            "`--listen-webhook {address}` can be reached by other machines"
        ))
        .because("whoever reaches the port could say anything about any client")
        .next("listen on 127.0.0.1, or add `--listen-webhook-secret-file`"));
    }
    Ok(Some(Webhook { address, secret }))
}

/// Returns what follows the host: a virtual host, or the name of a group.
fn path(tongue: Tongue, tail: &str) -> Result<String, (&'static str, &'static str)> {
    if tail.contains(['?', '#']) {
        return Err(("it has a query or a fragment", "leave out what follows the `?` or `#`"));
    }
    let path = tail.strip_prefix('/').unwrap_or(tail);
    match tongue {
        Tongue::Stomp if path.is_empty() => Ok(String::new()),
        Tongue::Stomp => Err(("it has a path, which STOMP has not", "leave the path out")),
        Tongue::AliyunAmqp => Ok(path.trim_end_matches('/').to_owned()),
        // RabbitMQ has no virtual host without a name unless somebody made one; this is what is meant.
        Tongue::Amqp if path.is_empty() => Ok("/".to_owned()),
        Tongue::Amqp if path.contains('/') => {
            Err(("its virtual host holds a `/`", "write it as `%2F`, as in `amqp://HOST/%2Fname`"))
        }
        Tongue::Amqp => match percent_decode_str(path).decode_utf8() {
            Ok(name) if u8::try_from(name.len()).is_ok() => Ok(name.into_owned()),
            _ => Err((
                "its virtual host is no UTF-8, or longer than the 255 bytes AMQP can carry",
                "correct what follows the host",
            )),
        },
    }
}

const fn name(tongue: Tongue, is_encrypted: bool) -> &'static str {
    match (tongue, is_encrypted) {
        (Tongue::Amqp, false) => "amqp",
        (Tongue::Amqp, true) => "amqps",
        (Tongue::AliyunAmqp, false) => "aliyun-amqp",
        (Tongue::AliyunAmqp, true) => "aliyun-amqps",
        (Tongue::Stomp, false) => "stomp",
        (Tongue::Stomp, true) => "stomp+ssl",
    }
}

/// The dialects that come by each way, unless others are chosen.
pub const AMQP: &[&str] = &["rabbitmq"];
pub const ALIYUN_AMQP: &[&str] = &["lmq"];
pub const STOMP: &[&str] = &["activemq", "artemis"];
pub const ROCKETMQ: &[&str] = &["lmq"];
/// What is bridged there is what others post.
pub const KAFKA: &[&str] = WEBHOOK;
/// Not `lmq`: it takes whatever has one member of a notice for one, and events of clouds have.
pub const WEBHOOK: &[&str] = &[
    "aws-iot",
    "tencent-tdmq",
    "alibaba-iot",
    "azure-iothub",
    "azure-eventgrid",
    "huawei",
    "tencent-iothub",
    "vernemq",
    "emqx-rule",
    "nanomq-webhook",
];

const GUEST: &str = "guest";
/// The one virtual host of Alibaba Cloud's MQTT.
const ALIYUN_VHOST: &str = "MQTT";
const EXAMPLES: &str = "write `amqp://HOST/`, `stomp://HOST` or `aliyun-amqp://HOST/GROUP`; with TLS, `amqps://`, \
     `stomp+ssl://` or `aliyun-amqps://`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::terms::Terms;

    fn remote(url: &str) -> Remote {
        Remote::read(url).unwrap_or_else(|failure| panic!("{url}: {failure}")).remote
    }

    #[test]
    fn every_part_of_a_url_is_read() {
        for (url, instance, vhost, user) in [
            ("amqp://localhost", "amqp://localhost:5672", "/", None),
            ("amqp://guest@127.0.0.1/", "amqp://localhost:5672", "/", Some("guest")),
            ("amqps://a%40b:c@R.example/%2f", "amqps://r.example:5671", "/", Some("a@b")),
            ("amqp://u:p@[2001:db8::1]:1/plant", "amqp://[2001:db8::1]:1", "plant", Some("u")),
            ("stomp://h", "stomp://h:61613", "", None),
            ("stomp+ssl://h/", "stomp+ssl://h:61614", "", None),
            ("aliyun-amqp://H/GID_a", "aliyun-amqp://h:5672/GID_a", "MQTT", None),
        ] {
            let remote = remote(url);
            assert_eq!((&*remote.instance, &*remote.vhost), (instance, vhost), "{url}");
            assert_eq!(remote.username.as_deref(), user, "{url}");
        }
    }

    #[test]
    fn what_is_no_source_is_refused_without_its_password() {
        for (url, cause) in [
            ("localhost:5672", "no scheme"),
            ("mqtt://localhost", "no other source"),
            ("http://localhost", "unknown"),
            ("amqp://u:hunter2@/", "no host"),
            ("amqp://u:hunter2@h/a/b", "holds a `/`"),
            ("amqp://u:hunter2@h/?x=1", "query"),
            ("stomp://u:hunter2@h/path", "has a path"),
            ("amqp://h/%ff", "no UTF-8"),
        ] {
            let failure = Remote::read(url).expect_err(url);
            assert!(failure.cause.as_deref().unwrap_or_default().contains(cause), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn rabbitmqs_own_account_needs_no_password_typed() {
        let password = |url: &str, given: Option<&str>| {
            let mut remote = remote(url);
            remote.log_in(Some("ann"), given.map(Secret::from).as_ref());
            let secret = remote.password.map(|secret| secret.reveal().to_owned());
            (remote.username.unwrap_or_default(), secret.unwrap_or_default())
        };
        let is = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        assert_eq!(password("amqp://guest@h", None), is("guest", "guest"));
        assert_eq!(password("amqp://guest:x@h", Some("y")), is("guest", "x"));
        assert_eq!(password("amqp://h", Some("y")), is("ann", "y"));
        assert_eq!(password("amqp://bob@h", None), is("bob", ""));
        assert_eq!(password("stomp://guest@h", None), is("guest", ""));
    }

    #[test]
    fn what_comes_by_each_way_is_a_dialect() {
        for name in AMQP.iter().chain(ALIYUN_AMQP).chain(STOMP).chain(ROCKETMQ).chain(WEBHOOK) {
            assert!(Terms::names().any(|known| known == *name), "{name}");
        }
    }

    #[test]
    fn who_is_reached_by_others_needs_a_secret() {
        let options = |address: &str| Sources {
            listen_webhook: Some(address.to_owned()),
            ..Sources::default()
        };
        for address in ["8080", "localhost:0", "[::1]:80"] {
            assert!(webhook(&options(address)).expect(address).is_some());
        }
        for address in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            let failure = webhook(&options(address)).expect_err(address);
            assert!(failure.next.expect("there is").contains("secret-file"));
        }
        assert!(webhook(&options("nowhere")).is_err());
        assert!(webhook(&Sources::default()).expect("nothing is asked").is_none());
    }
}
