//! Tests of the tests' own tools: if one fails, look here before looking at the others.

mod support;

use std::process::Command;
use support::mosquitto::Mosquitto;
use support::process::{DEADLINE, Process};
use support::rabbitmq::RabbitMq;

#[test]
fn a_process_is_heard_line_by_line_and_to_its_end() {
    let mut cat = Process::start(&mut Command::new("cat"));
    cat.write("first\nsecond\nlast, without an end");
    assert_eq!(cat.wait_line(|line| line.starts_with("sec"), DEADLINE), "second");
    let ended = cat.ended(DEADLINE);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert_eq!(ended.out, "first\nsecond\nlast, without an end\n");
}

#[test]
fn a_process_can_be_interrupted() {
    let mut cat = Process::start(&mut Command::new("cat"));
    cat.interrupt();
    assert_eq!(cat.ended(DEADLINE).code, None, "a signal has ended it");
    assert!(!cat.is_running());
}

#[test]
#[should_panic(expected = "it has ended; it said:\n  stdout: hello\n")]
fn waiting_for_a_line_that_cannot_come_tells_what_came() {
    let mut cat = Process::start(&mut Command::new("cat"));
    cat.write("hello\n");
    cat.close_input();
    cat.wait_line(|line| line == "goodbye", DEADLINE);
}

#[test]
#[ignore = "needs mosquitto"]
fn mosquitto_hands_a_message_on_and_comes_back_after_its_end() {
    let mut broker = Mosquitto::start(&[]);
    let before = broker.subscribe("demo/#", &[]);
    broker.publish("demo/a", "hello", &[]);
    before.wait_line(|line| line == "demo/a hello", DEADLINE);
    assert!(broker.log().contains("Sending PUBACK"), "{}", broker.log());

    broker.kill();
    broker.restart();
    let after = broker.subscribe("demo/#", &[]);
    broker.publish("demo/a", "again", &["-r"]);
    after.wait_line(|line| line == "demo/a again", DEADLINE);

    broker.stop();
    assert!(broker.process().is_none());
}

#[test]
#[ignore = "needs rabbitmq"]
fn rabbitmq_hands_a_message_on_and_leaves_nobody_behind() {
    let mut broker = RabbitMq::start();
    let mut command = broker.client("mosquitto_sub");
    let subscriber = Process::start(command.args(["-i", "ear", "-t", "demo/#", "-F", "%t %p"]));
    broker.wait_log(|log| log.contains("client id: ear)"));
    broker.publish("demo/a", "hello", &["-r"]);
    let mut later = broker.client("mosquitto_sub");
    let later = Process::start(later.args(["-t", "demo/a", "-F", "%t %p"]));
    later.wait_line(|line| line == "demo/a hello", DEADLINE);
    drop((subscriber, later));

    let left = broker.end();
    assert!(left.is_empty(), "these helpers had to be killed: {left:?}");
}
