//! A real ActiveMQ Classic with MQTT and its management API on free ports of loopback.
//!
//! It comes from Maven Central: `tests/run --tools` puts it into the target folder. It speaks MQTT 3.1 and
//! 3.1.1, and notices silence after up to three times the keep alive.

use super::free_ports;
use super::process::{DEADLINE, Process, Stream};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A broker of the test's own. It ends with the test.
pub struct ActiveMq {
    port: u16,
    stomp_port: u16,
    api_port: u16,
    process: Process,
    _folder: TempDir,
}

const VERSION: &str = "5.18.3";
/// On a busy machine it takes several times its three seconds.
const START_MAX: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const STARTS_MAX: usize = 3;

impl ActiveMq {
    /// Starts a broker at which everybody may connect, and `admin` may ask; waits until both is so.
    pub fn start() -> Self {
        // A free port may be taken by somebody else between the look and the start.
        for _ in 0..STARTS_MAX {
            let mut broker = Self::run();
            if broker.wait_until_it_answers() {
                return broker;
            }
            let said = broker.process.lines(Stream::Out).join("\n");
            assert!(said.contains("Address already in use"), "activemq did not start:\n{said}");
        }
        panic!("{STARTS_MAX} times a port was taken by others before activemq could have it");
    }

    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the port at which it tells of connections by STOMP.
    pub const fn stomp_port(&self) -> u16 {
        self.stomp_port
    }

    /// Returns the port of its management API, which wants `admin` and `admin`.
    pub const fn api_port(&self) -> u16 {
        self.api_port
    }

    fn run() -> Self {
        let home = home();
        let folder = TempDir::new().expect("a temporary folder can be made");
        let [port, stomp_port, api_port] = free_ports();
        let conf = folder.path().join("conf");
        fs::create_dir(&conf).expect("the folder is ours");
        for file in fs::read_dir(home.join("conf")).expect("it has a configuration") {
            let file = file.expect("it can be read").path();
            let name = file.file_name().expect("it is a file");
            fs::copy(&file, conf.join(name)).expect("the folder is ours");
        }
        change(&conf.join("activemq.xml"), |text| {
            let (before, rest) = text.split_once("<transportConnectors>").expect("it has some");
            let (_, after) = rest.split_once("</transportConnectors>").expect("it ends");
            let connector = |name: &str, port: u16| {
                let uri = format!("{name}://127.0.0.1:{port}");
                format!("<transportConnector name=\"{name}\" uri=\"{uri}\"/>")
            };
            let connectors = connector("mqtt", port) + &connector("stomp", stomp_port);
            format!("{before}<transportConnectors>{connectors}</transportConnectors>{after}")
                .replace("100 gb", "64 mb")
                .replace("50 gb", "64 mb")
        });
        change(&conf.join("jetty.xml"), |text| {
            text.replace("\"8161\"", &format!("\"{api_port}\""))
        });
        let shown = |path: &Path| path.display().to_string();
        let (home, conf, data) = (shown(&home), shown(&conf), shown(&folder.path().join("data")));
        let mut java = Command::new("java");
        java.args(["-Xmx256m", "-Djava.awt.headless=true"]);
        for (name, value) in [
            ("activemq.home", &home),
            ("activemq.base", &home),
            ("activemq.conf", &conf),
            ("activemq.data", &data),
            ("java.security.auth.login.config", &format!("{conf}/login.config")),
            ("jolokia.conf", &format!("file:{conf}/jolokia-access.xml")),
        ] {
            java.arg(format!("-D{name}={value}"));
        }
        let path = format!(
            "{conf}:{home}/lib/*:{home}/lib/optional/*:{home}/lib/web/*:{home}/lib/extra/*"
        );
        java.args(["-cp", &path, "org.apache.activemq.console.Main"]);
        java.args(["start", &format!("xbean:file:{conf}/activemq.xml")]);
        java.current_dir(folder.path());
        Self { port, stomp_port, api_port, process: Process::start(&mut java), _folder: folder }
    }

    /// Waits until it lets clients in and answers questions; false if it has ended before.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn wait_until_it_answers(&mut self) -> bool {
        let until = Instant::now() + START_MAX;
        while self.process.is_running() && Instant::now() < until {
            if self.lets_in().is_some() && self.answers().is_some() {
                // Or that is another's, on a port that we did not get.
                return self.process.is_running();
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        false
    }

    fn lets_in(&self) -> Option<()> {
        const CONNECT: &[u8] = &[
            0x10, 17, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 5, b'r', b'e', b'a', b'd', b'y',
        ];
        let mut stream = open(self.port)?;
        stream.write_all(CONNECT).ok()?;
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).ok()?;
        stream.write_all(&[0xE0, 0]).ok()?;
        (connack == [0x20, 2, 0, 0]).then_some(())
    }

    fn answers(&self) -> Option<()> {
        let mut stream = open(self.api_port)?;
        let request = "GET /api/jolokia/version HTTP/1.0\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).ok()?;
        // Nobody is let in without a password, which is an answer.
        head.starts_with(b"HTTP/1.1 401").then_some(())
    }
}

fn open(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, DEADLINE).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    Some(stream)
}

fn change(path: &Path, how: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).expect("it was just copied");
    fs::write(path, how(text)).expect("it is ours");
}

/// Returns where it was put.
fn home() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let home = tools.join(format!("activemq/apache-activemq-{VERSION}"));
    assert!(home.is_dir(), "there is no `{}`; run tests/run --tools", home.display());
    home
}
