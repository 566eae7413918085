//! Mosquitto's dynamic security: commands and responses of its plugin, over MQTT.
//!
//! What it lists are accounts, not clients. From 2.1 on it tells from where the sessions of an account were
//! connected last, with no word of whether they still are. So nothing listed proves absence, and an address
//! proves something only beside the broker's own counts: while no session is without a connection, each is
//! connected; where all of them are listed, nobody else is there.

use super::asked::Details;
use super::exchange::{Found, Trouble};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
    /// From where each of its sessions was connected last, if it was since the broker started; `None` before
    /// Mosquitto 2.1.
    pub sessions: Option<Vec<Option<String>>>,
    pub disabled: bool,
}

impl Account {
    fn held(&self) -> u64 {
        self.sessions.as_ref().map_or(0, |sessions| sessions.len() as u64)
    }
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
    let sessions = match value.get("connections") {
        None => None,
        Some(Value::Array(list)) => Some(list.iter().map(read_session).collect::<Result<_, _>>()?),
        Some(_) => return Err(Trouble::shape("a list of `connections`")),
    };
    let disabled = value.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    Ok(Account { user, client: text("clientid").filter(|id| !id.is_empty()), sessions, disabled })
}

fn read_session(value: &Value) -> Result<Option<String>, Trouble> {
    let session = value.as_object().ok_or_else(|| Trouble::shape("an object for a connection"))?;
    match session.get("address") {
        None => Ok(None),
        Some(Value::String(address)) => Ok(Some(address.clone())),
        Some(_) => Err(Trouble::shape("`address` as text")),
    }
}

/// What the broker counts, every `sys_interval`: 10 s unless it was told otherwise.
///
/// Source: Mosquitto 2.1.2 `src/sys_tree.c`. `disconnected` is the sessions less the sockets, those on which
/// nobody has said CONNECT yet among them: each hides a session that is away. Such a one is closed after 30 s,
/// and until then it makes the load of sockets exceed that of CONNECTs, by half a socket or more. Values are
/// published where they differ from the last, all after the uptime, which is published with every count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// At the last count and at the one before, in seconds.
    uptime: Option<u64>,
    before: Option<u64>,
    /// It has counted since we listen: the values are not older than that.
    fresh: bool,
    sessions: Option<u64>,
    /// Below 0 where there are more sockets than sessions.
    away: Option<i64>,
    /// A minute's, as what follows.
    sockets: Option<f64>,
    connects: Option<f64>,
}

impl Counts {
    /// Where they come from.
    pub const TOPICS: [&str; 5] = [UPTIME, TOTAL, DISCONNECTED, SOCKETS, CONNECTS];

    /// Takes in a message of one of the topics; others are not its business.
    pub fn hear(&mut self, topic: &str, payload: &[u8], retained: bool) {
        let text = str::from_utf8(payload).unwrap_or_default();
        let number = || text.parse::<u64>().ok();
        match topic {
            UPTIME => {
                let seconds = text.split(' ').next().and_then(|seconds| seconds.parse().ok());
                self.before = std::mem::replace(&mut self.uptime, seconds);
                self.fresh |= !retained;
            }
            TOTAL => self.sessions = number(),
            // Printed as if it had no sign.
            DISCONNECTED => self.away = number().map(u64::cast_signed),
            SOCKETS => self.sockets = text.parse().ok(),
            CONNECTS => self.connects = text.parse().ok(),
            _ => {}
        }
    }

    /// Tells whether the broker has counted since we listen.
    #[must_use]
    pub const fn are_fresh(&self) -> bool {
        self.fresh
    }

    /// Returns why sessions may be away though none is counted.
    fn doubt(&self) -> Option<&'static str> {
        let (Some(uptime), Some(before)) = (self.uptime, self.before) else { return Some(UNSAID) };
        if uptime < UNSAID_MAX_S {
            return Some("the broker was started just now, and what it counts is not reliable yet");
        }
        // What comes between two counts of one second is missing from the loads.
        if uptime.saturating_sub(before) < 2 {
            return Some("the broker counts too often to be sure (`sys_interval` below 3 s)");
        }
        let loads = self.sockets.zip(self.connects);
        let alike = |(sockets, connects): (f64, f64)| (sockets - connects).abs() < LOADS_DIFFER;
        (!loads.is_some_and(alike)).then_some(UNSAID)
    }
}

