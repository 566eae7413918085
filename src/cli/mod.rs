//! What can be typed: one file a subcommand, and one for each group of options that commands share.

pub mod access_key;
pub mod api;
#[cfg(feature = "broker")]
pub mod broker;
pub mod check;
pub mod completions;
pub mod connection;
#[cfg(feature = "broker")]
pub mod demo;
pub mod dialects;
pub mod disorder;
pub mod kafka;
pub mod merge;
pub mod policy;
pub mod probe;
pub mod profile;
pub mod publish;
pub mod question;
pub mod reading;
pub mod replay;
pub mod rocketmq;
pub mod simulate;
pub mod store;
pub mod tables;
pub mod threads;
pub mod verify;
pub mod watch;

use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// The top of `-h` fits a terminal of 25 lines; what is told once stands in `--help`.
const EXAMPLES: &str = "\
Examples:
  presence demo                               what this is, in 15 seconds
  presence check pump-7 -b broker.example     is it online, and how do we know?";

/// As clap has it, but for an empty line before the usage, which would be the 26th.
const TEMPLATE: &str =
    "{before-help}{about-with-newline}{usage-heading} {usage}\n\n{all-args}{after-help}";

const VARIABLES: &str =
    "Every option has an environment variable: `--close-grace` is `PRESENCE_CLOSE_GRACE`.";

/// Tells whether an MQTT client is online, and shows the evidence
///
/// Brokers announce who comes and goes in many ways: out of order, more than once, and not at all
/// while nobody listens. This tool joins what was said into one answer, and says `unknown` where
/// there is none.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "presence",
    version,
    max_term_width = 100,
    help_template = TEMPLATE,
    after_help = EXAMPLES,
    after_long_help = format!("{VARIABLES}\n\n{EXAMPLES}")
)]
pub struct Cli {
    #[command(flatten)]
    pub talk: Talk,
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said beside the answer.
#[derive(Args, Clone, Copy, Debug)]
pub struct Talk {
    /// Say nothing on standard error but warnings and errors
    #[arg(short, long, global = true, env = "PRESENCE_QUIET", value_parser = clap::builder::BoolishValueParser::new())]
    pub quiet: bool,
    /// Say on standard error what is going on inside; twice: in libraries too
    ///
    /// The environment variable `PRESENCE_LOG` chooses more finely, as in `presence=debug,rumqttc=info`.
    #[arg(short, long, global = true, env = "PRESENCE_VERBOSE", action = ArgAction::Count, value_parser = verbosity)]
    pub verbose: u8,
}

#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    Watch(Box<watch::Watch>),
    Check(Box<check::Check>),
    Simulate(Box<simulate::Simulate>),
    Probe(Box<probe::Probe>),
    Replay(Box<replay::Replay>),
    #[cfg(feature = "broker")]
    Demo(demo::Demo),
    #[cfg(feature = "broker")]
    Broker(broker::Broker),
    Store(store::Store),
    Dialects(dialects::Dialects),
    Completions(completions::Completions),
}

impl Cli {
    /// Returns what was typed, once it is taken apart.
    pub fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        // A recording brings its own policy, and only what was chosen takes its place.
        match (&mut cli.command, matches.subcommand()) {
            (Command::Replay(replay), Some((_, matches))) => {
                replay.policy.chosen = policy::Chosen::of(matches);
                replay.stray = replay::stray(replay, matches);
            }
            (Command::Simulate(simulate), Some((_, matches))) => {
                simulate.status.chosen = simulate::Chosen::of(matches);
            }
            (Command::Watch(watch), Some((_, matches))) => watch.sources.note(matches),
            (Command::Store(store), Some((_, matches))) => {
                if let (store::Action::Import(import), Some((_, matches))) =
                    (&mut store.action, matches.subcommand())
                {
                    import.policy.chosen = policy::Chosen::of(matches);
                }
            }
            _ => {}
        }
        Ok(cli)
    }

    /// Returns the definition of the command line, as help, completions and manual show it.
    ///
    /// The names of the environment variables follow a rule that is told once: beside every option
    /// they would hide what it does.
    #[must_use]
    pub fn definition() -> clap::Command {
        let command = Self::command()
            .mut_subcommand("simulate", simulate::describe)
            .mut_subcommand("replay", replay::describe);
        hide_env(command)
    }
}

/// Reads a number, or a yes or no.
fn verbosity(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" => Ok(1),
        "" | "false" | "no" | "off" | "n" | "f" => Ok(0),
        number => number.parse().map_err(|_| "neither a number nor yes or no".to_owned()),
    }
}

fn hide_env(command: clap::Command) -> clap::Command {
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, hide_env))
        .mut_args(|arg| arg.hide_env(true))
}
