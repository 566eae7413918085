//! One run of a command: started, fed, listened to, and ended with all it has started.

use super::job::Job;
use super::program::Program;
use crate::config::{access_key, api};
use crate::output::time::duration;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    Well,
    Failed(String),
    TimedOut(String),
}

/// Between the request to end and the end itself.
const END_GRACE: Duration = Duration::from_secs(2);
/// For what a command that has ended may have left in the pipe, where something else holds it open.
const LAST_WORDS: Duration = Duration::from_millis(50);
const LAST_LINE_MAX: usize = 400;

/// Runs the command once. It ends in any case: by itself, after `longest`, or when `stop` says so.
pub async fn run(
    program: &Program,
    job: &Job,
    longest: Duration,
    mut stop: watch::Receiver<bool>,
) -> Ran {
    let mut child = match start(program, job) {
        Ok(child) => child,
        Err(error) => return Ran::Failed(format!("could not start it: {error}")),
    };
    let mut tail = Tail::default();
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut stderr = stderr.expect("it was piped");
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A command may not care for the object.
            let _ = stdin.write_all(&job.json).await;
        }
    };
    let talk = async {
        tokio::join!(feed, tail.read(&mut stderr));
        std::future::pending::<()>().await;
    };
    let stopped = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        ended = child.wait() => Some(ended),
        () = talk => None,
        () = sleep(longest) => None,
        () = stopped => None,
    };
    match ended {
        Some(Ok(status)) if status.success() => Ran::Well,
        Some(Ok(status)) => {
            let _ = timeout(LAST_WORDS, tail.read(&mut stderr)).await;
            Ran::Failed(tail.told(&how(status)))
        }
        Some(Err(error)) => Ran::Failed(format!("could not wait for it: {error}")),
        None => {
            end(&mut child).await;
            let took = || format!("it took too long, more than {}", duration(longest));
            let why = if *stop.borrow() { "watching ended".to_owned() } else { took() };
            Ran::TimedOut(tail.told(&why))
        }
    }
}

fn start(program: &Program, job: &Job) -> std::io::Result<Child> {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .envs(job.variables.iter().map(|(name, value)| (name, value)))
        // Whoever may see changes need not know how to get at the broker.
        .env_remove("PRESENCE_PASSWORD")
        .env_remove(api::PASSWORD)
        .env_remove(api::TOKEN)
        .env_remove(access_key::SECRET)
        .env_remove(access_key::TOKEN)
        // Nor are they the service that a manager waits for.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // All that it starts can be ended together, and Ctrl-C in the terminal is not for it.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// Ends a command and all that it has started: first kindly.
async fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // What is gone already cannot be ended.
            let _ = kill_process_group(group, Signal::TERM);
            let _ = timeout(END_GRACE, child.wait()).await;
            // Also where the command itself has obeyed: what it started may not have.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    let _ = child.kill().await;
}

fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return format!("signal {signal}");
        }
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
}

/// The end of what a command says on standard error.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    /// Reads to the end, and keeps the last of it.
    async fn read(&mut self, stderr: &mut ChildStderr) {
        let mut buffer = [0; 4_096];
        while let Ok(read) = stderr.read(&mut buffer).await
            && read > 0
        {
            self.0.extend_from_slice(&buffer[..read]);
            let surplus = self.0.len().saturating_sub(LAST_LINE_MAX);
            self.0.drain(..surplus);
        }
    }

    /// Adds the last line to how a run ended.
    fn told(&self, how: &str) -> String {
        let text = String::from_utf8_lossy(&self.0);
        match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(line) => format!("{how}: {line}"),
            None => how.to_owned(),
        }
    }
}
