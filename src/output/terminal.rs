//! The one look at the terminal and its surroundings, and what follows from it.

use crate::output::style::Style;
use crate::output::table::terminal_columns;
use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

/// What the user asked for and where the output goes. Fixed for the run.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, free of the others"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub json: bool,
    /// No talk and no status line; warnings and errors stay, for they limit what the answer is worth.
    pub quiet: bool,
    pub verbose: bool,
    /// Of standard output.
    pub style: Style,
    /// Of standard error.
    pub talk_style: Style,
    /// How wide tables may get, `None` for as wide as they are.
    pub columns: Option<u16>,
    /// Standard output is read by a person, together with standard error.
    pub is_attended: bool,
    pub has_status: bool,
    /// Both streams go to a terminal whose cursor can be moved.
    pub is_screen_able: bool,
    /// The terminal was said to know more than ASCII.
    pub is_unicode: bool,
}

/// What there is to be seen around a run.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    out_is_terminal: bool,
    err_is_terminal: bool,
    terminal_columns: Option<u16>,
    no_color: Option<OsString>,
    term: Option<OsString>,
    columns: Option<OsString>,
    /// The encoding that the locale names.
    locale: Option<OsString>,
}

impl Surroundings {
    pub(super) fn look() -> Self {
        Self {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            terminal_columns: terminal_columns(),
            no_color: env::var_os("NO_COLOR"),
            term: env::var_os("TERM"),
            columns: env::var_os("COLUMNS"),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"]
                .into_iter()
                .filter_map(env::var_os)
                .find(|value| !value.is_empty()),
        }
    }

    pub(super) fn settings(&self, json: bool, quiet: bool, verbose: bool) -> Settings {
        // https://no-color.org: set, and not empty. A terminal without a name is as dumb as `dumb`.
        let wants_colour = self.no_color.as_ref().is_none_or(|value| value.is_empty());
        let is_able = self.term.as_ref().is_some_and(|term| !term.is_empty() && term != "dumb");
        let style = |is_terminal: bool| {
            if is_terminal && is_able && wants_colour { Style::COLOURED } else { Style::PLAIN }
        };
        // Shells keep COLUMNS to themselves, so where it is handed on, somebody meant it.
        let asked = self.columns.as_ref().and_then(|columns| columns.to_str()?.parse().ok());
        Settings {
            json,
            quiet,
            verbose,
            style: style(self.out_is_terminal && !json),
            talk_style: style(self.err_is_terminal),
            columns: asked.filter(|columns| *columns > 0).or(self.terminal_columns),
            is_attended: self.out_is_terminal,
            has_status: self.err_is_terminal && is_able && !quiet,
            is_screen_able: self.out_is_terminal && self.err_is_terminal && is_able,
            is_unicode: cfg!(windows) || self.names_utf8(),
        }
    }
    fn names_utf8(&self) -> bool {
        let locale = self.locale.as_ref().map(|locale| locale.to_string_lossy().to_lowercase());
        locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings {
            out_is_terminal: true,
            err_is_terminal: true,
            terminal_columns: Some(80),
            term: Some("xterm-256color".into()),
            ..Surroundings::default()
        }
    }

    #[test]
    fn a_terminal_gets_colour_and_a_status_line() {
        let settings = terminal().settings(false, false, false);
        assert_eq!(settings.style, Style::COLOURED);
        assert_eq!(settings.talk_style, Style::COLOURED);
        assert_eq!(settings.columns, Some(80));
        assert!(settings.has_status && settings.is_attended);
    }

    #[test]
    fn a_pipe_gets_words_only_while_the_talk_stays_coloured() {
        let piped = Surroundings { out_is_terminal: false, terminal_columns: None, ..terminal() };
        let settings = piped.settings(false, false, false);
        assert_eq!(settings.style, Style::PLAIN);
        assert_eq!(settings.talk_style, Style::COLOURED);
        assert_eq!(settings.columns, None);
        assert!(settings.has_status && !settings.is_attended);
    }

    #[test]
    fn colour_can_be_refused() {
        let no_color = |value: &str| Surroundings { no_color: Some(value.into()), ..terminal() };
        assert_eq!(no_color("1").settings(false, false, false).style, Style::PLAIN);
        assert_eq!(no_color("1").settings(false, false, false).talk_style, Style::PLAIN);
        assert_eq!(no_color("").settings(false, false, false).style, Style::COLOURED);
        assert!(no_color("1").settings(false, false, false).has_status, "it is no colour");
    }

    #[test]
    fn a_dumb_terminal_gets_lines_only() {
        for term in [None, Some("dumb".into()), Some("".into())] {
            let settings = Surroundings { term, ..terminal() }.settings(false, false, false);
            assert_eq!((settings.style, settings.has_status), (Style::PLAIN, false));
        }
    }

    #[test]
    fn json_is_never_coloured_and_quiet_has_no_status() {
        assert_eq!(terminal().settings(true, false, false).style, Style::PLAIN);
        assert!(!terminal().settings(false, true, false).has_status);
    }

    #[test]
    fn columns_handed_on_outrank_the_terminal() {
        for (columns, expected) in [
            (Some("100"), Some(100)),
            (Some("0"), Some(80)),
            (Some("wide"), Some(80)),
            (Some("70000"), Some(80)),
            (None, Some(80)),
        ] {
            let columns = columns.map(OsString::from);
            let around = Surroundings { columns, ..terminal() };
            assert_eq!(around.settings(false, false, false).columns, expected);
        }
    }
}
