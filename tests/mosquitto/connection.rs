//! Reaching the broker: who may, by which way, and what is said where nobody can.

use crate::scene::Scene;
use crate::support::process::{DEADLINE, Presence};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A password that is like nothing else in any output.
const SECRET: &str = "Kolibri-7351";

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

/// Returns a broker that knows one user.
fn guarded(folder: &Path) -> Scene {
    let path = folder.join("passwords");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", path.to_str().expect("it is text"), "operator", SECRET])
        .status()
        .expect("mosquitto_passwd is installed");
    assert!(made.success());
    Scene::new(&[&format!("password_file {}", path.display())])
}

#[test]
#[ignore = "needs mosquitto"]
fn a_wrong_password_ends_the_first_attempt_and_is_never_shown() {
    let folder = folder();
    let scene = guarded(folder.path());
    let path = folder.path().join("wrong");
    fs::write(&path, format!("{SECRET}-wrong\n")).expect("the folder is ours");
    let file = path.to_str().expect("it is text");
    let options = ["-vv", "-u", "operator", "--password-file", file];
    let ended = scene.run("watch", &options);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{}", ended.err);
    let attempts = scene.broker.log().matches("Sending CONNACK to ").count();
    assert_eq!(attempts, 1, "it tried again: {}", scene.broker.log());
    assert!(ended.err.contains("Z INFO presence::"), "it logs: {}", ended.err);
    assert!(!ended.err.contains(SECRET), "{}", ended.err);

    let url = format!("mqtt://operator:{SECRET}-wrong@127.0.0.1:{}", scene.broker.port());
    let arguments = ["check", "pump-7", "--store", "memory", "-vv", "-b", &url];
    let ended = Presence::start_in(scene.home(), arguments, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.contains("stands in its URL"), "{}", ended.err);
    assert!(!ended.err.contains(SECRET) && !ended.out.contains(SECRET), "{ended:?}");
}

