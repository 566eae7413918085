//! Lists of everybody: their pages, what moves between them, and where they end too early.

use super::asking::rabbitmq;
use super::{ask, list, list_within};
use crate::support::http::{Answer, Request, Server};
use presence::query::{Asked, Details};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Returns who is online, who is not, and of whom it is not known.
fn told(asked: &Asked) -> Vec<(&str, Option<bool>)> {
    asked.told.iter().map(|told| (&*told.client, told.online)).collect()
}

/// Returns why a list is not complete.
#[track_caller]
fn incomplete(asked: &Asked) -> String {
    assert!(!asked.is_complete(), "{asked:?}");
    let [(None, failure)] = &asked.failures[..] else { panic!("{asked:?}") };
    failure.to_string()
}

#[test]
fn one_page_is_read_once() {
    let server = Server::start(rabbitmq(vec![vec![(2, &["b", "a"][..])]]));
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(true))]);
    assert_eq!((asked.requests, server.seen().len()), (1, 1));
    assert!(asked.told[0].at.0 > 1_700_000_000_000, "{asked:?}");
}

#[test]
fn several_pages_are_read_twice() {
    // `c` slips from the second page to the first while they are read, and `e` comes: the length stays.
    let pages = vec![
        vec![(4, &["a", "b"][..]), (4, &["d", "e"][..])],
        vec![(4, &["b", "c"][..]), (4, &["d", "e"][..])],
    ];
    let server = Server::start(rabbitmq(pages));
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    let ids: Vec<_> = asked.told.iter().map(|told| &*told.client).collect();
    assert_eq!((ids, asked.requests), (vec!["a", "b", "c", "d", "e"], 4));
    // Two readings are no two connections.
    assert!(asked.told.iter().all(|told| told.details.notes.is_empty()), "{asked:?}");
}

#[test]
fn a_list_that_became_shorter_is_read_again_from_the_start() {
    let reading = AtomicU32::new(0);
    let server = Server::start(move |request| match reading.fetch_add(1, Ordering::SeqCst) {
        1 => Answer::status(400, r#"{"error":"page_out_of_range","reason":"Page out of range"}"#),
        first => {
            assert!(request.target.contains("?page=1&"), "{request:?}");
            let pages = if first == 0 { 2 } else { 1 };
            Answer::json(&format!(
                r#"{{"page_count":{pages},"total_count":1,"items":[{{"protocol":"MQTT 5-0","client_properties":{{"client_id":"a{first}"}}}}]}}"#
            ))
        }
    });
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("a0", Some(true)), ("a2", Some(true))]);
    assert_eq!(asked.requests, 3);
}

#[test]
fn what_was_read_before_a_failure_is_told() {
    let pages = rabbitmq(vec![vec![(4, &["a", "b"][..]), (4, &[][..])]]);
    let server = Server::start(move |request| {
        if request.target.contains("?page=2&") {
            return Answer::status(500, "");
        }
        pages(request)
    });
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(true))]);
    let why = incomplete(&asked);
    assert!(why.contains("could not list all clients") && why.contains("status 500"), "{why}");
}

#[test]
fn a_deadline_cuts_a_list() {
    let pages = rabbitmq(vec![vec![(4, &["a", "b"][..]), (4, &[][..])]]);
    let server = Server::start(move |request| {
        if request.target.contains("?page=2&") {
            return Answer::Silence;
        }
        pages(request)
    });
    let url = format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port);
    let asked = list_within(&url, Duration::from_secs(3));
    assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(true))]);
    let why = incomplete(&asked);
    assert!(why.contains("not read to its end in time"), "{why}");
    assert!(asked.took < Duration::from_secs(20), "{asked:?}");
}

#[test]
fn who_asks_for_patience_between_two_pages_gets_it() {
    let refused = AtomicU32::new(0);
    let pages = rabbitmq(vec![vec![(2, &["a"][..]), (2, &["b"][..])]]);
    let server = Server::start(move |request| {
        if request.target.contains("?page=2&") && refused.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Whole(429, vec![("retry-after", "0".to_owned())], Vec::new());
        }
        pages(request)
    });
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(true))]);
    assert_eq!(asked.requests, 5);
}

