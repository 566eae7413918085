//! The one place that writes: standard output is the answer, standard error is the conversation.

use crate::failure::{Failure, Outcome};
use crate::output::printer::Printer;
use crate::output::sanitize::guard;
use crate::output::status::Status;
use crate::output::style::{Style, Tone};
use crate::output::terminal::{Settings, Surroundings};
use crate::output::time::Zone;
use crate::output::warning::Warning;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a run prints to.
///
/// Printed lines are collected until [`flush`](Self::flush), or until they are many. Whoever loops
/// over events flushes when it has caught up and is about to wait: at that point a reader must have
/// everything, and before it nobody can tell. Talk goes out at once, after all that was printed
/// before it, if both end up on one screen.
///
/// Errors of standard error are ignored: there is nobody left to tell.
pub struct Console {
    out: Printer,
    err: Talk,
    settings: Settings,
    status: Status,
}

impl Console {
    /// Returns the console of this process. Looks at the terminal and the environment, once.
    #[must_use]
    pub fn detect(json: bool, quiet: bool, verbose: bool) -> Self {
        let settings = Surroundings::look().settings(json, quiet, verbose);
        Self::over(io::stdout(), io::stderr(), settings)
    }

    /// Returns a console over any two writers. With `has_status` the status line goes to the real
    /// standard error all the same.
    #[must_use]
    pub fn over(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        settings: Settings,
    ) -> Self {
        let status = Status::new(settings.has_status);
        let mut err = Talk::over(err);
        err.status = status.clone();
        let out = Printer::over(out, status.clone(), settings.is_attended);
        Self { out, err, settings, status }
    }

    /// Returns the way to standard error for what is written from other threads.
    #[must_use]
    pub fn talker(&self) -> Talk {
        self.err.clone()
    }

    /// Returns the way to standard output for whoever prints while the console is in other hands.
    #[must_use]
    pub fn printer(&self) -> Printer {
        self.out.clone()
    }

    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.settings.json
    }

    /// Shows times in this zone from now on, where they are printed for people; in UTC without one.
    pub fn show_times_in(&mut self, zone: Option<&TimeZone>) {
        let zone = zone.cloned().map_or(Zone::UTC, Zone::of);
        self.settings.style = self.settings.style.in_zone(zone);
    }

    /// Returns the style for what is printed.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.settings.style
    }

    /// Returns how wide a table may get.
    #[must_use]
    pub const fn columns(&self) -> Option<u16> {
        self.settings.columns
    }

    /// Returns a handle on the status line; all handles show the same one.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Prints text that is complete, as [`Printer::print`] does.
    pub fn print(&mut self, text: &str) -> Written {
        self.out.print(text)
    }

    /// Prints a line and adds the newline. Foreign values in it must have been sanitised.
    pub fn print_line(&mut self, line: impl Display) -> Written {
        self.out.print_line(line)
    }

    /// Prints an object as one line of JSON. Foreign values need no care.
    pub fn json_line(&mut self, value: &impl Serialize) -> Written {
        self.out.json_line(value)
    }

    /// Hands everything printed so far to the reader.
    pub fn flush(&mut self) -> Written {
        self.out.flush()
    }

    /// Tells the user something beside the answer, unless quiet was asked for.
    pub fn say(&mut self, text: impl Display) {
        if !self.settings.quiet {
            self.talk(&format!("{}\n", Lines(&text.to_string(), "")));
        }
    }

    /// Tells the user what is going on inside, if asked for.
    pub fn debug(&mut self, text: impl Display) {
        if self.settings.verbose {
            self.talk(&format!("debug: {}\n", Lines(&text.to_string(), "       ")));
        }
    }

    pub fn warn(&mut self, warning: &Warning) {
        let text = warning.to_string();
        let rest = text.strip_prefix("warning:").unwrap_or(&text);
        let label = self.settings.talk_style.paint(Tone::Warning, "warning:");
        self.talk(&format!("{label}{rest}\n"));
    }

    /// Says why a run ends. A failure that counts as success is the quiet end that [`Unwritten`]
    /// makes of a closed pipe, and is not spoken of.
    pub fn failure(&mut self, failure: &Failure) {
        if failure.outcome == Outcome::Yes {
            return;
        }
        let label = self.settings.talk_style.paint(Tone::Error, "error:");
        let mut text = format!("{label} {}\n", Lines(&failure.what, "       "));
        for (label, line) in [("cause:", &failure.cause), ("next: ", &failure.next)] {
            if let Some(line) = line {
                let _ = writeln!(text, "  {label} {}", Lines(line, "         "));
            }
        }
        self.talk(&text);
    }

    /// Ends the output: takes the status line away and hands over what is left.
    pub fn finish(&mut self) -> Written {
        self.status.clear();
        self.flush()
    }

    fn talk(&mut self, text: &str) {
        if self.settings.is_attended {
            // What is wrong with standard output is told to those who print to it.
            let _ = self.flush();
        }
        self.err.write(text);
    }
}

