//! What a session promises whatever a broker does: each trap of a connection has a test.

#[path = "connection/aliyun.rs"]
mod aliyun;
#[path = "support/authority.rs"]
mod authority;
#[path = "support/broker.rs"]
mod broker;
#[path = "connection/connecting.rs"]
mod connecting;
#[path = "connection/losing.rs"]
mod losing;
#[path = "connection/messages.rs"]
mod messages;
#[path = "connection/mosquitto.rs"]
mod mosquitto;
#[path = "connection/secure.rs"]
mod secure;
#[path = "connection/subscribing.rs"]
mod subscribing;
#[path = "connection/websocket.rs"]
mod websocket;

use presence::cli::connection::Connection as Typed;
use presence::config::connection::{Surroundings, single};
use presence::source::mqtt::{Answer, Backoff, Heard, Options, Publish, Session};
use std::time::Duration;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    connection: Typed,
}

/// Options as typed, with waits that suit a test.
fn options(url: &str, flags: &str, filters: &[&str]) -> Options {
    let line = ["presence", "-b", url].into_iter().chain(flags.split_whitespace());
    let typed = <Cli as clap::Parser>::parse_from(line).connection;
    let mut stdin = "hunter2\n".as_bytes();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    let (connection, _) = single(&typed, Duration::from_secs(5), &mut surroundings)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let wait = Duration::from_millis(5);
    Options {
        filters: filters.iter().map(ToString::to_string).collect(),
        backoff: Backoff { first: wait, second: wait, max: wait },
        ..Options::new(connection, "presence-test")
    }
}

fn session(url: &str, flags: &str, filters: &[&str]) -> Session {
    Session::new(options(url, flags, filters)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs client and broker side by side. The limit only ends a test that hangs.
async fn together<A, B>(
    client: impl Future<Output = A>,
    broker: impl Future<Output = B>,
) -> (A, B) {
    let both = async { tokio::join!(client, broker) };
    tokio::time::timeout(Duration::from_mins(1), both).await.expect("the test hangs")
}

async fn next(session: &mut Session) -> Heard {
    session.next().await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Listens until a message comes, and returns it.
async fn message(session: &mut Session) -> Publish {
    loop {
        match next(session).await {
            Heard::Message(publish) => return publish,
            Heard::Lost { cause, .. } => panic!("lost: {cause}"),
            _ => {}
        }
    }
}

/// Listens until the connection is lost, and returns the cause.
async fn lost(session: &mut Session) -> String {
    loop {
        if let Heard::Lost { cause, .. } = next(session).await {
            return cause;
        }
    }
}

async fn answers(session: &mut Session) -> Vec<(String, Answer)> {
    loop {
        if let Heard::Subscribed { granted } = next(session).await {
            return granted.into_iter().map(|grant| (grant.filter, grant.answer)).collect();
        }
    }
}