const UPTIME: &str = "$SYS/broker/uptime";
const TOTAL: &str = "$SYS/broker/clients/total";
const DISCONNECTED: &str = "$SYS/broker/clients/disconnected";
const SOCKETS: &str = "$SYS/broker/load/sockets/1min";
const CONNECTS: &str = "$SYS/broker/load/connections/1min";
/// More than two decimals and what is not worth publishing come to, less than what one socket does.
const LOADS_DIFFER: f64 = 0.1;
/// Longer than a connection may say nothing. What came while the broker started is missing from the loads.
const UNSAID_MAX_S: u64 = 35;
const UNSAID: &str =
    "there are, or were in the last minutes, connections that do not say whose they are";

/// What accounts and counts together tell about clients.
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    /// Of several that are tied to a client, one with a session.
    tied: BTreeMap<&'a str, &'a Account>,
    counts: &'a Counts,
    /// Sessions of all accounts.
    sessions: u64,
    /// Those that may be of any client; not ours.
    anyones: u64,
    is_old: bool,
}

/// What is known of a client, and why it is not more.
struct Judged {
    online: Option<bool>,
    why: String,
    /// It may be more when the broker has counted.
    wants_count: bool,
}

impl Judged {
    fn new(online: impl Into<Option<bool>>, why: impl Into<String>) -> Self {
        Self { online: online.into(), why: why.into(), wants_count: false }
    }
}

impl<'a> Listing<'a> {
    /// Puts together what was heard by one session of the account `user`.
    #[must_use]
    pub fn new(accounts: &'a [Account], counts: &'a Counts, user: Option<&str>) -> Self {
        let is_old = accounts.iter().any(|account| account.sessions.is_none());
        let tied = BTreeMap::new();
        let mut listing = Self { tied, counts, sessions: 0, anyones: 0, is_old };
        for account in accounts {
            listing.sessions += account.held();
            match account.client.as_deref() {
                None => {
                    let ours = u64::from(Some(&*account.user) == user);
                    listing.anyones += account.held().saturating_sub(ours);
                }
                Some(client) => {
                    let known = listing.tied.entry(client).or_insert(account);
                    if known.held() == 0 {
                        *known = account;
                    }
                }
            }
        }
        listing
    }

    /// Tells whether more is known of one of the clients when the broker has counted.
    #[must_use]
    pub fn wants_count(&self, clients: &[String]) -> bool {
        clients.iter().any(|client| self.judge(client).wants_count)
    }

    /// Tells about a client.
    #[must_use]
    pub fn tell(&self, client: &str) -> Found {
        let Judged { online, why, .. } = self.judge(client);
        let mut details = Details::default();
        if let Some(account) = self.tied.get(client) {
            details.user = Some(account.user.clone());
            details.session = account.sessions.as_ref().map(|sessions| !sessions.is_empty());
            let address = account.sessions.iter().flatten().flatten().next();
            if online == Some(true) {
                details.address = address.cloned();
            } else if let Some(address) = address {
                details.notes.push(format!("connected last from {address}"));
            }
            if account.disabled {
                details.notes.push("its account is disabled".to_owned());
            }
        }
        Found { client: client.to_owned(), online, why: Some(why), details }
    }

    fn judge(&self, client: &str) -> Judged {
        if self.is_old {
            return Judged::new(None, "this version lists no connections; 2.1 does");
        }
        match self.tied.get(client).map(|account| account.sessions.as_deref()) {
            None => self.judge_without_account(),
            Some(None | Some([])) => {
                Judged::new(false, "its account has neither a connection nor a kept session")
            }
            Some(Some([None, ..])) => Judged::new(
                false,
                "its session was loaded from disk, and the client has not come back since",
            ),
            Some(Some([Some(_), ..])) => self.judge_session(),
        }
    }