#[test]
fn a_page_without_an_end_is_no_list() {
    let server = Server::start(|_| Answer::Flood(64 << 20));
    let asked = list(&format!("rabbitmq+http://u:p@127.0.0.1:{}", server.port));
    assert!(asked.told.is_empty(), "{asked:?}");
    let why = incomplete(&asked);
    assert!(why.contains("longer than 16 MiB"), "{why}");
}

#[test]
fn who_cannot_list_says_so_and_asks_nobody() {
    let server = Server::start(|_| Answer::status(500, ""));
    let url = format!("bifromq+http://127.0.0.1:{}?tenant=t&user=u", server.port);
    let asked = list(&url);
    let why = incomplete(&asked);
    assert!(why.contains("by their ids only"), "{why}");
    assert_eq!((asked.requests, server.seen().len()), (0, 0));
}

#[test]
fn sessions_without_a_connection_are_listed_as_offline() {
    let server = Server::start(|request| {
        assert_eq!((&*request.method, &*request.target), ("GET", "/api/v4/clients"));
        Answer::json(
            r#"{"code":0,"data":[{"client_id":"b","conn_state":"disconnected"},
                {"client_id":"a","conn_state":"connected"},{"client_id":"","conn_state":"connected"},
                {"client_id":"c","conn_state":"?"}]}"#,
        )
    });
    let asked = list(&format!("nanomq+http://127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(false)), ("c", None)]);
}

/// Returns the number that a query has for a name.
fn asked_for(request: &Request, name: &str) -> Option<usize> {
    let (_, query) = request.target.split_once('?')?;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found.map(|text| text.parse().expect("a number"))
}

/// Answers as EMQX 5 does, for clients of which every other one is online.
fn emqx5(clients: Vec<String>) -> impl Fn(&Request) -> Answer {
    move |request| {
        assert_eq!(request.method, "GET");
        let row = |client: &String, n: usize| {
            serde_json::json!({
                "clientid": client, "connected": n.is_multiple_of(2), "ip_address": "192.0.2.1", "port": n,
                "connected_at": "2025-10-09T08:53:20.000+00:00", "keepalive": 60, "proto_ver": 5,
            })
        };
        if let Some(id) = request.target.strip_prefix("/api/v5/clients/") {
            let id = percent_encoding::percent_decode_str(id).decode_utf8().expect("it is UTF-8");
            return match clients.iter().position(|client| *client == id) {
                Some(n) => Answer::json(&row(&clients[n], n).to_string()),
                None => Answer::status(404, r#"{"code":"CLIENTID_NOT_FOUND","message":""}"#),
            };
        }
        assert!(request.target.starts_with("/api/v5/clients?page="), "{request:?}");
        let page = asked_for(request, "page").expect("a page");
        let limit = asked_for(request, "limit").expect("a limit");
        assert!((1..=10_000).contains(&limit), "{limit}");
        let rows = clients.iter().enumerate().skip((page - 1) * limit).take(limit);
        let data: Vec<_> = rows.map(|(n, client)| row(client, n)).collect();
        let has_next = page * limit < clients.len();
        let meta = serde_json::json!({ "page": page, "limit": limit, "count": clients.len(), "hasnext": has_next });
        Answer::json(&serde_json::json!({ "data": data, "meta": meta }).to_string())
    }
}

fn named(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("dev-{n:05}")).collect()
}

#[test]
fn ten_thousand_clients_are_listed() {
    let server = Server::start(emqx5(named(10_000)));
    let asked = list(&format!("emqx5+http://key:secret@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (10_000, 20));
    let online = asked.told.iter().filter(|told| told.online == Some(true)).count();
    assert_eq!(online, 5_000);
    assert_eq!(asked.told[7].details.address.as_deref(), Some("192.0.2.1:7"));
    for request in server.seen() {
        assert_eq!(request.header("authorization"), "Basic a2V5OnNlY3JldA==");
        assert!(request.target.ends_with("&limit=1000"), "{request:?}");
    }
}

#[test]
fn whatever_a_client_calls_itself_is_listed() {
    let ids = ["a/b", "../admin", "开关", "a\u{1}\"", "~.*", "#", " ", "é"].map(str::to_owned);
    let server = Server::start(emqx5(ids.to_vec()));
    let asked = list(&format!("emqx5+http://127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    let told: BTreeSet<_> = asked.told.iter().map(|told| told.client.clone()).collect();
    assert_eq!(told, ids.into());
}

#[test]
fn emqx4_lists_with_names_of_its_own() {
    let server = Server::start(|request| {
        assert_eq!(asked_for(request, "_limit"), Some(1_000));
        assert!(request.target.starts_with("/api/v4/clients?_page="), "{request:?}");
        let page = asked_for(request, "_page").expect("a page");
        // 4.0 says how many there are, and not whether there is another page.
        Answer::json(&format!(
            r#"{{"code":0,"meta":{{"page":{page},"limit":1000,"count":1001}},"data":[
                {{"clientid":"c{page}","connected":{}}}]}}"#,
            page == 1
        ))
    });
    let asked = list(&format!("emqx4+http://id:secret@127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("c1", Some(true)), ("c2", Some(false))]);
    assert_eq!(asked.requests, 4);
    let server = Server::start(|_| Answer::json(r#"{"code":108,"message":"no"}"#));
    let why = incomplete(&list(&format!("emqx4+http://id:secret@127.0.0.1:{}", server.port)));
    assert!(why.contains("code 108"), "{why}");
}

#[test]
fn hivemq_names_clients_and_is_asked_about_each() {
    let server = Server::start(|request| match &*request.target {
        "/api/v1/mqtt/clients?limit=2500" => Answer::json(
            r#"{"items":[{"id":"on/1"},{"id":"off"}],"_links":{"next":"http://elsewhere.example/api/v1/mqtt/clients?cursor=a-Mv%2BEl=&limit=2500"}}"#,
        ),
        "/api/v1/mqtt/clients?limit=2500&cursor=a-Mv%2BEl%3D" => {
            Answer::json(r#"{"items":[{"id":"gone"}]}"#)
        }
        "/api/v1/mqtt/clients/on%2F1" => {
            Answer::json(r#"{"client":{"id":"on/1","connected":true}}"#)
        }
        "/api/v1/mqtt/clients/off" => Answer::json(r#"{"client":{"id":"off","connected":false}}"#),
        "/api/v1/mqtt/clients/gone" => Answer::status(
            404,
            r#"{"errors":[{"title":"Resource not found","detail":"Resource with id 'gone' not found"}]}"#,
        ),
        target => panic!("{target}"),
    });
    let asked = list(&format!("hivemq+http://127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("gone", Some(false)), ("off", Some(false)), ("on/1", Some(true))]);
    // Two pages, twice, and one question each.
    assert_eq!(asked.requests, 7);
}

#[test]
fn a_cursor_that_became_invalid_cuts_a_list() {
    let server = Server::start(|request| {
        if request.target.contains("cursor=") {
            return Answer::status(410, r#"{"errors":[{"title":"Cursor not valid anymore"}]}"#);
        }
        if request.target.ends_with("/a") {
            return Answer::status(500, "");
        }
        Answer::json(r#"{"items":[{"id":"a"}],"_links":{"next":"/api/v1/mqtt/clients?cursor=x"}}"#)
    });
    let asked = list(&format!("hivemq+http://127.0.0.1:{}", server.port));
    assert_eq!(told(&asked), [("a", None)]);
    let failures: Vec<_> = asked.failures.iter().map(|(_, failure)| failure.to_string()).collect();
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(failures[0].contains("Cursor not valid anymore"), "{failures:?}");
    assert!(failures[1].contains("about `a`"), "{failures:?}");
}

#[test]
fn vernemq_lists_with_bounds_of_ours() {
    let server = Server::start(|request| {
        assert_eq!(
            request.target,
            "/api/v1/session/show?--client_id&--mountpoint=m%2F1&--is_online&--session_started_at\
             &--peer_host&--peer_port&--user&--node&--protocol&--clean_session&--limit=50000&--rowtimeout=1000"
        );
        Answer::json(
            r#"{"type":"table","table":[
                {"client_id":"~a","is_online":true,"peer_host":"192.0.2.10","peer_port":50402,"node":"n1"},
                {"client_id":"b","is_online":false,"peer_host":null,"peer_port":null,"node":"n1"}]}"#,
        )
    });
    let url = format!("vernemq+http://key@127.0.0.1:{}?mountpoint=m/1", server.port);
    let asked = list(&url);
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!(told(&asked), [("b", Some(false)), ("~a", Some(true))]);
    assert_eq!(asked.requests, 1);
}

#[test]
fn a_node_that_lists_all_it_was_asked_for_may_have_more() {
    let rows = (0..50_001).map(|n| {
        let node = if n < 50_000 { "n1" } else { "n2" };
        format!(r#"{{"client_id":"c{n}","is_online":true,"node":"{node}"}}"#)
    });
    let body = format!(r#"{{"table":[{}]}}"#, rows.collect::<Vec<_>>().join(","));
    let server = Server::start(move |_| Answer::json(&body));
    let asked = list(&format!("vernemq+http://key@127.0.0.1:{}", server.port));
    assert_eq!(asked.told.len(), 50_001);
    let why = incomplete(&asked);
    assert!(why.contains("lists 50000 sessions") && why.contains("may be more"), "{why}");
}

#[test]
fn rmqtt_lists_as_many_as_it_counts() {
    for (stats, expected) in [
        (r#"{"nodes":{"1":{"name":"n","status":"Running"}},"stats":{"sessions.count":2}}"#, None),
        (r#"{"nodes":{"1":{"name":"n","running":true}},"stats":{"sessions.count":1}}"#, None),
        (
            r#"{"nodes":{"1":{"status":"Running"}},"stats":{"sessions.count":3}}"#,
            Some("lists 2 of 3 sessions"),
        ),
        (
            r#"{"nodes":{"1":{"status":"Running"},"2":{"status":"Stop"}},"stats":{"sessions.count":2}}"#,
            Some("of its 2 nodes 1 are running"),
        ),
        (r#"{"nodes":{},"stats":{}}"#, Some("`sessions.count`")),
    ] {
        let server = Server::start(move |request| match &*request.target {
            "/api/v1/clients?_limit=10000" => Answer::json(
                r#"[{"clientid":"a","connected":true,"node_id":1,"ip_address":"192.0.2.1","port":1},
                    {"clientid":"","connected":false},{"clientid":"b","connected":false,"node_id":1}]"#,
            ),
            "/api/v1/stats/sum" => Answer::json(stats),
            target => panic!("{target}"),
        });
        let asked = list(&format!("rmqtt+http://127.0.0.1:{}", server.port));
        assert_eq!(told(&asked), [("a", Some(true)), ("b", Some(false))]);
        assert_eq!(asked.requests, 2);
        match expected {
            None => assert!(asked.is_complete(), "{asked:?}"),
            Some(expected) => {
                let why = incomplete(&asked);
                assert!(why.contains(expected), "{why}");
            }
        }
    }
}

/// Answers as NATS does, for connections of which every other one is of MQTT.
fn nats(connections: usize) -> impl Fn(&Request) -> Answer {
    move |request| {
        let start = "/connz?auth=1&state=open&sort=cid&offset=";
        assert!(request.target.starts_with(start), "{request:?}");
        let offset = asked_for(request, "offset").expect("an offset");
        let limit = asked_for(request, "limit").expect("a limit");
        let rows: Vec<_> = (offset..connections)
            .take(limit)
            .map(|cid| match cid % 2 {
                0 => serde_json::json!({ "cid": cid, "type": "mqtt", "mqtt_client": format!("c{cid}") }),
                _ => serde_json::json!({ "cid": cid, "type": "nats" }),
            })
            .collect();
        let body = serde_json::json!({
            "server_id": "S", "offset": offset, "limit": limit, "total": connections,
            "num_connections": rows.len(), "connections": rows,
        });
        Answer::json(&body.to_string())
    }
}

#[test]
fn nats_lists_open_connections_from_one_number_to_the_next() {
    let server = Server::start(nats(2_500));
    let asked = list(&format!("nats+http://127.0.0.1:{}", server.port));
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (1_250, 6));
    assert!(asked.told.iter().all(|told| told.online == Some(true)));
    let offsets: Vec<_> = server.seen().iter().map(|one| asked_for(one, "offset")).collect();
    assert_eq!(offsets[..3], [Some(0), Some(1_024), Some(2_048)]);
    let old = r#"{"server_id":"S","total":1,"connections":[{"cid":1,"type":"mqtt"}]}"#;
    let server = Server::start(|_| Answer::json(old));
    let why = incomplete(&list(&format!("nats+http://127.0.0.1:{}", server.port)));
    assert!(why.contains("does not name its MQTT clients"), "{why}");
}

#[test]
fn recorded_connections_of_nats_are_a_list() {
    let recorded = include_str!("../fixtures/api/nats-server-2.15.2.rest.jsonl");
    let lists: Vec<String> = recorded
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|line| line["command"].as_str().is_some_and(|text| text.ends_with("auth=1'")))
        .map(|line| line["stdout"].as_str().expect("a text").to_owned())
        .collect();
    let expected: [&[&str]; 3] = [&[], &["dev-rest", "dev-rest-persist"], &[]];
    assert_eq!(lists.len(), expected.len());
    for (body, expected) in lists.into_iter().zip(expected) {
        let server = Server::start(move |_| Answer::json(&body));
        let asked = list(&format!("nats+http://127.0.0.1:{}", server.port));
        assert!(asked.is_complete(), "{asked:?}");
        let ids: Vec<_> = asked.told.iter().map(|told| &*told.client).collect();
        assert_eq!(ids, expected);
    }
}

fn as_strs(clients: &[String]) -> Vec<&str> {
    clients.iter().map(String::as_str).collect()
}

/// Returns the answers without when they were given.
fn answers(asked: &Asked) -> Vec<(&str, Option<bool>, Option<&str>, &Details)> {
    let told = asked.told.iter();
    told.map(|told| (&*told.client, told.online, told.why.as_deref(), &told.details)).collect()
}

#[test]
fn a_fleet_is_answered_alike_by_a_list_and_one_by_one() {
    // 60 that the broker knows, some of them strange, and 20 that it does not.
    let mut known = named(56);
    known.extend(["a/b", "../admin", "开关", "~.*"].map(str::to_owned));
    let mut clients = known.clone();
    clients.extend((0..20).map(|n| format!("nope-{n}")));
    let server = Server::start(emqx5(known));
    let url = format!("emqx5+http://127.0.0.1:{}", server.port);
    let by_list = ask(&url, &as_strs(&clients));
    assert!(by_list.is_complete(), "{by_list:?}");
    assert_eq!(by_list.requests, 1);
    // So few are asked about one by one.
    let halves = clients.chunks(40).map(|half| ask(&url, &as_strs(half)));
    let halves: Vec<Asked> = halves.collect();
    assert!(halves.iter().all(|half| half.requests == 40), "{halves:?}");
    let mut one_by_one: Vec<_> = halves.iter().flat_map(answers).collect();
    one_by_one.sort_by_key(|answer| answer.0);
    assert_eq!(answers(&by_list), one_by_one);
}

#[test]
fn whoever_is_asked_about_twice_or_has_no_id_is_told_so_in_fleets_too() {
    let known = named(60);
    let server = Server::start(emqx5(known.clone()));
    let mut clients = as_strs(&known);
    clients.extend(["dev-00001", "", ""]);
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &clients);
    assert_eq!((asked.told.len(), asked.requests), (60, 1));
    let [(Some(client), failure)] = &asked.failures[..] else { panic!("{asked:?}") };
    assert!(client.is_empty() && failure.to_string().contains("empty client id"), "{failure}");
}

#[test]
fn a_list_that_is_longer_than_the_fleet_is_left_after_its_first_page() {
    let known = named(5_000);
    let server = Server::start(emqx5(known.clone()));
    let clients: Vec<&str> = known.iter().step_by(50).map(String::as_str).collect();
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &clients);
    assert!(asked.is_complete(), "{asked:?}");
    // 20 of them were on that page.
    assert_eq!((asked.told.len(), asked.requests), (100, 1 + 80));
}

#[test]
fn a_large_fleet_takes_as_many_requests_as_there_are_pages() {
    let known = named(10_000);
    let server = Server::start(emqx5(known.clone()));
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &as_strs(&known));
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (10_000, 10));
}

#[test]
fn the_few_who_are_missing_from_several_pages_are_asked_about() {
    let known = named(3_000);
    let server = Server::start(emqx5(known.clone()));
    let mut clients = as_strs(&known);
    clients.extend(["nope-1", "nope-2", "nope-3"]);
    let url = format!("emqx5+http://127.0.0.1:{}", server.port);
    let asked = ask(&url, &clients);
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (3_003, 3 + 3));
    // Many are looked for on all pages again.
    let nobody: Vec<String> = (0..100).map(|n| format!("nope-{n}")).collect();
    clients.extend(nobody.iter().map(String::as_str));
    let asked = ask(&url, &clients);
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (3_100, 3 + 3));
    let offline = asked.told.iter().filter(|told| told.details.session == Some(false)).count();
    assert_eq!(offline, 100);
}

#[test]
fn who_slips_from_a_page_to_one_that_was_read_is_found() {
    // `dev-01000` is the first of the second page until somebody leaves and somebody comes.
    let known = named(2_000);
    let clients: Vec<String> = known.iter().skip(500).take(700).cloned().collect();
    let moved = {
        let mut moved = known.clone();
        moved.remove(0);
        moved.push("new".to_owned());
        emqx5(moved)
    };
    let before = emqx5(known);
    let server = Server::start(move |request| {
        if request.target.contains("?page=1&") { before(request) } else { moved(request) }
    });
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &as_strs(&clients));
    assert!(asked.is_complete(), "{:?}", asked.failures);
    assert_eq!((asked.told.len(), asked.requests), (700, 2 + 1));
    let gone = asked.told.iter().filter(|told| told.details.session == Some(false)).count();
    assert_eq!(gone, 0);
}

#[test]
fn who_is_missing_from_a_list_that_is_cut_is_asked_about() {
    let server = Server::start(|request| match &*request.target {
        "/api/v1/clients?_limit=10000" => {
            Answer::json(r#"[{"clientid":"dev-00000","connected":true,"node_id":1}]"#)
        }
        "/api/v1/stats/sum" => {
            Answer::json(r#"{"nodes":{"1":{"status":"Running"}},"stats":{"sessions.count":2}}"#)
        }
        "/api/v1/clients/dev-00001" => {
            Answer::json(r#"{"clientid":"dev-00001","connected":true,"node_id":2}"#)
        }
        target if target.ends_with("/online") => Answer::json("false"),
        _ => Answer::json("null"),
    });
    let known = named(60);
    let asked = ask(&format!("rmqtt+http://127.0.0.1:{}", server.port), &as_strs(&known));
    assert!(asked.is_complete(), "{asked:?}");
    let online: Vec<_> = told(&asked).into_iter().filter(|one| one.1 == Some(true)).collect();
    assert_eq!(online, [("dev-00000", Some(true)), ("dev-00001", Some(true))]);
    assert_eq!(asked.requests, 2 + 1 + 2 * 58);
}

#[test]
fn who_cannot_list_after_all_is_asked_about_each() {
    let known = named(60);
    let one_by_one = emqx5(known.clone());
    let server = Server::start(move |request| {
        if request.target.contains('?') { Answer::status(404, "") } else { one_by_one(request) }
    });
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &as_strs(&known));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!((asked.told.len(), asked.requests), (60, 61));
}

#[test]
fn a_fleet_that_is_refused_is_refused_once() {
    let server = Server::start(|_| Answer::status(401, ""));
    let known = named(60);
    let mut clients = as_strs(&known);
    clients.push("");
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &clients);
    assert!(asked.told.is_empty(), "{asked:?}");
    let [(Some(_), empty), (None, failure)] = &asked.failures[..] else { panic!("{asked:?}") };
    assert!(empty.to_string().contains("empty client id"), "{empty}");
    assert!(failure.to_string().contains("status 401"), "{failure}");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn patience_is_shown_in_the_middle_of_a_fleet() {
    let known = named(2_000);
    let answer = emqx5(known.clone());
    let refused = AtomicU32::new(0);
    let server = Server::start(move |request| {
        if request.target.contains("?page=2&") && refused.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Whole(429, vec![("retry-after", "0".to_owned())], Vec::new());
        }
        answer(request)
    });
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &as_strs(&known));
    assert!(asked.is_complete(), "{asked:?}");
    assert_eq!((asked.told.len(), asked.requests), (2_000, 3));
}

/// Answers as a broker of a kind does, for 60 clients of which every other one is online.
fn broker(kind: &'static str) -> impl Fn(&Request) -> Answer {
    use serde_json::{Value, json};
    let row = move |n: usize| {
        let (client, online) = (format!("dev-{n:05}"), n.is_multiple_of(2));
        match kind {
            "vernemq" => json!({ "client_id": client, "is_online": online, "node": "n1" }),
            "nats" => json!({ "cid": n, "type": "mqtt", "mqtt_client": client }),
            _ => json!({ "clientid": client, "connected": online, "node_id": 1 }),
        }
    };
    let number = |id: &str| id.strip_prefix("dev-")?.parse().ok().filter(|n| *n < 60);
    move |request| {
        let target = &*request.target;
        // Who is asked about; `None` is everybody.
        let id = match kind {
            "vernemq" => {
                target.split("--client_id=").nth(1).and_then(|rest| rest.split('&').next())
            }
            "nats" => target.split("mqtt_client=").nth(1),
            _ => target.split("/clients/").nth(1),
        };
        let rows: Vec<Value> = match id {
            Some(id) => number(id.trim_end_matches("/online")).map(row).into_iter().collect(),
            None => (0..60).map(row).collect(),
        };
        let body = match kind {
            "emqx4" => {
                json!({ "code": 0, "data": rows, "meta": { "count": 60, "hasnext": false } })
            }
            "vernemq" => json!({ "type": "table", "table": rows }),
            "rmqtt" if target.ends_with("/sum") => {
                json!({ "nodes": { "1": { "status": "Running" } }, "stats": { "sessions.count": 60 } })
            }
            "rmqtt" if target.ends_with("/online") => json!(false),
            "rmqtt" if id.is_some() => rows.into_iter().next().unwrap_or_default(),
            "rmqtt" => json!(rows),
            _ => {
                let is_open =
                    |row: &Value| row["cid"].as_u64().is_some_and(|n| n.is_multiple_of(2));
                let wanted = target.contains("state=open");
                let rows: Vec<_> = rows.into_iter().filter(|row| is_open(row) == wanted).collect();
                json!({ "server_id": "S", "offset": 0, "total": 30, "connections": rows })
            }
        };
        Answer::json(&body.to_string())
    }
}

#[test]
fn every_api_that_lists_answers_a_fleet_alike_and_is_asked_less() {
    let mut clients = named(60);
    clients.extend((0..20).map(|n| format!("nope-{n}")));
    for (kind, requests) in [("emqx4", 1), ("vernemq", 1), ("rmqtt", 2), ("nats", 1)] {
        let server = Server::start(broker(kind));
        let url = format!("{kind}+http://u:p@127.0.0.1:{}", server.port);
        let by_list = ask(&url, &as_strs(&clients));
        assert!(by_list.is_complete(), "{by_list:?}");
        assert_eq!((by_list.told.len(), by_list.requests), (80, requests), "{kind}");
        let halves = clients.chunks(40).map(|half| ask(&url, &as_strs(half)));
        let halves: Vec<Asked> = halves.collect();
        assert!(halves.iter().all(|half| half.is_complete() && half.requests >= 40), "{halves:?}");
        let one_by_one: Vec<_> = halves.iter().flat_map(told).collect();
        assert_eq!(told(&by_list), one_by_one, "{kind}");
        let session = |asked: &Asked| asked.told.last().and_then(|told| told.details.session);
        assert_eq!(session(&by_list), session(&halves[1]), "{kind}");
    }
}
