//! Mosquitto's dynamic security: commands and responses of its plugin, over MQTT.
//!
//! What it lists are accounts, not clients. From 2.1 on it names the connections of an account, kept
//! sessions of clients that are offline among them: no connection proves that the account is offline, one
//! proves nothing.

use super::asked::Details;
use super::exchange::{Found, Trouble};
use serde_json::{Value, json};

/// Where commands go.
pub const TOPIC: &str = "$CONTROL/dynamic-security/v1";
/// Where responses come from, to everyone who may read it.
pub const RESPONSE_TOPIC: &str = "$CONTROL/dynamic-security/v1/response";

/// Returns the command that asks for one account.
#[must_use]
pub fn get_client(user: &str, correlation: &str) -> String {
    let command =
        json!({ "command": "getClient", "username": user, "correlationData": correlation });
    json!({ "commands": [command] }).to_string()
}

/// Returns the command that asks for all accounts from `offset` on, at most `count` of them; `None` is as
/// many as there are.
#[must_use]
pub fn list_clients(count: Option<u32>, offset: u32, correlation: &str) -> String {
    // -1 is all, which is also what is meant where it is left out.
    let count = count.map_or(-1, i64::from);
    let command = json!({
        "command": "listClients",
        "verbose": true,
        "count": count,
        "offset": offset,
        "correlationData": correlation,
    });
    json!({ "commands": [command] }).to_string()
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    /// The only client id that it may connect with, if it is tied to one.
    pub client: Option<String>,
    /// Addresses of its connections and kept sessions; `None` before Mosquitto 2.1.
    pub connections: Option<Vec<String>>,
    pub disabled: bool,
}

/// What a response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Accounts, and how many there are in all.
    Accounts { accounts: Vec<Account>, total: u64 },
    /// There is no such account.
    Unknown,
    /// It answers another command, maybe somebody else's.
    NotOurs,
}

/// Reads the response to the command with this correlation.
///
/// Errors: no response, or one that refuses.
pub fn read(payload: &[u8], correlation: &str) -> Result<Response, Trouble> {
    let value: Value =
        serde_json::from_slice(payload).map_err(|_| Trouble::new("its response is no JSON"))?;
    let responses = value.get("responses").and_then(Value::as_array);
    let responses = responses.ok_or_else(|| Trouble::shape("`responses`"))?;
    let ours = responses.iter().find(|response| {
        response.get("correlationData").and_then(Value::as_str) == Some(correlation)
    });
    let Some(response) = ours else { return Ok(Response::NotOurs) };
    if let Some(error) = response.get("error").and_then(Value::as_str) {
        if error == "Client not found" {
            return Ok(Response::Unknown);
        }
        let error: String = error.chars().filter(|c| !c.is_control()).take(160).collect();
        return Err(Trouble::new(format!("it refused: {error}"))
            .next("pass an account whose role may use `$CONTROL/dynamic-security/#`"));
    }
    let data = response.get("data").ok_or_else(|| Trouble::shape("`data`"))?;
    if let Some(account) = data.get("client") {
        let accounts = vec![read_account(account)?];
        return Ok(Response::Accounts { accounts, total: 1 });
    }
    let listed = data.get("clients").and_then(Value::as_array);
    let listed = listed.ok_or_else(|| Trouble::shape("`client` or `clients`"))?;
    let accounts = listed.iter().map(read_account).collect::<Result<Vec<_>, _>>()?;
    let total = data.get("totalCount").and_then(Value::as_u64);
    let total = total.unwrap_or_else(|| accounts.len().try_into().unwrap_or(u64::MAX));
    Ok(Response::Accounts { accounts, total })
}

fn read_account(value: &Value) -> Result<Account, Trouble> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    // A list that is not verbose has names alone, which say nothing.
    let user = text("username").ok_or_else(|| Trouble::shape("`username`"))?;
    let connections = value.get("connections").and_then(Value::as_array).map(|list| {
        let address = |one: &Value| one.get("address")?.as_str().map(str::to_owned);
        list.iter().map(|one| address(one).unwrap_or_default()).collect()
    });
    let disabled = value.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    Ok(Account {
        user,
        client: text("clientid").filter(|id| !id.is_empty()),
        connections,
        disabled,
    })
}

