//! Evidence that there is none of: then nobody connects in vain.

use crate::bounded;
use crate::server::{Habits, Seen, Server};
use crate::support::process::{DEADLINE, Ended, Presence};
use presence::wire::Reason;

/// Returns the client ids that came, without the watcher's.
fn visitors(seen: &[Seen]) -> Vec<String> {
    let ids = seen.iter().filter_map(|seen| match seen {
        Seen::Connect(connect) => Some(connect.client_id.clone()),
        _ => None,
    });
    ids.filter(|id| !id.starts_with("presence-")).collect()
}

async fn run(habits: Habits) -> (Ended, Vec<Seen>) {
    let server = Server::start(habits).await;
    let url = server.url();
    let line = ["simulate", "-b", &url, "--verify", "--count", "5", "--run", "none"];
    let mut run = Presence::start(line.into_iter().chain(["--timeout", "3s"]));
    let told = tokio::task::spawn_blocking(move || run.ended(DEADLINE)).await.expect("it ends");
    (told, server.finish().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_refused_is_told_before_a_device_connects() {
    let habits = Habits { reason: Reason::NOT_AUTHORIZED, ..Habits::default() };
    let (told, seen) = bounded(run(habits)).await;
    assert_eq!(told.code, Some(4), "{}", told.err);
    assert!(told.err.contains("refused") && told.err.contains("  next:"), "{}", told.err);
    assert_eq!(visitors(&seen), [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_tells_nothing_is_told_so_before_a_device_connects() {
    let (told, seen) = bounded(run(Habits::default())).await;
    assert_eq!(told.code, Some(4), "{}", told.err);
    assert!(told.err.contains("nothing tells who is connected"), "{}", told.err);
    assert!(told.err.contains("  cause:") && told.err.contains("  next:"), "{}", told.err);
    let visitors = visitors(&seen);
    assert!(visitors.iter().any(|id| id == "sim-none-probe"), "{visitors:?}");
    assert!(
        visitors.iter().all(|id| ["sim-none-probe", "sim-none-cleaner"].contains(&&**id)),
        "{visitors:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_not_let_in_ends_it() {
    let greet = |_: usize, connect: &presence::wire::Connect| {
        let refused = connect.client_id.starts_with("sim-");
        let reason = if refused { Reason::BAD_USER_OR_PASSWORD } else { Reason::SUCCESS };
        Some(presence::wire::ConnAck { reason, ..Default::default() })
    };
    let habits = Habits { greet: std::sync::Arc::new(greet), ..Habits::default() };
    let (told, _) = bounded(run(habits)).await;
    assert_eq!(told.code, Some(4), "{}", told.err);
    assert!(told.err.contains("did not let the probe in"), "{}", told.err);
}
