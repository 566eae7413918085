//! Options from a profile: command line, environment, profile and default joined, in this order.
//!
//! The command line is read twice. The first time tells which command is meant, which profile, and what
//! was typed or stands in the environment. What is left is taken from the profile as if it had been
//! typed, so that clap checks its values, and what goes together, as it checks all others.

mod file;
mod settings;

pub use settings::{Origin, Setting};

use crate::config::warning::Warning;
use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use file::{Entry, Options, Profile};
use std::ffi::OsString;

/// What was typed, with the profile in it.
#[derive(Debug)]
pub struct Typed {
    pub matches: ArgMatches,
    /// All options of the command, where nothing but they are asked for.
    pub settings: Option<Vec<Setting>>,
    pub warnings: Vec<Warning>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Refusal {
    /// Help, or a mistake on the command line.
    Typed(clap::Error),
    Failed(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Reads a command line. `variable` looks into the environment for what clap does not look for.
pub fn read(
    definition: &Command,
    arguments: &[OsString],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Typed, Refusal> {
    let strict = |arguments: &[OsString]| definition.clone().try_get_matches_from(arguments);
    if names_nothing(arguments, &variable) {
        // As with most: the command line is read once, and only the command that was typed is looked at.
        let matches = strict(arguments).map_err(Refusal::Typed)?;
        return Ok(Typed { matches, settings: None, warnings: Vec::new() });
    }
    let Ok(first) = lenient(definition, arguments) else {
        // Help is no mistake that could be overlooked.
        let matches = strict(arguments).map_err(Refusal::Typed)?;
        return Ok(Typed { matches, settings: None, warnings: Vec::new() });
    };
    let (path, matches) = innermost(&first);
    let mut built = definition.clone();
    built.build();
    let command = path.iter().try_fold(&built, |command, name| command.find_subcommand(name));
    let command = command.unwrap_or(&built);
    let profile = match matches.try_get_one::<String>("profile") {
        Ok(Some(name)) => {
            Some(file::read(file::place(&variable)?, name, &options(command, &built))?)
        }
        _ => None,
    };
    let entries = profile.as_ref().map_or(&[][..], |profile| &profile.entries);
    let taken: Vec<&Entry> =
        entries.iter().filter(|entry| counts(entry, command, matches)).collect();
    let joined = joined(arguments, &path, &taken, command);
    let only_asked = matches!(matches.try_get_one::<bool>("print_config"), Ok(Some(true)));
    let matches = match strict(&joined) {
        Err(error) if only_asked && error.kind() == ErrorKind::MissingRequiredArgument => {
            lenient(definition, &joined).map_err(Refusal::Typed)?
        }
        Err(error) => return Err(blamed(error, profile.as_ref(), &taken)),
        Ok(matches) => matches,
    };
    let settings = only_asked.then(|| {
        let (_, matches) = innermost(&matches);
        settings::of(command, matches, profile.as_ref(), &taken, &variable)
    });
    let warnings = profile
        .iter()
        .filter(|profile| profile.is_writable_by_all)
        .map(|profile| Warning::WritableByAll { path: profile.path.display().to_string() });
    Ok(Typed { settings, warnings: warnings.collect(), matches })
}

/// Tells whether nobody asks for a profile or for the settings.
fn names_nothing(arguments: &[OsString], variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let options = ["--profile", "--print-config"];
    let is_named = |argument: &OsString| {
        let argument = argument.as_encoded_bytes();
        options.iter().any(|option| argument.starts_with(option.as_bytes()))
    };
    let variables = ["PRESENCE_PROFILE", "PRESENCE_PRINT_CONFIG"];
    !arguments.iter().any(is_named) && variables.iter().all(|name| variable(name).is_none())
}

fn lenient(definition: &Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    definition.clone().ignore_errors(true).try_get_matches_from(arguments)
}

/// Returns the names of the commands down to the one that is meant, and what was typed for it.
fn innermost(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut path, mut inner) = (Vec::new(), matches);
    while let Some((name, matches)) = inner.subcommand() {
        path.push(name.to_owned());
        inner = matches;
    }
    (path, inner)
}

/// Returns what keys may name: the options of the command, then those of all others.
fn options(command: &Command, built: &Command) -> Options {
    let mut options = Options::new();
    collect(command, &mut options);
    collect(built, &mut options);
    options
}

fn collect(command: &Command, options: &mut Options) {
    for arg in command.get_arguments() {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        for name in arg.get_long().into_iter().chain(aliases) {
            options.entry(name.to_owned()).or_insert_with(|| arg.clone());
        }
    }
    command.get_subcommands().for_each(|command| collect(command, options));
}

/// Tells whether a key of the profile counts: the command knows it, and neither it nor what excludes it
/// was typed or stands in the environment.
fn counts(entry: &Entry, command: &Command, matches: &ArgMatches) -> bool {
    let is_given = |arg: &Arg| {
        matches!(
            matches.value_source(arg.get_id().as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    };
    let Some(option) = own(command, entry) else { return false };
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    !is_given(option)
        && !command
            .get_arguments()
            .filter(|arg| is_given(arg))
            .any(|given| excludes(option, given) || excludes(given, option))
}

fn own<'c>(command: &'c Command, entry: &Entry) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(&entry.long))
}

/// Returns the command line with the profile's options behind the name of the command.
fn joined(
    arguments: &[OsString],
    path: &[String],
    taken: &[&Entry],
    command: &Command,
) -> Vec<OsString> {
    let mut at = 0;
    for name in path {
        at += 1 + arguments[at + 1..].iter().position(|word| *word == **name).unwrap_or(0);
    }
    let mut joined = arguments.to_vec();
    let typed = taken.iter().flat_map(|entry| {
        let action = own(command, entry).map(Arg::get_action);
        as_typed(entry, action.unwrap_or(&ArgAction::Set))
    });
    let behind = (at + 1).min(joined.len());
    joined.splice(behind..behind, typed);
    joined
}

fn as_typed(entry: &Entry, action: &ArgAction) -> Vec<OsString> {
    let flag = OsString::from(format!("--{}", entry.long));
    let number = || entry.values.first().and_then(|value| value.parse::<u8>().ok()).unwrap_or(0);
    match action {
        ArgAction::SetTrue | ArgAction::SetFalse => {
            let is_on = entry.values.first().is_some_and(|value| value == "true");
            vec![flag; usize::from(is_on)]
        }
        ArgAction::Count => vec![flag; usize::from(number())],
        _ => entry.values.iter().map(|value| format!("--{}={value}", entry.long).into()).collect(),
    }
}

/// Says where a mistake stands if the profile made it.
fn blamed(error: clap::Error, profile: Option<&Profile>, taken: &[&Entry]) -> Refusal {
    let about = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(about)) => about.as_str(),
        Some(ContextValue::Strings(about)) => about.first().map_or("", String::as_str),
        _ => "",
    };
    let name = about.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default();
    let entry = taken.iter().find(|entry| about.starts_with("--") && entry.long == name);
    let (Some(profile), Some(entry)) = (profile, entry) else { return Refusal::Typed(error) };
    let text = error.render().to_string();
    let cause = text.lines().next().unwrap_or_default();
    let cause = cause.strip_prefix("error: ").unwrap_or(cause).to_owned();
    let (path, line) = (profile.path.display(), entry.line);
    let what = format!("`{path}`, line {line}: `{}` cannot be used as it stands", entry.long);
    let next = format!("mend the line, or pass `--{}` instead", entry.long);
    Refusal::Failed(Failure::misuse(what).because(cause).next(next))
}
