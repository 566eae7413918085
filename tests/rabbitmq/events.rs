//! What the event exchange tells of connections.

use crate::scene::{Watch, believed, objects};
use crate::support::authority::Authority;
use crate::support::process::{DEADLINE, Presence};
use crate::support::proxy::Proxy;
use crate::support::rabbitmq::RabbitMq;
use crate::{broker, device};
use std::net::Ipv4Addr;
use std::process::Command;
use tempfile::TempDir;

fn url(broker: &RabbitMq) -> String {
    format!("amqp://guest@127.0.0.1:{}/", broker.amqp_port())
}

/// Returns a watcher of clients with these ids.
fn watch(home: &TempDir, url: &str, ids: &str) -> Watch {
    let line = ["watch", "--json", "--source", url, "--client", ids, "--record", "heard.jsonl"];
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.said("is known yet");
    watch
}

#[test]
#[ignore = "needs rabbitmq"]
fn who_comes_goes_and_is_taken_over_is_told() {
    let broker = broker();
    let home = TempDir::new().expect("a temporary folder can be made");
    let mut watch = watch(&home, &url(&broker), "event-*");
    let mut pump = device(&broker, "event-pump", "event/pump", &[]);
    let online = watch.change("event-pump", "online");
    assert_eq!(online["instance"], format!("amqp://localhost:{}", broker.amqp_port()), "{online}");
    assert_eq!(online["voice"], "rabbitmq", "{online}");
    pump.kill();
    watch.change("event-pump", "offline");

    let mut old = device(&broker, "event-valve", "event/valve", &[]);
    let first = watch.change("event-valve", "online");
    // It would take over in its turn.
    old.suspend();
    let _new = device(&broker, "event-valve", "event/valve", &[]);
    watch.object(|line| {
        line["client"] == "event-valve"
            && line["channel"] != first["channel"]
            && line["to"] == "online"
    });
    old.kill();
    let _marker = device(&broker, "event-marker", "event/marker", &[]);
    watch.change("event-marker", "online");
    let (at_the_end, summary, _) = watch.finish();
    assert_eq!(at_the_end["event-valve"].0, "online", "{at_the_end:?}");
    assert_eq!(at_the_end["event-pump"].0, "offline", "{at_the_end:?}");
    assert_eq!((&summary["malformed"], &summary["gaps"]), (&0.into(), &0.into()), "{summary}");

    let replay = ["replay", "--json", "--quiet", "--client", "event-*", "heard.jsonl"];
    let replayed = Presence::start_in(home.path(), replay, &[]).ended(DEADLINE);
    assert_eq!(believed(&objects(&replayed.out)), at_the_end);
}

#[test]
#[ignore = "needs rabbitmq"]
fn what_comes_encrypted_is_believed_of_whom_the_authority_vouches_for() {
    let broker = broker();
    let port = broker.amqps_port();
    let url = format!("amqps://guest@127.0.0.1:{port}/");
    let ca = |authority: &Authority| authority.path("ca.pem").display().to_string();
    let ours = ca(&broker.authority);
    let line = ["watch", "--json", "--source", &url, "--client", "safe-*", "--cafile", &ours];
    let mut watch = Watch::of(Presence::start(line));
    watch.said("is known yet");
    let mut pump = device(&broker, "safe-pump", "safe/pump", &[]);
    let online = watch.change("safe-pump", "online");
    assert_eq!(online["instance"], format!("amqps://localhost:{port}"), "{online}");
    pump.kill();
    watch.change("safe-pump", "offline");
    let (_, summary, _) = watch.finish();
    assert_eq!((&summary["malformed"], &summary["gaps"]), (&0.into(), &0.into()), "{summary}");

    let other = Authority::named("someone");
    let theirs = ca(&other);
    let by_name = url.replace("127.0.0.1", "localhost");
    for (url, cafile, cause, next) in [
        (&url, Some(&theirs), "certificate", "`--cafile`"),
        (&url, None, "certificate", "`--cafile`"),
        (&by_name, Some(&ours), "127.0.0.1", "host"),
        (&url.replace("amqps", "amqp"), None, "does not speak AMQP", "TLS"),
    ] {
        let mut line = vec!["watch", "--source", url, "--store", "memory"];
        line.extend(cafile.into_iter().flat_map(|cafile| ["--cafile", cafile]));
        let ended = Presence::start(line).ended(DEADLINE);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains(cause) && ended.err.contains(next), "{url}: {}", ended.err);
    }
}

#[test]
#[ignore = "needs rabbitmq"]
fn a_lost_connection_is_a_hole() {
    let broker = broker();
    let home = TempDir::new().expect("a temporary folder can be made");
    let proxy = Proxy::start((Ipv4Addr::LOCALHOST, broker.amqp_port()).into());
    let through = proxy.url().replace("mqtt://", "amqp://guest@");
    let mut watch = watch(&home, &through, "hole-*");
    let _pump = device(&broker, "hole-pump", "hole/pump", &[]);
    watch.change("hole-pump", "online");
    proxy.reset();
    watch.said("trying again");
    watch.said("nobody listened to");
    let unknown = watch.change("hole-pump", "unknown");
    assert_eq!(unknown["cause"], "gap", "{unknown}");
    let _valve = device(&broker, "hole-valve", "hole/valve", &[]);
    watch.change("hole-valve", "online");
    let (_, summary, _) = watch.finish();
    assert_eq!(summary["gaps"], 1, "{summary}");
}

#[test]
#[ignore = "needs rabbitmq"]
fn what_keeps_us_from_listening_is_said_with_what_to_do() {
    let broker = broker();
    let port = broker.amqp_port();
    for (path, body) in [
        ("vhosts/bare", "{}"),
        ("permissions/bare/guest", r#"{"configure":".*","write":".*","read":".*"}"#),
        ("users/weak", r#"{"password":"weak","tags":""}"#),
        ("permissions/%2F/weak", r#"{"configure":"^$","write":"^$","read":"^$"}"#),
    ] {
        let api = format!("http://127.0.0.1:{}/api/{path}", broker.api_port());
        let mut put = Command::new("curl");
        put.args(["-sS", "-f", "-u", "guest:guest", "-X", "PUT", "-d", body, &api]);
        put.args(["-H", "content-type: application/json"]);
        assert!(put.status().expect("curl runs").success(), "{path}");
    }
    for (url, cause, next) in [
        (format!("amqp://guest:wrong@127.0.0.1:{port}/"), "does not let \"guest\" in", "password"),
        (format!("amqp://guest@127.0.0.1:{port}/nowhere"), "\"nowhere\"", "virtual host"),
        (
            format!("amqp://guest@127.0.0.1:{port}/bare"),
            "no exchange `amq.rabbitmq.event`",
            "rabbitmq-plugins enable rabbitmq_event_exchange",
        ),
        (format!("amqp://weak:weak@127.0.0.1:{port}/"), "may not listen there", "set_permissions"),
        (format!("amqp://guest@127.0.0.1:{}/", broker.port()), "no answer", "TLS"),
    ] {
        let line = ["watch", "--source", &url, "--store", "memory"];
        let ended = Presence::start(line).ended(DEADLINE);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains(cause) && ended.err.contains(next), "{url}: {}", ended.err);
        let secret = url.contains(":wrong@") && ended.err.contains("wrong@");
        assert!(!secret, "{}", ended.err);
    }
}
