//! The configuration file: where it is, what it may hold, and one profile of it.

use crate::failure::Failure;
use crate::nearest::nearest;
use crate::secret::SecretPlace;
use clap::builder::ValueParser;
use clap::{Arg, ArgAction};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One key of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The identity of the option in the definition of the command line.
    pub id: String,
    pub long: String,
    pub line: usize,
    /// As they would be typed; of a switch `true` or `false`, of a counted one a number.
    pub values: Vec<String>,
}

/// A profile with its file.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    pub path: PathBuf,
    pub entries: Vec<Entry>,
    /// Everybody on this machine can change the file.
    pub is_writable_by_all: bool,
}

/// Options by their long names and aliases. Of one name, the first counts: that of the command itself.
pub type Options = BTreeMap<String, Arg>;

/// Larger files are none that a person wrote.
const FILE_MAX: u64 = 1 << 20;
/// What cannot stand in a profile, though it can be typed.
const NEVER: [&str; 4] = ["help", "print-config", "profile", "version"];

/// Returns where the file lies, whether it is there or not.
pub fn place(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
    let path = |name| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let absolute = |name| path(name).filter(|path| path.is_absolute());
    path("PRESENCE_CONFIG")
        .or_else(|| {
            let folder = absolute("XDG_CONFIG_HOME")
                .or_else(|| absolute("HOME").map(|home| home.join(".config")));
            folder.map(|folder| folder.join("presence").join("config.toml"))
        })
        .ok_or_else(|| {
            Failure::new("could not tell where the configuration file lies")
                .because("neither `XDG_CONFIG_HOME` nor `HOME` is set to an absolute path")
                .next("name the file in `PRESENCE_CONFIG`")
        })
}

/// Reads one profile of a file.
pub fn read(path: PathBuf, name: &str, options: &Options) -> Result<Profile, Failure> {
    let (text, is_writable_by_all) = load(&path)?;
    let entries = parse(&text, &path, name, options)?;
    Ok(Profile { name: name.to_owned(), path, entries, is_writable_by_all })
}

fn load(path: &Path) -> Result<(String, bool), Failure> {
    let refuse = || Failure::new(format!("could not read the configuration `{}`", path.display()));
    let fail = |error: std::io::Error| {
        refuse()
            .because(error)
            .next("write the file, name another in `PRESENCE_CONFIG`, or leave `--profile` out")
    };
    let file = File::open(path).map_err(fail)?;
    #[cfg(unix)]
    let is_writable_by_all = {
        use std::os::unix::fs::PermissionsExt as _;
        file.metadata().map_err(fail)?.permissions().mode() & 0o002 != 0
    };
    #[cfg(not(unix))]
    let is_writable_by_all = false;
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(refuse()
            .because("it is longer than 1 MiB")
            .next("check that this is the file of profiles"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse().because("it is no UTF-8 text").next("store it as UTF-8"))?;
    Ok((text, is_writable_by_all))
}

fn parse(text: &str, path: &Path, name: &str, options: &Options) -> Result<Vec<Entry>, Failure> {
    let at = |span: &Range<usize>| format!("`{}`, line {}", path.display(), line(text, span));
    let file = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(format!("`{}`", path.display()), |span| at(&span));
        Failure::misuse(format!("{place}: it is no TOML"))
            .because(error.message())
            .next("mend the line; texts stand in quotes")
    })?;
    if let Some(key) = file.get_ref().keys().find(|key| key.get_ref() != "profile") {
        return Err(Failure::misuse(format!(
            "{}: there is no `{}` here",
            at(&key.span()),
            key.get_ref()
        ))
        .because("the file holds nothing but tables `[profile.NAME]`")
        .next(format!("write it below a line such as `[profile.{name}]`")));
    }
    let profiles = file.get_ref().get("profile").and_then(|one| one.get_ref().as_table());
    let names: Vec<&str> =
        profiles.into_iter().flat_map(|all| all.keys().map(|key| &**key.get_ref())).collect();
    let found = profiles.and_then(|profiles| profiles.get(name));
    let Some(table) = found.and_then(|found| found.get_ref().as_table()) else {
        return Err(missing(path, name, &names));
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut entries: Vec<Entry> = Vec::new();
    for (key, value) in table {
        let place = at(&key.span());
        let option = option(key.get_ref(), &place, options)?;
        let values = values(option, key.get_ref(), value, &place)?;
        let values = values.into_iter().map(|value| located(option, value, folder)).collect();
        let long = option.get_long().unwrap_or_default().to_owned();
        if entries.iter().any(|known| known.long == long) {
            return Err(Failure::misuse(format!(
                "{place}: `{}` says `{long}` twice",
                key.get_ref()
            ))
            .because("both names mean one option")
            .next("take one of them out"));
        }
        let (id, line) = (option.get_id().to_string(), line(text, &key.span()));
        entries.push(Entry { id, long, line, values });
    }
    Ok(entries)
}

