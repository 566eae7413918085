//! Options that come from a file.
//!
//! They are no part of what a command runs on: [`crate::config::profile`] looks at them before anything
//! else is read, and puts the values of the profile in the place of the defaults.

use clap::Args;
use clap::builder::BoolishValueParser;

/// Which profile counts, and what all options amount to.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Configuration")]
pub struct Profile {
    /// Take options from this profile of the configuration file
    ///
    /// The file is `presence/config.toml` below `$XDG_CONFIG_HOME` or `~/.config`, or the one that
    /// `PRESENCE_CONFIG` names. A profile is a table `[profile.NAME]` with long options as keys. Command
    /// line and environment outrank it.
    #[arg(long, value_name = "NAME", env = "PRESENCE_PROFILE")]
    pub profile: Option<String>,

    /// Print every option with its value and where it comes from, and do nothing
    #[arg(long, env = "PRESENCE_PRINT_CONFIG", value_parser = BoolishValueParser::new())]
    pub print_config: bool,
}
