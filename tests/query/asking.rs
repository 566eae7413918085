//! What goes over the wire: methods, paths, headers, signatures; how often, and how many at once.

use super::{ask, ask_endpoint, ask_within, endpoint, failed, only};
use crate::support::http::{Answer, Request, Server};
use base64::Engine as _;
use presence::query::IN_FLIGHT;
use presence::query::exchange::encode;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Ids that a careless client or server would read as something else.
const STRANGE: [&str; 12] = [
    "a/b",
    "a%2Fb",
    "a b",
    "a+b",
    "#",
    "a?b=c&d",
    "开关",
    ".",
    "..",
    "a\\b",
    "../admin",
    "é\u{1}~;=",
];

/// Undoes percent-encoding, and nothing else.
pub fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().expect("it is UTF-8").into_owned()
}

/// Answers as EMQX 5 does: `on…` is online, all else has no session.
pub fn emqx5(request: &Request) -> Answer {
    let Some(id) = request.target.strip_prefix("/api/v5/clients/") else {
        return Answer::status(404, "no such path");
    };
    assert!(!id.contains(['/', '?', '#', ' ', '+']), "{id}");
    let body = serde_json::json!({ "clientid": decode(id), "connected": true });
    if decode(id).starts_with("off") {
        return Answer::status(404, r#"{"code":"CLIENTID_NOT_FOUND","message":""}"#);
    }
    Answer::json(&body.to_string())
}

#[test]
fn ids_arrive_as_they_are() {
    let server = Server::start(emqx5);
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &STRANGE);
    assert!(asked.failures.is_empty(), "{asked:?}");
    assert!(asked.told.iter().all(|told| told.online == Some(true)), "{asked:?}");
    let told: BTreeSet<&str> = asked.told.iter().map(|told| &*told.client).collect();
    assert_eq!(told, BTreeSet::from(STRANGE));
    let sent: BTreeSet<String> = server
        .seen()
        .iter()
        .map(|request| decode(request.target.strip_prefix("/api/v5/clients/").expect("a client")))
        .collect();
    assert_eq!(sent, STRANGE.map(str::to_owned).into());
}

#[test]
fn ids_arrive_in_queries_as_they_are() {
    let server = Server::start(|request| {
        let start = "/connz?auth=1&state=open&mqtt_client=";
        let id = request.target.strip_prefix(start).expect("it asks for open ones");
        let row = serde_json::json!({ "cid": 1, "mqtt_client": decode(id) });
        let body = serde_json::json!({ "server_id": "S", "limit": 1024, "connections": [row] });
        Answer::json(&body.to_string())
    });
    let asked = ask(&format!("nats+http://127.0.0.1:{}", server.port), &STRANGE);
    assert!(asked.failures.is_empty(), "{asked:?}");
    assert_eq!(asked.told.len(), STRANGE.len());
    assert!(asked.told.iter().all(|told| told.online == Some(true)), "{asked:?}");
}

#[test]
fn what_cannot_stand_in_a_header_is_a_failure_of_its_own() {
    let server = Server::start(|request| {
        assert_eq!(request.header("client_id"), "a/b c?");
        Answer::status(404, "")
    });
    let url = format!("bifromq+http://127.0.0.1:{}?tenant=t&user=u", server.port);
    let asked = ask(&url, &["a/b c?", "开关", "a\r\nb: c", " a"]);
    assert_eq!((asked.told.len(), asked.requests), (1, 1));
    assert_eq!(asked.failures.len(), 3, "{asked:?}");
    for (client, failure) in &asked.failures {
        assert_ne!(client.as_deref(), Some("a/b c?"));
        assert!(failure.to_string().contains("visible ASCII"), "{failure}");
    }
}

#[test]
fn the_prefix_stands_before_the_path_and_credentials_in_a_header() {
    let server = Server::start(emqx5_below("/proxy/x"));
    let url = format!("emqx5+http://key:s%40cret@127.0.0.1:{}/proxy/x/", server.port);
    let asked = ask(&url, &["dev-1"]);
    let told = only(&asked);
    assert_eq!((told.online, told.cached), (Some(true), false));
    assert_eq!(asked.source, format!("emqx5 at 127.0.0.1:{}", server.port));
    let [request] = &server.seen()[..] else { panic!("one request is enough") };
    assert_eq!((&*request.method, &*request.target), ("GET", "/proxy/x/api/v5/clients/dev-1"));
    assert_eq!(request.header("authorization"), "Basic a2V5OnNAY3JldA==");
    assert_eq!(request.header("host"), format!("127.0.0.1:{}", server.port));
    let mut bearer = endpoint(&url);
    bearer.token = Some("t0k".into());
    only(&ask_endpoint(&bearer, &["dev-1"], Duration::from_mins(1)));
    assert_eq!(server.seen()[1].header("authorization"), "Bearer t0k");
    assert!(!format!("{bearer:?}").contains("t0k"));
}

