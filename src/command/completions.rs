//! `presence completions`: made from the same definitions as the command line itself.

use crate::cli::Cli;
use crate::cli::completions::{Completions, Shell};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use clap_complete::Shell as Known;
use std::io::Write as _;

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

/// Returns one page that holds all commands.
fn manual(mut command: clap::Command) -> Result<String, Failure> {
    command.build();
    let mut page = Vec::new();
    chapter(&command, true, &mut page)
        .map_err(|error| Failure::new("could not write the page").because(error))?;
    String::from_utf8(page).map_err(|error| Failure::new("could not write the page").because(error))
}

/// Writes the chapter of a command, and those of the commands below it.
fn chapter(command: &clap::Command, is_first: bool, page: &mut Vec<u8>) -> std::io::Result<()> {
    let examples = command.get_after_help().map(ToString::to_string);
    // Lines of examples stay lines, and pages that do not exist are not referred to.
    let shown = command.clone().after_help("").subcommand_help_heading("Commands");
    let manual = clap_mangen::Man::new(shown);
    if is_first {
        manual.render_title(page)?;
        manual.render_name_section(page)?;
    } else {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
    }
    manual.render_synopsis_section(page)?;
    manual.render_description_section(page)?;
    manual.render_options_section(page)?;
    if let Some(examples) = examples {
        writeln!(page, ".PP\n.nf")?;
        for line in examples.lines() {
            writeln!(page, "\\&{}", line.replace('\\', "\\\\").replace('-', "\\-"))?;
        }
        writeln!(page, ".fi")?;
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        chapter(below, false, page)?;
    }
    Ok(())
}
