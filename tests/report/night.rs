//! Nights to report on.

use crate::asked::replay;
use crate::run::{Home, T};
use serde_json::json;
use std::fmt::Write as _;

/// Returns the page about files of the project.
#[track_caller]
pub fn page(files: &str, options: &str) -> String {
    let home = Home::new();
    let run = replay(&home, files, &format!("-q --report night.html {options}"));
    assert_eq!((run.code, &*run.err), (0, ""), "{files}");
    read(&home)
}

#[track_caller]
pub fn read(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("night.html")).expect("the page is there")
}

/// Returns notices of so many clients in two groups: they come one after the other, those of one group are
/// lost at once, and most of them come back.
pub fn outage(clients: i64) -> String {
    let mut text = String::new();
    let mut tell = |client: i64, at: i64, kind: &str, life: i64| {
        let group = if client % 2 == 0 { "GID_plant" } else { "GID_fleet" };
        let notice = json!({
            "clientId": format!("{group}@@@{client:04}"), "time": T + at, "eventType": kind,
            "channelId": format!("channel-{client}-{life}"),
            "clientIp": format!("10.0.{}.{}:5000", client % 2, client % 250),
        });
        let _ = writeln!(text, "{notice}");
    };
    for client in 0..clients {
        tell(client, client * 600_000 / clients, "connect", 0);
    }
    let odd = || (0..clients).filter(|client| client % 2 == 1);
    for client in odd() {
        tell(client, 900_000 + client * 2_000 / clients, "tcpclean", 0);
    }
    for client in odd().filter(|client| client % 10 != 1) {
        tell(client, 930_000 + client * 60_000 / clients, "connect", 1);
    }
    text
}

/// Ids that would act, if they were anything but text.
pub fn hostile() -> Vec<String> {
    [
        "</script><script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "'\"><svg onload=document.title='owned'>",
        "line\u{2028}and\u{2029}paragraph",
        "turned \u{202e}around\u{2066}",
        "nul \0 bell \x07 escape \x1b[2J",
        "<!--",
        "]]>",
        "{{7*7}}",
        "&lt;b&gt;",
        "back\\slash",
        " spaces  within ",
        "泵 👩\u{200d}🚀",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Returns notices in which every text is hostile.
pub fn of_strangers() -> String {
    let mut text = String::new();
    for (at, id) in (0..).zip(hostile()) {
        for (kind, at) in [("connect", at * 1_000), ("tcpclean", at * 1_000 + 20_000)] {
            let notice = json!({
                "clientId": id, "time": T + at, "eventType": kind, "channelId": id, "clientIp": id,
            });
            let _ = writeln!(text, "{notice}");
        }
    }
    text
}