fn emqx5_below(prefix: &'static str) -> impl Fn(&Request) -> Answer {
    move |request| {
        let mut request = request.clone();
        request.target = request.target.strip_prefix(prefix).expect("it is below").to_owned();
        emqx5(&request)
    }
}

#[test]
fn many_are_asked_so_many_at_once() {
    let server = Server::start(|request| {
        // Long enough for the others to come, on any machine that has threads.
        std::thread::sleep(Duration::from_millis(30));
        emqx5(request)
    });
    let ids: Vec<String> = (0..50).map(|n| format!("{}-{n}", ["on", "off"][n % 2])).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).chain(["on-0", "on-0"]).collect();
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &ids);
    assert!(asked.failures.is_empty(), "{asked:?}");
    assert_eq!((asked.told.len(), asked.requests, server.seen().len()), (50, 50, 50));
    for told in &asked.told {
        assert_eq!(told.online, Some(told.client.starts_with("on")), "{told:?}");
    }
    assert!(asked.told.is_sorted_by_key(|told| told.client.clone()));
    assert!(server.most_at_once() <= IN_FLIGHT, "{}", server.most_at_once());
    // A hundred a second, the first at once.
    assert!(asked.took >= Duration::from_millis(490), "{:?}", asked.took);
}

#[test]
fn one_listing_is_enough_for_all() {
    let server = Server::start(|request| {
        assert_eq!(request.target, "/api/v4/clients");
        Answer::json(
            r#"{"code":0,"data":[{"client_id":"a","conn_state":"connected"},
                {"client_id":"b","conn_state":"disconnected"},{"client_id":"x","conn_state":"connected"}]}"#,
        )
    });
    let asked = ask(&format!("nanomq+http://127.0.0.1:{}", server.port), &["c", "b", "a"]);
    assert_eq!(asked.requests, 1);
    let told: Vec<_> = asked.told.iter().map(|told| (&*told.client, told.online)).collect();
    assert_eq!(told, [("a", Some(true)), ("b", Some(false)), ("c", Some(false))]);
}

/// Answers as RabbitMQ does, with a list that can change while it is read: `pages` are those of the first
/// reading, and of later ones the last of them.
pub fn rabbitmq(pages: Vec<Vec<(u64, &'static [&'static str])>>) -> impl Fn(&Request) -> Answer {
    let reading = Mutex::new(0);
    move |request| {
        let query = request.target.strip_prefix("/api/connections?").expect("it lists connections");
        let page: usize = query
            .strip_prefix("page=")
            .expect("in pages")
            .split('&')
            .next()
            .expect("a number")
            .parse()
            .expect("a number");
        let mut reading = reading.lock().expect("nobody panics with it");
        if page == 1 {
            *reading += 1;
        }
        let pages = &pages[(*reading).min(pages.len()) - 1];
        let (total, ids) = pages[page - 1];
        let row = |id: &&str| serde_json::json!({ "protocol": "MQTT 5-0", "name": format!("{id} -> b"), "client_properties": { "client_id": id } });
        let items: Vec<_> = ids.iter().map(row).collect();
        let body = serde_json::json!({ "page": page, "page_count": pages.len(), "total_count": total, "items": items });
        Answer::json(&body.to_string())
    }
}

#[test]
fn pages_are_read_to_their_end() {
    let pages = vec![vec![(4, &["a", "b"][..]), (4, &["x", "c"][..])]];
    let server = Server::start(rabbitmq(pages));
    let url = format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port);
    let asked = ask(&url, &["a", "c", "d"]);
    let told: Vec<_> = asked.told.iter().map(|told| told.online).collect();
    // Two pages, and twice more for who is missing: the list lags.
    assert_eq!((told, asked.requests), (vec![Some(true), Some(true), Some(false)], 6));
    let target = &server.seen()[1].target;
    assert!(
        target.starts_with("/api/connections?page=2&page_size=500&sort=connected_at&columns="),
        "{target}"
    );
    // Who is found on the first page need not be looked for on the second.
    assert_eq!(ask(&url, &["a", "b"]).requests, 1);
}

