//! Listings of who is connected, as brokers and their tools print them. Pure: text goes in.

use serde_json::Value;
use std::collections::BTreeMap;

/// Who is connected, by somebody else's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What it is, for people.
    pub format: &'static str,
    /// By client id: connected, or known and not connected.
    pub clients: BTreeMap<String, bool>,
    /// Entries that do not say who or whether.
    pub unusable: u64,
    /// Why one who is missing from it may be connected all the same.
    pub partial: Option<&'static str>,
}

/// What a column or member is called that holds an id, or tells whether it is connected; without signs
/// between words.
const IDS: [&str; 3] = ["clientid", "client", "id"];
const STATES: [&str; 5] = ["connected", "isonline", "online", "connectionstatus", "status"];

/// Rows after which `vmq-admin session show` stops at each node, unless `--limit` says otherwise.
const VERNEMQ_ROWS: u64 = 100;
const CUT_OFF: &str = "`vmq-admin` stops at 100 rows a node: use `--limit`";
const MORE_PAGES: &str = "there are more pages than were given";
const NO_SESSIONS: &str = "dynamic security knows users, and cannot tell sessions that are away";

/// Reads a listing.
///
/// Errors: why it is none, as a clause.
pub fn read(text: &str) -> Result<Listing, String> {
    let begin = text.trim_start();
    if begin.starts_with(['{', '['])
        && let Ok(values) = serde_json::Deserializer::from_str(begin).into_iter().collect()
    {
        let values: Vec<Value> = values;
        return from_json(&values);
    }
    if text.contains(ERLANG) {
        return Ok(from_erlang(text));
    }
    let table: Vec<Vec<&str>> = text.lines().filter_map(cells_between_bars).collect();
    if !table.is_empty() {
        let mut listing = from_rows("a table of vmq-admin", &table)?;
        let rows = table.len() as u64 - 1;
        listing.partial = (rows > 0 && rows.is_multiple_of(VERNEMQ_ROWS)).then_some(CUT_OFF);
        return Ok(listing);
    }
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes())
        .into_records()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("it is neither JSON nor a table: {error}"))?;
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().collect()).collect();
    from_rows("a table", &rows)
}

/// How `rabbitmqctl list_connections client_properties` writes an id, in Erlang's terms.
const ERLANG: &str = r#"{"client_id","#;

fn from_erlang(text: &str) -> Listing {
    let mut listing = Listing { format: "connections of rabbitmqctl", ..Listing::default() };
    for after in text.split(ERLANG).skip(1) {
        let quoted = after.trim_start().trim_start_matches("<<");
        match erlang_text(quoted) {
            Some(id) => {
                listing.clients.insert(id, true);
            }
            None => listing.unusable += 1,
        }
    }
    listing
}

/// Returns a text in double quotes that stands at the beginning.
fn erlang_text(text: &str) -> Option<String> {
    let mut chars = text.strip_prefix('"')?.chars();
    let mut id = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(id),
            '\\' => id.push(chars.next()?),
            char => id.push(char),
        }
    }
}

