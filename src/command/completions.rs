//! `presence completions`: made from the same definitions as the command line itself.

use crate::cli::Cli;
use crate::cli::completions::{Completions, Shell};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use clap_complete::Shell as Known;

pub fn run(options: &Completions, console: &mut Console) -> Result<Outcome, Failure> {
    console.print(&text(options.shell)?)?;
    Ok(Outcome::Yes)
}

/// Returns the completions for a shell, or the manual page.
pub fn text(shell: Shell) -> Result<String, Failure> {
    let mut command = Cli::definition();
    let mut text = Vec::new();
    let known = match shell {
        Shell::Bash => Known::Bash,
        Shell::Elvish => Known::Elvish,
        Shell::Fish => Known::Fish,
        Shell::PowerShell => Known::PowerShell,
        Shell::Zsh => Known::Zsh,
        Shell::Man => {
            return manual(command);
        }
    };
    clap_complete::generate(known, &mut command, "presence", &mut text);
    String::from_utf8(text).map_err(|error| Failure::new("could not write it").because(error))
}

/// Returns one page that holds all subcommands.
fn manual(command: clap::Command) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::new("could not write the page").because(error);
    let mut page = Vec::new();
    let mut command = command;
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failed)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let man =
            clap_mangen::Man::new(sub.clone().display_name(format!("presence {}", sub.get_name())));
        page.extend_from_slice(
            format!(".SH \"PRESENCE {}\"\n", sub.get_name().to_uppercase()).as_bytes(),
        );
        man.render_synopsis_section(&mut page).map_err(failed)?;
        man.render_description_section(&mut page).map_err(failed)?;
        man.render_options_section(&mut page).map_err(failed)?;
    }
    String::from_utf8(page).map_err(|error| Failure::new("could not write the page").because(error))
}
