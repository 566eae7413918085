//! Alibaba Cloud's API: a server that believes nothing but a right signature, and answers as its vendor
//! prints it.

use super::asking::{decode, hex, sha256};
use super::{ask_endpoint, ask_within, endpoint, failed, only};
use crate::support::http::{Answer, Request, Server};
use presence::config::api::{Endpoint, History};
use presence::event::Timestamp;
use presence::query::{Asked, Query};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SAMPLES: &str = include_str!("../fixtures/api/aliyun-http.jsonl");
const SECRET: &str = "YourAccessKeySecret";

/// Returns the body that the vendor prints for an action.
fn printed(action: &str) -> String {
    let lines = SAMPLES.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut found =
        lines.filter(|line| line["request"].as_str().is_some_and(|it| it.starts_with(action)));
    found.next().expect("it is there")["body"].to_string()
}

/// HMAC-SHA256 as RFC 2104 has it, by nothing but the hash.
fn hmac(key: &[u8], text: &str) -> String {
    use ring::digest::{SHA256, digest};
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with).to_vec();
    let inner = digest(&SHA256, &[pad(0x36), text.as_bytes().to_vec()].concat());
    hex(digest(&SHA256, &[pad(0x5C), inner.as_ref().to_vec()].concat()).as_ref())
}