#[test]
fn a_list_that_moved_is_read_again() {
    // `c` slips from the second page to the first while they are read.
    let pages = vec![
        vec![(4, &["a", "b"][..]), (3, &["d"][..])],
        vec![(3, &["b", "c"][..]), (3, &["d"][..])],
    ];
    let server = Server::start(rabbitmq(pages));
    let asked = ask(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port), &["a", "c"]);
    let told: Vec<_> = asked.told.iter().map(|told| (&*told.client, told.online)).collect();
    assert_eq!(told, [("a", Some(true)), ("c", Some(true))]);
    assert_eq!(asked.requests, 3);
}

#[test]
fn who_is_in_neither_of_two_lists_is_in_none() {
    let pages = vec![vec![(4, &["a", "b"][..]), (3, &["d"][..])]];
    let server = Server::start(rabbitmq(pages));
    let asked = ask(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port), &["c"]);
    let told = only(&asked);
    assert_eq!((told.online, asked.requests), (Some(false), 12));
    assert!(told.why.as_deref().is_some_and(|why| why.contains("either of two lists")), "{told:?}");
}

#[test]
fn who_is_missing_from_a_list_that_lags_is_looked_for_again() {
    let pages = || vec![vec![(1, &["x"][..])], vec![(2, &["x", "a"][..])]];
    let server = Server::start(rabbitmq(pages()));
    let url = format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port);
    let asked = ask(&url, &["a"]);
    assert_eq!((only(&asked).online, asked.requests), (Some(true), 2));
    let server = Server::start(rabbitmq(pages()));
    let url = format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port);
    let asked = ask_within(&url, &["a"], Duration::from_secs(2));
    let told = only(&asked);
    assert_eq!((told.online, asked.requests), (None, 1));
    assert!(told.why.as_deref().is_some_and(|why| why.contains("6 s late")), "{told:?}");
}

#[test]
fn several_connections_of_one_client_are_one_answer() {
    let pages = vec![vec![(2, &["a", "a"][..])]];
    let server = Server::start(rabbitmq(pages));
    let asked = ask(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port), &["a"]);
    let told = only(&asked);
    assert_eq!(told.online, Some(true));
    assert_eq!(told.details.notes, ["it is listed once more, with connection a -> b"]);
}

#[test]
fn patience_is_shown_once() {
    for (waits, answered) in [(1, true), (2, false)] {
        let refused = AtomicU32::new(0);
        let server = Server::start(move |request| {
            if refused.fetch_add(1, Ordering::SeqCst) < waits {
                return Answer::Whole(429, vec![("retry-after", "0".to_owned())], Vec::new());
            }
            emqx5(request)
        });
        let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &["dev-1"]);
        assert_eq!(asked.requests, 2);
        if answered {
            only(&asked);
        } else {
            assert!(failed(&asked).contains("status 429"), "{asked:?}");
        }
    }
}

#[test]
fn patience_ends_at_the_deadline() {
    let server =
        Server::start(|_| Answer::Whole(429, vec![("retry-after", "3600".to_owned())], Vec::new()));
    let url = format!("emqx5+http://127.0.0.1:{}", server.port);
    let asked = ask_within(&url, &["dev-1", "dev-2"], Duration::from_secs(30));
    assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);
    assert!(failed(&asked).contains("asks for 3600 s of patience"), "{asked:?}");
}

#[test]
fn jolokia_is_asked_as_its_pages_ask() {
    let server = Server::start(|request| {
        assert_eq!(request.header("origin"), "http://localhost");
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!((&*request.method, &*request.target), ("POST", "/console/jolokia/"));
        Answer::json(
            r#"{"status":200,"value":"{\"data\":[{\"protocol\":\"MQTT5\",\"clientID\":\"a\"}],\"count\":1}"}"#,
        )
    });
    let url = format!("artemis+http://admin:admin@127.0.0.1:{}", server.port);
    assert_eq!(only(&ask(&url, &["a"])).online, Some(true));
}

/// Returns what `openssl` makes of a text and a key.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub fn sha256(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}

