//! The same session at a broker in use.

use super::{answers, lost, message, next, options, session};
use presence::source::mqtt::{Answer, Heard, Session, forget_session};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

struct Mosquitto {
    process: Child,
    port: u16,
    _folder: TempDir,
}

fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    probe.local_addr().expect("it is bound").port()
}

impl Mosquitto {
    fn start() -> Self {
        Self::start_with(&[], "")
    }

    /// Starts it with more in its configuration, and waits for these ports too.
    fn start_with(ports: &[u16], more: &str) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let port = free_port();
        let config = folder.path().join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n{more}\n");
        std::fs::write(&config, text).expect("the disk has room");
        let process = Command::new("mosquitto")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed");
        let broker = Self { process, port, _folder: folder };
        for port in ports.iter().copied().chain([port]) {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        broker
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    fn publish(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let done = Command::new("mosquitto_pub")
            .args(["-p", &port, "-q", "1", "-t", topic, "-m", payload])
            .status()
            .expect("mosquitto_pub is installed");
        assert!(done.success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn what_was_not_acknowledged_comes_again_and_what_was_does_not() {
    for version in ["3.1.1", "5"] {
        let broker = Mosquitto::start();
        let flags = format!("--mqtt-version {version}");
        let mut first = session(&broker.url(), &flags, &["a/#", "$SYS/broker/version"]);
        let granted = answers(&mut first).await;
        assert!(granted.iter().all(|(_, answer)| *answer == Answer::Granted(1)), "{granted:?}");
        let retained = message(&mut first).await;
        assert!(retained.retain && retained.topic == "$SYS/broker/version", "{retained:?}");
        first.acknowledge([retained.ack]);
        broker.publish("a/1", "kept");
        broker.publish("a/2", "withheld");
        let kept = message(&mut first).await;
        assert_eq!(message(&mut first).await.payload, "withheld");
        first.acknowledge([kept.ack]);
        first.leave().await;
        broker.publish("a/3", "missed");

        let mut second = session(&broker.url(), &flags, &["a/#"]);
        let heard = next(&mut second).await;
        assert!(matches!(heard, Heard::Connected { session_present: true }), "{heard:?}");
        let again = message(&mut second).await;
        assert_eq!((&again.payload[..], again.dup), (&b"withheld"[..], true), "MQTT {version}");
        assert_eq!(message(&mut second).await.payload, "missed");
        second.leave().await;

        forget_session(options(&broker.url(), &flags, &[])).await.expect("the broker is there");
        let mut third = session(&broker.url(), &flags, &[]);
        let heard = next(&mut third).await;
        assert!(matches!(heard, Heard::Connected { session_present: false }), "{heard:?}");
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_take_over_is_a_loss() {
    let broker = Mosquitto::start();
    let mut first = session(&broker.url(), "--mqtt-version 5", &[]);
    next(&mut first).await;
    let mut second =
        Session::new(options(&broker.url(), "--mqtt-version 5", &[])).expect("they are fine");
    next(&mut second).await;
    let cause = lost(&mut first).await;
    assert!(!cause.is_empty());
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn its_websocket_is_spoken_to() {
    // A listener of its own: Mosquitto 2.0 does not start with a WebSocket alone.
    let port = free_port();
    let more = format!("listener {port} 127.0.0.1\nprotocol websockets");
    let _broker = Mosquitto::start_with(&[port], &more);
    for version in ["3.1.1", "5"] {
        let url = format!("ws://127.0.0.1:{port}");
        let flags = format!("--mqtt-version {version}");
        let mut session = session(&url, &flags, &["$SYS/broker/version"]);
        let retained = message(&mut session).await;
        session.acknowledge([retained.ack]);
        session.leave().await;
    }
}
