//! A table of who devices are, as CSV.

use super::connection::TEXT_MAX;
use crate::failure::Failure;
use crate::secret::Secret;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Who one device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `None` if the table has no such column.
    pub client_id: Option<String>,
    pub username: String,
    pub password: Option<Secret>,
}

/// Reads the first `count` rows of a table.
///
/// Errors: a file that cannot be read (exit 4); a table that is none, has fewer rows, or names one client
/// twice (exit 2). They name the line, and never show a password.
pub fn read(path: &Path, count: u32) -> Result<Vec<Row>, Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| {
        Failure::new(format!("could not read `{shown}`"))
            .because(error)
            .next("check the path of `--credentials` and who may read the file")
    })?;
    from_reader(file, &shown, count)
}

fn from_reader(source: impl Read, shown: &str, count: u32) -> Result<Vec<Row>, Failure> {
    let mut table = csv::ReaderBuilder::new().from_reader(source);
    let columns = Columns::find(table.headers().map_err(|error| broken(shown, &error))?, shown)?;
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    let mut rows: Vec<Row> = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut record = csv::StringRecord::new();
    while rows.len() < wanted
        && table.read_record(&mut record).map_err(|error| broken(shown, &error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let row = columns.row(&record).map_err(|cause| {
            Failure::misuse(format!("{shown}, line {line}: a device cannot be this"))
                .because(cause)
                .next("mend the line, or take it out")
        })?;
        if let Some(id) = &row.client_id
            && let Some(first) = lines.insert(id.clone(), line)
        {
            return Err(Failure::misuse(format!(
                "{shown}, line {line}: the client id of line {first} again"
            ))
            .because("two devices with one client id throw each other out")
            .next("give every device an id of its own"));
        }
        rows.push(row);
    }
    if rows.len() < wanted {
        return Err(Failure::misuse(format!(
            "`--count {count}` is more than there are rows in {shown}"
        ))
        .because(format!("it has {}", rows.len()))
        .next(format!("add rows, or pass at most `--count {}`", rows.len())));
    }
    Ok(rows)
}

/// At which place of a row what stands.
struct Columns {
    client_id: Option<usize>,
    username: usize,
    password: Option<usize>,
}

impl Columns {
    fn find(headers: &csv::StringRecord, shown: &str) -> Result<Self, Failure> {
        let refuse = |cause: String| {
            Failure::misuse(format!("{shown}, line 1: no header of a table of credentials"))
                .because(cause)
                .next("let the first line read `client_id,username,password`, in any order")
        };
        let (mut client_id, mut username, mut password) = (None, None, None);
        for (at, name) in headers.iter().enumerate() {
            let column = match name.trim() {
                "client_id" => &mut client_id,
                // The latter as at Alibaba Cloud, where each device may have a key.
                "username" | "access_key_id" => &mut username,
                "password" | "access_key_secret" => &mut password,
                // Not the text itself: a file without a header begins with a password.
                _ => return Err(refuse(format!("column {} has another name", at + 1))),
            };
            if column.replace(at).is_some() {
                return Err(refuse(format!("column {} has the name of another", at + 1)));
            }
        }
        let username = username.ok_or_else(|| refuse("there is no column `username`".into()))?;
        Ok(Self { client_id, username, password })
    }

    fn row(&self, record: &csv::StringRecord) -> Result<Row, String> {
        let field = |at: usize, name: &str| {
            let text = record.get(at).unwrap_or_default();
            if text.len() > TEXT_MAX {
                Err(format!("`{name}` is longer than the 65,535 bytes MQTT can carry"))
            } else {
                Ok(text)
            }
        };
        let text = |at: usize, name: &str| {
            let text = field(at, name)?;
            if text.is_empty() {
                return Err(format!("`{name}` is empty"));
            }
            if text.contains('\0') {
                return Err(format!("`{name}` holds a NUL, which MQTT forbids (§1.5.3)"));
            }
            Ok(text.to_owned())
        };
        let password = self.password.map(|at| field(at, "password")).transpose()?;
        Ok(Row {
            client_id: self.client_id.map(|at| text(at, "client_id")).transpose()?,
            username: text(self.username, "username")?,
            password: password.filter(|text| !text.is_empty()).map(Secret::from),
        })
    }
}

/// Says what is wrong with a file, without showing any of it.
fn broken(shown: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or_else(String::new, |at| format!(", line {}", at.line()));
    let misuse = Failure::misuse(format!("{shown}{line}: no row of the table"));
    match error.kind() {
        csv::ErrorKind::Io(error) => Failure::new(format!("could not read `{shown}`"))
            .because(error)
            .next("check the file of `--credentials`"),
        csv::ErrorKind::Utf8 { .. } => {
            misuse.because("it is no UTF-8 text").next("store the file as UTF-8")
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => misuse
            .because(format!("it has {len} fields, and the header has {expected_len}"))
            .next("put values that hold a comma or a quote into double quotes"),
        _ => misuse.because("it is no CSV").next("check the file of `--credentials`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;

    fn row(client_id: Option<&str>, username: &str, password: Option<&str>) -> Row {
        Row {
            client_id: client_id.map(str::to_owned),
            username: username.to_owned(),
            password: password.map(Secret::from),
        }
    }

    #[test]
    fn columns_come_in_any_order() {
        for (text, expected) in [
            ("client_id,username,password\nc1,u1,p1\n", row(Some("c1"), "u1", Some("p1"))),
            ("password,username\r\n\"p,\"\"1\",u1\r\n", row(None, "u1", Some("p,\"1"))),
            ("username\nu1", row(None, "u1", None)),
            ("\u{feff}username, password\nu1, p1\n", row(None, "u1", Some(" p1"))),
            ("username,password\nu1,\n", row(None, "u1", None)),
            ("username,client_id\nü,c/#+1\n", row(Some("c/#+1"), "ü", None)),
            (
                "client_id,access_key_id,access_key_secret\nc1,DC.u1,p1\n",
                row(Some("c1"), "DC.u1", Some("p1")),
            ),
        ] {
            let rows = from_reader(text.as_bytes(), "f.csv", 1);
            assert_eq!(rows, Ok(vec![expected]), "{text}");
        }
    }

    #[test]
    fn only_as_many_rows_are_read_as_there_are_devices() {
        let text = "username\na\nb\n\"broken";
        let rows = from_reader(text.as_bytes(), "f.csv", 2).expect("two rows are fine");
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_secrets() {
        let long = format!("username\n{}\n", "u".repeat(TEXT_MAX + 1));
        for (text, count, what, cause) in [
            ("", 1, "line 1", "no column `username`"),
            ("u1,hunter2\n", 1, "line 1", "column 1 has another name"),
            ("username,username\n", 1, "line 1", "column 2 has the name of another"),
            ("client_id,password\n", 1, "line 1", "no column `username`"),
            ("username,password\na,hunter2\nb\n", 2, "line 3", "1 fields, and the header has 2"),
            ("client_id,username\nc1,u\n,u\n", 2, "line 3", "`client_id` is empty"),
            ("username,password\n,hunter2\n", 1, "line 2", "`username` is empty"),
            ("username\na\0b\n", 1, "line 2", "holds a NUL"),
            (&long, 1, "line 2", "longer than the 65,535 bytes"),
            (
                "client_id,username\na,u\nb,u\na,u\n",
                3,
                "line 4: the client id of line 2 again",
                "throw each other out",
            ),
            ("username\nu1\nu2\n", 3, "`--count 3` is more", "it has 2"),
        ] {
            let failure = from_reader(text.as_bytes(), "f.csv", count).expect_err(what);
            assert_eq!(failure.outcome, Outcome::Misused, "{failure}");
            let shown = failure.to_string();
            assert!(shown.contains(what) && shown.contains(cause), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let failure = from_reader(&b"username\n\xff\n"[..], "f.csv", 1).expect_err("no UTF-8");
        assert!(failure.to_string().contains("line 2"), "{failure}");
    }

    #[test]
    fn a_file_that_is_not_there_cannot_be_read() {
        let failure = read(Path::new("/nowhere/f.csv"), 1).expect_err("there is no such file");
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
    }
}
