//! How the user sees what is watched: as a stream of changes, or as a table on the whole screen.

use super::stream::{self, Stream};
#[cfg(feature = "tui")]
use super::table::Table;
use crate::cli::watch::{Shape, View};
use crate::command::hear::Tally;
use crate::command::watcher::{News, Question};
use crate::failure::Failure;
use crate::output::console::Console;
use crate::state::policy::Policy;
use tokio::sync::mpsc;

/// What is shown of all watchers.
#[derive(Debug)]
pub enum Shown {
    Stream(Stream),
    #[cfg(feature = "tui")]
    Table(Box<Table>),
}

/// Says early whether what is wanted can be shown at all.
pub fn check(options: &View, console: &Console) -> Result<(), Failure> {
    if options.view == Shape::Stream {
        return Ok(());
    }
    let stream = "leave `--view table` out for a stream of changes";
    if cfg!(not(feature = "tui")) {
        return Err(Failure::misuse("this build has no table")
            .because("it was made without the feature `tui`")
            .next(stream));
    }
    if options.json {
        return Err(Failure::misuse("`--view table` and `--json` exclude each other")
            .because("a table is for a person")
            .next(stream));
    }
    if tracing::enabled!(tracing::Level::ERROR) {
        return Err(Failure::misuse("`--view table` and a log exclude each other")
            .because("the log would be written over the table")
            .next("leave `-v` and `PRESENCE_LOG` out"));
    }
    if !console.settings().is_screen_able {
        return Err(Failure::misuse("`--view table` needs a terminal that can move its cursor")
            .because("standard output or standard error is none, or `TERM` names none")
            .next(stream));
    }
    Ok(())
}

impl Shown {
    /// Begins to show. `questions` has the way to each watcher.
    #[cfg_attr(
        not(feature = "tui"),
        expect(unused_variables, clippy::needless_pass_by_value, reason = "only a table asks")
    )]
    pub fn new(
        options: &View,
        instances: Vec<String>,
        policy: Policy,
        questions: Vec<mpsc::Sender<Question>>,
        console: &Console,
    ) -> Result<Self, Failure> {
        #[cfg(feature = "tui")]
        if options.view == Shape::Table {
            let table = Table::new(options, instances, policy, questions, console)?;
            return Ok(Self::Table(Box::new(table)));
        }
        Ok(Self::Stream(Stream::new(options, instances, console)?))
    }

    pub fn show(
        &mut self,
        number: usize,
        news: News,
        console: &mut Console,
    ) -> Result<(), Failure> {
        match self {
            Self::Stream(stream) => stream.show(number, news, console),
            #[cfg(feature = "tui")]
            Self::Table(table) => {
                table.show(number, news, console);
                Ok(())
            }
        }
    }

    /// Says what else is worth a place beside the figures.
    pub fn note(&mut self, aside: String) {
        match self {
            Self::Stream(stream) => stream.aside = aside,
            #[cfg(feature = "tui")]
            Self::Table(table) => table.note(aside),
        }
    }

    /// Does what is due between the news. Returns whether the user is done with watching.
    pub async fn next(&mut self) -> Result<bool, Failure> {
        match self {
            Self::Stream(_) => std::future::pending().await,
            #[cfg(feature = "tui")]
            Self::Table(table) => table.next().await,
        }
    }

    /// Gives the terminal back, if it was taken: what comes now is printed.
    pub fn end(&mut self) {
        match self {
            Self::Stream(_) => {}
            #[cfg(feature = "tui")]
            Self::Table(table) => table.end(),
        }
    }

    /// Tells what is still to be told of the changes, at the end.
    pub fn finish(&mut self, console: &mut Console) -> Result<(), Failure> {
        match self {
            Self::Stream(stream) => stream.finish(console),
            #[cfg(feature = "tui")]
            Self::Table(_) => Ok(()),
        }
    }

    /// Shows what was set aside, once, at the end.
    pub fn set_aside(&self, tally: &Tally, console: &mut Console) {
        let instances = match self {
            Self::Stream(stream) => stream.instances(),
            #[cfg(feature = "tui")]
            Self::Table(table) => table.instances(),
        };
        stream::set_aside(instances, tally, console);
    }
}
