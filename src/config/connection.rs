//! The options of a connection, checked together.

use super::access_key;
use super::auth::{Auth, Login, is_aliyun_host};
use crate::cli::connection as cli;
use crate::cli::watch::Sources;
use crate::config::broker::{Broker, MqttVersion, UserInfo};
use crate::config::door::{self, Remote};
use crate::config::secret::Secret;
use crate::config::topic::{self, Kinds, Means, Topic};
use crate::config::warning::Warning;
use crate::failure::Failure;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest text a field of MQTT carries, in bytes (MQTT 3.1.1 §1.5.3).
pub const TEXT_MAX: usize = 65_535;
/// The longest keep alive MQTT carries.
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(65_535);

/// How to reach one broker, who to be there, and whom to believe.
#[derive(Clone, Debug)]
pub struct Connection {
    pub broker: Broker,
    /// The broker's name in stores and output.
    pub instance: String,
    pub auth: Auth,
    /// With [`Auth::Plain`], as the password.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// The client id asked for; `None` leaves the choice to the command.
    pub client_id: Option<String>,
    /// Zero turns it off.
    pub keep_alive: Duration,
    pub mqtt_version: MqttVersion,
    /// `None` where the connection is not encrypted.
    pub tls: Option<Tls>,
}

impl Connection {
    /// Returns user and password of the client with this id.
    #[must_use]
    pub fn login(&self, client_id: &str) -> Login {
        match &self.auth {
            Auth::Plain => (self.username.clone(), self.password.clone()),
            Auth::Aliyun(aliyun) => aliyun.login(client_id),
        }
    }

    /// Checks the client id that a command connects with.
    ///
    /// Errors: one that the service does not take (exit 2).
    pub fn check_client(&self, client_id: &str) -> Result<(), Failure> {
        match &self.auth {
            Auth::Plain => Ok(()),
            Auth::Aliyun(aliyun) => aliyun.check_client(client_id),
        }
    }

    /// Tells whether user and password are made of the client id.
    #[must_use]
    pub const fn is_derived(&self) -> bool {
        matches!(self.auth, Auth::Aliyun(_))
    }

    /// Tells whether it leads to Alibaba Cloud's MQTT, which lacks some of what others have.
    #[must_use]
    pub fn is_aliyun(&self) -> bool {
        self.is_derived() || is_aliyun_host(&self.broker.host_name())
    }
}

/// Whom to believe on an encrypted connection, and what to show.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// `None` believes whom the operating system believes.
    pub cafile: Option<PathBuf>,
    pub identity: Option<Identity>,
    /// Believe anyone.
    pub insecure: bool,
    pub alpn: Option<String>,
}

/// A client certificate and its private key, both PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What the process was handed besides its arguments.
pub struct Surroundings<'a> {
    /// The value of `PRESENCE_PASSWORD`, which has no flag: arguments are public.
    pub password: Option<Secret>,
    pub access_key: access_key::Secrets,
    pub stdin: &'a mut dyn Read,
}

impl<'a> Surroundings<'a> {
    /// Returns those of this process.
    #[must_use]
    pub fn of_process(stdin: &'a mut dyn Read) -> Self {
        let password = std::env::var("PRESENCE_PASSWORD").ok().map(Secret::from);
        Self { password, access_key: access_key::Secrets::of_process(), stdin }
    }

    /// Returns what was handed over where nothing but standard input was.
    #[must_use]
    pub fn with_stdin(stdin: &'a mut dyn Read) -> Self {
        Self { password: None, access_key: access_key::Secrets::default(), stdin }
    }
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("password", &self.password).finish_non_exhaustive()
    }
}

/// Checks the options of a command that talks to one broker. `keep_alive` is the command's default.
pub fn single(
    options: &cli::Connection,
    keep_alive: Duration,
    surroundings: &mut Surroundings<'_>,
) -> Result<(Connection, Vec<Warning>), Failure> {
    let (connections, warnings) = every(options, keep_alive, surroundings)?;
    match <[Connection; 1]>::try_from(connections) {
        Ok([connection]) => Ok((connection, warnings)),
        Err(several) => Err(Failure::misuse(format!(
            "`--broker` is given {} times, but this command talks to one broker",
            several.len()
        ))
        .next("run the command once for each broker")),
    }
}