    /// Judges a client whose session is there: kept, or connected.
    fn judge_session(&self) -> Judged {
        let because = |why| {
            let listed = "its account has a connection, or only a kept session";
            Judged::new(None, format!("{listed}: {why}"))
        };
        match self.counts.away {
            Some(away @ 1..) => {
                because(format!("sessions without a connection at the broker: {away}"))
            }
            Some(0) if self.counts.fresh => match self.counts.doubt() {
                Some(doubt) => because(doubt.to_owned()),
                None => Judged::new(
                    true,
                    "its account has a session, and the broker counts none without a connection",
                ),
            },
            Some(_) if self.counts.fresh => because(UNSAID.to_owned()),
            _ => self.without_count(because),
        }
    }

    /// Judges a client that is offline only if each session is another's.
    fn judge_without_account(&self) -> Judged {
        let because =
            |why| Judged::new(None, format!("no account is tied to this client id, and {why}"));
        let Self { sessions: listed, anyones, .. } = *self;
        match self.counts.sessions {
            _ if anyones > 0 => because(format!(
                "accounts that are tied to none have sessions: {anyones} beside ours"
            )),
            Some(sessions) if self.counts.fresh && sessions == listed => Judged::new(
                false,
                "no account is tied to this client id, and each session at the broker is another's",
            ),
            Some(sessions) if self.counts.fresh => because(format!(
                "the broker counts {sessions} sessions where its accounts have {listed}"
            )),
            _ => self.without_count(because),
        }
    }

    fn without_count(&self, because: impl Fn(String) -> Judged) -> Judged {
        if self.counts.uptime.is_none() {
            return because(format!(
                "this account does not hear the broker's counts (`{UPTIME}`, `{TOTAL}`, `{DISCONNECTED}`)"
            ));
        }
        if self.counts.fresh {
            // One that has been 1 since the start is not published.
            return because("the broker has not published its counts yet".to_owned());
        }
        let late =
            "the broker has not counted its sessions in time (`sys_interval`, 10 s by default)";
        Judged { wants_count: true, ..because(format!("{late}: allow more with `--timeout`")) }
    }
}

