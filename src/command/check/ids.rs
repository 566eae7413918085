//! Whom a question is about: the ids that were typed, those of a file, and those of the store that match.

use super::listing::bare;
use crate::cli::check::{Asked, FleetFormat};
use crate::command::filter::Clients;
use crate::failure::{Failure, Outcome};
use crate::source::lines::{Lines, Text};
use crate::store::Store;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Returns the ids that are named, in the order given. Those of the store that [match](matching) are not
/// among them.
///
/// Errors: a list that is malformed, or holds nothing, exit 2; one that cannot be read, exit 4.
pub fn named(options: &Asked) -> Result<Vec<String>, Failure> {
    let mut ids = options.ids.clone();
    if let Some(fleet) = &options.fleet {
        let list = List { shown: shown(fleet), column: options.fleet_column.as_deref() };
        let input: Box<dyn Read> = if fleet == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(fleet).map_err(|error| list.unreadable(error))?)
        };
        match options.fleet_format.unwrap_or_else(|| format_of(fleet)) {
            FleetFormat::Plain => list.read_plain(input, &mut ids)?,
            FleetFormat::Csv => list.read_csv(input, &mut ids)?,
            FleetFormat::Json => list.read_json(input, &mut ids)?,
        }
    }
    if ids.is_empty() && options.matching.is_empty() && options.reconcile.is_none() {
        return Err(Failure::misuse("no client id to ask about")
            .because("the list of ids is empty")
            .next("name an id, or give `--fleet` a file with one id a line"));
    }
    Ok(ids)
}

/// Returns the ids of the store that match one of the globs, sorted by their bytes.
///
/// Errors: no glob, exit 2; nothing matches, exit 3; a store that cannot be read, exit 4.
pub fn matching(
    globs: &[String],
    instance: &str,
    store: Option<&mut dyn Store>,
) -> Result<Vec<String>, Failure> {
    let clients = Clients::chosen_by("--match", globs)?;
    let Some(store) = store else {
        return Err(Failure::new("`--match` looks into a store")
            .because("there is none")
            .next("run `presence watch` first, or name the ids"));
    };
    let mut ids = Vec::new();
    store.each_client(instance, &mut |client| {
        if clients.include(client.id()) {
            ids.push(client.id().to_owned());
        }
        Ok(())
    })?;
    if ids.is_empty() {
        return Err(Failure::new(format!("no client of {instance} matches"))
            .because(format!("`--match {}`", globs.join(" --match ")))
            .next("see `presence store info` for the brokers that the store knows")
            .ends_with(Outcome::CannotTell));
    }
    Ok(ids)
}

/// A list of ids, as it is read and spoken of.
struct List<'a> {
    shown: &'a str,
    /// The one that holds them, if the user says so.
    column: Option<&'a str>,
}

/// What the member or column is called that holds the id, but for case and signs between words.
const NAMES: [&str; 4] = ["clientid", "client", "id", "name"];

fn shown(fleet: &str) -> &str {
    if fleet == "-" { "standard input" } else { fleet }
}

/// Returns the format that a name stands for.
fn format_of(fleet: &str) -> FleetFormat {
    let extension = Path::new(fleet).extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => FleetFormat::Csv,
        Some("json" | "jsonl" | "ndjson") => FleetFormat::Json,
        _ => FleetFormat::Plain,
    }
}

