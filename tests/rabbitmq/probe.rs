//! What a probe finds here: no word of the broker's own, and less than elsewhere of what devices keep.

use crate::broker;
use crate::support::process::{DEADLINE, Presence};
use serde_json::{Value, json};

#[test]
#[ignore = "needs rabbitmq"]
fn wills_of_takeovers_do_not_come_and_wildcards_get_nothing_retained() {
    let broker = broker();
    let url = broker.url();
    let line = ["probe", "-b", &url, "--json", "--status-topic", "probed/{client}/status"];
    let ended = Presence::start(line).ended(DEADLINE * 2);

    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found: Value = serde_json::from_str(&ended.out).expect("it is JSON");
    let findings = &found["findings"];
    assert_eq!(findings["recommended"], json!(["status"]));
    let take_over = &findings["take_over"];
    assert_eq!((&take_over["old"], &take_over["wills"]), (&json!("closed"), &json!(0)));
    let retained = &findings["retained"];
    assert_eq!((&retained["found"], &retained["found_by_wildcard"]), (&json!(15), &json!(0)));
    let codes: Vec<&str> = (findings["unknowable"].as_array().expect("it is a list").iter())
        .filter_map(|one| one["code"].as_str())
        .collect();
    for code in ["goodbye", "take-over", "before"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let silence = &findings["silence"];
    assert_eq!(silence["noticed"], 3, "{silence}");
    assert!(silence["min_ms"].as_f64().is_some_and(|ms| ms >= 3_000.0), "{silence}");
    assert_eq!(found["left"], json!([]));
}