/// Checks a request as the vendor's documentation says (version 3, ACS3-HMAC-SHA256), and returns its
/// parameters.
fn checked(request: &Request) -> BTreeMap<String, String> {
    let authorization = request.header("authorization");
    let rest =
        authorization.strip_prefix("ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=");
    let (signed, signature) = rest.expect("its scheme").split_once(",Signature=").expect("one");
    let signed: Vec<&str> = signed.split(';').collect();
    for (name, _) in &request.headers {
        let has_to = name.starts_with("x-acs-") || name == "host" || name == "content-type";
        assert_eq!(signed.contains(&&**name), has_to, "{name} in {signed:?}");
    }
    assert!(signed.is_sorted(), "{signed:?}");
    assert_eq!(request.header("x-acs-content-sha256"), sha256(&request.body));
    let (path, query) = request.target.split_once('?').expect("parameters");
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let lines = signed
        .iter()
        .fold(String::new(), |lines, name| lines + name + ":" + request.header(name).trim() + "\n");
    let canonical = format!(
        "{}\n{path}\n{}\n{lines}\n{}\n{}",
        request.method,
        pairs.join("&"),
        signed.join(";"),
        request.header("x-acs-content-sha256"),
    );
    let expected = hmac(SECRET.as_bytes(), &format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical)));
    assert_eq!(signature, expected, "{canonical}");
    let date: jiff::Timestamp = request.header("x-acs-date").parse().expect("a time in UTC");
    let age = jiff::Timestamp::now().duration_since(date).as_secs();
    assert!((0..900).contains(&age), "{age} s old");
    assert_eq!(request.header("x-acs-version"), "2020-04-20");
    assert_eq!(request.header("x-acs-signature-nonce").len(), 32);
    pairs
        .iter()
        .map(|pair| pair.split_once('=').expect("a pair"))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn server(
    answer: impl Fn(&str, &BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> Server {
    Server::start(move |request| {
        let parameters = checked(request);
        assert_eq!(parameters["InstanceId"], "post-cn-1");
        answer(request.header("x-acs-action"), &parameters)
    })
}

fn endpoint_of(server: &Server, more: &str) -> Endpoint {
    endpoint(&format!(
        "aliyun+http://YourAccessKeyId:{SECRET}@127.0.0.1:{}?instance=post-cn-1&region=cn-hangzhou{more}",
        server.port
    ))
}

fn ask(endpoint: &Endpoint, clients: &[&str]) -> Asked {
    ask_endpoint(endpoint, clients, Duration::from_mins(1))
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::status(status, &json!({"RequestId": "1", "Code": code, "Message": "no"}).to_string())
}

#[test]
fn each_client_is_asked_about_with_a_signature() {
    let server = server(|action, parameters| {
        assert_eq!(action, "QuerySessionByClientId");
        let online = parameters["ClientId"] == "GID_a@@@1 +&=/é~*";
        Answer::json(&json!({ "OnlineStatus": online, "RequestId": "1" }).to_string())
    });
    let endpoint = endpoint_of(&server, "");
    let asked = ask(&endpoint, &["GID_a@@@1 +&=/é~*", "GID_a@@@2"]);
    let told: Vec<_> =
        asked.told.iter().map(|told| (&*told.client, told.online, told.cached)).collect();
    assert_eq!(told, [("GID_a@@@1 +&=/é~*", Some(true), false), ("GID_a@@@2", Some(false), false)]);
    let nonces: std::collections::BTreeSet<_> = server
        .seen()
        .iter()
        .map(|request| request.header("x-acs-signature-nonce").to_owned())
        .collect();
    assert_eq!((nonces.len(), asked.requests), (2, 2));
    let query = Query::open(&endpoint).expect("it is complete");
    assert_eq!((query.billed(1_000), query.lists()), (Some(1_000), false));
}

#[test]
fn a_temporary_key_shows_its_token() {
    let server = server(|_, _| Answer::json(&printed("QuerySessionByClientId")));
    let mut endpoint = endpoint_of(&server, "");
    endpoint.token = Some("sts-token".into());
    assert_eq!(only(&ask(&endpoint, &["GID_a@@@1"])).online, Some(true));
    assert_eq!(server.seen()[0].header("x-acs-security-token"), "sts-token");
}

#[test]
fn ten_clients_are_one_request_of_a_batch_that_decides_nothing() {
    let server = server(|action, parameters| {
        assert_eq!(action, "BatchQuerySessionByClientIds");
        let names = parameters.iter().filter(|(name, _)| name.starts_with("ClientIdList."));
        // One is left out, and one is there that nobody asked about.
        let rows: Vec<Value> = names
            .filter(|(_, client)| *client != "GID_a@@@07")
            .map(|(_, client)| json!({ "ClientId": client, "OnlineStatus": client.ends_with('1') }))
            .chain([json!({ "ClientId": "GID_other@@@1", "OnlineStatus": true })])
            .collect();
        assert!(rows.len() <= 11);
        Answer::json(&json!({ "OnlineStatusList": rows }).to_string())
    });
    let endpoint = endpoint_of(&server, "&via=batch");
    let clients: Vec<String> = (0..25).map(|number| format!("GID_a@@@{number:02}")).collect();
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    let asked = ask(&endpoint, &clients);
    assert_eq!((asked.told.len(), asked.requests, asked.cached), (25, 3, true));
    assert!(asked.failures.is_empty() && asked.told.iter().all(|told| told.cached));
    let online: Vec<&str> = asked
        .told
        .iter()
        .filter(|told| told.online == Some(true))
        .map(|told| &*told.client)
        .collect();
    assert_eq!(online, ["GID_a@@@01", "GID_a@@@11", "GID_a@@@21"]);
    let left_out = asked.told.iter().find(|told| told.online.is_none()).expect("one is missing");
    assert_eq!(left_out.client, "GID_a@@@07");
    assert!(asked.answers().all(|(_, answer)| answer.cached));
    assert_eq!(Query::open(&endpoint).expect("it is complete").billed(25), Some(3));
}

#[test]
fn the_history_tells_the_connection_and_why_the_last_one_ended() {
    for (online, zone, at) in [
        (false, Some("Asia/Shanghai"), Some(Timestamp(1_621_587_114_867))),
        (false, None, None),
        (true, Some("Asia/Shanghai"), None),
    ] {
        let server = server(move |action, parameters| match action {
            "QueryMqttTraceDevice" => {
                assert_eq!(parameters["MqttRegionId"], "cn-hangzhou");
                assert_eq!(parameters["Reverse"], "true");
                let ms = |name: &str| parameters[name].parse::<i64>().expect("a time in ms");
                assert_eq!(ms("EndTime") - ms("BeginTime"), 86_400_000);
                assert!((jiff::Timestamp::now().as_millisecond() - ms("EndTime")).abs() < 600_000);
                Answer::json(&printed("QueryMqttTraceDevice"))
            }
            _ => Answer::json(&json!({ "OnlineStatus": online }).to_string()),
        });
        let zone = zone.map(|name| jiff::tz::TimeZone::get(name).expect("it is known"));
        let mut endpoint = endpoint_of(&server, "");
        endpoint.history = Some(History { zone: zone.clone() });
        let asked = ask(&endpoint, &["GID_a@@@1"]);
        let told = only(&asked);
        assert_eq!((told.online, asked.requests), (Some(online), 2));
        let details = &told.details;
        assert_eq!(details.disconnected_at, at);
        assert_eq!(details.reason.as_deref(), (!online).then_some("no heart"));
        let channel = online.then_some("c69fe839209547fa9d073781b9cd0000");
        assert_eq!(details.channel.as_deref(), channel);
        let [note] = &details.notes[..] else { panic!("{details:?}") };
        assert_eq!(note.contains("without a zone"), zone.is_none(), "{note}");
        let newest = "2021-05-21 16:59:00.000 connect (not authorized) of d1aa0000; \
                      2021-05-21 16:51:54.867 close (no heart) of c69f";
        assert!(note.contains(newest), "{note}");
        assert_eq!(Query::open(&endpoint).expect("it is complete").billed(3), Some(6));
    }
}

#[test]
fn a_history_that_may_not_be_read_keeps_nobody_from_the_state() {
    for (status, code) in [(400, "PermissionCheckFailed"), (403, "NoPermission")] {
        let server = server(move |action, _| match action {
            "QueryMqttTraceDevice" => refusal(status, code),
            _ => Answer::json(r#"{"OnlineStatus":true}"#),
        });
        let mut endpoint = endpoint_of(&server, "");
        endpoint.history = Some(History::default());
        let asked = ask(&endpoint, &["GID_a@@@1"]);
        let told = only(&asked);
        assert_eq!(told.online, Some(true));
        let note = told.details.notes.concat();
        assert!(note.contains("not told") && note.contains("`mq:QueryMqttTraceDevice`"), "{note}");
    }
}

#[test]
fn who_is_throttled_asks_again_a_little_later() {
    for (status, code) in [(500, "SystemOverFlow"), (503, "Throttling.Api")] {
        let asked = AtomicUsize::new(0);
        let server = server(move |_, _| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => refusal(status, code),
            _ => Answer::json(r#"{"OnlineStatus":true}"#),
        });
        let asked = ask(&endpoint_of(&server, ""), &["GID_a@@@1"]);
        assert_eq!((only(&asked).online, asked.requests), (Some(true), 2));
    }
}

#[test]
fn who_is_throttled_until_the_deadline_is_told_so() {
    let server = server(|_, _| refusal(500, "SystemOverFlow"));
    let endpoint = endpoint_of(&server, "");
    let asked = ask_endpoint(&endpoint, &["GID_a@@@1"], Duration::from_millis(500));
    let failure = failed(&asked);
    let in_time = failure.contains("SystemOverFlow") && failure.contains("500 times a second");
    assert!(in_time || failure.contains("no answer in time"), "{failure}");
}

#[test]
fn refusals_say_what_to_do() {
    for (status, code, next) in [
        (400, "PermissionCheckFailed", "`mq:MqttInstanceAccess` and `mq:QuerySessionByClientId`"),
        (403, "Forbidden.RAM", "`mq:QuerySessionByClientId`"),
        (400, "InstancePermissionCheckFailed", "the account of the key owns the instance"),
        (400, "ParameterCheckFailed", "`GROUP@@@DEVICE`"),
        (400, "CheckAccountInfoFailed", "`--access-key-token-file`"),
        (404, "ApiNotSupport", "the region in the URL"),
        (400, "SignatureDoesNotMatch", "the secret is that of this access key"),
        (404, "InvalidAccessKeyId.NotFound", "`--access-key-id`"),
        (400, "InvalidTimeStamp.Expired", "the clock of this machine"),
    ] {
        let server = server(move |_, _| refusal(status, code));
        let failure = failed(&ask(&endpoint_of(&server, ""), &["GID_a@@@1"]));
        assert!(failure.contains(&format!("status {status}: {code}, no")), "{failure}");
        assert!(failure.contains(next), "{code}: {failure}");
        assert!(!failure.contains(SECRET), "{failure}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let server = Server::start(|_| {
        let headers = vec![("location", "http://192.0.2.1/".to_owned())];
        Answer::Whole(302, headers, Vec::new())
    });
    let url = format!("aliyun+http://k:s@127.0.0.1:{}?instance=i&region=r", server.port);
    let failure = failed(&ask_within(&url, &["GID_a@@@1"], Duration::from_mins(1)));
    assert!(failure.contains("redirects to 192.0.2.1"), "{failure}");
}

/// Runs `presence check` with an access key, and returns code, standard output and standard error.
fn check(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    std::fs::write(folder.path().join("secret"), SECRET).expect("the disk has room");
    let api =
        format!("aliyun+http://127.0.0.1:{}?instance=post-cn-1&region=cn-hangzhou", server.port);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_presence"))
        .env_clear()
        .current_dir(&folder)
        .args([
            "check",
            "--store",
            "memory",
            "--evidence",
            "api",
            "--api",
            &api,
            "--timeout",
            "60s",
        ])
        .args(["--access-key-id", "YourAccessKeyId", "--access-key-secret-file", "secret"])
        .args(arguments)
        .output()
        .expect("the program can be run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_explains_with_the_history_of_the_access_keys_instance() {
    let server = server(|action, _| match action {
        "QueryMqttTraceDevice" => Answer::json(&printed("QueryMqttTraceDevice")),
        _ => Answer::json(r#"{"OnlineStatus":false}"#),
    });
    let line = ["GID_a@@@1", "--explain", "--time-zone", "Asia/Shanghai"];
    let (code, out, err) = check(&server, &line);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("no heart") && out.contains("2021-05-21T16:51:54.867+08:00"), "{out}");
    assert!(!(out + &err).contains(SECRET));

    let (code, out, _) = check(&server, &["GID_a@@@1"]);
    assert_eq!((code, out.contains("no heart")), (Some(1), false), "{out}");
    let asked: Vec<String> =
        server.seen().iter().map(|request| request.header("x-acs-action").to_owned()).collect();
    let expected = ["QueryMqttTraceDevice", "QuerySessionByClientId", "QuerySessionByClientId"];
    assert_eq!(asked, expected);
}

#[test]
fn what_many_requests_cost_is_said_before() {
    let server = server(|_, _| Answer::json(r#"{"OnlineStatus":true}"#));
    let ids: Vec<String> = (0..20).map(|number| format!("GID_a@@@{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (code, _, err) = check(&server, &ids);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("20 requests, each of which is billed, 100 a second at most"), "{err}");
    let (_, _, err) = check(&server, &ids[..19]);
    assert!(!err.contains("billed"), "{err}");
}
