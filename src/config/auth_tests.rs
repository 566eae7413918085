//! What is typed, and what a client shows.

use super::*;
use crate::config::connection::{Connection, Surroundings, single};
use crate::failure::Outcome;
use clap::Parser;
use std::io::Write as _;
use std::time::Duration;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    connection: cli::Connection,
}

fn read(line: &str) -> Result<Connection, Failure> {
    let words = std::iter::once("presence").chain(line.split_whitespace());
    let options = Cli::parse_from(words).connection;
    let mut stdin = std::io::empty();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    surroundings.access_key.secret = Some("XXXXX".into());
    single(&options, Duration::from_secs(5), &mut surroundings).map(|(connection, _)| connection)
}

#[track_caller]
fn refused(line: &str, told: &str) {
    let failure = read(line).err().unwrap_or_else(|| panic!("`{line}` was accepted"));
    assert_eq!(failure.outcome, Outcome::Misused, "{line}: {failure}");
    let shown = failure.to_string();
    assert!(shown.contains(told), "{line}: {shown}");
    assert!(failure.cause.is_some() && failure.next.is_some(), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn login(connection: &Connection, client_id: &str) -> (String, String) {
    let (username, password) = connection.login(client_id);
    let password = password.expect("there is one").reveal().to_owned();
    (username.expect("there is one"), password)
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    file.write_all(content.as_bytes()).expect("the disk has room");
    file
}

const SIGNATURE: &str =
    "--auth aliyun-signature --access-key-id YYYYY --aliyun-instance mqtt-xxxxx";

#[test]
fn each_client_id_is_signed_as_the_vendor_shows_it() {
    let connection = read(SIGNATURE).expect("it is complete");
    assert_eq!(
        login(&connection, "GID_Test@@@0001"),
        ("Signature|YYYYY|mqtt-xxxxx".to_owned(), "vI009IZJZVGRwBwZvnbwjfuXxVM=".to_owned())
    );
    assert_ne!(login(&connection, "GID_Test@@@0002").1, login(&connection, "GID_Test@@@0001").1);
    let line = SIGNATURE.replace("signature", "device").replace("YYYYY", "DC.Z5f");
    let connection = read(&line).expect("it is complete");
    assert_eq!(
        login(&connection, "GID_Test@@@0001"),
        (
            "DeviceCredential|DC.Z5f|mqtt-xxxxx".to_owned(),
            "vI009IZJZVGRwBwZvnbwjfuXxVM=".to_owned()
        )
    );
    assert!(!format!("{connection:?}").contains("XXXXX"));
}

#[test]
fn the_instance_may_stand_in_the_host() {
    for (host, instance) in [
        ("post-cn-0pp12gl.mqtt.aliyuncs.com", "post-cn-0pp12gl"),
        ("post-cn-0pp12gl-internal-vpc.mqtt.aliyuncs.com", "post-cn-0pp12gl"),
        ("MQTT-cn-1.mqtt.aliyuncs.com:1883", "mqtt-cn-1"),
    ] {
        let line = format!("-b {host} --auth aliyun-signature --access-key-id Y");
        let connection = read(&line).expect("it is complete");
        assert_eq!(login(&connection, "G@@@1").0, format!("Signature|Y|{instance}"));
        assert!(connection.is_aliyun());
    }
    assert!(read("-b post-cn-0pp12gl.mqtt.aliyuncs.com").expect("it is one").is_aliyun());
    assert!(!read("-b mqtt.aliyuncs.com.example").expect("it is one").is_aliyun());
}

#[test]
fn tokens_are_joined_and_read_again() {
    let tokens = file("R|abc=\n\n W|def\n");
    let line = format!(
        "--auth aliyun-token --access-key-id YYYYY --aliyun-instance mqtt-xxxxx --auth-token-file {}",
        tokens.path().display()
    );
    let connection = read(&line).expect("it is complete");
    assert_eq!(
        login(&connection, "GID_Test@@@0001"),
        ("Token|YYYYY|mqtt-xxxxx".to_owned(), "R|abc=|W|def".to_owned())
    );
    let shared = connection.clone();
    std::fs::write(tokens.path(), "RW|renewed\n").expect("it can be written");
    connection.auth.renew().expect("it can be read");
    assert_eq!(login(&shared, "GID_Test@@@0001").1, "RW|renewed");
    std::fs::write(tokens.path(), "").expect("it can be written");
    connection.auth.renew().expect_err("nothing is there");
    assert_eq!(login(&shared, "GID_Test@@@0001").1, "RW|renewed");
    assert!(!format!("{connection:?}").contains("renewed"));
}

#[test]
fn what_is_no_token_is_refused_and_not_shown() {
    for (content, cause) in [
        ("hunter2", "before each token stands its type"),
        ("X|hunter2", "`R`, `W` or `RW`"),
        ("R|", "a token is empty"),
        ("R|hunter2|R|b", "one token of each type"),
        ("R|hunter2|W", "before each token stands its type"),
    ] {
        let tokens = file(content);
        let line = format!(
            "--auth aliyun-token --access-key-id Y --aliyun-instance i --auth-token-file {}",
            tokens.path().display()
        );
        refused(&line, cause);
    }
    let line =
        "--auth aliyun-token --access-key-id Y --aliyun-instance i --auth-token-file /nowhere/t";
    assert_eq!(read(line).expect_err("there is no file").outcome, Outcome::CouldNotAsk);
}

#[test]
fn what_does_not_go_together_is_refused() {
    refused("--auth aliyun-signature --aliyun-instance i", "--access-key-id");
    refused("--auth aliyun-signature --access-key-id Y", "--aliyun-instance");
    refused(&format!("{SIGNATURE}|b"), "letters, digits");
    refused(&format!("{SIGNATURE} -u me"), "`--username` with `--auth aliyun-signature`");
    let password = file("hunter2");
    let password = password.path().display();
    refused(&format!("{SIGNATURE} --password-file {password}"), "`--password-file`");
    refused(&format!("{SIGNATURE} -b mqtt://me:hunter2@h"), "a user in the URL");
    refused(&format!("{SIGNATURE} --auth-token-file f"), "--auth aliyun-token");
    refused("--auth aliyun-token --access-key-id Y --aliyun-instance i", "without a token");
    refused("--auth-token-file f", "without `--auth aliyun-token`");
}

#[test]
fn ids_without_a_group_are_refused_before_the_service_does() {
    let connection = read(SIGNATURE).expect("it is complete");
    assert_eq!(connection.check_client("GID_ops@@@me"), Ok(()));
    for id in ["presence-1", "@@@me", "GID_ops@@@", ""] {
        let failure = connection.check_client(id).expect_err(id);
        assert!(failure.to_string().contains("GROUP@@@DEVICE"), "{failure}");
    }
    let plain = read("").expect("nothing is needed");
    assert_eq!(plain.check_client("presence-1"), Ok(()));
    let without = read("--auth aliyun-device --aliyun-instance i").expect("a table may have it");
    let failure = without.check_client("GID_ops@@@me").expect_err("nobody can sign");
    assert!(failure.to_string().contains("--access-key-secret-file"), "{failure}");
}
