//! The files in `completions/` are those that the binary prints, and they know every option.
//!
//! `PRESENCE_BLESS=1 cargo test --test completions` writes them anew.

use clap::Command;
use presence::cli::Cli;
use presence::cli::completions::Shell;
use presence::command::completions::text;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FILES: [(Shell, &str); 6] = [
    (Shell::Bash, "presence.bash"),
    (Shell::Elvish, "presence.elv"),
    (Shell::Fish, "presence.fish"),
    (Shell::PowerShell, "presence.ps1"),
    (Shell::Zsh, "presence.zsh"),
    (Shell::Man, "presence.1"),
];

#[test]
fn the_files_are_what_the_binary_prints() {
    for (shell, name) in FILES {
        let printed = text(shell).expect("it is text");
        if std::env::var_os("PRESENCE_BLESS").is_some() {
            std::fs::write(path(name), &printed).expect("the file can be written");
        }
        let kept = kept(name);
        let differs = kept.lines().zip(printed.lines()).position(|(kept, printed)| kept != printed);
        assert!(
            kept == printed,
            "completions/{name} is out of date from line {} on; run\n  \
             PRESENCE_BLESS=1 cargo test --test completions",
            differs.unwrap_or_else(|| kept.lines().count().min(printed.lines().count())) + 1
        );
    }
}

#[test]
fn every_file_knows_every_option_of_every_command() {
    let mut definition = Cli::definition();
    definition.build();
    let options = long_options(&definition);
    assert!(options.contains("close-grace") && options.contains("fleet"), "{options:?}");
    for (shell, name) in FILES {
        let file = kept(name);
        for option in &options {
            assert!(knows(shell, &file, option), "completions/{name} does not know --{option}");
        }
    }
}

#[test]
fn an_option_that_is_not_there_is_missed() {
    for (shell, name) in FILES {
        let file = kept(name);
        assert!(!knows(shell, &file, "close-grac"), "{name}: a part of a name is no name");
        assert!(!knows(shell, &file, "colour"), "{name}");
    }
}

fn long_options(command: &Command) -> BTreeSet<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let own = shown.filter_map(|arg| arg.get_long().map(str::to_owned));
    own.chain(command.get_subcommands().flat_map(long_options)).collect()
}

/// Tells whether a file names the option in the way of its shell, and not only a longer one.
fn knows(shell: Shell, file: &str, option: &str) -> bool {
    let written = match shell {
        Shell::Fish => format!("-l {option}"),
        // roff would make hyphens of what is not escaped.
        Shell::Man => format!("--{option}").replace('-', "\\-"),
        Shell::Bash | Shell::Elvish | Shell::PowerShell | Shell::Zsh => format!("--{option}"),
    };
    file.match_indices(&written).any(|(at, found)| {
        let next = file[at + found.len()..].chars().next();
        // In roff a hyphen that goes on begins with a backslash, and so does what ends bold type.
        let goes_on = file[at + found.len()..].starts_with("\\-")
            || next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '-');
        !goes_on
    })
}

fn kept(name: &str) -> String {
    std::fs::read_to_string(path(name))
        .unwrap_or_else(|error| panic!("completions/{name}: {error}"))
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}