/// Says what all accounts together tell about a client.
#[must_use]
pub fn tell(client: &str, accounts: &[Account]) -> Found {
    let tied = accounts.iter().find(|account| account.client.as_deref() == Some(client));
    let Some(account) = tied else {
        let why = "no account is tied to this client id, and connections are listed without theirs";
        return Found { client: client.to_owned(), why: Some(why.to_owned()), ..Found::default() };
    };
    let (online, why) = match account.connections.as_deref() {
        None => (None, "this version lists no connections; 2.1 does"),
        Some([]) => (Some(false), "its account has neither a connection nor a kept session"),
        Some(_) => {
            (None, "its account has a connection, or only a kept session: it does not say which")
        }
    };
    let connections = account.connections.iter().flatten();
    let mut details = Details {
        user: Some(account.user.clone()),
        session: account.connections.as_ref().and_then(|list| list.is_empty().then_some(false)),
        ..Details::default()
    };
    details.notes.extend(connections.take(8).map(|address| format!("listed from {address}")));
    if account.disabled {
        details.notes.push("its account is disabled".to_owned());
    }
    Found { client: client.to_owned(), online, why: Some(why.to_owned()), details }
}

/// What it cannot tell, and where it is known to be wrong.
pub const LIMITS: &[&str] = &[
    "it lists accounts: only one that is tied to a client id (`clientid`) tells of a client",
    "kept sessions of clients that are offline are listed as connections: one proves nothing",
    "another account may connect with the same client id, unless that is tied to another",
    "before Mosquitto 2.1 no connections are listed",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &str = include_str!("../../tests/fixtures/api/mosquitto-dynsec.jsonl");

    /// Returns the recorded responses, with the correlation that some were asked without.
    fn responses() -> Vec<String> {
        let lines = SAMPLES.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let responses = lines.filter(|line| line["direction"] != "request");
        responses
            .map(|mut line| {
                let response = &mut line["payload"]["responses"][0];
                if response.get("correlationData").is_none() {
                    response["correlationData"] = "q".into();
                }
                line["payload"].to_string()
            })
            .collect()
    }

    fn accounts(payload: &str, correlation: &str) -> Vec<Account> {
        match read(payload.as_bytes(), correlation) {
            Ok(Response::Accounts { accounts, .. }) => accounts,
            other => panic!("{payload}: {other:?}"),
        }
    }

    #[test]
    fn commands_are_those_that_were_recorded() {
        let line = SAMPLES.lines().next().expect("a request");
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        let made: Value = serde_json::from_str(&get_client("u1", "q1")).expect("JSON");
        assert_eq!((&recorded["topic"], &made), (&Value::from(TOPIC), &recorded["payload"]));
        let made: Value = serde_json::from_str(&list_clients(None, 0, "q")).expect("JSON");
        assert_eq!(made["commands"][0]["count"], -1);
        assert_eq!(made["commands"][0]["verbose"], true);
        let made: Value = serde_json::from_str(&list_clients(Some(50), 100, "q")).expect("JSON");
        assert_eq!(
            (&made["commands"][0]["count"], &made["commands"][0]["offset"]),
            (&50.into(), &100.into())
        );
    }

    #[test]
    fn connections_are_believed_only_where_there_are_none() {
        let responses = responses();
        assert_eq!(responses.len(), 6);
        let listed = accounts(&responses[1], "q2");
        assert_eq!(listed.len(), 3);
        // A connection, or a session that is kept.
        let found = tell("dev-fixed", &listed);
        assert_eq!((found.online, found.details.user.as_deref()), (None, Some("u2")));
        // Two connections of an account that any client id may use.
        assert_eq!(tell("dev-1", &listed).online, None);
        let gone = accounts(&responses[4], "q");
        let found = tell("dev-fixed", &gone);
        assert_eq!((found.online, found.details.session), (Some(false), Some(false)));
        let old = accounts(&responses[5], "q1");
        assert_eq!(old[0].connections, None);
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let responses = responses();
        assert_eq!(read(responses[3].as_bytes(), "q"), Ok(Response::Unknown));
        assert_eq!(read(responses[0].as_bytes(), "another"), Ok(Response::NotOurs));
        // Names alone, and what is no response.
        for payload in [&*responses[2], "", "[]", "{}", "{\"responses\":7}", "online"] {
            assert!(read(payload.as_bytes(), "q").is_err(), "{payload}");
        }
        let denied = br#"{"responses":[{"command":"getClient","error":"No\u001b[31m","correlationData":"q"}]}"#;
        let trouble = read(denied, "q").expect_err("it is refused");
        assert!(!trouble.cause.contains('\u{1b}'), "{trouble:?}");
    }

    #[test]
    fn an_old_version_and_an_account_that_may_not_connect_are_said() {
        let account = Account {
            user: "u".to_owned(),
            client: Some("c".to_owned()),
            connections: None,
            disabled: true,
        };
        let found = tell("c", &[account]);
        assert_eq!(found.online, None);
        assert!(found.why.is_some_and(|why| why.contains("2.1")));
        assert_eq!(found.details.notes, ["its account is disabled"]);
    }
}
