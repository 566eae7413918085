//! Reading on in what is still written to.

use super::files::{STANDARD_INPUT, opened_badly, said};
use super::{Input, Lull, Stopped};
use crate::clock;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::source::content::Content;
use crate::source::found;
use crate::source::tail::Tail;
use crate::state::presence::Change;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// Between two looks at what is written to: short while something comes, for a full pipe must not wait
/// for us, then longer and longer.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(1);
const LOOK_AGAIN_MAX: Duration = Duration::from_millis(128);

/// Tells of a change, and which broker it is about.
pub type Tell<'a> = dyn FnMut(&str, &Change, &mut Console) -> Result<(), Failure> + 'a;

impl Input {
    /// Reads files as [`read_files`](Self::read_files) does, and goes on with the last of them until
    /// `end` hears of its end. What changes meanwhile is told.
    pub fn follow_files(
        &mut self,
        names: &[PathBuf],
        end: &Receiver<()>,
        tell: &mut Tell<'_>,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let (last, before) = names.split_last().expect("the command line asks for one");
        is_one_file(last)?;
        self.read_each(before, console)?;
        let name = last.display().to_string();
        let mut has_caught_up = false;
        let mut wait = LOOK_AGAIN_MIN;
        let mut idle = |input: &mut Self, lull: Lull| {
            if !std::mem::replace(&mut has_caught_up, true) {
                console.say(format_args!("{}: read to its end, going on", said(&name)));
            }
            input.tell_changes(tell, console)?;
            wait = match lull {
                Lull::Full => return Ok(end.try_recv() == Err(TryRecvError::Empty)),
                Lull::Empty { came: true } => LOOK_AGAIN_MIN,
                Lull::Empty { came: false } => LOOK_AGAIN_MAX.min(2 * wait),
            };
            Ok(end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout))
        };
        let read = self.read_live(last, &mut idle);
        self.tell_changes(tell, console)?;
        self.told_what(&name, false, read, console)?;
        self.has_something(console)
    }

    fn read_live(&mut self, path: &Path, idle: &mut super::Idle<'_>) -> Result<String, Stopped> {
        let name = path.display().to_string();
        if path.as_os_str() == "-" {
            let awaited = Content::awaited(io::stdin());
            let awaited = awaited.map_err(|error| opened_badly(STANDARD_INPUT, &error))?;
            return self.read_on(awaited, STANDARD_INPUT, idle);
        }
        let tail = Tail::open(path).map_err(|error| opened_badly(&name, &error))?;
        self.read_on(tail, &name, idle)
    }

    /// Tells what has changed by now.
    fn tell_changes(&mut self, tell: &mut Tell<'_>, console: &mut Console) -> Result<(), Failure> {
        self.is_live = true;
        self.now = clock::now();
        for (instance, broker) in &mut self.brokers {
            for change in broker.caught_up(self.now) {
                tell(instance, &change, console)?;
            }
        }
        Ok(console.flush()?)
    }
}

fn is_one_file(name: &Path) -> Result<(), Failure> {
    match found::files(name).as_slice() {
        [Ok(found)] if !found.is_by_chance && found.path == name => Ok(()),
        _ => Err(Failure::misuse(format!("`--follow` cannot follow `{}`", name.display()))
            .because("it is no single file")
            .next("name the file that is written to last, after all others")),
    }
}