/// The way to standard error, around the status line. Clones write to the same place.
#[derive(Clone)]
pub struct Talk {
    err: Arc<Mutex<Box<dyn Write + Send>>>,
    status: Status,
}

impl Talk {
    /// Returns one over any writer, without a status line.
    #[must_use]
    pub fn over(err: impl Write + Send + 'static) -> Self {
        Self { err: Arc::new(Mutex::new(Box::new(err))), status: Status::new(false) }
    }

    /// Writes whole lines. Foreign values in them must have been sanitised.
    pub fn write(&self, text: &str) {
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.status.suspend(|| err.write_all(text.as_bytes()).and_then(|()| err.flush()));
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").finish_non_exhaustive()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why something could not be printed.
#[derive(Debug)]
pub enum Unwritten {
    /// The reader has had enough (`| head`): not an error, but the end.
    Closed,
    /// A full disk, for one.
    Failed(io::Error),
}

pub type Written = Result<(), Unwritten>;

/// Lets `?` end a command: a closed pipe as a success that is not spoken of, all else as a failure.
impl From<Unwritten> for Failure {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Closed => {
                Self::new("the reader of standard output is gone").ends_with(Outcome::Yes)
            }
            Unwritten::Failed(error) => {
                Self::new("could not write to standard output").because(error)
            }
        }
    }
}

