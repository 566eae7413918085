//! Where the queues of a topic are, as a name server tells it.

use std::collections::BTreeMap;

/// The queues of a topic that can be read, and where their brokers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// By broker, then by number.
    pub queues: Vec<Queue>,
    /// Addresses by the name of a broker: its master first, then those that copy it.
    pub brokers: BTreeMap<String, Vec<String>>,
}

/// One queue of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    pub broker: String,
    pub number: u32,
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.broker, self.number)
    }
}

/// Queues that are read of one topic. Nobody has as many.
const QUEUES_MAX: usize = 4_096;
/// The bit of a right to read.
const MAY_READ: i64 = 4;

impl Route {
    /// Reads what a name server answers. Until 4.9.4 they write integer keys without quotes.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body = std::str::from_utf8(body).ok()?;
        let said: serde_json::Value = serde_json::from_str(&quoted_keys(body)).ok()?;
        let mut brokers = BTreeMap::new();
        for broker in said["brokerDatas"].as_array()? {
            let addresses = broker["brokerAddrs"].as_object()?;
            let mut addresses: Vec<(i64, &str)> = addresses
                .iter()
                .filter_map(|(id, address)| Some((id.parse().ok()?, address.as_str()?)))
                .collect();
            addresses.sort_unstable();
            let addresses = addresses.into_iter().map(|(_, address)| address.to_owned());
            brokers.insert(broker["brokerName"].as_str()?.to_owned(), addresses.collect());
        }
        let mut queues = Vec::new();
        for held in said["queueDatas"].as_array()? {
            let broker = held["brokerName"].as_str()?;
            let may_read = held["perm"].as_i64().is_none_or(|rights| rights & MAY_READ != 0);
            let count = u32::try_from(held["readQueueNums"].as_u64()?).ok()?;
            if may_read && brokers.contains_key(broker) {
                let queue = |number| Queue { broker: broker.to_owned(), number };
                queues.extend((0..count).map(queue).take(QUEUES_MAX));
            }
        }
        queues.sort_unstable();
        queues.truncate(QUEUES_MAX);
        Some(Self { queues, brokers })
    }
}

/// Puts quotes around keys that are numbers.
fn quoted_keys(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len() + 16);
    let (mut in_text, mut is_escaped) = (false, false);
    let mut rest = json;
    while let Some(next) = rest.chars().next() {
        if in_text {
            in_text = is_escaped || next != '"';
            is_escaped = !is_escaped && next == '\\';
        } else if next == '"' {
            in_text = true;
        } else if quoted.ends_with(['{', ',']) {
            let digits = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let key = &rest[..rest.len() - digits.len()];
            if !key.is_empty() && digits.starts_with(':') {
                quoted.push('"');
                quoted.push_str(key);
                quoted.push('"');
                rest = digits;
                continue;
            }
        }
        quoted.push(next);
        rest = &rest[next.len_utf8()..];
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = r#"{"brokerDatas":[{"brokerAddrs":{1:"10.0.0.2:10911",0:"10.0.0.1:10911"},"brokerName":"b"},
        {"brokerAddrs":{"0":"10.0.0.3:10911"},"brokerName":"a","zoneName":"{5:,6:"}],
        "queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":2},{"brokerName":"a","perm":2,"readQueueNums":4},
        {"brokerName":"a","perm":4,"readQueueNums":1},{"brokerName":"nowhere","perm":6,"readQueueNums":1}]}"#;

    #[test]
    fn queues_that_may_be_read_are_known_with_their_brokers() {
        let route = Route::read(ROUTE.as_bytes()).expect("it is one");
        let queues: Vec<_> = route.queues.iter().map(ToString::to_string).collect();
        assert_eq!(queues, ["a/0", "b/0", "b/1"]);
        assert_eq!(route.brokers["b"], ["10.0.0.1:10911", "10.0.0.2:10911"], "the master first");
    }

    #[test]
    fn only_keys_are_quoted() {
        for json in [r#"{"a":[1,2,{"b":3}],"c":"\"{4:"}"#, "", "{", r#""\"#] {
            assert_eq!(quoted_keys(json), json);
        }
        assert_eq!(quoted_keys(r#"{0:"x",1:{2:3}}"#), r#"{"0":"x","1":{"2":3}}"#);
    }

    #[test]
    fn what_is_no_route_is_none() {
        for body in [&b""[..], b"{}", b"[]", b"\xff", br#"{"brokerDatas":[{}],"queueDatas":[]}"#] {
            assert_eq!(Route::read(body), None);
        }
        let many = r#"{"brokerDatas":[{"brokerAddrs":{},"brokerName":"a"}],
            "queueDatas":[{"brokerName":"a","readQueueNums":4294967295}]}"#;
        assert_eq!(Route::read(many.as_bytes()).expect("it is one").queues.len(), QUEUES_MAX);
    }
}
