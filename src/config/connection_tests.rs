//! Command line to configuration, or to the exact error.

use super::*;
use crate::failure::Outcome;
use clap::{CommandFactory, Parser};
use std::io::Write;

#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    connection: cli::Connection,
}

const DEFAULT: Duration = Duration::from_secs(5);

fn parse(line: &str) -> cli::Connection {
    Cli::parse_from(std::iter::once("presence").chain(line.split_whitespace())).connection
}

fn check(line: &str, stdin: &str) -> Result<(Vec<Connection>, Vec<Warning>), Failure> {
    every(&parse(line), DEFAULT, &mut Surroundings::with_stdin(&mut stdin.as_bytes()))
}

fn one(line: &str) -> Connection {
    let mut stdin = std::io::empty();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    single(&parse(line), DEFAULT, &mut surroundings).unwrap_or_else(|failure| panic!("{failure}")).0
}

fn refusal(line: &str) -> Failure {
    check(line, "").err().unwrap_or_else(|| panic!("`{line}` was accepted"))
}

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    file.write_all(content).expect("the disk has room");
    file
}

#[test]
fn nothing_given_is_the_local_broker() {
    let connection = one("");
    assert_eq!(connection.broker.to_string(), cli::BROKER);
    assert_eq!(connection.instance, "localhost:1883");
    assert_eq!(connection.keep_alive, DEFAULT);
    assert_eq!(connection.mqtt_version, MqttVersion::V311);
    assert!(connection.tls.is_none() && connection.username.is_none());
    assert!(connection.password.is_none() && connection.client_id.is_none());
}

#[test]
fn every_option_has_a_variable_and_a_short_help() {
    for option in Cli::command().get_arguments().filter(|option| option.get_id() != "help") {
        let name = option.get_id().to_string();
        let variable = format!("PRESENCE_{}", name.to_uppercase());
        assert_eq!(option.get_env().and_then(|it| it.to_str()), Some(variable.as_str()), "{name}");
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(!help.is_empty() && help.len() < 70 && !help.ends_with('.'), "{name}: {help}");
    }
}

#[test]
fn a_parsed_command_line_prints_no_password() {
    let options = parse("-b mqtt://ann:hunter2@h");
    assert!(!format!("{options:?}").contains("hunter2"));
    let (connections, warnings) = check("-b mqtt://ann:hunter2@h", "").expect("it is fine");
    assert!(!format!("{connections:?} {warnings:?}").contains("hunter2"));
    assert_eq!(warnings, [Warning::PasswordInUrl { broker: "mqtt://h:1883".into() }]);
}

#[test]
fn several_brokers_are_for_those_who_ask_for_them() {
    let (connections, _) = check("-b mqtt://a -b mqtts://b", "").expect("two are fine");
    let names: Vec<_> = connections.iter().map(|one| one.instance.as_str()).collect();
    assert_eq!(names, ["a:1883", "b:8883"]);
    let mut stdin = std::io::empty();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    let failure = single(&parse("-b a -b b"), DEFAULT, &mut surroundings).expect_err("two");
    assert_eq!(failure.outcome, Outcome::Misused);
    assert!(refusal("-b localhost -b mqtt://127.0.0.1").what.contains("`localhost:1883` twice"));
    assert!(refusal("-b a -b b --instance x").what.contains("several brokers"));
}

#[test]
fn keep_alive_is_read_with_and_without_unit() {
    for (typed, seconds) in
        [("30", 30), ("30s", 30), ("0", 0), ("0s", 0), ("1m", 60), ("65535", 65_535)]
    {
        assert_eq!(one(&format!("-k {typed}")).keep_alive, Duration::from_secs(seconds), "{typed}");
    }
    for version in ["3.1.1", "5"] {
        let connection = one(&format!("-k 1 --mqtt-version {version}"));
        assert_eq!(connection.keep_alive, Duration::from_secs(1), "{version}");
    }
}

