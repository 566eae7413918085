//! Servers that answer as no API should: each is a failure with a name, and none a verdict.

use super::{ask, ask_within, endpoint, failed, only};
use crate::support::free_ports;
use crate::support::http::{Answer, Server};
use presence::config::api::{Address, Kind};
use presence::query::api::of;
use std::time::Duration;

/// Asks EMQX 5 at a server that always answers so.
#[track_caller]
fn refused(answer: Answer, expected: &str) {
    let server = Server::start(move |_| answer.clone());
    let asked = ask(&format!("emqx5+http://key:hunter2@127.0.0.1:{}", server.port), &["dev-1"]);
    let failure = failed(&asked);
    assert!(failure.contains(expected), "{failure}");
    assert!(failure.contains(&format!("emqx5 at 127.0.0.1:{}", server.port)), "{failure}");
    assert!(!failure.contains("hunter2") && !failure.contains("aHVudGVy"), "{failure}");
    assert_eq!(asked.failures[0].1.outcome.code(), 4);
}

#[test]
fn a_web_page_is_no_answer() {
    refused(Answer::status(200, "<!DOCTYPE html><title>Dashboard</title>"), "a web page");
    refused(Answer::status(404, "<html>not found</html>"), "status 404 with a web page");
}

#[test]
fn a_wrong_path_is_no_offline_client() {
    refused(Answer::status(404, ""), "status 404");
    refused(Answer::status(404, r#"{"code":"NOT_FOUND","message":"no route"}"#), "NOT_FOUND");
}

#[test]
fn who_may_not_ask_is_told_who_may() {
    refused(
        Answer::status(401, r#"{"code":"BAD_API_KEY","message":"no\u001b[31m"}"#),
        "an API key",
    );
    refused(Answer::status(403, ""), "status 403");
}

#[test]
fn statuses_of_trouble_are_failures() {
    refused(Answer::status(500, "{}"), "status 500");
    refused(Answer::status(503, ""), "status 503");
    refused(Answer::status(429, ""), "status 429");
    refused(Answer::status(204, ""), "status 204");
}

#[test]
fn json_of_another_shape_is_a_failure() {
    for body in ["{}", "[]", "null", "7", r#"{"connected":"maybe"}"#, r#"{"connected":true}"#] {
        refused(Answer::json(body), "its answer has no");
    }
    refused(Answer::json(&"[".repeat(100_000)), "no JSON");
    refused(Answer::json("{\"connected\":true"), "no JSON");
    refused(Answer::json(r#"{"connected":true,"clientid":"dev-2"}"#), "another client");
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    refused(Answer::Flood(1 << 30), "longer than 1 MiB");
    let server = Server::start(|_| Answer::Flood(1 << 30));
    let asked = ask(&format!("nanomq+http://127.0.0.1:{}", server.port), &["a", "b"]);
    assert!(failed(&asked).contains("longer than 16 MiB"), "{asked:?}");
}

#[test]
fn what_is_no_http_is_a_failure() {
    refused(Answer::Raw(b"220 mail.example ESMTP\r\n".to_vec()), "");
    refused(Answer::Raw(vec![0x20, 2, 0, 5]), "");
    refused(Answer::Raw(Vec::new()), "");
    refused(Answer::Raw(b"HTTP/1.1 200 x\r\ncontent-length: 90\r\n\r\n{}".to_vec()), "");
}

#[test]
fn nobody_there_is_a_failure_for_all_at_once() {
    let [port] = free_ports();
    let ids: Vec<String> = (0..50).map(|n| format!("dev-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let asked = ask(&format!("emqx5+http://127.0.0.1:{port}"), &ids);
    assert!(failed(&asked).contains("refused"), "{asked:?}");
    assert!(asked.requests <= 8, "the rest is not tried: {}", asked.requests);
}

#[test]
fn one_refusal_of_a_password_is_enough() {
    let server = Server::start(|_| Answer::status(401, ""));
    let ids: Vec<String> = (0..50).map(|n| format!("dev-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let asked = ask(&format!("emqx5+http://u:p@127.0.0.1:{}", server.port), &ids);
    assert!(failed(&asked).contains("status 401"), "{asked:?}");
    // Those under way when the first was refused; more would lock an account out.
    assert!(server.seen().len() <= 16, "{}", server.seen().len());
}

#[test]
fn a_wrong_path_is_not_tried_for_every_client() {
    let server = Server::start(|_| Answer::status(404, ""));
    let ids: Vec<String> = (0..50).map(|n| format!("dev-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &ids);
    assert!(asked.told.is_empty(), "{asked:?}");
    assert!(server.seen().len() <= 16, "{}", server.seen().len());
    let (None, failure) = asked.failures.last().expect("there are some") else {
        panic!("{asked:?}")
    };
    assert!(failure.to_string().contains("8 questions in a row failed; status 404"), "{failure}");
}

#[test]
fn a_listing_that_fails_is_one_failure() {
    let server = Server::start(|_| Answer::status(404, ""));
    let asked = ask(&format!("nanomq+http://127.0.0.1:{}", server.port), &["a", "b", "c"]);
    assert!(failed(&asked).contains("status 404"), "{asked:?}");
    assert_eq!(asked.failures[0].0, None);
}

#[test]
fn redirects_are_not_followed() {
    let other = Server::start(|_| Answer::json(r#"{"connected":true,"clientid":"dev-1"}"#));
    let place = format!("http://127.0.0.1:{}/api/v5/clients/dev-1?token=hunter3", other.port);
    for status in [301, 302, 303, 307, 308] {
        let place = place.clone();
        let server = Server::start(move |_| {
            Answer::Whole(status, vec![("location", place.clone())], Vec::new())
        });
        let url = format!("emqx5+http://key:hunter2@127.0.0.1:{}", server.port);
        let failure = failed(&ask(&url, &["dev-1"]));
        assert!(failure.contains(&format!("redirects to 127.0.0.1:{}", other.port)), "{failure}");
        assert!(!failure.contains("hunter"), "{failure}");
    }
    assert!(other.seen().is_empty(), "nobody was to go there: {:?}", other.seen());
}

#[test]
fn the_deadline_holds_whatever_the_server_does() {
    for answer in [Answer::Drip, Answer::Silence] {
        let server = Server::start(move |_| answer.clone());
        let url = format!("emqx5+http://127.0.0.1:{}", server.port);
        let asked = ask_within(&url, &["dev-1", "dev-2"], Duration::from_millis(300));
        assert!(failed(&asked).contains("no answer in time"), "{asked:?}");
        assert!(failed(&asked).contains("2 of 2 clients"), "{asked:?}");
        assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);
    }
}

#[test]
fn a_deadline_that_is_over_asks_nothing() {
    let server = Server::start(|_| Answer::status(500, ""));
    let url = format!("emqx5+http://127.0.0.1:{}", server.port);
    let asked = ask_within(&url, &["dev-1"], Duration::ZERO);
    assert!(failed(&asked).contains("no answer in time"), "{asked:?}");
    assert!(asked.failures[0].0.as_deref() == Some("dev-1"), "{asked:?}");
    assert_eq!(asked.requests, 0);
}

#[test]
fn what_was_answered_in_time_is_kept() {
    let server = Server::start(|request| match &*request.target {
        "/api/v5/clients/quick" => Answer::json(r#"{"connected":true,"clientid":"quick"}"#),
        _ => Answer::Silence,
    });
    let url = format!("emqx5+http://127.0.0.1:{}", server.port);
    let asked = ask_within(&url, &["quick", "slow"], Duration::from_secs(3));
    assert_eq!(asked.told.len(), 1, "{asked:?}");
    assert_eq!(asked.told[0].client, "quick");
    assert!(matches!(&asked.failures[..], [(Some(client), _)] if client == "slow"), "{asked:?}");
}

#[test]
fn a_client_without_a_name_is_not_asked_about() {
    let server = Server::start(|_| Answer::status(500, ""));
    let asked = ask(&format!("emqx5+http://127.0.0.1:{}", server.port), &[""]);
    assert!(failed(&asked).contains("empty client id"), "{asked:?}");
    assert_eq!(asked.requests, 0);
}

/// Every kind, with what it cannot do without.
pub fn urls() -> Vec<String> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let settings = match kind {
                Kind::BifroMq => "?tenant=t&user=u",
                Kind::Aws => "?region=r",
                Kind::TencentTdmq | Kind::Aliyun => "?instance=i&region=r",
                Kind::Huawei => "?project=p",
                _ => "",
            };
            format!("{kind}+http://user:c2VjcmV0@HOST{settings}")
        })
        .collect()
}

#[test]
fn no_api_makes_a_verdict_of_what_is_none() {
    for body in
        ["", "null", "{}", "[]", "true", "<html></html>", r#"{"code":0}"#, r#"{"error":"x"}"#]
    {
        for (status, url) in [200, 404, 500]
            .into_iter()
            .flat_map(|status| urls().into_iter().map(move |url| (status, url)))
        {
            let server = Server::start(move |_| Answer::status(status, body));
            let mut endpoint =
                endpoint(&url.replace("HOST", &format!("127.0.0.1:{}", server.port)));
            endpoint.token = url.starts_with("huawei").then(|| "t".into());
            let asked = super::ask_endpoint(&endpoint, &["ABCDEFGHIJdev"], Duration::from_mins(1));
            // An empty list is an answer of RabbitMQ, and a bare 404 one of BifroMQ.
            if url.starts_with("rabbitmq") && (status, body) == (200, "[]")
                || url.starts_with("bifromq") && (status, body) == (404, "")
            {
                assert_eq!(only(&asked).online, Some(false));
                continue;
            }
            assert!(
                asked.told.iter().all(|told| told.online.is_none()),
                "{url} {status} {body}: {asked:?}"
            );
            assert_eq!(
                asked.failures.len() + asked.told.len(),
                1,
                "{url} {status} {body}: {asked:?}"
            );
        }
    }
}

#[test]
fn every_kind_says_what_it_costs_and_where_it_is_wrong() {
    for url in urls() {
        let mut endpoint = endpoint(&url.replace("HOST", "h"));
        endpoint.token = url.starts_with("huawei").then(|| "t".into());
        let api = of(&endpoint).unwrap_or_else(|failure| panic!("{url}: {failure}"));
        let facts = api.facts();
        assert_eq!(facts.kind, endpoint.address.kind);
        assert!(facts.per_second > 0 && !facts.limits.is_empty(), "{facts:?}");
        assert_eq!(facts.list.is_some(), api.list().is_some(), "{facts:?}");
        assert!(!facts.rights.is_empty() && !facts.tells.is_empty(), "{facts:?}");
        assert!(!format!("{api:?} {endpoint:?}").contains("c2VjcmV0"), "{api:?}");
    }
}

#[test]
fn the_documentation_knows_every_kind_and_what_it_says_to_type_can_be_typed() {
    const DOCS: &str = include_str!("../../docs/apis.md");
    for kind in Kind::ALL {
        let (plain, secure) = kind.ports();
        let ports = match (kind.is_cloud(), plain == secure) {
            (true, _) => secure.to_string(),
            (false, true) => plain.to_string(),
            (false, false) => format!("{plain}, {secure}"),
        };
        assert!(DOCS.contains(&format!("| `{kind}` | {ports} |")), "{kind}: {ports}");
        for (name, _) in kind.settings().iter().filter(|(name, _)| *name != "region") {
            assert!(DOCS.contains(&format!("{name}=")), "{kind}: {name}");
        }
    }
    let quoted = DOCS.split('`').skip(1).step_by(2);
    let typed: Vec<&str> =
        quoted.filter(|text| text.contains("://") && !text.contains("PORT")).collect();
    assert!(typed.len() >= 19, "{typed:?}");
    for text in typed {
        let whole = text.replace(['[', ']'], "");
        let short = text.split('[').next().expect("there is a first part");
        for url in [&*whole, short] {
            Address::read(url).unwrap_or_else(|failure| panic!("{url}: {failure}"));
        }
    }
}
