//! `presence completions`

use clap::{Args, ValueEnum};

/// Prints the completions for a shell, or the manual page
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence completions bash > /etc/bash_completion.d/presence")]
pub struct Completions {
    /// What to print
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
    /// The manual page, in roff
    Man,
}