#[test]
fn a_keep_alive_that_mqtt_cannot_carry_is_refused() {
    assert_eq!(
        refusal("-k 70000s").to_string(),
        "error: `--keepalive 70000s` is longer than MQTT can carry (65535s, 18h 12m 15s)\n  \
         cause: the field has 16 bits (MQTT 3.1.1 §3.1.2.10)\n  \
         next:  pass at most 65535s, or 0s to turn keep alive off"
    );
    assert!(refusal("-k 1500ms").what.contains("no whole number of seconds"));
    assert!(refusal("-k soon").what.contains("no duration"));
    assert!(refusal("-k 99999999999999999999").what.contains("no duration"));
}

#[test]
fn a_password_loses_one_line_end() {
    for (content, password) in
        [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw\n"), (" pw \r", " pw \r")]
    {
        let file = file(content.as_bytes());
        let connection = one(&format!("-u ann --password-file {}", file.path().display()));
        assert_eq!(connection.password.expect("it was read").reveal(), password, "{content:?}");
        let (connections, _) = check("-u ann --password-stdin", content).expect("it is fine");
        assert_eq!(connections[0].password.as_ref().expect("it was read").reveal(), password);
    }
}

#[test]
fn a_password_that_cannot_be_read_ends_with_four() {
    let missing = refusal("-u ann --password-file /nonexistent/pw");
    assert_eq!(missing.outcome, Outcome::CouldNotAsk);
    assert!(missing.what.contains("`/nonexistent/pw`"));
    let long = "x".repeat(TEXT_MAX + 1);
    for content in [&b""[..], b"\n", b"\xff\xfe", long.as_bytes()] {
        let file = file(content);
        let failure = refusal(&format!("-u ann --password-file {}", file.path().display()));
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
    }
}

#[test]
fn the_nearest_credentials_win() {
    let with_environment = |line: &str| {
        let mut stdin = "stdin".as_bytes();
        let mut surroundings = Surroundings::with_stdin(&mut stdin);
        surroundings.password = Some(Secret::from("env"));
        let (connection, _) = single(&parse(line), DEFAULT, &mut surroundings).expect("it is fine");
        let password = connection.password.map(|secret| secret.reveal().to_owned());
        (connection.username.unwrap_or_default(), password.unwrap_or_default())
    };
    let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
    assert_eq!(with_environment("-u ann"), pair("ann", "env"));
    assert_eq!(with_environment("-b mqtt://ann:url@h"), pair("ann", "url"));
    assert_eq!(with_environment("-b mqtt://ann@h"), pair("ann", "env"));
    assert_eq!(with_environment("-b mqtt://ann:url@h --password-stdin"), pair("ann", "stdin"));
    assert_eq!(with_environment("-b mqtt://ann:url@h -u ann"), pair("ann", "url"));
    // The password in the URL is Ann's, and Bob does not get it.
    assert_eq!(with_environment("-b mqtt://ann:url@h -u bob"), pair("bob", "env"));
}

#[test]
fn a_password_without_user_needs_mqtt_5() {
    assert_eq!(refusal("-b mqtt://:token@h").outcome, Outcome::Misused);
    assert!(one("-b mqtt://:token@h --mqtt-version 5").password.is_some());
}

#[test]
fn tls_options_need_tls() {
    for flags in ["--cafile x", "--cert x --key y", "--insecure", "--tls-alpn mqtt"] {
        let failure = refusal(flags);
        assert_eq!(failure.outcome, Outcome::Misused, "{flags}");
        assert!(failure.what.contains(flags.split(' ').next().unwrap_or_default()), "{failure}");
        assert!(check(&format!("-b mqtts://h {flags}"), "").is_ok(), "{flags}");
    }
    let (_, warnings) = check("-b wss://h --insecure", "").expect("it is fine");
    assert_eq!(warnings, [Warning::Unverified { broker: "wss://h:443/mqtt".into() }]);
}

#[test]
fn names_that_mqtt_cannot_carry_are_refused() {
    let long = "x".repeat(TEXT_MAX + 1);
    for line in ["--client-id=", "--username=", &format!("-i {long}"), "-i a\0b", "--instance="] {
        assert_eq!(refusal(line).outcome, Outcome::Misused, "{line:.20}");
    }
}