impl List<'_> {
    fn unreadable(&self, error: io::Error) -> Failure {
        Failure::new(format!("could not read the ids in `{}`", self.shown))
            .because(error)
            .next("name a file with one client id a line, or `-` for standard input")
    }

    /// Reads one id a line.
    fn read_plain(&self, input: impl Read, ids: &mut Vec<String>) -> Result<(), Failure> {
        let mut lines = Lines::new(input);
        while let Some((number, text)) =
            lines.next_line().map_err(|error| self.unreadable(error))?
        {
            let place = format!("{}, line {number}", self.shown);
            let (Text::Whole(line) | Text::Unended(line)) = text else {
                return Err(Failure::misuse(format!("{place}: no client id is that long")));
            };
            let line = std::str::from_utf8(line).map_err(|error| {
                Failure::misuse(format!("{place}: not UTF-8"))
                    .because(error)
                    .next("client ids are UTF-8 (MQTT 3.1.1 §1.5.3)")
            })?;
            if !line.is_empty() {
                ids.push(line.to_owned());
            }
        }
        Ok(())
    }

    /// Reads the column of ids of a table with a row of headers.
    fn read_csv(&self, input: impl Read, ids: &mut Vec<String>) -> Result<(), Failure> {
        let mut table = csv::Reader::from_reader(input);
        let headers = table.headers().map_err(|error| self.no_table(&error))?.clone();
        let is_wanted = |header: &str| match self.column {
            Some(column) => header == column,
            None => NAMES.contains(&bare(header).as_str()),
        };
        let Some(column) = headers.iter().position(is_wanted) else {
            let all: Vec<&str> = headers.iter().collect();
            return Err(Failure::misuse(format!("{}: no column holds client ids", self.shown))
                .because(format!("its columns are: {}", all.join(", ")))
                .next("name the one that does with `--fleet-column NAME`"));
        };
        for row in table.records() {
            let row = row.map_err(|error| self.no_table(&error))?;
            ids.extend(row.get(column).filter(|id| !id.is_empty()).map(str::to_owned));
        }
        Ok(())
    }

    fn no_table(&self, error: &csv::Error) -> Failure {
        match error.kind() {
            csv::ErrorKind::Io(error) => {
                self.unreadable(io::Error::new(error.kind(), error.to_string()))
            }
            _ => Failure::misuse(format!("{} is no table", self.shown))
                .because(error)
                .next("see `--fleet-format` for what a list of ids can be"),
        }
    }

    /// Reads texts, objects that hold an id, lists of both, and what the APIs of brokers list (`data`), one
    /// behind the other.
    fn read_json(&self, input: impl Read, ids: &mut Vec<String>) -> Result<(), Failure> {
        let values = serde_json::Deserializer::from_reader(BufReader::new(input)).into_iter();
        for value in values {
            let value: Value = value.map_err(|error| {
                if error.is_io() {
                    return self.unreadable(error.into());
                }
                Failure::misuse(format!("{} is no JSON", self.shown))
                    .because(error)
                    .next("see `--fleet-format` for what a list of ids can be")
            })?;
            self.take(&value, ids)?;
        }
        Ok(())
    }

    fn take(&self, value: &Value, ids: &mut Vec<String>) -> Result<(), Failure> {
        let list = match value {
            Value::Array(list) => list,
            Value::Object(object) if self.column.is_none() && object.get("data").is_some() => {
                return self.take(&object["data"], ids);
            }
            one => std::slice::from_ref(one),
        };
        for one in list {
            ids.push(self.id_of(one).ok_or_else(|| {
                let text: String = one.to_string().chars().take(80).collect();
                Failure::misuse(format!("{}: no client id in `{text}`", self.shown))
                    .because("it is neither a text nor an object that names a client")
                    .next("name the member that holds the id with `--fleet-column NAME`")
            })?);
        }
        Ok(())
    }

    fn id_of(&self, value: &Value) -> Option<String> {
        let object = match value {
            Value::String(id) if self.column.is_none() => return Some(id.clone()),
            Value::Object(object) => object,
            _ => return None,
        };
        let found = match self.column {
            Some(column) => object.get(column),
            None => NAMES.iter().find_map(|name| {
                object.iter().find(|(key, _)| bare(key) == *name).map(|(_, value)| value)
            }),
        };
        found?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: List<'_> = List { shown: "ids", column: None };

    fn csv(text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
        let mut ids = Vec::new();
        let list = List { column, ..LIST };
        list.read_csv(text.as_bytes(), &mut ids).map_err(|failure| failure.to_string())?;
        Ok(ids)
    }

    fn json(text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
        let mut ids = Vec::new();
        let list = List { column, ..LIST };
        list.read_json(text.as_bytes(), &mut ids).map_err(|failure| failure.to_string())?;
        Ok(ids)
    }

    #[test]
    fn a_table_names_its_column() {
        for header in ["Client ID", "client_id", "clientid", "clientId", "client"] {
            let table = format!("site,{header},x\nberlin,\"a,1\",\nrome,b,3\nrome,,3\n");
            assert_eq!(csv(&table, None), Ok(vec!["a,1".into(), "b".into()]), "{header}");
        }
        assert_eq!(csv("device,y\np,1\n", Some("device")), Ok(vec!["p".into()]));
        let error = csv("device,y\np,1\n", None).expect_err("nothing says which");
        assert!(error.contains("its columns are: device, y"), "{error}");
        let error = csv("id,y\na\n", None).expect_err("it is torn");
        assert!(error.contains("is no table"), "{error}");
    }

    #[test]
    fn json_may_be_a_list_lines_or_what_a_broker_answers() {
        let two = Ok(vec!["a".to_owned(), "b".to_owned()]);
        for text in [
            r#"["a", "b"]"#,
            "\"a\"\n\"b\"\n",
            r#"{"clientId":"a"} {"client_id":"b"}"#,
            r#"[{"clientid":"a","connected":true}, "b"]"#,
            r#"{"data":[{"clientid":"a"},{"clientid":"b"}],"meta":{"page":1}}"#,
        ] {
            assert_eq!(json(text, None), two, "{text}");
        }
        assert_eq!(json(r#"[{"dev":"a"},{"dev":"b"}]"#, Some("dev")), two);
        for (text, says) in [
            ("[1]", "no client id in `1`"),
            (r#"{"x":1}"#, "no client id in"),
            (r#"["a""#, "is no JSON"),
            (r#"{"clientid":7}"#, "no client id in"),
        ] {
            let error = json(text, None).expect_err("it is no list of ids");
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_name_says_what_a_list_is() {
        assert_eq!(format_of("a/fleet.CSV"), FleetFormat::Csv);
        assert_eq!(format_of("fleet.jsonl"), FleetFormat::Json);
        assert_eq!(format_of("fleet.json"), FleetFormat::Json);
        assert_eq!(format_of("csv"), FleetFormat::Plain);
        assert_eq!(format_of("-"), FleetFormat::Plain);
    }
}