/// Returns the cells of a row such as `| a | b |`; of a line between rows, none.
fn cells_between_bars(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Reads rows behind a row of headers.
fn from_rows(format: &'static str, rows: &[Vec<&str>]) -> Result<Listing, String> {
    let Some((headers, rows)) = rows.split_first() else {
        return Err("there is nothing in it".to_owned());
    };
    let find = |names: &[&str]| {
        names.iter().find_map(|name| headers.iter().position(|header| bare(header) == *name))
    };
    let all = || headers.join(", ");
    let id =
        find(&IDS).ok_or_else(|| format!("no column holds client ids; there are: {}", all()))?;
    let state = find(&STATES)
        .ok_or_else(|| format!("no column tells who is connected; there are: {}", all()))?;
    let mut listing = Listing { format, ..Listing::default() };
    for row in rows {
        let id = row.get(id).filter(|id| !id.is_empty());
        listing.add(id.map(|id| (*id).to_owned()), row.get(state).and_then(|word| truth(word)));
    }
    Ok(listing)
}

fn truth(word: &str) -> Option<bool> {
    match bare(word).as_str() {
        "true" | "yes" | "1" | "connected" | "online" => Some(true),
        "false" | "no" | "0" | "disconnected" | "offline" => Some(false),
        _ => None,
    }
}

/// Reads what APIs answer: a list, objects one behind the other, or pages.
fn from_json(values: &[Value]) -> Result<Listing, String> {
    let mut listing = Listing { format: "JSON", ..Listing::default() };
    let mut rows_in_all = 0;
    let mut promised = 0;
    for value in values {
        if let Some(responses) = value.get("responses").and_then(Value::as_array) {
            listing.format = "answers of Mosquitto's dynamic security";
            listing.partial = Some(NO_SESSIONS);
            for response in responses {
                listing.add_users(response);
            }
            continue;
        }
        let pages = ["data", "items", "table"];
        let rows = match value {
            Value::Array(rows) => rows,
            page => match pages.iter().find_map(|name| page.get(name)?.as_array()) {
                Some(rows) => rows,
                None => std::slice::from_ref(value),
            },
        };
        rows_in_all += rows.len() as u64;
        let meta = value.get("meta");
        let count = meta.and_then(|meta| meta.get("count")).or_else(|| value.get("total_count"));
        promised = promised.max(count.and_then(Value::as_u64).unwrap_or(0));
        for row in rows {
            listing.add(id_of(row), state_of(row));
        }
    }
    if promised > rows_in_all {
        listing.partial = Some(MORE_PAGES);
    }
    if listing.clients.is_empty() && listing.unusable > 0 {
        return Err("none of its entries says who is connected".to_owned());
    }
    Ok(listing)
}

fn id_of(row: &Value) -> Option<String> {
    let properties = ["client_properties", "variable_map"];
    let nested = || properties.iter().find_map(|name| row.get(name)?.get("client_id"));
    let id = member(row, &IDS).or_else(nested)?;
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

fn state_of(row: &Value) -> Option<bool> {
    // RabbitMQ lists connections, and nobody else.
    if row.get("client_properties").is_some() || row.get("variable_map").is_some() {
        return Some(true);
    }
    match member(row, &STATES)? {
        Value::Bool(state) => Some(*state),
        Value::String(word) => truth(word),
        _ => None,
    }
}

/// Returns the first member of an object that is called one of these.
fn member<'a>(row: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let object = row.as_object()?;
    let find = |name: &&str| object.iter().find(|(key, _)| bare(key) == **name);
    names.iter().find_map(find).map(|(_, value)| value)
}

/// Returns a name without case and signs between words.
pub fn bare(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Listing {
    /// Adds an entry. Of several about one client, one that is connected counts.
    fn add(&mut self, id: Option<String>, state: Option<bool>) {
        match (id, state) {
            (Some(id), Some(state)) => *self.clients.entry(id).or_default() |= state,
            _ => self.unusable += 1,
        }
    }

    /// Adds users that are tied to a client id. One without connections is not connected; connections
    /// prove nothing, for sessions that are away are counted among them.
    fn add_users(&mut self, response: &Value) {
        let data = response.get("data");
        let list = data.and_then(|data| data.get("clients")).and_then(Value::as_array);
        let one = data.and_then(|data| data.get("client"));
        for user in list.into_iter().flatten().chain(one) {
            let connections = user.get("connections").and_then(Value::as_array);
            match (id_of(user), connections) {
                (Some(id), Some(connections)) if connections.is_empty() => {
                    self.clients.insert(id, false);
                }
                _ => self.unusable += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(text: &str) -> Vec<(String, bool)> {
        read(text).unwrap_or_else(|cause| panic!("{text}: {cause}")).clients.into_iter().collect()
    }

    fn ab() -> Vec<(String, bool)> {
        vec![("a".to_owned(), true), ("b".to_owned(), false)]
    }

    #[test]
    fn every_tool_has_its_own_way_to_list() {
        for text in [
            r#"{"data":[{"clientid":"a","connected":true},{"clientid":"b","connected":false}],"meta":{"count":2}}"#,
            r#"[{"clientid":"a","connected":true},{"clientid":"b","connected":false}]"#,
            r#"{"type":"table","table":[{"client_id":"a","is_online":true},{"client_id":"b","is_online":false}]}"#,
            "{\"clientId\":\"a\",\"online\":true}\n{\"clientId\":\"b\",\"online\":false}\n",
            "+---------+---------+\n|client_id|is_online|\n+---------+---------+\n| a | true |\n| b | false |\n+---+---+\n",
            "Client ID,Connected,Node\na,true,n1\nb,false,n1\n",
            "clientId,status\na,connected\nb,disconnected\n",
        ] {
            assert_eq!(clients(text), ab(), "{text}");
        }
    }

    #[test]
    fn who_is_listed_by_rabbitmq_is_connected() {
        let connected = vec![("a\"b".to_owned(), true), ("dev-1".to_owned(), true)];
        let text = "Listing connections ...\nclient_properties\n\
            [{\"client_id\",\"dev-1\"}, {\"product\",\"MQTT client\"}]\n[]\n\
            [{\"client_id\",<<\"a\\\"b\">>}]\n";
        assert_eq!(clients(text), connected);
        let text = r#"{"items":[{"client_properties":{"client_id":"dev-1"}},{"variable_map":{"client_id":"a\"b"}}],"total_count":2}"#;
        assert_eq!(clients(text), connected);
    }

    #[test]
    fn what_is_missing_is_said() {
        let page = r#"{"data":[{"clientid":"a","connected":true}],"meta":{"count":3,"page":1}}"#;
        assert_eq!(read(page).expect("it is one").partial, Some(MORE_PAGES));
        let row = "|x|true|\n".repeat(100);
        let table = format!("|client_id|is_online|\n{row}");
        assert_eq!(read(&table).expect("it is one").partial, Some(CUT_OFF));
        let users = r#"{"responses":[{"command":"listClients","data":{"clients":[
            {"username":"u","clientid":"a","connections":[]},
            {"username":"v","clientid":"b","connections":[{"address":"127.0.0.1"}]}, "admin"]}}]}"#;
        let listing = read(users).expect("it is one");
        assert_eq!(listing.clients, [("a".to_owned(), false)].into());
        assert_eq!((listing.unusable, listing.partial), (2, Some(NO_SESSIONS)));
    }

    #[test]
    fn what_is_no_listing_is_refused() {
        for (text, says) in [
            ("", "there is nothing in it"),
            ("id,node\na,n1\n", "no column tells who is connected; there are: id, node"),
            ("node,connected\nn1,true\n", "no column holds client ids"),
            (r#"[{"x":1}]"#, "none of its entries says who is connected"),
            ("a,b\nc\n", "neither JSON nor a table"),
        ] {
            let cause = read(text).expect_err(text);
            assert!(cause.contains(says), "{text}: {cause}");
        }
    }
}