/// Checks the options of a command that may talk to several brokers, in the order given.
pub fn every(
    options: &cli::Connection,
    keep_alive: Duration,
    surroundings: &mut Surroundings<'_>,
) -> Result<(Vec<Connection>, Vec<Warning>), Failure> {
    let none = Sources::default();
    let given = all(options, &options.broker, (&none, None), keep_alive, surroundings)?;
    Ok((given.connections, given.warnings))
}

/// Everything that is listened to.
#[derive(Debug)]
pub struct Given {
    pub connections: Vec<Connection>,
    pub remotes: Vec<Remote>,
    pub topics: Vec<Topic>,
    pub webhook: Option<door::Webhook>,
    pub warnings: Vec<Warning>,
}

/// Checks the options of a command that may listen to several brokers and other sources. The broker that
/// stands where none is named is left out where there is something else to listen to. Times without a zone are of `zone`.
pub fn listening(
    options: &cli::Connection,
    sources: &Sources,
    zone: Option<&TimeZone>,
    keep_alive: Duration,
    surroundings: &mut Surroundings<'_>,
) -> Result<Given, Failure> {
    let is_needed = sources.is_broker_chosen || sources.are_none();
    let brokers = if is_needed { &*options.broker } else { &[] };
    all(options, brokers, (sources, zone), keep_alive, surroundings)
}

fn all(
    options: &cli::Connection,
    brokers: &[Secret],
    (sources, zone): (&Sources, Option<&TimeZone>),
    keep_alive: Duration,
    surroundings: &mut Surroundings<'_>,
) -> Result<Given, Failure> {
    let keep_alive = match &options.keepalive {
        Some(typed) => read_keep_alive(typed)?,
        None => keep_alive,
    };
    check_text("--client-id", options.client_id.as_deref())?;
    check_text("--username", options.username.as_deref())?;
    check_instance(options, brokers.len() + sources.count())?;
    let password = read_password(options, surroundings)?;
    let tls = read_tls(options)?;
    let mut connections: Vec<Connection> = Vec::new();
    let mut warnings = Vec::new();
    for url in brokers {
        let (broker, user) = Broker::read(url.reveal())?;
        if user.password.is_some() {
            warnings.push(Warning::PasswordInUrl { broker: broker.to_string() });
        }
        if broker.scheme.is_tls() && tls.insecure {
            warnings.push(Warning::Unverified { broker: broker.to_string() });
        }
        let auth = Auth::read(options, &broker, &user, &surroundings.access_key)?;
        let (username, password) = match auth {
            Auth::Aliyun(_) => (None, None),
            Auth::Plain => {
                credentials(options, user, password.as_ref(), surroundings.password.as_ref())
            }
        };
        if password.is_some() && username.is_none() && options.mqtt_version == MqttVersion::V311 {
            return Err(Failure::misuse(format!("a password for {broker}, but no user"))
                .because("MQTT 3.1.1 carries no password without a user name (§3.1.2.9)")
                .next("add `--username`, or pass `--mqtt-version 5`"));
        }
        let connection = Connection {
            instance: options.instance.clone().unwrap_or_else(|| broker.instance()),
            tls: broker.scheme.is_tls().then(|| tls.clone()),
            broker,
            auth,
            username,
            password,
            client_id: options.client_id.clone(),
            keep_alive,
            mqtt_version: options.mqtt_version,
        };
        // Two connections with one client id to one broker would throw each other out for ever.
        if let Some(other) = connections.iter().find(|other| other.instance == connection.instance)
        {
            return Err(Failure::misuse(format!("`--broker` names `{}` twice", other.instance))
                .because(format!("{} and {} are one broker", other.broker, connection.broker))
                .next("name each broker once"));
        }
        connections.push(connection);
    }
    let given = password.as_ref().or(surroundings.password.as_ref());
    let means = Means {
        tls: tls.clone(),
        // Whoever shows tokens to a broker has an id, and perhaps no secret.
        access_key: if sources.source.iter().any(|url| door::signs(url.reveal())) {
            access_key::read(&options.access_key, &surroundings.access_key)?
        } else {
            None
        },
        username: options.username.clone(),
        password: given.cloned(),
        keep_alive,
        instance: options.instance.clone(),
    };
    let urls = sources.source.iter().filter(|url| topic::is_meant(url.reveal()));
    let kinds = Kinds { rocketmq: &sources.rocketmq, kafka: &sources.kafka };
    let since = (sources.since.as_deref(), zone);
    let (mut topics, more) = topic::read_all(urls, kinds, since, &means)?;
    warnings.extend(more);
    let others = brokers.len() + sources.count() - topics.len();
    topic::end_all(&mut topics, others, sources.until.as_deref(), zone)?;
    let (remotes, more) = door::remotes(options, sources, &means, given)?;
    warnings.extend(more);
    let named = topics.iter().map(Topic::instance);
    check_sources(named.chain(remotes.iter().map(|remote| remote.instance.as_str())))?;
    if let Some(flag) = tls_flag(options)
        && connections.iter().all(|connection| connection.tls.is_none())
        && remotes.iter().all(|remote| remote.tls.is_none())
        && topics.iter().all(|topic| topic.tls().is_none())
    {
        let brokers = connections.iter().map(|one| one.broker.to_string());
        let others = remotes.iter().map(Remote::to_string);
        let shown: Vec<String> =
            brokers.chain(others).chain(topics.iter().map(Topic::to_string)).collect();
        let schemes = if sources.source.is_empty() {
            "`mqtts://` or `wss://`"
        } else {
            "`mqtts://`, `wss://`, `amqps://`, `stomp+ssl://`, `rocketmq+ssl://` or `kafka+ssl://`"
        };
        return Err(Failure::misuse(format!("`{flag}` needs an encrypted connection"))
            .because(format!("{} is not encrypted", shown.join(", ")))
            .next(format!("use {schemes}, or leave `{flag}` out")));
    }
    if keep_alive.is_zero() && !sources.source.is_empty() {
        return Err(Failure::misuse("`--keepalive 0` with `--source`")
            .because("without heart-beats nobody could tell a dead line from a quiet one")
            .next("pass at least 1s"));
    }
    let webhook = door::webhook(sources)?;
    Ok(Given { connections, remotes, topics, webhook, warnings })
}

