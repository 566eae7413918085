//! Reading on in what is still written to.

use super::files::{STANDARD_INPUT, explained, opened_badly, said};
use super::{Follower, Input, Lull, Stopped};
use crate::clock;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::status::Status;
use crate::source::content::{Content, Unreadable};
use crate::source::found;
use crate::source::tail::Tail;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// Between two looks at what is written to: short while something comes, for a full pipe must not wait
/// for us, then longer and longer.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(1);
const LOOK_AGAIN_MAX: Duration = Duration::from_millis(128);

impl Input {
    /// Reads files as [`read_files`](Self::read_files) does, and goes on with the last of them until
    /// `end` hears of its end. `follower` hears what changes meanwhile, and nothing of what was there before;
    /// it has nothing to conclude.
    pub fn follow_files(
        &mut self,
        names: &[PathBuf],
        end: &Receiver<()>,
        follower: Box<dyn Follower>,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let (last, before) = names.split_last().expect("the command line asks for one");
        is_one_file(last)?;
        self.read_each(before, console)?;
        let name = last.display().to_string();
        let mut follower = Some(follower);
        let mut wait = LOOK_AGAIN_MIN;
        let status = console.status();
        let mut idle = |input: &mut Self, lull: Lull| {
            if let Some(follower) = follower.take() {
                console.say(format_args!("{}: read to its end, going on", said(&name)));
                input.goes_on(follower);
            }
            input.catch_up(console)?;
            wait = match lull {
                Lull::Full => return Ok(end.try_recv() == Err(TryRecvError::Empty)),
                Lull::Empty { came: true } => LOOK_AGAIN_MIN,
                Lull::Empty { came: false } => LOOK_AGAIN_MAX.min(2 * wait),
            };
            Ok(end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout))
        };
        let read = self.read_live(last, &status, &mut idle);
        status.clear();
        self.is_live = true;
        self.catch_up(console)?;
        self.follower = None;
        self.told_what(&name, false, read, console)?;
        self.has_something(console)
    }

    fn read_live(
        &mut self,
        path: &Path,
        status: &Status,
        idle: &mut super::Idle<'_>,
    ) -> Result<String, Stopped> {
        let name = path.display().to_string();
        if path.as_os_str() == "-" {
            let awaited = Content::awaited(io::stdin());
            let awaited = awaited.map_err(|error| opened_badly(STANDARD_INPUT, &error))?;
            let backlog = Backlog::new(awaited, STANDARD_INPUT, None, status);
            return self.read_on(backlog, STANDARD_INPUT, idle);
        }
        let length = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|about| about.len());
        let tail = Tail::open(path).map_err(|error| opened_badly(&name, &error))?;
        self.read_on(Backlog::new(tail, &name, length, status), &name, idle)
    }

    /// All that was there has been read: what changes from now on is told.
    fn goes_on(&mut self, follower: Box<dyn Follower>) {
        self.unite();
        self.is_live = true;
        self.now = clock::now();
        for broker in self.brokers.values_mut() {
            broker.follow(self.now);
        }
        self.follower = Some(follower);
    }

    /// Tells what has changed by now.
    fn catch_up(&mut self, console: &mut Console) -> Result<(), Failure> {
        self.now = clock::now();
        for broker in self.brokers.values_mut() {
            broker.catch_up(self.now);
        }
        self.tell()?;
        Ok(console.flush()?)
    }
}

/// A reader that shows how far it is until it has read what was there.
struct Backlog<'a, R> {
    input: R,
    /// `None` once it has.
    status: Option<&'a Status>,
    name: String,
    done: u64,
    /// Bytes that were there, where it is known.
    total: Option<u64>,
}

impl<'a, R> Backlog<'a, R> {
    fn new(input: R, name: &str, total: Option<u64>, status: &'a Status) -> Self {
        let name = said(name).into_owned();
        Self { input, status: Some(status), name, done: 0, total }
    }
}

impl<R: Read> Read for Backlog<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer);
        if let Some(status) = self.status {
            if let Ok(count) = &read {
                self.done += *count as u64;
                status.reading(&self.name, self.done, self.total);
            } else {
                status.clear();
                self.status = None;
            }
        }
        read
    }
}

fn is_one_file(name: &Path) -> Result<(), Failure> {
    let shown = name.display().to_string();
    let refused = || Failure::misuse(format!("`--follow` cannot follow `{shown}`"));
    match found::files(name).as_slice() {
        [Ok(found)] if !found.is_by_chance && found.path == name => {}
        _ => {
            return Err(refused()
                .because("it is no single file")
                .next("name the file that is written to last, after all others"));
        }
    }
    // What cannot be opened is told of when it is.
    match Content::coding_of(name) {
        Ok(Some(coding)) => Err(refused()
            .because(format!("it is compressed ({coding}), and what is added to that is no line"))
            .next("leave `--follow` out, or name the file that is written to after this one")),
        Err(error) if Unreadable::behind(&error).is_some() => {
            Err(explained(refused(), &shown, &error, ""))
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::terminal::Settings;

    /// Would block after every part.
    struct Parts(Vec<&'static [u8]>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.pop() {
                Some(part) if !part.is_empty() => (&*part).read(buffer),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            }
        }
    }

    #[test]
    fn how_far_it_is_is_shown_until_all_that_was_there_is_read() {
        let status = Console::over(io::sink(), io::sink(), Settings::default()).status();
        let parts = Parts(vec![b"later\n", b"", b"two\n", b"one\n"]);
        let mut backlog = Backlog::new(parts, "live\x1b", Some(8), &status);
        let mut buffer = [0; 64];
        for (expected, done) in [(Some(4), 4), (Some(4), 8), (None, 8), (Some(6), 8)] {
            assert_eq!(backlog.read(&mut buffer).ok(), expected);
            let is_shown = backlog.status.is_some();
            assert_eq!((backlog.done, is_shown), (done, expected == Some(4)));
        }
        assert_eq!(backlog.name, "live\\x1b");
    }
}