fn missing(path: &Path, name: &str, names: &[&str]) -> Failure {
    let cause = if names.is_empty() {
        "the file holds no profile".to_owned()
    } else {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("there are {}", names.join(", "))
    };
    let next = match nearest(name, names.iter().copied()) {
        Some(nearest) => format!("pass `--profile {nearest}`, if that is meant"),
        None => format!("write a table `[profile.{name}]`, or name another profile"),
    };
    Failure::misuse(format!("there is no profile `{name}` in `{}`", path.display()))
        .because(cause)
        .next(next)
}

/// Returns the option that a key names.
fn option<'o>(key: &str, place: &str, options: &'o Options) -> Result<&'o Arg, Failure> {
    if let Some(option) = options.get(key).filter(|_| !NEVER.contains(&key)) {
        return Ok(option);
    }
    let failure = Failure::misuse(format!("{place}: there is no `{key}` here"));
    if ["password", "secret", "token", "passwd"].iter().any(|word| key.ends_with(word)) {
        return Err(failure
            .because("a secret does not belong into this file")
            .next("write it into a file of its own and name that, as in `password-file = \"…\"`"));
    }
    if NEVER.contains(&key) {
        return Err(failure
            .because("it is of the command line alone")
            .next("take it out, and type it where it is needed"));
    }
    let known = options.keys().map(String::as_str).filter(|known| !NEVER.contains(known));
    let failure = failure.because("keys are long options without the dashes");
    Err(match nearest(key, known) {
        Some(nearest) => failure.next(format!("write `{nearest}`, if that is meant")),
        None => failure.next("take it out; `presence COMMAND --help` lists the options"),
    })
}

/// Returns the values as they would be typed.
fn values(
    option: &Arg,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    place: &str,
) -> Result<Vec<String>, Failure> {
    let takes_many =
        matches!(option.get_action(), ArgAction::Append) || option.get_value_delimiter().is_some();
    let (found, expected) = match (option.get_action(), value.get_ref()) {
        (ArgAction::SetTrue | ArgAction::SetFalse, DeValue::Boolean(yes)) => {
            (Some(vec![yes.to_string()]), "")
        }
        (ArgAction::SetTrue | ArgAction::SetFalse, _) => (None, "`true` or `false`"),
        (ArgAction::Count, DeValue::Boolean(yes)) => (Some(vec![u8::from(*yes).to_string()]), ""),
        (ArgAction::Count, value) => {
            (value.as_integer().map(|number| vec![number.as_str().to_owned()]), "a number")
        }
        (_, DeValue::Array(array)) if takes_many => {
            (array.iter().map(|one| scalar(one.get_ref())).collect(), "a list of texts")
        }
        (_, value) => {
            let expected =
                if takes_many { "a text or a list of texts" } else { "one text or number" };
            (scalar(value).map(|value| vec![value]), expected)
        }
    };
    let refuse = || Failure::misuse(format!("{place}: `{key}` cannot be used as it stands"));
    let Some(values) = found else {
        return Err(refuse()
            .because(
                format!("it is no {expected}").replace("no a ", "no ").replace("no one ", "no "),
            )
            .next(format!("write {expected}, as for `--{key}`")));
    };
    if values.iter().any(|value| holds_password(value)) {
        return Err(refuse()
            .because("its address holds a password, and a secret does not belong into this file")
            .next("write `username` and `password-file` beside it"));
    }
    Ok(values)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string().replace('_', "")),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Makes a relative path one that begins at the folder of the file: the same file means the same
/// wherever a command is run.
fn located(option: &Arg, value: String, folder: &Path) -> String {
    let name = option.get_value_names().and_then(|names| names.first());
    let is_path = is_path(option.get_value_parser())
        || name.is_some_and(|name| name == "FILE" || name == "PATH");
    let is_special = ["", "-", "memory"].contains(&value.as_str()) || value.contains("://");
    if !is_path || is_special || Path::new(&value).is_absolute() {
        return value;
    }
    // A folder that is no text was not typed as one; then the value stays as it is.
    folder.join(&value).into_os_string().into_string().unwrap_or(value)
}

fn is_path(parser: &ValueParser) -> bool {
    let kind = parser.type_id();
    kind == TypeId::of::<PathBuf>() || kind == TypeId::of::<SecretPlace>()
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}
