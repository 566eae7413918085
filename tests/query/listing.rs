//! Lists of everybody: their pages, what moves between them, and where they end too early.

use super::asking::rabbitmq;
use super::{list, list_within};
use crate::support::http::{Answer, Server};
use presence::query::Asked;
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
