//! What every option of a command amounts to, and where that comes from.

use super::file::{Entry, Profile};
use crate::config::broker::redacted;
use crate::config::{access_key, api};
use crate::secret::Secret;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::any::TypeId;
use std::ffi::OsString;

/// One option. Secrets are redacted already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The long option without its dashes.
    pub option: String,
    /// Empty where it is not set.
    pub values: Vec<String>,
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Environment { variable: String },
    Profile { name: String, file: String, line: usize },
    Default,
}

/// Secrets that have no option, since arguments are public: the option for their file, their name, and
/// their variable.
const SECRETS: [(&str, &str, &str); 5] = [
    ("password-file", "password", "PRESENCE_PASSWORD"),
    ("api-password-file", "api-password", api::PASSWORD),
    ("api-token-file", "api-token", api::TOKEN),
    ("access-key-secret-file", "access-key-secret", access_key::SECRET),
    ("access-key-token-file", "access-key-token", access_key::TOKEN),
];
const REDACTED: &str = "(redacted)";

pub fn of(
    command: &Command,
    matches: &ArgMatches,
    profile: Option<&Profile>,
    taken: &[&Entry],
    variable: &impl Fn(&str) -> Option<OsString>,
) -> Vec<Setting> {
    let shown = command.get_arguments().filter(|arg| {
        let long = arg.get_long();
        long.is_some_and(|long| !["help", "version", "print-config"].contains(&long))
    });
    let mut settings: Vec<Setting> = Vec::new();
    for arg in shown {
        let option = arg.get_long().unwrap_or_default().to_owned();
        let entry = taken.iter().find(|entry| entry.long == option);
        let origin = origin(arg, matches, profile, entry.copied());
        let secret = SECRETS.into_iter().find(|(file, ..)| *file == option);
        settings.push(Setting { option, values: values(arg, matches), origin });
        if let Some((_, secret, name)) = secret
            && variable(name).is_some()
        {
            settings.push(Setting {
                option: secret.to_owned(),
                values: vec![REDACTED.to_owned()],
                origin: Origin::Environment { variable: name.to_owned() },
            });
        }
    }
    settings
}

fn origin(
    arg: &Arg,
    matches: &ArgMatches,
    profile: Option<&Profile>,
    entry: Option<&Entry>,
) -> Origin {
    if let (Some(profile), Some(entry)) = (profile, entry) {
        let (name, file) = (profile.name.clone(), profile.path.display().to_string());
        return Origin::Profile { name, file, line: entry.line };
    }
    match matches.value_source(arg.get_id().as_str()) {
        Some(ValueSource::CommandLine) => Origin::Flag,
        Some(ValueSource::EnvVariable) => {
            let variable = arg.get_env().unwrap_or_default().to_string_lossy().into_owned();
            Origin::Environment { variable }
        }
        _ => Origin::Default,
    }
}

fn values(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = arg.get_id().as_str();
    match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => {
            vec![matches.try_get_one::<bool>(id).ok().flatten().is_some_and(|yes| *yes).to_string()]
        }
        ArgAction::Count => {
            vec![matches.try_get_one::<u8>(id).ok().flatten().map_or(0, |count| *count).to_string()]
        }
        _ => {
            let raw = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
            raw.map(|value| shown(arg, &value.to_string_lossy())).collect()
        }
    }
}

/// Returns a value without what may be secret in it.
fn shown(arg: &Arg, value: &str) -> String {
    let is_secret = arg.get_value_parser().type_id() == TypeId::of::<Secret>();
    if is_secret && !["broker", "source"].contains(&arg.get_id().as_str()) {
        // The path of a webhook may be as secret as a password.
        REDACTED.to_owned()
    } else if is_secret || value.contains("://") {
        redacted(value)
    } else {
        value.to_owned()
    }
}