/// Fails if a source is named twice.
pub(super) fn check_sources<'a>(instances: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for instance in instances {
        if !seen.insert(instance) {
            let shown = instance.escape_debug();
            return Err(Failure::misuse(format!("`--source` names `{shown}` twice"))
                .because("what one of them tells is the same")
                .next("name each source once"));
        }
    }
    Ok(())
}

/// Chooses who to be. A password in a URL belongs to the user in that URL and goes with no other;
/// what was given for this broker alone outranks what the environment holds for all.
fn credentials(
    options: &cli::Connection,
    url: UserInfo,
    given: Option<&Secret>,
    environment: Option<&Secret>,
) -> (Option<String>, Option<Secret>) {
    let same_user = options.username.is_none() || options.username == url.username;
    let username = options.username.clone().or(url.username);
    let password = given
        .cloned()
        .or_else(|| url.password.filter(|_| same_user))
        .or_else(|| environment.cloned());
    (username, password)
}

/// Reads `30`, `30s`, `1m 30s`, …
fn read_keep_alive(typed: &str) -> Result<Duration, Failure> {
    let parsed = match typed.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(typed),
    };
    match parsed {
        Err(error) => Err(Failure::misuse(format!("`--keepalive {typed}` is no duration"))
            .because(error)
            .next("pass seconds, as in `30` or `30s`")),
        Ok(duration) if duration > KEEP_ALIVE_MAX => Err(Failure::misuse(format!(
            "`--keepalive {typed}` is longer than MQTT can carry ({}s, {})",
            KEEP_ALIVE_MAX.as_secs(),
            humantime::format_duration(KEEP_ALIVE_MAX)
        ))
        .because("the field has 16 bits (MQTT 3.1.1 §3.1.2.10)")
        .next("pass at most 65535s, or 0s to turn keep alive off")),
        Ok(duration) if duration.subsec_nanos() > 0 => {
            Err(Failure::misuse(format!("`--keepalive {typed}` is no whole number of seconds"))
                .because("MQTT counts it in seconds (MQTT 3.1.1 §3.1.2.10)")
                .next("pass whole seconds, as in `30s`"))
        }
        Ok(duration) => Ok(duration),
    }
}

