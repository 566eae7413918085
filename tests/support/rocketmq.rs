//! A real RocketMQ 5.3.3, or 4.9.7, on free ports: name server and broker, and a proxy if wanted. 5.3.3 listens on
//! loopback alone, 4.9.7 cannot.
//!
//! It comes from Maven Central: `tests/run --tools` puts it into the target folder. It takes about four seconds to
//! start, so one has to do for a whole test file. Its official client of Java comes along: the programs in
//! `tests/rocketmq/java` use it, and are compiled when a test first needs them.

use super::clients::{there, tools};
use super::process::{DEADLINE, Process, Stream};
use super::remoting::{self, Account, Answer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Servers of the test's own. They end with it.
pub struct RocketMq {
    kind: Kind,
    name_port: u16,
    broker_port: u16,
    name_server: Process,
    broker: Process,
    folder: TempDir,
}

/// A proxy before the servers, for clients that may not reach the broker. It ends with the test.
pub struct Proxy {
    port: u16,
    _process: Process,
}

/// In what a cluster may differ.
#[expect(clippy::struct_excessive_bools, reason = "each is a difference of its own")]
#[derive(Clone, Copy, Default)]
pub struct Kind {
    /// It lets nobody in but [`ADMIN`] and those whom the test makes.
    pub has_authentication: bool,
    /// It answers with headers of RocketMQ's own format instead of JSON, whatever it is asked in. Its proxy cannot
    /// sign those: not together with authentication.
    pub has_binary_headers: bool,
    /// It makes topics when something is sent to them.
    pub makes_topics: bool,
    /// It is a RocketMQ 4.9.7. No program of Java is tried with it.
    pub is_old: bool,
    /// Servers and programs are to be measured: they take longer to warm up, and are faster then.
    pub is_measured: bool,
}

/// May do everything.
pub const ADMIN: Account = Account { key: "admin-key", secret: "admin-secret" };
/// Made by [`RocketMq::let_read`], and may do nothing else.
pub const READER: Account = Account { key: "reader-key", secret: "reader-secret" };

/// On a busy machine they take several times their four seconds.
const START_MAX: Duration = Duration::from_mins(2);
const STARTS_MAX: usize = 3;
const COMPILE_MAX: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A broker that found no name server tells of itself only after ten seconds, unless it is told to.
const FORCE_AFTER: Duration = Duration::from_millis(200);
const CLUSTER: &str = "DefaultCluster";

impl RocketMq {
    /// Starts a cluster of one broker that lets everybody in.
    pub fn start() -> Self {
        Self::of_kind(Kind::default())
    }

    pub fn of_kind(kind: Kind) -> Self {
        // A free port may be taken by somebody else between the look and the start.
        for _ in 0..STARTS_MAX {
            let mut cluster = Self::run(kind);
            if cluster.has_started() {
                cluster.wait_route(CLUSTER);
                return cluster;
            }
            let said = cluster.said();
            assert!(said.contains("in use") || said.contains("BindException"), "{said}");
        }
        panic!("{STARTS_MAX} times a port was taken by others before RocketMQ could have it");
    }

    /// Returns host and port of the name server.
    pub fn name_server(&self) -> String {
        format!("127.0.0.1:{}", self.name_port)
    }

    pub const fn name_port(&self) -> u16 {
        self.name_port
    }

    pub const fn broker_port(&self) -> u16 {
        self.broker_port
    }

    pub fn broker_pid(&self) -> u32 {
        self.broker.pid()
    }

    pub fn kill_broker(&mut self) {
        self.broker.kill();
    }

    /// Starts the broker on what it has stored, after [`kill_broker`](Self::kill_broker).
    pub fn restart_broker(&mut self) {
        self.broker = start_broker(self.folder.path(), self.kind, self.name_port);
        assert!(self.has_started(), "{}", self.said());
        self.wait_route(CLUSTER);
    }

    /// Makes a topic, and waits until it can be found.
    pub fn create_topic(&self, name: &str, queues: u32) {
        let queues = queues.to_string();
        let fields = [
            ("topic", name),
            ("defaultTopic", "TBW102"),
            ("readQueueNums", &queues),
            ("writeQueueNums", &queues),
            ("perm", "6"),
            ("topicFilterType", "SINGLE_TAG"),
            ("topicSysFlag", "0"),
            ("order", "false"),
        ];
        self.done(17, &fields, b"");
        self.wait_route(name);
    }

    /// Stores a message by itself, and returns its place in the queue. An empty tag is none.
    pub fn send(&self, topic: &str, queue: u32, tag: &str, body: &[u8]) -> u64 {
        self.send_as(topic, queue, tag, body, 0)
    }

    /// The same, with the flags of the message that say how its body is to be read.
    pub fn send_as(&self, topic: &str, queue: u32, tag: &str, body: &[u8], flags: u32) -> u64 {
        let (queue, flags) = (queue.to_string(), flags.to_string());
        let tag = if tag.is_empty() { String::new() } else { format!("TAGS\x01{tag}\x02") };
        let born = presence::clock::now().0.to_string();
        let fields = [
            ("producerGroup", "tests"),
            ("topic", topic),
            ("defaultTopic", "TBW102"),
            ("defaultTopicQueueNums", "8"),
            ("queueId", &queue),
            ("sysFlag", &flags),
            ("bornTimestamp", &born),
            ("flag", "0"),
            ("properties", &tag),
            ("reconsumeTimes", "0"),
            ("unitMode", "false"),
            ("batch", "false"),
        ];
        let answer = self.done(10, &fields, body);
        answer.fields["queueOffset"].parse().expect("an offset is a number")
    }

    /// Returns how far a group has come in a queue, `None` if it never told.
    pub fn committed(&self, group: &str, topic: &str, queue: u32) -> Option<u64> {
        let queue = queue.to_string();
        let fields = [("consumerGroup", group), ("topic", topic), ("queueId", &queue)];
        let answer = self.ask_broker(14, &fields, b"");
        (answer.code == 0).then(|| answer.fields["offset"].parse().expect("it is a number"))
    }

    /// Says in the name of a group how far it has come in a queue. Makes the group if there is none.
    pub fn commit(&self, group: &str, topic: &str, queue: u32, next: u64) {
        self.done(200, &[], json!({"groupName": group}).to_string().as_bytes());
        let (queue, next) = (queue.to_string(), next.to_string());
        let fields = [
            ("consumerGroup", group),
            ("topic", topic),
            ("queueId", &queue),
            ("commitOffset", &next),
        ];
        self.done(15, &fields, b"");
    }

    /// Returns who ever told how far it came in which topic, as `topic@group`.
    pub fn committed_by(&self) -> String {
        // No JSON: its keys are numbers.
        String::from_utf8(self.done(43, &[], b"").body).expect("it is text")
    }

    /// Returns who is in a group at the moment.
    pub fn members(&self, group: &str) -> Vec<String> {
        let answer = self.ask_broker(38, &[("consumerGroup", group)], b"");
        if answer.code != 0 {
            return Vec::new();
        }
        let members = answer.json()["consumerIdList"].as_array().cloned().unwrap_or_default();
        members.iter().map(|id| id.as_str().expect("an id is text").to_owned()).collect()
    }

    /// Returns the groups that the broker knows, with those that it always has.
    pub fn groups(&self) -> BTreeSet<String> {
        let table = &self.done(201, &[], b"").json()["subscriptionGroupTable"];
        table.as_object().expect("it is a table").keys().cloned().collect()
    }

    /// Makes [`READER`], who may pull from the topic as that group; the cluster asks who comes.
    pub fn let_read(&self, topic: &str, group: &str) {
        let user = json!({
            "username": READER.key, "password": READER.secret, "userType": "Normal",
            "userStatus": "enable",
        });
        self.done(3001, &[("username", READER.key)], user.to_string().as_bytes());
        let subject = format!("User:{}", READER.key);
        let entry = |resource: String| json!({"resource": resource, "actions": ["Sub"], "decision": "Allow"});
        let entries = [entry(format!("Topic:{topic}")), entry(format!("Group:{group}"))];
        let rights = json!({
            "subject": subject, "policies": [{"policyType": "Custom", "entries": entries}],
        });
        self.done(3006, &[("subject", &subject)], rights.to_string().as_bytes());
    }

    /// Starts a proxy of this cluster.
    pub fn start_proxy(&self) -> Proxy {
        for _ in 0..STARTS_MAX {
            let [port, grpc_port] = super::free_ports();
            let file = self.folder.path().join(format!("proxy-{port}.json"));
            let config = proxy_config(self.kind, self.name_port, port, grpc_port);
            fs::write(&file, config).expect("the folder is ours");
            let mut java = self.kind.server(self.folder.path(), "256m");
            java.env("RMQ_PROXY_HOME", self.folder.path());
            java.arg("org.apache.rocketmq.proxy.ProxyStartup");
            java.args(["-pm", "cluster", "-n", &self.name_server(), "-pc"]).arg(file);
            let mut process = Process::start(&mut java);
            if has_said(&mut [(&mut process, "startup successfully")]) {
                return Proxy { port, _process: process };
            }
            let said = told(&process, self.folder.path());
            assert!(said.contains("in use") || said.contains("BindException"), "{said}");
        }
        panic!("{STARTS_MAX} times a port was taken by others before the proxy could have it");
    }

    /// Starts one of the programs in `tests/rocketmq/java` at this cluster. Their heads say what they can be told.
    pub fn program(&self, name: &str, settings: &[(&str, &str)]) -> Process {
        let mut java = Command::new("java");
        java.current_dir(self.folder.path());
        java.arg("-XX:+UseSerialGC").args(self.kind.warming_up());
        // Its client writes logs there.
        java.arg(format!("-Duser.home={}", self.folder.path().display()));
        java.arg("-cp").arg(format!("{}:{}/*", programs().display(), jars().display()));
        java.arg(name).arg(format!("server={}", self.name_server()));
        let account = self.kind.has_authentication.then_some(ADMIN);
        let account = account.map(|it| [("access-key", it.key), ("secret", it.secret)]);
        for (name, value) in account.iter().flatten().chain(settings) {
            java.arg(format!("{name}={value}"));
        }
        Process::start(&mut java)
    }

    /// Sends what [`program`](Self::program) `Produce` is told to, and returns its last line.
    #[track_caller]
    pub fn produce(&self, settings: &[(&str, &str)]) -> Value {
        last_line(&mut self.program("Produce", settings))
    }

    fn run(kind: Kind) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let [name_port] = super::free_ports();
        let [broker_port, ha_port] = broker_ports();
        let config = format!("listenPort={name_port}\nbindAddress=127.0.0.1\n");
        fs::write(folder.path().join("name-server.conf"), config).expect("the folder is ours");
        let config = broker_config(kind, folder.path(), broker_port, ha_port);
        fs::write(folder.path().join("broker.conf"), config).expect("the folder is ours");
        if kind.is_old {
            prepare_old(folder.path());
        }
        let mut java = kind.server(folder.path(), "128m");
        java.args(["org.apache.rocketmq.namesrv.NamesrvStartup", "-c", "name-server.conf"]);
        // Both at the same time: the broker is told where it belongs once there is a name server.
        let name_server = Process::start(&mut java);
        let broker = start_broker(folder.path(), kind, name_port);
        Self { kind, name_port, broker_port, name_server, broker, folder }
    }

    fn has_started(&mut self) -> bool {
        let booted = "boot success";
        has_said(&mut [(&mut self.name_server, booted), (&mut self.broker, booted)])
    }

    /// Waits until the name server knows where a topic lies.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn wait_route(&self, topic: &str) {
        let began = Instant::now();
        let mut forced = began;
        loop {
            let answer = self.ask(self.name_port, 105, &[("topic", topic)], b"");
            if answer.code == 0 {
                return;
            }
            let now = Instant::now();
            assert!(now < began + START_MAX, "no route to {topic}: {answer:?}\n{}", self.said());
            if now > forced + FORCE_AFTER {
                // It registers itself after any change.
                self.done(25, &[], b"brokerPermission=6\n");
                forced = Instant::now();
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn ask(&self, port: u16, code: u16, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        let account = self.kind.has_authentication.then_some(ADMIN);
        remoting::ask(port, account, code, fields, body)
            .unwrap_or_else(|error| panic!("request {code}: {error}\n{}", self.said()))
    }

    fn ask_broker(&self, code: u16, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        self.ask(self.broker_port, code, fields, body)
    }

    /// Has the broker do something that it may not refuse.
    #[track_caller]
    fn done(&self, code: u16, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.ask_broker(code, fields, body);
        assert_eq!(answer.code, 0, "request {code}: {answer:?}");
        answer
    }

    fn said(&self) -> String {
        told(&self.name_server, self.folder.path()) + &told(&self.broker, self.folder.path())
    }
}

impl Proxy {
    /// Returns host and port, at which it speaks as a name server and a broker do.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Kind {
    const fn warming_up(self) -> Option<&'static str> {
        if self.is_measured { None } else { Some("-XX:TieredStopAtLevel=1") }
    }

    /// Returns Java with all jars, for a server that lives in the folder alone.
    fn server(self, folder: &Path, heap: &str) -> Command {
        let mut java = Command::new("java");
        java.current_dir(folder).arg("-Xms64m").arg(format!("-Xmx{heap}"));
        java.args(["-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=256m"]).args(self.warming_up());
        for name in ["user.home", "rocketmq.home.dir"] {
            java.arg(format!("-D{name}={}", folder.display()));
        }
        if self.has_binary_headers {
            java.arg("-Drocketmq.serialize.type=ROCKETMQ");
        }
        let jars = if self.is_old { old_jars() } else { jars() };
        java.arg("-cp").arg(format!("{}/*", jars.display()));
        java
    }
}

fn start_broker(folder: &Path, kind: Kind, name_port: u16) -> Process {
    let mut java = kind.server(folder, "512m");
    java.args(["org.apache.rocketmq.broker.BrokerStartup", "-c", "broker.conf"]);
    java.args(["-n", &format!("127.0.0.1:{name_port}")]);
    Process::start(&mut java)
}

fn broker_config(kind: Kind, folder: &Path, port: u16, ha_port: u16) -> String {
    let store = folder.join("store");
    let store = store.display();
    let makes_topics = kind.makes_topics;
    let mut config = format!(
        "brokerClusterName={CLUSTER}\nbrokerName=broker-a\nbrokerId=0\n\
         listenPort={port}\nhaListenPort={ha_port}\nbindAddress=127.0.0.1\n\
         brokerIP1=127.0.0.1\nbrokerIP2=127.0.0.1\n\
         storePathRootDir={store}\nstorePathCommitLog={store}/commitlog\n\
         mappedFileSizeCommitLog=16777216\ndiskMaxUsedSpaceRatio=98\n\
         timerWheelEnable=false\nautoCreateTopicEnable={makes_topics}\n"
    );
    if kind.has_authentication && kind.is_old {
        config += "aclEnable=true\n";
    } else if kind.has_authentication {
        for (of, name) in [("authentication", "Authentication"), ("authorization", "Authorization")]
        {
            let _ = writeln!(config, "{of}Enabled=true");
            let package = format!("org.apache.rocketmq.auth.{of}.provider");
            let _ = writeln!(config, "{of}Provider={package}.Default{name}Provider");
            let _ = writeln!(config, "{of}MetadataProvider={package}.Local{name}MetadataProvider");
        }
        let Account { key, secret } = ADMIN;
        let user = json!({"username": key, "password": secret});
        let _ = writeln!(config, "initAuthenticationUser={user}");
        let _ = writeln!(config, "innerClientAuthenticationCredentials={}", credentials());
    }
    config
}

fn proxy_config(kind: Kind, name_port: u16, port: u16, grpc_port: u16) -> String {
    let mut config = json!({
        "rocketMQClusterName": CLUSTER,
        "namesrvAddr": format!("127.0.0.1:{name_port}"),
        "proxyMode": "CLUSTER",
        "localServeAddr": "127.0.0.1",
        "remotingAccessAddr": "127.0.0.1",
        "remotingListenPort": port,
        "grpcServerPort": grpc_port,
    });
    if kind.has_authentication {
        for (of, name) in [("authentication", "Authentication"), ("authorization", "Authorization")]
        {
            config[format!("{of}Enabled")] = true.into();
            let package = format!("org.apache.rocketmq.auth.{of}.provider");
            config[format!("{of}Provider")] = format!("{package}.Default{name}Provider").into();
            let class = format!("org.apache.rocketmq.proxy.auth.Proxy{name}MetadataProvider");
            config[format!("{of}MetadataProvider")] = class.into();
        }
        config["enableAclRpcHookForClusterMode"] = true.into();
        config["innerClientAuthenticationCredentials"] = credentials().into();
    }
    config.to_string()
}

fn credentials() -> String {
    json!({"accessKey": ADMIN.key, "secretKey": ADMIN.secret}).to_string()
}

/// Returns free ports for a broker and its replicas. It also listens two below the first.
fn broker_ports() -> [u16; 2] {
    let listen = |port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
    let port_of = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
    for _ in 0..PORTS_TRIED_MAX {
        // Held at the same time, or two could be the same one.
        let (first, second) =
            (listen(0).expect("a port is free"), listen(0).expect("a port is free"));
        let (port, ha_port) = (port_of(&first), port_of(&second));
        if ha_port != port - 2 && listen(port - 2).is_ok() {
            return [port, ha_port];
        }
    }
    panic!("no port with a free one two below");
}

const PORTS_TRIED_MAX: usize = 100;

/// Waits until each has said its word; false if one has ended before, or the port was another's.
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn has_said(expected: &mut [(&mut Process, &str)]) -> bool {
    let until = Instant::now() + START_MAX;
    while Instant::now() < until {
        let has_said = |(process, word): &(&mut Process, &str)| {
            process.lines(Stream::Out).iter().any(|line| line.contains(word))
        };
        if expected.iter().all(has_said) {
            return true;
        }
        if !expected.iter_mut().all(|(process, _)| process.is_running()) {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    false
}

/// Returns what a server has said, and the end of all logs.
fn told(process: &Process, folder: &Path) -> String {
    let mut told = process.lines(Stream::Out);
    told.extend(process.lines(Stream::Err));
    for log in fs::read_dir(folder.join("logs/rocketmqlogs")).into_iter().flatten().flatten() {
        let text = fs::read(log.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines =
            text.lines().filter(|line| line.contains("Exception") || line.contains("ERROR"));
        told.extend(lines.map(str::to_owned));
    }
    told.join("\n") + "\n"
}

/// Waits for the end of a program, and returns its last line of JSON.
#[track_caller]
pub fn last_line(program: &mut Process) -> Value {
    let ended = program.ended(START_MAX);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = ended.out.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {ended:?}"))
}

/// Waits until a program of [`RocketMq::program`] has begun.
#[track_caller]
pub fn wait_ready(program: &Process) {
    program.wait_line(|line| line.contains("\"ready\""), DEADLINE);
}

/// Tells whether there is what [`RocketMq::start`] needs.
pub fn is_there() -> bool {
    tools().join("rocketmq").is_dir()
}

/// Puts there what RocketMQ 4 expects: settings of its logs, and who may come in where it asks for that.
fn prepare_old(folder: &Path) {
    let conf = folder.join("conf");
    fs::create_dir(&conf).expect("the folder is ours");
    for name in ["logback_namesrv.xml", "logback_broker.xml"] {
        fs::write(conf.join(name), "<configuration/>").expect("the folder is ours");
    }
    let mut accounts = "accounts:\n".to_owned();
    for (Account { key, secret }, is_admin) in [(ADMIN, true), (READER, false)] {
        let _ = write!(
            accounts,
            "- accessKey: {key}\n  secretKey: {secret}\n  whiteRemoteAddress:\n  admin: {is_admin}\n  \
             defaultTopicPerm: SUB\n  defaultGroupPerm: SUB\n"
        );
    }
    fs::write(conf.join("plain_acl.yml"), accounts).expect("the folder is ours");
}

fn old_jars() -> PathBuf {
    there(tools().join("rocketmq-4"))
}

fn jars() -> PathBuf {
    there(tools().join("rocketmq"))
}

/// Returns the folder of the compiled programs, which are compiled when there are none of these sources.
fn programs() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rocketmq/java");
    let files = fs::read_dir(&from).expect("they lie beside the tests").flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        fs::read(file).expect("it can be read").hash(&mut hasher);
    }
    let made = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let there = made.join(format!("rocketmq-programs-{:016x}", hasher.finish()));
    if there.exists() {
        return there;
    }
    // Several may be at it: each in a folder of its own, and one of them is first.
    let new = TempDir::new_in(made).expect("a temporary folder can be made");
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(new.path()).arg("-cp").arg(format!("{}/*", jars().display()));
    javac.args(files.iter().filter(|file| file.extension().is_some_and(|end| end == "java")));
    let ended = Process::start(&mut javac).ended(COMPILE_MAX);
    assert!(ended.status.success(), "{}", ended.err);
    let _ = fs::rename(new.path(), &there);
    assert!(there.exists(), "`{}` could not be made", there.display());
    there
}
