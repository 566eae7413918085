//! Mosquitto's own clients at the built-in broker.

use crate::hostile::address;
use crate::support::process::{DEADLINE, Presence, Process, Stream};
use std::net::SocketAddr;
use std::process::Command;

const VERSIONS: [&str; 2] = ["311", "5"];

struct Stand {
    _broker: Presence,
    address: SocketAddr,
}

impl Stand {
    fn new() -> Self {
        let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
        let address = address(&broker);
        Self { _broker: broker, address }
    }

    fn client(&self, program: &str, version: &str, options: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.address.port().to_string(), "-V", version]);
        command.args(options);
        command
    }

    /// Starts a listener, and waits until the broker tells that it has come. Its SUBSCRIBE is on its
    /// way then: what is published after `settled` is heard.
    fn listen(&self, version: &str, options: &[&str]) -> Process {
        let mut command = self.client("mosquitto_sub", version, options);
        Process::start(command.args(["-F", "%t %p %r%q"]))
    }

    /// Starts a listener that is heard of when it hears a retained message.
    fn listen_settled(&self, version: &str, options: &[&str]) -> Process {
        self.publish("5", &["-t", "settled", "-m", "yes", "-r", "-q", "1"]);
        let listener = self.listen(version, &[options, &["-t", "settled"]].concat());
        listener.wait_line(|line| line.starts_with("settled"), DEADLINE);
        listener
    }

    #[track_caller]
    fn publish(&self, version: &str, options: &[&str]) {
        let ended =
            Process::start(&mut self.client("mosquitto_pub", version, options)).ended(DEADLINE);
        assert!(ended.status.success(), "{options:?}: {ended:?}");
    }
}

#[track_caller]
fn hears(listener: &Process, line: &str) {
    listener.wait_line(|said| said == line, DEADLINE);
}

#[test]
#[ignore = "needs mosquitto"]
fn messages_arrive_at_every_qos_in_both_versions() {
    for from in VERSIONS {
        for to in VERSIONS {
            let stand = Stand::new();
            let listener = stand.listen_settled(to, &["-t", "a/#", "-q", "2"]);
            for qos in ["0", "1", "2"] {
                stand.publish(from, &["-t", "a/b", "-m", "hello", "-q", qos]);
                hears(&listener, &format!("a/b hello 0{qos}"));
            }
        }
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn many_messages_arrive_once_and_in_order() {
    for version in VERSIONS {
        for qos in ["1", "2"] {
            let stand = Stand::new();
            let mut listener = stand.listen_settled(version, &["-t", "n", "-q", qos, "-C", "2001"]);
            let mut publisher = Process::start(&mut stand.client(
                "mosquitto_pub",
                version,
                &["-t", "n", "-q", qos, "-l"],
            ));
            let numbers: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
            publisher.write(&(numbers.join("\n") + "\n"));
            assert!(publisher.ended(DEADLINE).status.success());
            let heard = listener.ended(DEADLINE).out;
            let heard: Vec<&str> = heard
                .lines()
                .filter_map(|line| line.strip_prefix("n ")?.split(' ').next())
                .collect();
            assert_eq!(heard, numbers, "{version} {qos}");
        }
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn retained_messages_stay_until_they_are_cleared() {
    for version in VERSIONS {
        let stand = Stand::new();
        stand.publish(version, &["-t", "a/b", "-m", "kept", "-r", "-q", "1"]);
        let listener = stand.listen(version, &["-t", "a/#", "-q", "1"]);
        hears(&listener, "a/b kept 11");
        stand.publish(version, &["-t", "a/b", "-n", "-r", "-q", "1"]);
        stand.publish(version, &["-t", "a/c", "-m", "other", "-r", "-q", "1"]);
        let later = stand.listen(version, &["-t", "a/#", "-q", "1"]);
        hears(&later, "a/c other 11");
        assert_eq!(later.lines(Stream::Out).len(), 1);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_killed_client_leaves_its_will_and_one_that_says_goodbye_does_not() {
    for version in VERSIONS {
        let stand = Stand::new();
        let listener = stand.listen_settled("5", &["-t", "w", "-t", "$presence/+", "-q", "1"]);
        let will = ["--will-topic", "w", "--will-payload", "gone", "--will-qos", "1"];
        let mortal = [&["-i", "mortal", "-t", "nothing"], &will[..]].concat();
        let told = |word: &str| {
            let word = format!("\"eventType\":\"{word}\"");
            move |line: &str| line.starts_with("$presence/mortal ") && line.contains(&word)
        };
        let mut client = stand.listen(version, &[&mortal[..], &["-E"]].concat());
        assert!(client.ended(DEADLINE).status.success(), "it says goodbye once it is subscribed");
        let (read, _) = listener.wait_line_from(Stream::Out, 0, told("disconnect"), DEADLINE);
        let (read, _) = listener.wait_line_from(Stream::Out, read, told("tcpclean"), DEADLINE);
        assert!(
            !listener.lines(Stream::Out).iter().any(|line| line.starts_with("w ")),
            "{version}"
        );

        let mut client = stand.listen(version, &mortal);
        let (read, _) = listener.wait_line_from(Stream::Out, read, told("connect"), DEADLINE);
        client.kill();
        listener.wait_line_from(Stream::Out, read, told("tcpclean"), DEADLINE);
        hears(&listener, "w gone 01");
        let goodbyes = listener.lines(Stream::Out);
        assert_eq!(goodbyes.iter().filter(|line| told("disconnect")(line)).count(), 1, "{version}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn whoever_comes_with_the_same_id_takes_over() {
    for version in VERSIONS {
        let stand = Stand::new();
        let listener = stand.listen_settled("5", &["-t", "$presence/twin", "-q", "1"]);
        let twin = ["-i", "twin", "-t", "t", "-q", "1"];
        let is = |word: &'static str| move |line: &str| line.contains(word);
        let old = stand.listen(version, &twin);
        let (read, _) = listener.wait_line_from(Stream::Out, 0, is("\"connect\""), DEADLINE);
        // It would come back at once.
        old.suspend();
        let _new = stand.listen(version, &twin);
        let (read, _) = listener.wait_line_from(Stream::Out, read, is("\"tcpclean\""), DEADLINE);
        listener.wait_line_from(Stream::Out, read, is("\"connect\""), DEADLINE);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_session_is_found_again_with_what_came_meanwhile() {
    for version in VERSIONS {
        let stand = Stand::new();
        let mut options = vec!["-i", "lasting", "-c", "-t", "n", "-q", "2"];
        if version == "5" {
            options.extend(["-x", "300"]);
        }
        let mut client = stand.listen_settled(version, &options);
        client.terminate();
        client.ended(DEADLINE);
        for qos in ["0", "1", "2"] {
            stand.publish(version, &["-t", "n", "-m", "meanwhile", "-q", qos]);
        }
        let client = stand.listen(version, &options);
        hears(&client, "n meanwhile 01");
        hears(&client, "n meanwhile 02");
        assert!(!client.lines(Stream::Out).contains(&"n meanwhile 00".to_owned()));
    }
}