#[test]
#[ignore = "needs mosquitto"]
fn the_right_password_lets_us_in() {
    let folder = folder();
    let scene = guarded(folder.path());
    let path = folder.path().join("right");
    fs::write(&path, format!("{SECRET}\n")).expect("the folder is ours");
    let mut watch = scene.watch(&[
        "-u",
        "operator",
        "--password-file",
        path.to_str().expect("it is text"),
        "--record",
        "night.jsonl",
    ]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    let (_, _, ended) = watch.finish();
    let recording = fs::read_to_string(scene.file("night.jsonl")).expect("it was written");
    for text in [&ended.out, &ended.err, &recording] {
        assert!(!text.contains(SECRET), "{text}");
    }
    drop(pump);
}

/// Returns a broker that refuses to subscribe anybody to these filters.
pub fn refusing(folder: &Path, filters: &[&str]) -> Scene {
    let acls: Vec<_> = filters
        .iter()
        .map(|filter| {
            serde_json::json!({
                "acltype": "subscribePattern", "topic": filter, "priority": 0, "allow": false,
            })
        })
        .collect();
    let all = ["publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"];
    let config = serde_json::json!({
        "defaultACLAccess": all.map(|what| (what, true)).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "clients": [],
        "groups": [{"groupname": "anybody", "clients": [], "roles": [{"rolename": "deaf"}]}],
        "roles": [{"rolename": "deaf", "acls": acls}],
        "anonymousGroup": "anybody",
    });
    let path = folder.join("security.json");
    fs::write(&path, config.to_string()).expect("the folder is ours");
    Scene::new(&[
        &format!("plugin {}", plugin().display()),
        &format!("plugin_opt_config_file {}", path.display()),
    ])
}

/// Returns where the distribution keeps the plugin of the broker.
fn plugin() -> PathBuf {
    let name = "mosquitto_dynamic_security.so";
    let triples = fs::read_dir("/usr/lib").expect("there is such a folder");
    let folders = triples.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = folders.map(|folder| folder.join(name)).filter(|path| path.is_file());
    found.next().expect("it comes with mosquitto")
}

#[test]
#[ignore = "needs mosquitto"]
fn a_refused_subscription_is_said_and_the_others_go_on() {
    let folder = folder();
    let scene = refusing(folder.path(), &["$SYS/broker/log/#"]);
    let mut watch = scene.watch(&[]);
    watch.said("refused `$SYS/broker/log/#`: ");
    scene.broker.publish("devices/lamp/status", "online", &["-r"]);
    watch.change("lamp", "online");
    scene.check("lamp").is(0, "online");
}

#[test]
#[ignore = "needs mosquitto"]
fn where_all_is_refused_nobody_can_watch() {
    let folder = folder();
    let scene = refusing(folder.path(), &["#", "$SYS/#", "$presence/#"]);
    let ended = scene.run("watch", &[]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:?}");
    for part in ["error: could not subscribe to `", "the broker refused it (", "next:"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    let ended = scene.run("check", &["pump-7", "--store", "memory"]);
    assert_eq!(ended.code, Some(4), "no source could be asked: {ended:?}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_is_not_there_is_given_up() {
    let mut scene = Scene::new(&[]);
    scene.broker.kill();
    for (command, more) in [("watch", &[][..]), ("check", &["pump-7", "--store", "memory"])] {
        let ended = scene.run(command, &[more, &["--timeout", "1s"]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:?}");
        assert!(ended.err.contains("error: could not connect to mqtt://127.0.0.1:"), "{ended:?}");
        assert!(ended.err.contains("refused"), "{}", ended.err);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn where_the_store_can_answer_a_broker_out_of_reach_is_no_failure() {
    let mut scene = Scene::new(&[]);
    let mut watch = scene.watch(&[]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.finish();
    scene.broker.kill();
    let ended = scene.run("check", &["pump-7", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.contains("pump-7  unknown  was online until "), "{}", ended.out);
    assert!(ended.err.starts_with("warning: could not ask `the broker`: "), "{}", ended.err);
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn mqtt_5_keeps_its_session_too() {
    let scene = Scene::with_uptime(&[]);
    let version = ["--mqtt-version", "5"];
    let mut watch = scene.watch(&version);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();
    let lamp = scene.device("lamp");
    let mut watch = scene.watch(&version);
    assert_eq!(watch.known("lamp")["state"], "online");
    assert_eq!(watch.known("pump-7")["state"], "online");
    let asked =
        scene.run("check", &[&["pump-7", "--fresh", "--timeout", "1s"], &version[..]].concat());
    assert_eq!(asked.code, Some(0), "{asked:?}");
    drop((pump, lamp));
}

#[test]
#[ignore = "needs mosquitto"]
fn tls_reaches_a_broker_whose_authority_is_named_and_no_other() {
    let folder = folder();
    certificates(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let scene = Scene::new(&[
        "listener {port} 127.0.0.1",
        &format!("cafile {}", path("ca.pem")),
        &format!("certfile {}", path("server.pem")),
        &format!("keyfile {}", path("server.key")),
    ]);
    let url = format!("mqtts://127.0.0.1:{}", scene.broker.second_port());
    let authority = path("ca.pem");
    let mut watch = scene.watch_through(&url, &["--cafile", &authority]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.finish();

    let arguments = ["watch", "-b", &url, "--timeout", "5s"];
    let ended = Presence::start_in(scene.home(), arguments, &[]).ended(DEADLINE);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:?}");
    assert!(ended.err.contains("certificate"), "{}", ended.err);
    drop(pump);
}

/// Makes an authority, and a certificate of it for loopback.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("there is randomness");
    let authority = params.self_signed(&key).expect("it signs").pem();
    let issuer = Issuer::new(params, key);
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("it is an address");
    let key = KeyPair::generate().expect("there is randomness");
    let server = params.signed_by(&key, &issuer).expect("it signs").pem();
    for (name, text) in
        [("ca.pem", authority), ("server.pem", server), ("server.key", key.serialize_pem())]
    {
        fs::write(folder.join(name), text).expect("the folder is ours");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_websocket_reaches_the_broker() {
    let scene = Scene::new(&["listener {port} 127.0.0.1", "protocol websockets"]);
    let url = format!("ws://127.0.0.1:{}/mqtt", scene.broker.second_port());
    let mut watch = scene.watch_through(&url, &[]);
    let pump = scene.device("pump-7");
    let change = watch.change("pump-7", "online");
    assert_eq!(change["instance"], format!("localhost:{}", scene.broker.second_port()));
    watch.finish();
    drop(pump);
}