fn check_text(flag: &str, text: Option<&str>) -> Result<(), Failure> {
    let cause = match text {
        Some("") => "it is empty",
        Some(text) if text.len() > TEXT_MAX => "it is longer than the 65,535 bytes MQTT can carry",
        Some(text) if text.contains('\0') => "it holds a NUL, which MQTT forbids (§1.5.3)",
        _ => return Ok(()),
    };
    Err(Failure::misuse(format!("`{flag}` cannot be used as given"))
        .because(cause)
        .next(format!("pass another value, or leave `{flag}` out")))
}

fn check_instance(options: &cli::Connection, count: usize) -> Result<(), Failure> {
    let Some(name) = &options.instance else { return Ok(()) };
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Failure::misuse("`--instance` cannot be used as given")
            .because("the name is empty or holds control characters")
            .next("pass a short name, as in `--instance plant-3`"));
    }
    if count > 1 {
        return Err(Failure::misuse("`--instance` with several brokers")
            .because("one name cannot stand for two brokers")
            .next("leave `--instance` out, or run the command once for each broker"));
    }
    Ok(())
}

/// Reads the password from a file or from standard input.
pub(super) fn read_password(
    options: &cli::Connection,
    surroundings: &mut Surroundings<'_>,
) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &options.password_file {
        password_from(path).map(Some)
    } else if options.password_stdin {
        password_of("standard input", read_limited(surroundings.stdin)).map(Some)
    } else {
        Ok(None)
    }
}

/// Reads a password from a file.
///
/// Errors: a file that cannot be read, or that holds no password (exit 4).
pub fn password_from(path: &Path) -> Result<Secret, Failure> {
    let read = File::open(path).and_then(|mut file| read_limited(&mut file));
    password_of(&format!("`{}`", path.display()), read)
}

/// One line end at its end does not count, since editors and `echo` put it there.
fn password_of(place: &str, read: std::io::Result<Vec<u8>>) -> Result<Secret, Failure> {
    let refuse = || Failure::new(format!("could not read the password from {place}"));
    let bytes = read.map_err(|error| {
        refuse().because(error).next("check the path and who may read the file")
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse().because("it is no UTF-8 text").next("store the password as UTF-8"))?;
    let text =
        text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    match text.len() {
        0 => Err(refuse().because("it is empty").next("write the password there")),
        1..=TEXT_MAX => Ok(Secret::from(text)),
        _ => Err(refuse()
            .because("it is longer than the 65,535 bytes MQTT can carry")
            .next("check that this is the file of the password")),
    }
}

/// Reads at most a byte more than fits, so that `/dev/zero` ends too.
fn read_limited(source: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(TEXT_MAX as u64 + 3).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn read_tls(options: &cli::Connection) -> Result<Tls, Failure> {
    if let Some(name) = &options.tls_alpn
        && !(1..=255).contains(&name.len())
    {
        return Err(Failure::misuse(format!("`--tls-alpn {name}` names no protocol"))
            .because("a name has 1 to 255 bytes (RFC 7301 §3.1)")
            .next("pass the name the broker expects, as in `--tls-alpn mqtt`"));
    }
    let identity = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => Some(Identity { cert: cert.clone(), key: key.clone() }),
        (None, None) => None,
        // clap sees to it too, but a configuration may be built without it.
        _ => {
            return Err(Failure::misuse("`--cert` and `--key` belong together")
                .because("a certificate proves nothing without its private key")
                .next("pass both"));
        }
    };
    Ok(Tls {
        cafile: options.cafile.clone(),
        identity,
        insecure: options.insecure,
        alpn: options.tls_alpn.clone(),
    })
}

/// Returns the first option that means nothing without encryption.
fn tls_flag(options: &cli::Connection) -> Option<&'static str> {
    [
        (options.cafile.is_some(), "--cafile"),
        (options.cert.is_some(), "--cert"),
        (options.key.is_some(), "--key"),
        (options.insecure, "--insecure"),
        (options.tls_alpn.is_some(), "--tls-alpn"),
    ]
    .into_iter()
    .find_map(|(given, flag)| given.then_some(flag))
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
