//! Processes started by a test: their output line by line, and their end with the test.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for something that is sure to come. Only a failing test ever waits this long.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A running `presence`, or one that has ended.
///
/// Its environment is cleared, so that no test depends on who runs it: of the machine only `PATH` is
/// left. Home and all XDG folders lie in a folder of its own; output is 100 columns wide.
pub struct Presence {
    process: Process,
    /// `None` if the caller keeps the folder, to start another in it.
    home: Option<TempDir>,
}

impl Presence {
    /// Starts it in a new home.
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let home = TempDir::new().expect("a temporary folder can be made");
        let process = Self::spawn(home.path(), arguments, &[]);
        Self { process, home: Some(home) }
    }

    /// Starts it in a home that others have used or will use, with more in its environment.
    pub fn start_in<A: AsRef<OsStr>>(
        home: &Path,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &str)],
    ) -> Self {
        Self { process: Self::spawn(home, arguments, environment), home: None }
    }

    /// Starts it through a shell: `"$@"` in the script is its command line.
    pub fn start_through<A: AsRef<OsStr>>(
        home: &Path,
        script: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_presence")]).args(arguments);
        Self { process: Self::start_at(home, shell, &[]), home: None }
    }

    fn spawn<A: AsRef<OsStr>>(
        home: &Path,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &str)],
    ) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
        command.args(arguments);
        Self::start_at(home, command, environment)
    }

    fn start_at(home: &Path, mut command: Command, environment: &[(&str, &str)]) -> Process {
        command.current_dir(home).env_clear().env("HOME", home).env("COLUMNS", "100");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (variable, folder) in [
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "runtime"),
            ("XDG_STATE_HOME", "state"),
        ] {
            command.env(variable, home.join(folder));
        }
        command.envs(environment.iter().copied());
        Process::start(&mut command)
    }

    /// Returns the folder it lives in, as long as it is its own.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_ref().map(TempDir::path)
    }
}

impl std::ops::Deref for Presence {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl std::ops::DerefMut for Presence {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A process whose output is read as it comes, and which is killed when it goes out of scope.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Arc<Heard>,
    readers: Vec<JoinHandle<()>>,
}

/// All that was written so far, and the bell that rings when there is more.
#[derive(Default)]
struct Heard {
    streams: Mutex<Streams>,
    bell: Condvar,
}

#[derive(Default)]
struct Streams {
    out: Vec<String>,
    err: Vec<String>,
    ended: usize,
}

/// One of the two streams of a process.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    Out,
    Err,
}

/// What a process that has ended has said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Process {
    /// Starts a command with all three streams piped.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("could not start `{name}`: {error}"));
        let heard = Arc::new(Heard::default());
        let out = child.stdout.take().expect("standard output is piped");
        let err = child.stderr.take().expect("standard error is piped");
        let readers =
            vec![heard.clone().follow(out, Stream::Out), heard.clone().follow(err, Stream::Err)];
        Self { name, stdin: child.stdin.take(), child, heard, readers }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of standard output and returns it. Lines before it stay where they are:
    /// the same line is found again by the next call.
    ///
    /// Panics with all that was said when the line has not come by the deadline or cannot come any
    /// more.
    #[track_caller]
    pub fn wait_line(&self, is_it: impl Fn(&str) -> bool, deadline: Duration) -> String {
        self.wait_line_of(Stream::Out, is_it, deadline)
    }

    /// Waits for a line of either stream.
    #[track_caller]
    pub fn wait_line_of(
        &self,
        stream: Stream,
        is_it: impl Fn(&str) -> bool,
        deadline: Duration,
    ) -> String {
        self.wait_line_from(stream, 0, is_it, deadline).1
    }

    /// Waits for a line behind the first `from` lines of a stream, and returns it with the number of
    /// lines up to and with it.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn wait_line_from(
        &self,
        stream: Stream,
        from: usize,
        is_it: impl Fn(&str) -> bool,
        deadline: Duration,
    ) -> (usize, String) {
        let until = Instant::now() + deadline;
        let mut streams = self.heard.streams.lock().expect("no reader panics");
        let mut from = from;
        loop {
            let lines = match stream {
                Stream::Out => &streams.out,
                Stream::Err => &streams.err,
            };
            let place = lines.iter().skip(from).position(|line| is_it(line));
            if let Some(place) = place {
                return (from + place + 1, lines[from + place].clone());
            }
            // Looked at once, however many are still to come.
            from = from.max(lines.len());
            let left = until.saturating_duration_since(Instant::now());
            let is_over = streams.ended == STREAMS;
            if left.is_zero() || is_over {
                let why = if is_over { "it has ended" } else { "the deadline has passed" };
                let said = streams.told();
                drop(streams);
                panic!(
                    "`{}` did not say what was waited for, and {why}; it said:\n{said}",
                    self.name
                );
            }
            streams = self.heard.bell.wait_timeout(streams, left).expect("no reader panics").0;
        }
    }

    /// Returns the lines of a stream so far.
    pub fn lines(&self, stream: Stream) -> Vec<String> {
        let streams = self.heard.streams.lock().expect("no reader panics");
        match stream {
            Stream::Out => streams.out.clone(),
            Stream::Err => streams.err.clone(),
        }
    }

    /// Writes to its standard input; nothing happens if it does not listen any more.
    pub fn write(&mut self, text: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Tells it to end at once, which a server takes as a crash.
    pub fn quit(&self) {
        self.signal(Signal::QUIT);
    }

    /// Stops it where it stands, with its sockets open; [`resume`](Self::resume) lets it go on.
    pub fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it without a chance to say anything, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end and returns all that it said. Panics if it has not ended by the deadline.
    #[track_caller]
    pub fn ended(&mut self, deadline: Duration) -> Ended {
        self.close_input();
        let status = self.wait(deadline).unwrap_or_else(|| {
            let said = self.heard.streams.lock().map(|streams| streams.told());
            panic!("`{}` has not ended; it said:\n{}", self.name, said.unwrap_or_default());
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        let text =
            |lines: Vec<String>| lines.into_iter().fold(String::new(), |a, line| a + &line + "\n");
        Ended {
            status,
            code: status.code(),
            out: text(self.lines(Stream::Out)),
            err: text(self.lines(Stream::Err)),
        }
    }

    /// Waits for its end, `None` if it did not come. The end itself rings no bell, so this looks
    /// again and again.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + deadline;
        loop {
            match self.child.try_wait().expect("it is our own child") {
                Some(status) => return Some(status),
                None if Instant::now() >= until => return None,
                None => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // Never by name: another process of this name is nobody's business. A process that has
        // ended but was not waited for still holds its id, so the signal cannot reach another.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(pid.expect("the id of a process is positive"), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Heard {
    fn follow(self: Arc<Self>, from: impl Read + Send + 'static, stream: Stream) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                let mut streams = self.streams.lock().expect("no reader panics");
                match stream {
                    Stream::Out => streams.out.push(text),
                    Stream::Err => streams.err.push(text),
                }
                drop(streams);
                self.bell.notify_all();
                line.clear();
            }
            self.streams.lock().expect("no reader panics").ended += 1;
            self.bell.notify_all();
        })
    }
}

impl Streams {
    fn told(&self) -> String {
        let mut text = String::new();
        for (name, lines) in [("stdout", &self.out), ("stderr", &self.err)] {
            for line in lines {
                let _ = writeln!(text, "  {name}: {line}");
            }
        }
        text
    }
}

const STREAMS: usize = 2;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
