//! Every API reads the answers that were recorded or that its vendor prints.

use super::endpoint;
use presence::event::Timestamp;
use presence::query::Details;
use presence::query::api::{Api, of};
use presence::query::exchange::{Found, Question, Reading, Reply, Trouble};
use serde_json::Value;

const START: Timestamp = Timestamp(1_760_000_000_000);
const LATER: Timestamp = Timestamp(1_760_000_060_000);

fn api(url: &str) -> Box<dyn Api> {
    of(&endpoint(url)).unwrap_or_else(|failure| panic!("{url}: {failure}"))
}

/// Returns the answers of a file of samples: target, status, body.
fn samples(text: &str) -> Vec<(String, Reply)> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .map(|line| {
            let request = line["request"].as_str().expect("a request").to_owned();
            let status = line["status"].as_u64().expect("a status").try_into().expect("a status");
            let body = match &line["body"] {
                Value::String(text) => text.clone(),
                json => json.to_string(),
            };
            (request, Reply { status, body: body.into_bytes(), ..Reply::default() })
        })
        .collect()
}

/// Returns the recorded answers of a real broker, each with what had been done before.
fn recorded(text: &str) -> Vec<(String, String, Reply)> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |line: &Value, key: &str| line[key].as_str().expect("a text").to_owned();
    lines
        .map(|line| {
            let body = text(&line, "stdout").into_bytes();
            let reply = Reply { status: 200, body, ..Reply::default() };
            (text(&line, "stimulus"), text(&line, "command"), reply)
        })
        .collect()
}

fn first(api: &dyn Api, clients: &[&str]) -> Question {
    let clients: Vec<String> = clients.iter().map(|client| (*client).to_owned()).collect();
    api.begin(&clients).remove(0)
}

/// Reads a reply to the first question about one client, which has to answer it.
#[track_caller]
fn read(api: &dyn Api, client: &str, reply: &Reply) -> Found {
    let question = first(api, &[client]);
    let mut reading = api.read(&question, reply).unwrap_or_else(|trouble| panic!("{trouble:?}"));
    assert_eq!(reading.next, None);
    match (reading.found.pop(), reading.absent) {
        (Some(found), _) => found,
        (None, Some(absent)) => Found {
            client: client.to_owned(),
            online: absent.online,
            why: absent.why,
            ..Found::default()
        },
        (None, None) => panic!("it came to nothing"),
    }
}

#[track_caller]
fn refused(api: &dyn Api, client: &str, status: u16, body: &str) -> Trouble {
    let reply = Reply { status, body: body.as_bytes().to_vec(), ..Reply::default() };
    api.read(&first(api, &[client]), &reply).expect_err(body)
}

#[test]
fn emqx5() {
    let api = api("emqx5+http://h");
    let samples = samples(include_str!("../fixtures/api/emqx5-http.jsonl"));
    let online = read(&*api, "dev-1", &samples[0].1);
    assert_eq!(online.online, Some(true));
    assert_eq!(
        online.details,
        Details {
            connected_at: Some(START),
            address: Some("192.0.2.10:52571".into()),
            channel: Some("2025-10-09T08:53:20.000+00:00".into()),
            keep_alive: Some(60),
            clean: Some(true),
            session: Some(true),
            protocol: Some("5".into()),
            node: Some("emqx@127.0.0.1".into()),
            ..Details::default()
        }
    );
    let kept = read(&*api, "dev-1", &samples[1].1);
    assert_eq!((kept.online, kept.details.disconnected_at), (Some(false), Some(LATER)));
    assert_eq!((kept.details.session, kept.details.clean), (Some(true), Some(false)));
    let gone = read(&*api, "nope", &samples[2].1);
    assert_eq!((gone.online, gone.details.session), (Some(false), Some(false)));
    assert!(gone.why.expect("it is weak").contains("never seen"));
    // 5.0.0 said it with a code that others share.
    let old = r#"{"code":"RESOURCE_NOT_FOUND","message":"Client id not found"}"#;
    let old = Reply { status: 404, body: old.into(), ..Reply::default() };
    assert_eq!(read(&*api, "nope", &old).online, Some(false));
    for body in ["", "<html>", "{}", r#"{"code":"RESOURCE_NOT_FOUND","message":"no such route"}"#] {
        refused(&*api, "nope", 404, body);
    }
    let other = r#"{"clientid":"dev-2","connected":true}"#;
    assert!(refused(&*api, "dev-1", 200, other).cause.contains("another client"));
}