/// What it cannot tell, and where it is known to be wrong.
pub const LIMITS: &[&str] = &[
    "it lists accounts: only one that is tied to a client id (`clientid`) tells of a client",
    "kept sessions of clients that are away are listed like connections: nobody is called online while the \
     broker counts one, or there may be connections that hide it from that count",
    "another account may connect with the same client id, unless that is tied to another",
    "a bridge of the broker's own has no address, as a session that was loaded from disk",
    "before Mosquitto 2.1 no connections are listed",
];

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../tests/fixtures/api/mosquitto-2.1.2.dynsec.jsonl");
    const OLD: &str = include_str!("../../tests/fixtures/api/mosquitto-2.0.11.dynsec.jsonl");
    const ASKED: &str = "presence-0123456789abcdef-0";

    const CONNECTED: &str = "`pump-7`, `gate-3` and `backend-1` connected";
    const KEPT: &str = "`gate-3` gone, its session kept; the others gone";
    const RESTARTED: &str = "the same, after a restart";

    /// What was known at a time.
    #[derive(Clone)]
    struct Moment {
        accounts: Vec<Account>,
        counts: Counts,
    }

    impl Moment {
        fn tell(&self, client: &str) -> Found {
            self.listing().tell(client)
        }

        fn why(&self, client: &str) -> String {
            let found = self.tell(client);
            assert_eq!(found.online, None, "{found:?}");
            found.why.expect("it says why")
        }

        fn listing(&self) -> Listing<'_> {
            Listing::new(&self.accounts, &self.counts, Some("admin"))
        }

        fn wants_count(&self, client: &str) -> bool {
            self.listing().wants_count(&[client.to_owned()])
        }

        fn admin(&mut self) -> &mut Vec<Option<String>> {
            self.accounts[0].sessions.as_mut().expect("2.1 lists them")
        }
    }

    fn messages(stimulus: &str) -> impl Iterator<Item = (String, String, bool)> {
        let lines = RECORDED.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let of = lines.filter(move |line| line["stimulus"] == stimulus);
        of.map(move |line| (text(&line["topic"]), text(&line["payload"]), line["retain"] == true))
    }

    /// Returns what was recorded, without what came after the counts that the broker keeps if `stale`.
    fn moment(stimulus: &str, stale: bool) -> Moment {
        let (mut accounts, mut counts) = (Vec::new(), Counts::default());
        for (topic, payload, retained) in messages(stimulus) {
            if topic == RESPONSE_TOPIC {
                accounts = listed(&payload);
            } else if retained || !stale {
                counts.hear(&topic, payload.as_bytes(), retained);
            }
        }
        Moment { accounts, counts }
    }

    fn listed(payload: &str) -> Vec<Account> {
        match read(payload.as_bytes(), ASKED) {
            Ok(Response::Accounts { accounts, .. }) => accounts,
            other => panic!("{payload}: {other:?}"),
        }
    }

    fn response(stimulus: &str) -> String {
        messages(stimulus).next().expect("it was recorded").1
    }

    #[test]
    fn commands_are_as_the_plugin_reads_them() {
        let made: Value = serde_json::from_str(&get_client("u1", "q1")).expect("JSON");
        let command = &made["commands"][0];
        assert_eq!(
            (&command["command"], &command["username"]),
            (&"getClient".into(), &"u1".into())
        );
        assert_eq!(command["correlationData"], "q1");
        let made: Value = serde_json::from_str(&list_clients(None, 0, "q")).expect("JSON");
        assert_eq!(made["commands"][0]["count"], -1);
        assert_eq!(made["commands"][0]["verbose"], true);
        let made: Value = serde_json::from_str(&list_clients(Some(50), 100, "q")).expect("JSON");
        let command = &made["commands"][0];
        assert_eq!((&command["count"], &command["offset"]), (&50.into(), &100.into()));
    }

    /// Lets the broker count once more, as one that has run for an hour.
    fn count(moment: &mut Moment) {
        moment.counts.hear(UPTIME, b"3600 seconds", true);
        moment.counts.hear(UPTIME, b"3610 seconds", false);
    }

    #[test]
    fn a_session_is_a_connection_while_none_is_away() {
        let mut moment = moment(CONNECTED, false);
        assert!(moment.why("gate-3").contains("was started just now"));
        count(&mut moment);
        let found = moment.tell("gate-3");
        assert_eq!((found.online, found.details.user.as_deref()), (Some(true), Some("gate")));
        assert_eq!(found.details.address.as_deref(), Some("127.0.0.1"));
        assert_eq!(moment.tell("pump-7").online, Some(true));
    }

    #[test]
    fn a_session_proves_nothing_while_one_is_away() {
        let moment = moment(KEPT, false);
        assert!(moment.why("gate-3").ends_with("sessions without a connection at the broker: 1"));
        assert_eq!(moment.tell("gate-3").details.session, Some(true));
        let found = moment.tell("pump-7");
        assert_eq!((found.online, found.details.session), (Some(false), Some(false)));
    }

    #[test]
    fn a_count_from_before_proves_nothing_and_the_next_is_wanted() {
        // None was away when it was counted last.
        let moment = moment(KEPT, true);
        assert!(moment.why("gate-3").contains("has not counted its sessions in time"));
        assert!(moment.wants_count("gate-3") && !moment.wants_count("pump-7"));
        let unheard = Moment { counts: Counts::default(), ..moment };
        assert!(unheard.why("gate-3").contains("does not hear the broker's counts"));
        assert!(!unheard.wants_count("gate-3"));
    }

    #[test]
    fn a_connection_that_does_not_say_whose_it_is_may_hide_a_session() {
        let mut moment = moment(KEPT, false);
        count(&mut moment);
        for (away, sockets) in [("0", "8.53"), ("18446744073709551615", "7.55")] {
            let mut hidden = moment.clone();
            hidden.counts.hear(DISCONNECTED, away.as_bytes(), false);
            hidden.counts.hear(SOCKETS, sockets.as_bytes(), false);
            hidden.counts.hear(CONNECTS, b"7.55", false);
            assert!(hidden.why("gate-3").ends_with("that do not say whose they are"), "{away}");
        }
        // Two counts in one second.
        moment.counts.hear(DISCONNECTED, b"0", false);
        assert_eq!(moment.tell("gate-3").online, Some(true));
        moment.counts.hear(UPTIME, b"3610 seconds", false);
        assert!(moment.why("gate-3").contains("counts too often"));
    }

    #[test]
    fn a_session_that_was_loaded_has_nobody() {
        let moment = moment(RESTARTED, false);
        let found = moment.tell("gate-3");
        assert_eq!((found.online, found.details.session), (Some(false), Some(true)));
        // One session was away from the start, and that is not published: it could be any other.
        let mut back = moment;
        back.accounts[2].sessions = Some(vec![Some("127.0.0.1".to_owned())]);
        assert!(back.why("gate-3").ends_with("has not published its counts yet"));
    }

    #[test]
    fn whoever_has_no_account_is_absent_where_each_session_is_anothers() {
        let mut moment = moment(KEPT, false);
        assert!(moment.why("pump-9").ends_with("have sessions: 1 beside ours"));
        // The recorder asked by a connection that was not counted.
        moment.admin().pop();
        assert_eq!(moment.tell("pump-9").online, Some(false));
        moment.counts.hear(TOTAL, b"3", false);
        assert!(moment.why("pump-9").contains("counts 3 sessions where its accounts have 2"));
        moment.counts = Counts { fresh: false, ..moment.counts };
        assert!(moment.wants_count("pump-9"));
    }

    #[test]
    fn of_two_accounts_of_a_client_the_one_with_a_session_counts() {
        let mut moment = moment(CONNECTED, false);
        count(&mut moment);
        let mut other = moment.accounts[3].clone();
        (other.user, other.sessions) = ("pump-b".to_owned(), Some(Vec::new()));
        for at in [0, 5] {
            moment.accounts.insert(at, other.clone());
            assert_eq!(moment.tell("pump-7").online, Some(true));
        }
    }

    #[test]
    fn an_old_version_and_an_account_that_may_not_connect_are_said() {
        let line: Value = serde_json::from_str(OLD.trim()).expect("one line of JSON");
        let accounts = listed(line["payload"].as_str().expect("text"));
        let mut old = Moment { accounts, counts: Counts::default() };
        for client in ["pump-7", "pump-9"] {
            assert!(old.why(client).contains("2.1"));
        }
        let pump = old.accounts.iter_mut().find(|account| account.user == "pump");
        pump.expect("it has an account").disabled = true;
        assert_eq!(old.tell("pump-7").details.notes, ["its account is disabled"]);
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let unknown = response("the same, an account that there is not");
        assert_eq!(read(unknown.as_bytes(), ASKED), Ok(Response::Unknown));
        assert_eq!(read(unknown.as_bytes(), "another"), Ok(Response::NotOurs));
        assert_eq!(listed(&response("the same, one account"))[0].user, "gate");
        let names = response("the same, names only");
        for payload in [&*names, "", "[]", "{}", "{\"responses\":7}", "online"] {
            assert!(read(payload.as_bytes(), ASKED).is_err(), "{payload}");
        }
        for connections in ["7", "[7]", "[{\"address\":7}]"] {
            let account = format!("{{\"username\":\"u\",\"connections\":{connections}}}");
            assert!(read_account(&serde_json::from_str(&account).expect("JSON")).is_err());
        }
        let denied = br#"{"responses":[{"command":"getClient","error":"No\u001b[31m","correlationData":"q"}]}"#;
        let trouble = read(denied, "q").expect_err("it is refused");
        assert!(!trouble.cause.contains('\u{1b}'), "{trouble:?}");
    }
}
