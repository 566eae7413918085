//! A real ActiveMQ Artemis with MQTT and STOMP on free ports of loopback.
//!
//! It comes from Maven Central: `tests/run --tools` puts it into the target folder.

use super::authority::Authority;
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
pub struct Artemis {
    port: u16,
    stomp_port: u16,
    /// The same, encrypted, with a certificate for 127.0.0.1.
    stomps_port: u16,
    pub authority: Authority,
    process: Process,
    _folder: TempDir,
}

const VERSION: &str = "2.40.0";
/// On a busy machine it takes several times its seven seconds.
const START_MAX: Duration = Duration::from_mins(3);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Artemis {
    /// Starts a broker at which everybody may connect, and waits until it lets in.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let [port, stomp_port, stomps_port] = free_ports();
        let home = folder.path().join("broker");
        create(&home);
        let file = home.join("etc/broker.xml");
        let text = fs::read_to_string(&file).expect("it was just made");
        let (before, rest) = text.split_once("<acceptors>").expect("it has some");
        let (_, after) = rest.split_once("</acceptors>").expect("they end");
        let acceptor = |name: &str, port: u16, protocol: &str, more: &str| {
            let uri = format!("tcp://127.0.0.1:{port}?protocols={protocol}{more}");
            format!("<acceptor name=\"{name}\">{uri}</acceptor>")
        };
        let authority = Authority::new();
        let (cert, key) = authority.issue("127.0.0.1");
        let store = authority.path("both.pem");
        fs::write(&store, key + &cert).expect("it is ours");
        let tls = format!(";sslEnabled=true;keyStoreType=PEM;keyStorePath={}", store.display());
        let acceptors = acceptor("mqtt", port, "MQTT", "")
            + &acceptor("stomp", stomp_port, "STOMP", "")
            + &acceptor("stomps", stomps_port, "STOMP", &tls);
        let text = format!("{before}<acceptors>{acceptors}</acceptors>{after}");
        fs::write(&file, text).expect("it is ours");
        // Its console would want a port of its own.
        let file = home.join("etc/bootstrap.xml");
        let text = fs::read_to_string(&file).expect("it was just made");
        let (before, rest) = text.split_once("<web ").expect("it has a console");
        let (_, after) = rest.split_once("</web>").expect("it ends");
        fs::write(&file, format!("{before}{after}")).expect("it is ours");
        let mut run = Command::new("bash");
        run.arg(home.join("bin/artemis")).arg("run").current_dir(&home);
        let process = Process::start(&mut run);
        let mut broker =
            Self { port, stomp_port, stomps_port, authority, process, _folder: folder };
        let until = Instant::now() + START_MAX;
        while broker.lets_in().is_none() {
            let said = || broker.process.lines(Stream::Out).join("\n");
            assert!(Instant::now() < until, "artemis did not start:\n{}", said());
            assert!(broker.process.is_running(), "artemis has ended");
            std::thread::sleep(LOOK_AGAIN);
        }
        broker
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the port at which it tells of connections by STOMP.
    pub const fn stomp_port(&self) -> u16 {
        self.stomp_port
    }

    pub const fn stomps_port(&self) -> u16 {
        self.stomps_port
    }

    fn lets_in(&self) -> Option<()> {
        const CONNECT: &[u8] = &[
            0x10, 17, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 5, b'r', b'e', b'a', b'd', b'y',
        ];
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, DEADLINE).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).ok()?;
        stream.write_all(CONNECT).ok()?;
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).ok()?;
        stream.write_all(&[0xE0, 0]).ok()?;
        (connack == [0x20, 2, 0, 0]).then_some(())
    }
}

fn create(home: &Path) {
    let mut create = Command::new("bash");
    create.arg(program()).arg("create").arg(home);
    create.args(["--user", "admin", "--password", "admin", "--allow-anonymous", "--silent"]);
    create.args(["--host", "127.0.0.1", "--no-autotune", "--no-fsync", "--name", "stand"]);
    let ended = Process::start(&mut create).ended(START_MAX);
    assert!(ended.status.success(), "{ended:?}");
}

/// Returns where it was put.
fn program() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let program = tools.join(format!("artemis/apache-artemis-{VERSION}/bin/artemis"));
    assert!(program.is_file(), "there is no `{}`; run tests/run --tools", program.display());
    program
}