/// A sentence or several lines of them, made safe; further lines are indented, so that no foreign
/// text can pass for a line of ours.
struct Lines<'a>(&'a str, &'static str);

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, indent) = self;
        for (at, line) in text.trim_end().split('\n').enumerate() {
            if at > 0 {
                write!(f, "\n{indent}")?;
            }
            f.write_str(&guard(line))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::ErrorKind;
    use std::sync::{Arc, Mutex};

    /// A writer whose content can be looked at, and which fails where told to.
    #[derive(Clone, Default)]
    struct Paper {
        written: Arc<Mutex<Vec<u8>>>,
        error: Option<ErrorKind>,
    }

    impl Paper {
        fn failing(error: ErrorKind) -> Self {
            Self { error: Some(error), ..Self::default() }
        }

        fn text(&self) -> String {
            let written = self.written.lock().expect("nobody panicked while writing");
            String::from_utf8(written.clone()).expect("only text is written")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(kind) = self.error {
                return Err(kind.into());
            }
            self.written.lock().expect("nobody panicked while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(settings: Settings) -> (Console, Paper, Paper) {
        let (out, err) = (Paper::default(), Paper::default());
        (Console::over(out.clone(), err.clone(), settings), out, err)
    }

    #[test]
    fn lines_are_handed_over_when_the_caller_says_so() {
        let (mut console, out, err) = console(Settings::default());
        console.print_line("one").expect("memory takes it");
        console.print("two\nthree\n").expect("memory takes it");
        console.json_line(&json!({"type": "summary"})).expect("memory takes it");
        assert_eq!(out.text(), "");
        console.flush().expect("memory takes it");
        assert_eq!(out.text(), "one\ntwo\nthree\n{\"type\":\"summary\"}\n");
        assert_eq!(err.text(), "");
    }

    #[test]
    fn on_one_screen_the_order_is_that_of_the_calls() {
        let screen = Paper::default();
        let settings = Settings { is_attended: true, ..Settings::default() };
        let mut console = Console::over(screen.clone(), screen.clone(), settings);
        console.print_line("first").expect("memory takes it");
        console.say("second");
        console.print_line("third").expect("memory takes it");
        console.finish().expect("memory takes it");
        assert_eq!(screen.text(), "first\nsecond\nthird\n");
    }

    #[test]
    fn quiet_silences_talk_but_not_what_limits_the_answer() {
        let (mut console, _, err) = console(Settings { quiet: true, ..Settings::default() });
        console.say("connected");
        console.debug("SUBACK");
        console.warn(&Warning::ConnectionLost { broker: "b".into(), cause: "reset".into() });
        console.failure(&Failure::new("could not connect"));
        assert_eq!(
            err.text(),
            "warning: lost `b`: reset; trying again\nerror: could not connect\n"
        );
    }

    #[test]
    fn verbose_talk_is_marked() {
        let (mut console, out, err) = console(Settings { verbose: true, ..Settings::default() });
        console.debug("SUBACK 0x01");
        assert_eq!((out.text(), err.text()), (String::new(), "debug: SUBACK 0x01\n".to_owned()));
    }

    #[test]
    fn a_failure_says_what_why_and_what_next() {
        let failure = Failure::new("could not subscribe to `$SYS/#`")
            .because("the broker refused it")
            .next("use another account");
        let (mut plain, _, err) = console(Settings::default());
        plain.failure(&failure);
        assert_eq!(err.text(), format!("{failure}\n"), "as the failure shows itself");

        let coloured = Settings { talk_style: Style::COLOURED, ..Settings::default() };
        let (mut coloured, _, err) = console(coloured);
        coloured.failure(&failure);
        coloured.warn(&Warning::PasswordInUrl { broker: "mqtt://h:1883".into() });
        assert!(err.text().starts_with("\x1b[1m\x1b[31merror:\x1b[0m could"), "{:?}", err.text());
        assert!(err.text().contains("\x1b[33mwarning:\x1b[0m the password"), "{:?}", err.text());
    }

    #[test]
    fn foreign_text_in_talk_can_neither_act_nor_pass_for_ours() {
        let (mut console, _, err) = console(Settings { verbose: true, ..Settings::default() });
        let hostile = "\x1b[2J\nerror: forged\u{202e}";
        console.debug(hostile);
        console.failure(&Failure::new(hostile).because(hostile).next(hostile));
        assert!(!err.text().contains(['\x1b', '\u{202e}']), "{}", err.text());
        assert_eq!(err.text().matches("\nerror:").count(), 1, "{}", err.text());
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let mut console = Console::over(
            Paper::failing(ErrorKind::BrokenPipe),
            Paper::default(),
            Settings::default(),
        );
        console.print_line("nobody reads this").expect("it is still in memory");
        let failure = Failure::from(console.flush().expect_err("the pipe is closed"));
        assert_eq!(failure.outcome, Outcome::Yes);
        assert!(matches!(console.print_line("nor this"), Err(Unwritten::Closed)));

        let (mut console, _, err) = self::console(Settings::default());
        console.failure(&failure);
        assert_eq!(err.text(), "");
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let mut console = Console::over(
            Paper::failing(ErrorKind::StorageFull),
            Paper::default(),
            Settings::default(),
        );
        console.print_line("lost").expect("it is still in memory");
        let failure = Failure::from(console.flush().expect_err("the disk is full"));
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
        assert_eq!(failure.what, "could not write to standard output");
    }

    #[test]
    fn a_closed_standard_error_is_nobodys_concern() {
        let out = Paper::default();
        let err = Paper::failing(ErrorKind::BrokenPipe);
        let mut console = Console::over(out.clone(), err, Settings::default());
        console.say("is anybody there?");
        console.print_line("answer").expect("memory takes it");
        console.finish().expect("memory takes it");
        assert_eq!(out.text(), "answer\n");
    }
}