#[test]
fn emqx4_makes_no_moments_of_local_times() {
    let api = api("emqx4+http://h");
    let samples = samples(include_str!("../fixtures/api/emqx4-http.jsonl"));
    let online = read(&*api, "example", &samples[0].1);
    assert_eq!((online.online, online.details.connected_at), (Some(true), None));
    assert_eq!(online.details.address.as_deref(), Some("127.0.0.1:54889"));
    assert_eq!(online.details.notes.len(), 1);
    assert!(online.details.notes[0].contains("2020-02-20 13:38:51"), "{online:?}");
    assert!(online.details.notes[0].contains("without a zone"), "{online:?}");
    assert_eq!(read(&*api, "nope", &samples[1].1).online, Some(false));
    let kept = read(&*api, "dev-off", &samples[2].1);
    assert_eq!((kept.online, kept.details.disconnected_at), (Some(false), None));
    assert_eq!(kept.details.notes.len(), 2);
    refused(&*api, "nope", 404, r#"{"code":0,"data":[]}"#);
    refused(&*api, "nope", 200, r#"{"code":104,"data":[]}"#);
}

#[test]
fn hivemq() {
    let api = api("hivemq+http://h");
    let samples = samples(include_str!("../fixtures/api/hivemq-http.jsonl"));
    let online = read(&*api, "client-2", &samples[1].1);
    assert_eq!(online.online, Some(true));
    assert_eq!(online.details.connected_at, Some(Timestamp(1_595_257_190_580)));
    assert_eq!(online.details.protocol.as_deref(), Some("MQTTv5"));
    assert_eq!(online.details.address.as_deref(), Some("127.0.0.1"));
    let kept = read(&*api, "client-1", &samples[2].1);
    assert_eq!((kept.online, kept.details.session), (Some(false), Some(true)));
    assert_eq!(read(&*api, "nope", &samples[3].1).online, Some(false));
    let path = r#"{"errors":[{"title":"Resource not found","detail":"HTTP 404 Not Found"}]}"#;
    refused(&*api, "nope", 404, path);
    refused(&*api, "o", 404, path);
}

#[test]
fn nanomq() {
    let api = api("nanomq+http://h");
    let samples = samples(include_str!("../fixtures/api/nanomq-http.jsonl"));
    let online = read(&*api, "nanomq-29978ec1", &samples[0].1);
    assert_eq!((online.online, online.details.user), (Some(true), None));
    let kept = read(&*api, "off-1", &samples[1].1);
    assert_eq!((kept.online, kept.details.user.as_deref()), (Some(false), Some("alvin")));
    assert_eq!(read(&*api, "nope", &samples[2].1).online, Some(false));
    // The manual's spelling.
    let manual = r#"{"code":0,"data":[{"clientid":"a","connected":true}]}"#;
    let manual = Reply { status: 200, body: manual.into(), ..Reply::default() };
    assert_eq!(read(&*api, "a", &manual).online, Some(true));
    let unknown = r#"{"code":0,"data":[{"client_id":"a","conn_state":"asleep"}]}"#;
    let unknown = Reply { status: 200, body: unknown.into(), ..Reply::default() };
    assert_eq!(read(&*api, "a", &unknown).online, None);
}

#[test]
fn nanomq_as_recorded() {
    let api = api("nanomq+http://h");
    let recorded = recorded(include_str!("../fixtures/api/nanomq-0.25.5.rest.jsonl"));
    let lists: Vec<_> = recorded
        .iter()
        .filter(|(_, command, _)| command.ends_with("/api/v4/clients"))
        .map(|(_, _, reply)| reply)
        .collect();
    assert_eq!(lists.len(), 3);
    for (reply, expected) in lists.into_iter().zip([
        [Some(false), Some(false)],
        [Some(true), Some(true)],
        [Some(false), Some(false)],
    ]) {
        assert_eq!(
            ["dev-rest", "dev-rest-persist"].map(|id| read(&*api, id, reply).online),
            expected
        );
    }
}

#[test]
fn rabbitmq() {
    let api = api("rabbitmq+http://h");
    for (_, reply) in samples(include_str!("../fixtures/api/rabbitmq-http.jsonl")) {
        let online = read(&*api, "dev-1", &reply);
        assert_eq!(online.online, Some(true));
        assert!(online.details.channel.expect("its name").contains(" -> "));
        let absent = read(&*api, "dev-2", &reply);
        assert_eq!((absent.online, absent.details), (Some(false), Details::default()));
    }
    let recorded = recorded(include_str!("../fixtures/api/rabbitmq-3.10.8.rest.jsonl"));
    let lists: Vec<_> = recorded
        .iter()
        .filter(|(_, command, _)| command.ends_with("/api/connections"))
        .map(|(_, _, reply)| read(&*api, "dev-rest", reply))
        .collect();
    assert_eq!([0, 1, 2].map(|at| lists[at].online), [Some(false), Some(true), Some(false)]);
    assert_eq!(lists[1].details.connected_at, Some(Timestamp(1_795_315_870_052)));
    // A client id alone is not enough: AMQP has properties of that name too.
    let amqp = r#"[{"protocol":"AMQP 0-9-1","client_properties":{"client_id":"dev-1"}}]"#;
    let amqp = Reply { status: 200, body: amqp.into(), ..Reply::default() };
    assert_eq!(read(&*api, "dev-1", &amqp).online, Some(false));
}

#[test]
fn vernemq() {
    let api = api("vernemq+http://h");
    let samples = samples(include_str!("../fixtures/api/vernemq-http.jsonl"));
    assert_eq!(read(&*api, "dev-1", &samples[0].1).online, Some(true));
    let online = read(&*api, "dev-1", &samples[2].1);
    assert_eq!((online.online, online.details.connected_at), (Some(true), Some(START)));
    assert_eq!(online.details.address.as_deref(), Some("192.0.2.10:50402"));
    assert_eq!(read(&*api, "nope", &samples[3].1).online, Some(false));
    for (sample, online, session) in
        [(4, true, None), (5, false, Some(true)), (6, false, Some(false))]
    {
        let found = read(&*api, "~dev", &samples[sample].1);
        assert_eq!((found.online, found.details.session), (Some(online), session));
    }
    refused(&*api, "dev-1", 200, r#"{"type":"text","text":"no"}"#);
    refused(&*api, "dev-1", 200, r#"{"type":"table","table":[{"client_id":"dev-1"}]}"#);
}

#[test]
fn vernemq_takes_a_tilde_for_a_pattern_so_it_is_not_filtered_by() {
    let api = api("vernemq+http://h?mountpoint=a/b");
    let plain = first(&*api, &["dev~1"]).target;
    let start = "/api/v1/session/show?--client_id=dev~1&--mountpoint=a%2Fb&--is_online&";
    assert!(plain.starts_with(start), "{plain}");
    assert!(plain.contains("&--limit=1000&--rowtimeout=1000"), "{plain}");
    assert_eq!(first(&*api, &["~.*"]).target, "/api/v2/client?client_id=~.%2A&mountpoint=a%2Fb");
}

#[test]
fn rmqtt_asks_again_where_nothing_was_found() {
    let api = api("rmqtt+http://h");
    let samples = samples(include_str!("../fixtures/api/rmqtt-http.jsonl"));
    let online = read(&*api, "example1", &samples[1].1);
    assert_eq!((online.online, online.details.connected_at), (Some(true), None));
    assert_eq!(online.details.address.as_deref(), Some("183.193.169.110:11232"));
    assert_eq!((online.details.user, online.details.notes.len()), (None, 1));
    let question = first(&*api, &["example1"]);
    let missing = Reply { status: 404, ..Reply::default() };
    let next =
        api.read(&question, &missing).expect("it may be unknown").next.expect("it asks again");
    assert_eq!(next.target, "/api/v1/clients/example1/online");
    let found = api.read(&next, &samples[0].1).expect("it answers").found;
    assert_eq!(found[0].online, Some(false));
    // Where the path is wrong, so is the second one.
    api.read(&next, &missing).expect_err("there is no such path");
}

#[test]
fn bifromq() {
    let api = api("bifromq+http://h?tenant=DevOnly&user=DevUser");
    let samples = samples(include_str!("../fixtures/api/bifromq-http.jsonl"));
    let online = read(&*api, "dev-1", &samples[0].1);
    assert_eq!((online.online, online.details.clean), (Some(true), Some(true)));
    assert_eq!(online.details.address.as_deref(), Some("192.0.2.10:52011"));
    assert_eq!(online.details.channel.as_deref(), Some("f2c1a0fffe000001-0000"));
    let gone = read(&*api, "nope", &samples[1].1);
    assert_eq!(gone.online, Some(false));
    assert!(gone.why.expect("it is weak").contains("bare 404"));
    refused(&*api, "nope", 404, "<html>not found</html>");
    let headers = first(&*api, &["dev-1"]).headers;
    let expected = [("tenant_id", "DevOnly"), ("user_id", "DevUser"), ("client_id", "dev-1")];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn activemq_asks_for_connectors_where_nobody_is_connected() {
    let api = api("activemq+http://h");
    let recorded = recorded(include_str!("../fixtures/api/activemq-5.18.3.rest.jsonl"));
    let reads: Vec<_> = recorded
        .iter()
        .filter(|(_, command, _)| command.contains("connectionName=*"))
        .map(|(_, _, reply)| reply)
        .collect();
    let online = read(&*api, "dev-rest", reads[1]);
    assert_eq!(online.online, Some(true));
    assert_eq!(online.details.connected_at, Some(Timestamp(1_795_324_465_723)));
    assert_eq!(online.details.address.as_deref(), Some("127.0.0.1:37512"));
    assert_eq!(read(&*api, "nope", reads[1]).online, Some(false));
    for nobody in [reads[0], reads[2]] {
        let reading = api.read(&first(&*api, &["dev-rest"]), nobody).expect("nobody is connected");
        let next = reading.next.expect("it asks for connectors");
        assert!(next.body.contains("search"), "{next:?}");
        let search = recorded.iter().find(|(_, command, _)| command.contains("/search/"));
        let reading = api.read(&next, &search.expect("it was recorded").2).expect("MQTT is there");
        assert_eq!(reading.absent.expect("all are absent").online, Some(false));
        let none = Reply {
            status: 200,
            body: br#"{"status":200,"value":[]}"#.to_vec(),
            ..Reply::default()
        };
        let trouble = api.read(&next, &none).expect_err("there is no MQTT");
        assert!(trouble.cause.contains("no connector"), "{trouble:?}");
    }
    let denied = refused(&*api, "a", 200, r#"{"status":403,"error_type":"java.lang.Exception"}"#);
    assert!(denied.cause.contains("403"), "{denied:?}");
}

#[test]
fn artemis() {
    let api = api("artemis+http://h?broker=rig");
    let question = first(&*api, &["dev-rest"]);
    let body: Value = serde_json::from_str(&question.body).expect("JSON");
    assert_eq!(body["mbean"], "org.apache.activemq.artemis:broker=\"rig\"");
    let recorded = recorded(include_str!("../fixtures/api/artemis-2.40.0.rest.jsonl"));
    let lists: Vec<_> = recorded
        .iter()
        .filter(|(_, command, _)| command.contains("listConnections("))
        .map(|(_, _, reply)| read(&*api, "dev-rest-persist", reply))
        .collect();
    assert_eq!([0, 1, 2].map(|at| lists[at].online), [Some(false), Some(true), Some(false)]);
    let details = &lists[1].details;
    assert_eq!(details.channel.as_deref(), Some("8a3b683d"));
    assert_eq!((details.connected_at, details.notes.len()), (None, 1));
    let unknown = refused(&*api, "a", 200, r#"{"status":404,"error":"no bean"}"#);
    assert!(unknown.next.expect("a way on").contains("?broker="));
}

#[test]
fn apollo() {
    let api = api("apollo+http://h");
    let objects = r#"{"page":0,"page_size":500,"total_pages":1,"total_rows":2,"rows":[
        {"id":"7","state":"STARTED","state_since":1760000000000,"protocol":"mqtt",
         "remote_address":"/192.0.2.10:5000","protocol_session_id":"dev-1","user":"admin"},
        {"id":"8","state":"STARTED","protocol":"stomp","protocol_session_id":"dev-2"}]}"#;
    let lists = r#"{"total_pages":1,"total_rows":1,
        "headers":["id","state","state_since","protocol","protocol_session_id"],
        "rows":[["7","STARTED",1760000000000,"mqtt","dev-1"]]}"#;
    for body in [objects, lists] {
        let reply = Reply { status: 200, body: body.into(), ..Reply::default() };
        let online = read(&*api, "dev-1", &reply);
        assert_eq!((online.online, online.details.connected_at), (Some(true), Some(START)));
        assert_eq!(online.details.channel.as_deref(), Some("7"));
        assert_eq!(read(&*api, "dev-2", &reply).online, Some(false), "that one is no MQTT client");
    }
}

#[test]
fn nats_asks_for_ended_connections_where_none_is_open() {
    let api = api("nats+http://h");
    let recorded = recorded(include_str!("../fixtures/api/nats-server-2.15.2.rest.jsonl"));
    let find = |stimulus: &str, end: &str| {
        let line = recorded
            .iter()
            .find(|(done, command, _)| done.starts_with(stimulus) && command.contains(end));
        &line.expect("it was recorded").2
    };
    let open = find("dev-rest", "state=any&mqtt_client=dev-rest'");
    let online = read(&*api, "dev-rest", open);
    assert_eq!(online.online, Some(true));
    assert_eq!(online.details.connected_at, Some(Timestamp(1_795_325_003_624)));
    assert!(online.details.channel.expect("a number").ends_with(":7"));
    let question = first(&*api, &["dev-rest-persist"]);
    assert_eq!(question.target, "/connz?auth=1&state=open&mqtt_client=dev-rest-persist");
    let Reading { next: Some(next), .. } =
        api.read(&question, find("no devices", "never-seen")).expect("nobody is there")
    else {
        panic!("it asks for ended ones")
    };
    assert_eq!(next.target, "/connz?auth=1&state=closed&mqtt_client=dev-rest-persist");
    let ended = api.read(&next, find("both", "state=closed")).expect("it ended").found.remove(0);
    assert_eq!(ended.online, Some(false));
    assert_eq!(ended.details.disconnected_at, Some(Timestamp(1_795_325_004_929)));
    assert_eq!(ended.details.reason.as_deref(), Some("Client Closed"));
    let never = api.read(&next, find("both", "never-seen")).expect("nothing").found.remove(0);
    assert_eq!(never.online, Some(false));
    assert!(never.why.is_some());
    // A server that does not know the filter lists whoever it likes.
    let others = r#"{"server_id":"S","limit":1,"connections":[{"cid":1,"mqtt_client":"x"}]}"#;
    let others = Reply { status: 200, body: others.into(), ..Reply::default() };
    assert_eq!(read(&*api, "dev-rest", &others).online, None);
}

#[test]
fn aws() {
    let of_connections = api("aws://k:s@eu-west-1");
    let samples = samples(include_str!("../fixtures/api/aws-iot-http.jsonl"));
    let online = read(&*of_connections, "dev-1", &samples[0].1);
    assert_eq!((online.online, online.details.connected_at), (Some(true), Some(START)));
    assert_eq!(online.details.keep_alive, Some(60));
    let ended = read(&*of_connections, "dev-1", &samples[1].1);
    assert_eq!(ended.online, Some(false));
    assert_eq!(ended.details.disconnected_at, Some(Timestamp(1_760_000_095_000)));
    assert_eq!(ended.details.reason.as_deref(), Some("MQTT_KEEP_ALIVE_TIMEOUT"));
    assert!(!of_connections.facts().cached);
    let unknown = Reply {
        status: 404,
        headers: vec![("x-amzn-errortype".into(), "ResourceNotFoundException".into())],
        body: br#"{"message":null}"#.to_vec(),
    };
    assert_eq!(read(&*of_connections, "nope", &unknown).online, Some(false));
    refused(&*of_connections, "nope", 404, r#"{"message":"no such route"}"#);
    // The other API counts in seconds.
    let of_index = api("aws://k:s@eu-west-1?via=index");
    let ended = read(&*of_index, "dev-1", &samples[2].1);
    assert_eq!(ended.details.disconnected_at, Some(Timestamp(1_760_000_095_000)));
    assert_eq!(ended.why, None);
    let never = read(&*of_index, "never-seen", &samples[3].1);
    assert_eq!(never.online, Some(false));
    assert!(never.why.is_some());
    assert!(of_index.facts().cached);
}

#[test]
fn azure() {
    let api = api("azure://service:c2VjcmV0@hub");
    for (state, online) in
        [("Connected", Some(true)), ("Disconnected", Some(false)), ("Asleep", None)]
    {
        let body = format!(
            r#"{{"deviceId":"dev-1","connectionState":"{state}","status":"enabled","lastActivityTime":"2025-10-09T08:53:20.1234567Z"}}"#
        );
        let reply = Reply { status: 200, body: body.into(), ..Reply::default() };
        let found = read(&*api, "dev-1", &reply);
        assert_eq!(found.online, online, "{state}");
        assert_eq!(found.details.notes, ["last active 2025-10-09T08:53:20.1234567Z"]);
    }
    assert!(api.facts().cached);
    let unknown = r#"{"Message":"ErrorCode:DeviceNotFound;dev-1","ExceptionMessage":""}"#;
    let unknown = Reply { status: 404, body: unknown.into(), ..Reply::default() };
    assert_eq!(read(&*api, "dev-1", &unknown).online, Some(false));
    refused(&*api, "dev-1", 404, r#"{"Message":"ErrorCode:NotFound"}"#);
}

#[test]
fn tencent_tdmq() {
    let of_cloud = api("tencent-tdmq://k:s@ap-guangzhou?instance=mqtt-1");
    let samples = samples(include_str!("../fixtures/api/tencent-http.jsonl"));
    let online = read(&*of_cloud, "dev-1", &samples[0].1);
    assert_eq!((online.online, online.details.connected_at), (Some(true), Some(START)));
    assert_eq!(online.details.address.as_deref(), Some("10.0.0.1:5768"));
    assert_eq!(online.details.disconnected_at, None);
    assert_eq!(read(&*of_cloud, "dev", &samples[0].1).online, Some(false), "a like id is another");
    let denied = r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"no"}}}"#;
    assert!(refused(&*of_cloud, "dev-1", 200, denied).everywhere);
    let of_instance = api("tencent-tdmq+https://u:p@mqtt.example");
    assert_eq!(first(&*of_instance, &["a/b"]).target, "/client-id/a%2Fb/status");
    let reply = Reply { status: 200, body: br#"{"online":true}"#.to_vec(), ..Reply::default() };
    assert_eq!(read(&*of_instance, "a/b", &reply).online, Some(true));
    refused(&*of_instance, "a/b", 200, r#"{"status":"online"}"#);
}

#[test]
fn tencent_iot_explorer_counts_one_as_online_and_two_as_nothing() {
    let api = api("tencent-iothub://k:s@ap-guangzhou?via=explorer&product=J2CRPPZ8J4");
    let question = first(&*api, &["J2CRPPZ8J4dev01"]);
    let body: Value = serde_json::from_str(&question.body).expect("JSON");
    assert_eq!((&body["ProductId"], &body["DeviceName"]), (&"J2CRPPZ8J4".into(), &"dev01".into()));
    assert!(question.headers.contains(&("x-tc-version", "2019-04-23".to_owned())));
    for (status, expected) in
        [(0, Some(false)), (1, Some(true)), (2, None), (3, Some(false)), (4, None)]
    {
        let body = format!(
            r#"{{"Response":{{"Device":{{"DeviceName":"dev01","Status":{status},"LoginTime":1760000000,"ProductId":"J2CRPPZ8J4"}},"RequestId":"1"}}}}"#
        );
        let reply = Reply { status: 200, body: body.into(), ..Reply::default() };
        let found = read(&*api, "J2CRPPZ8J4dev01", &reply);
        assert_eq!(found.online, expected, "{status}");
        assert_eq!(found.details.connected_at, Some(START));
        assert_eq!(found.why.is_some(), expected.is_none() || status == 3, "{status}");
    }
    // The hub's answer is none of its.
    refused(&*api, "J2CRPPZ8J4dev01", 200, r#"{"Response":{"Online":1,"RequestId":"1"}}"#);
    refused(&*api, "J2CRPPZ8J4dev01", 200, r#"{"Response":{"Device":{"Online":1}}}"#);
}

#[test]
fn tencent_iot_hub_counts_one_as_online() {
    let api = api("tencent-iothub://k:s@ap-guangzhou");
    let question = first(&*api, &["ABCDEFGHIJdev-1"]);
    let body: Value = serde_json::from_str(&question.body).expect("JSON");
    assert_eq!((&body["ProductId"], &body["DeviceName"]), (&"ABCDEFGHIJ".into(), &"dev-1".into()));
    assert!(question.headers.contains(&("x-tc-action", "DescribeDevice".to_owned())));
    for (online, expected) in [(0, Some(false)), (1, Some(true)), (2, None), (3, Some(false))] {
        let body = format!(
            r#"{{"Response":{{"DeviceName":"dev-1","Online":{online},"LoginTime":1760000000,"LastOfflineTime":1760000060,"ConnIP":"192.0.2.1","RequestId":"1"}}}}"#
        );
        let reply = Reply { status: 200, body: body.into(), ..Reply::default() };
        let found = read(&*api, "ABCDEFGHIJdev-1", &reply);
        assert_eq!(found.online, expected, "{online}");
        assert_eq!(found.details.connected_at, Some(START));
        let ended = found.details.disconnected_at;
        assert_eq!(ended, Some(LATER).filter(|_| expected == Some(false)), "{online}");
    }
    let unknown =
        r#"{"Response":{"Error":{"Code":"ResourceNotFound.DeviceNotExist","Message":""}}}"#;
    let unknown = Reply { status: 200, body: unknown.into(), ..Reply::default() };
    assert_eq!(read(&*api, "ABCDEFGHIJdev-1", &unknown).online, Some(false));
    refused(&*api, "ABCDEFGHIJdev-1", 200, r#"{"Response":{"RequestId":"1"}}"#);
}

#[test]
fn huawei() {
    let mut endpoint = endpoint("huawei://cn-north-4?project=p1&instance=i1");
    of(&endpoint).expect_err("it has no token");
    endpoint.token = Some("t".into());
    let api = of(&endpoint).expect("it has one");
    let question = first(&*api, &["5e25d6d7_dev1_0_0_2025100908"]);
    assert_eq!(question.target, "/v5/iot/p1/devices/5e25d6d7_dev1");
    assert_eq!(question.headers, [("instance-id", "i1".to_owned())]);
    for (status, online) in [
        ("ONLINE", Some(true)),
        ("OFFLINE", Some(false)),
        ("INACTIVE", Some(false)),
        ("FROZEN", Some(false)),
        ("FREEZED", Some(false)),
        ("ABNORMAL", None),
    ] {
        let body = format!(
            r#"{{"device_id":"dev1","status":"{status}","connection_status_update_time":"2025-10-09T08:53:20.000Z"}}"#
        );
        let reply = Reply { status: 200, body: body.into(), ..Reply::default() };
        let found = read(&*api, "dev1", &reply);
        assert_eq!(found.online, online, "{status}");
        let connected = found.details.connected_at;
        assert_eq!(connected, Some(START).filter(|_| online == Some(true)), "{status}");
    }
    let unknown = r#"{"error_code":"IOTDA.014000","error_msg":"The device does not exist."}"#;
    let unknown = Reply { status: 404, body: unknown.into(), ..Reply::default() };
    assert_eq!(read(&*api, "dev1", &unknown).online, Some(false));
    refused(&*api, "dev1", 404, r#"{"error_code":"APIG.0101","error_msg":"no such API"}"#);
}

#[test]
fn what_an_api_needs_is_said_before_it_is_asked() {
    for (url, needed) in [
        ("bifromq+http://h?tenant=t", "`user`"),
        ("aws://eu-west-1", "access key"),
        ("aws+https://k:s@e.example", "region"),
        ("aws://k:s@eu-west-1?via=shadow", "`via`"),
        ("azure://hub", "a policy"),
        ("azure://service:no-base64!@hub", "base64"),
        ("aliyun://cn-hangzhou?instance=i", "`--access-key-id`"),
        ("aliyun://k:s@cn-hangzhou", "`instance`"),
        ("aliyun+https://k:s@e.example?instance=i", "region"),
        ("aliyun://k:s@cn-hangzhou?instance=i&via=index", "`via`"),
        ("tencent-tdmq://k:s@ap-guangzhou", "`instance`"),
        ("tencent-tdmq+https://e.example", "a user"),
        ("tencent-iothub://ap-guangzhou", "`SecretId`"),
        ("tencent-iothub://k:s@ap-guangzhou?via=app", "`explorer`"),
    ] {
        let failure = of(&endpoint(url)).expect_err(url);
        assert_eq!(failure.outcome.code(), 2, "{url}");
        assert!(failure.to_string().contains(needed), "{url}: {failure}");
        assert!(!failure.to_string().contains("no-base64"), "{failure}");
    }
}

/// Returns every reply that was recorded or printed.
fn every_reply() -> Vec<Vec<u8>> {
    let recorded = [
        include_str!("../fixtures/api/activemq-5.18.3.rest.jsonl"),
        include_str!("../fixtures/api/artemis-2.40.0.rest.jsonl"),
        include_str!("../fixtures/api/nanomq-0.25.5.rest.jsonl"),
        include_str!("../fixtures/api/nats-server-2.15.2.rest.jsonl"),
        include_str!("../fixtures/api/rabbitmq-3.10.8.rest.jsonl"),
    ];
    let printed = [
        include_str!("../fixtures/api/aliyun-http.jsonl"),
        include_str!("../fixtures/api/aws-iot-http.jsonl"),
        include_str!("../fixtures/api/bifromq-http.jsonl"),
        include_str!("../fixtures/api/emqx4-http.jsonl"),
        include_str!("../fixtures/api/emqx5-http.jsonl"),
        include_str!("../fixtures/api/hivemq-http.jsonl"),
        include_str!("../fixtures/api/nanomq-http.jsonl"),
        include_str!("../fixtures/api/rabbitmq-http.jsonl"),
        include_str!("../fixtures/api/rmqtt-http.jsonl"),
        include_str!("../fixtures/api/tencent-http.jsonl"),
        include_str!("../fixtures/api/vernemq-http.jsonl"),
    ];
    let recorded = recorded.into_iter().flat_map(recorded_bodies);
    recorded
        .chain(
            printed
                .into_iter()
                .flat_map(|text| samples(text).into_iter().map(|(_, reply)| reply.body)),
        )
        .collect()
}

fn recorded_bodies(text: &str) -> Vec<Vec<u8>> {
    recorded(text).into_iter().map(|(_, _, reply)| reply.body).collect()
}

/// Takes a piece out of a reply, doubles one, or changes some bytes.
fn spoilt(body: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..=random.usize(..3) {
        let (from, to) = (random.usize(..=body.len()), random.usize(..=body.len()));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 40));
        match random.u8(..4) {
            0 => body.truncate(from),
            1 => drop(body.drain(from..to)),
            2 => body.extend_from_within(from..to),
            _ => body[from..to].iter_mut().for_each(|byte| {
                *byte = *random.choice(b"{}[]\",:0-e \\tnull\xff").expect("there are some");
            }),
        }
    }
    body
}

#[test]
fn no_reply_makes_a_reader_panic_or_speak_of_others() {
    let bodies = every_reply();
    assert!(bodies.len() > 60, "{}", bodies.len());
    let clients = ["dev-1", "dev-rest", "nope", "ABCDEFGHIJdev"].map(str::to_owned);
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for url in super::hostile::urls() {
        let mut endpoint = endpoint(&url.replace("HOST", "h"));
        endpoint.token = url.starts_with("huawei").then(|| "t".into());
        let api = of(&endpoint).unwrap_or_else(|failure| panic!("{url}: {failure}"));
        for body in bodies.iter().flat_map(|body| std::iter::repeat_n(body, 20)) {
            let body = spoilt(body, &mut random);
            let status = *random.choice(&[200, 200, 200, 404, 400, 500]).expect("there are some");
            let reply = Reply { status, body, ..Reply::default() };
            for mut question in api.begin(&clients).into_iter().chain(api.list()) {
                question.page.number = random.u32(..3);
                question.page.total = random.bool().then_some(2);
                let Ok(reading) = api.read(&question, &reply) else { continue };
                for found in &reading.found {
                    assert!(question.is_about(&found.client), "seed {seed}: {url}: {found:?}");
                }
            }
        }
    }
}