#[test]
fn requests_to_aws_are_signed_over_what_is_sent() {
    let server = Server::start(|request| {
        let day = &request.header("x-amz-date")[..8];
        let (path, query) = request.target.split_once('?').expect("it has a query");
        let canonical = format!(
            "GET\n{}\n{query}\nhost:{}\nx-amz-date:{}\nx-amz-security-token:tok\n\nhost;x-amz-date;x-amz-security-token\n{}",
            path.replace('%', "%25"),
            request.header("host"),
            request.header("x-amz-date"),
            sha256("")
        );
        let scope = format!("{day}/eu-west-1/iotdata/aws4_request");
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            request.header("x-amz-date"),
            sha256(&canonical)
        );
        let key = ["eu-west-1", "iotdata", "aws4_request"]
            .iter()
            .fold(hmac(b"AWS4shh", day), |key, part| hmac(&key, part));
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AK/{scope}, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature={}",
            hex(&hmac(&key, &text))
        );
        if request.header("authorization") != expected {
            return Answer::status(403, r#"{"message":"signature"}"#);
        }
        Answer::json(r#"{"connected":false,"clientId":"a/b","disconnectReason":"CLIENT_ERROR"}"#)
    });
    let mut aws =
        endpoint(&format!("aws+http://AK:shh@127.0.0.1:{}/x?region=eu-west-1", server.port));
    aws.token = Some("tok".into());
    let asked = ask_endpoint(&aws, &["a/b"], Duration::from_mins(1));
    assert_eq!(only(&asked).online, Some(false));
    let target = &server.seen()[0].target;
    assert_eq!(target, "/x/connections/a%2Fb?includeSocketInformation=true");
}

#[test]
fn requests_to_tencent_are_signed_over_what_is_sent() {
    let server = Server::start(|request| {
        let seconds: i64 = request.header("x-tc-timestamp").parse().expect("a time");
        let day = jiff::Timestamp::from_second(seconds).expect("a time").strftime("%Y-%m-%d");
        let day = day.to_string();
        let canonical = format!(
            "POST\n/\n\ncontent-type:{}\nhost:{}\n\ncontent-type;host\n{}",
            request.header("content-type"),
            request.header("host"),
            sha256(&request.body)
        );
        let scope = format!("{day}/mqtt/tc3_request");
        let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", sha256(&canonical));
        let key = ["mqtt", "tc3_request"]
            .iter()
            .fold(hmac(b"TC3shh", &day), |key, part| hmac(&key, part));
        let signature = hex(&hmac(&key, &text));
        assert!(request.header("authorization").ends_with(&signature), "{request:?}");
        assert_eq!(request.header("x-tc-action"), "DescribeClientList");
        assert_eq!(request.header("x-tc-version"), "2024-05-16");
        assert_eq!(request.header("x-tc-region"), "ap-guangzhou");
        let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!((&body["InstanceId"], &body["ClientId"]), (&"mqtt-1".into(), &"a \"b".into()));
        Answer::json(r#"{"Response":{"Clients":[],"RequestId":"1"}}"#)
    });
    let url = format!(
        "tencent-tdmq+http://id:shh@127.0.0.1:{}?instance=mqtt-1&region=ap-guangzhou",
        server.port
    );
    assert_eq!(only(&ask(&url, &["a \"b"])).online, Some(false));
}

#[test]
fn requests_to_azure_are_signed_for_the_host() {
    let server = Server::start(|request| {
        let value = request.header("authorization").strip_prefix("SharedAccessSignature ");
        let parts: Vec<_> = value
            .expect("it is one")
            .split('&')
            .map(|part| part.split_once('=').expect("a pair"))
            .collect();
        let [("sr", resource), ("sig", signature), ("se", expiry), ("skn", "service")] = parts[..]
        else {
            panic!("{parts:?}")
        };
        assert_eq!(resource, encode(request.header("host")));
        let expected = hmac(b"secret", &format!("{resource}\n{expiry}"));
        let expected = base64::prelude::BASE64_STANDARD.encode(expected);
        assert_eq!(decode(signature), expected);
        assert_eq!(request.target, "/twins/a%23b?api-version=2021-04-12");
        Answer::json(r#"{"deviceId":"a#b","connectionState":"Connected"}"#)
    });
    let url = format!("azure+http://service:c2VjcmV0@127.0.0.1:{}", server.port);
    let asked = ask(&url, &["a#b"]);
    let told = only(&asked);
    assert_eq!((told.online, told.cached, asked.cached), (Some(true), true, true));
}
