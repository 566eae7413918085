//! What servers tell of themselves: who they are, and who of a Cluster has what.

use super::super::server::Host;
use super::address::Address;
use super::failing::Trouble;
use super::link::ask;
use redis::{Connection, ServerError, Value};

/// The oldest version that is known to do.
const VERSION_MIN: (u32, u32) = (6, 2);

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub version: String,
    pub is_cluster: bool,
    pub used_bytes: u64,
    /// How it makes room when it is full, where it has a limit.
    pub makes_room: Option<String>,
}

/// A run of slots, both ends with it, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub first: u16,
    pub last: u16,
    pub host: Host,
}

impl Facts {
    pub fn read(info: &Value, host: &Host) -> Result<Self, Trouble> {
        let unfit = || Trouble::Unfit {
            host: host.clone(),
            cause: "it does not say which version it is".to_owned(),
            next: "see that a Redis of version 6.2 or later listens there",
        };
        let text = text(info).ok_or_else(unfit)?;
        let field = |name: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
        };
        let is_limited = field("maxmemory").is_some_and(|bytes| bytes != "0");
        Ok(Self {
            version: field("redis_version").ok_or_else(unfit)?,
            is_cluster: field("cluster_enabled").is_some_and(|is| is == "1"),
            used_bytes: field("used_memory").and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
            makes_room: field("maxmemory_policy").filter(|_| is_limited),
        })
    }

    fn is_old(&self) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < VERSION_MIN
    }
}

/// Refuses a server that would not keep what it is given.
pub fn refuse_unfit(facts: &Facts, address: &Address, host: &Host) -> Result<(), Trouble> {
    let unfit = |cause: String, next| Err(Trouble::Unfit { host: host.clone(), cause, next });
    if facts.is_old() {
        return unfit(
            format!("it is Redis {}, and 6.2 is the oldest that will do", facts.version),
            "update it, or name another one with `--store`",
        );
    }
    if facts.makes_room.as_ref().is_some_and(|policy| policy.starts_with("allkeys")) {
        let policy = facts.makes_room.as_deref().unwrap_or_default();
        return unfit(
            format!("it throws keys away when it is full (`maxmemory-policy {policy}`)"),
            "set `maxmemory-policy noeviction` there",
        );
    }
    if facts.is_cluster && address.database != 0 {
        return unfit(
            format!("it is a Cluster, which has no database {}", address.database),
            "leave the number out of the URL of `--store`",
        );
    }
    if !facts.is_cluster && address.hosts.len() > 1 {
        return unfit(
            "several hosts are given, and this one is no node of a Cluster".to_owned(),
            "name one host, or start it with `cluster-enabled yes`",
        );
    }
    Ok(())
}

/// Asks a node who has what.
pub fn owners(connection: &mut Connection, host: &Host) -> Result<Vec<Owner>, Trouble> {
    let slots = ask(connection, host, redis::cmd("CLUSTER").arg("SLOTS"))?;
    read_owners(&slots, host)
        .ok_or(Trouble::Inconsistent("its `CLUSTER SLOTS` cannot be understood"))
}

fn read_owners(slots: &Value, host: &Host) -> Option<Vec<Owner>> {
    let Value::Array(runs) = slots else { return None };
    let mut owners = runs.iter().map(|run| read_owner(run, host)).collect::<Option<Vec<_>>>()?;
    owners.sort_by_key(|owner| owner.first);
    Some(owners)
}

/// A run is `[first, last, [name, port, …], replicas…]`.
fn read_owner(run: &Value, host: &Host) -> Option<Owner> {
    let Value::Array(parts) = run else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = &parts[..] else {
        return None;
    };
    let [name, Value::Int(port), ..] = &primary[..] else { return None };
    // A node that does not know its own name has the one by which it was asked.
    let name = text(name).filter(|name| !name.is_empty() && *name != "?").unwrap_or(&host.name);
    Some(Owner {
        first: u16::try_from(*first).ok()?,
        last: u16::try_from(*last).ok()?,
        host: Host { name: name.to_owned(), port: u16::try_from(*port).ok()? },
    })
}

/// Returns who has a slot.
pub fn owner_of(owners: &[Owner], slot: u16) -> Option<&Host> {
    let after = owners.partition_point(|owner| owner.first <= slot);
    let owner = owners[..after].last()?;
    (owner.last >= slot).then_some(&owner.host)
}

/// Returns where "it is elsewhere" points to: `MOVED 3999 127.0.0.1:6381`. Without a name it is the host
/// that said so, at another port.
pub fn target(host: &Host, error: &ServerError) -> Option<Host> {
    let (name, port) = error.details()?.split_whitespace().nth(1)?.rsplit_once(':')?;
    let name = if name.is_empty() { &host.name } else { name };
    Some(Host { name: name.to_owned(), port: port.parse().ok()? })
}

pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host { name: "h".to_owned(), port: 1 }
    }

    fn facts(info: &str) -> Facts {
        Facts::read(&Value::BulkString(info.as_bytes().to_vec()), &host()).expect("facts")
    }

    #[test]
    fn servers_that_would_not_keep_it_are_refused() {
        let plain = "redis://h";
        for (info, url, refused) in [
            ("redis_version:6.0.16\r\n", plain, Some("6.2 is the oldest")),
            ("redis_version:5.0.3\r\n", plain, Some("6.2 is the oldest")),
            ("redis_version:6.2.0\r\n", plain, None),
            ("redis_version:10.0.0\r\n", plain, None),
            (
                "redis_version:7.0.15\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n",
                plain,
                Some("throws keys away"),
            ),
            (
                "redis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n",
                plain,
                None,
            ),
            (
                "redis_version:7.0.15\r\nmaxmemory:100\r\nmaxmemory_policy:volatile-lru\r\n",
                plain,
                None,
            ),
            ("redis_version:7.0.15\r\ncluster_enabled:1\r\n", "redis://h/2", Some("no database 2")),
            ("redis_version:7.0.15\r\ncluster_enabled:1\r\n", "redis://h,i", None),
            ("redis_version:7.0.15\r\ncluster_enabled:0\r\n", "redis://h,i", Some("no node")),
        ] {
            let address = Address::read(url).expect("an address");
            let fit = refuse_unfit(&facts(info), &address, &host());
            let cause = fit.err().map(|trouble| trouble.failure("open", &address).to_string());
            match (cause, refused) {
                (Some(cause), Some(expected)) => assert!(cause.contains(expected), "{cause}"),
                (cause, expected) => assert_eq!(cause.as_deref(), expected, "{info}"),
            }
        }
    }

    #[test]
    fn who_answers_something_else_is_refused() {
        for other in [Value::Nil, Value::BulkString(b"hello".to_vec()), Value::Int(7)] {
            Facts::read(&other, &host()).expect_err("no Redis");
        }
    }

    #[test]
    fn slots_have_owners() {
        let run = |first, last, name: &str, port| {
            let node = Value::Array(vec![
                Value::BulkString(name.as_bytes().to_vec()),
                Value::Int(port),
                Value::BulkString(b"id".to_vec()),
            ]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node.clone(), node])
        };
        let slots =
            Value::Array(vec![run(100, 199, "b", 2), run(0, 99, "", 3), run(300, 16_383, "c", 4)]);
        let owners = read_owners(&slots, &host()).expect("owners");
        let owner = |slot| owner_of(&owners, slot).map(ToString::to_string);
        assert_eq!(owner(0).as_deref(), Some("h:3"));
        assert_eq!(owner(199).as_deref(), Some("b:2"));
        assert_eq!(owner(200), None);
        assert_eq!(owner(16_383).as_deref(), Some("c:4"));
        assert_eq!(read_owners(&Value::Array(vec![run(0, 99_999, "x", 1)]), &host()), None);
        assert_eq!(read_owners(&Value::Int(1), &host()), None);
    }
}
