//! The full-screen table as an operator sees it: the real program in a real terminal, driven by keys.

use crate::scene::{Scene, now_ms};
use crate::support::process::{DEADLINE, Ended, Process};
use std::process::Command;
use std::time::{Duration, Instant};

/// A terminal of a size of its own, in a server of its own. Both end with the test.
struct Terminal<'a> {
    scene: &'a Scene,
}

impl<'a> Terminal<'a> {
    fn new(scene: &'a Scene, columns: u16, lines: u16) -> Self {
        let terminal = Self { scene };
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let size = ["new-session", "-d", "-x", &columns, "-y", &lines, "env PS1='$ ' sh"];
        terminal.tmux(&size);
        terminal
    }

    fn tmux(&self, words: &[&str]) -> Ended {
        let home = self.scene.home();
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(home.join("tmux")).args(words);
        command.env_clear().env("HOME", home).env("XDG_STATE_HOME", home.join("state"));
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let ended = Process::start(&mut command).ended(DEADLINE);
        assert!(ended.status.success(), "tmux {words:?}: {ended:?}");
        ended
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "--"], keys].concat());
    }

    fn shown(&self) -> Vec<String> {
        let out = self.tmux(&["capture-pane", "-p"]).out;
        out.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until the lines are as they should be, and returns them.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn until(&self, what: &str, is_it: impl Fn(&[String]) -> bool) -> Vec<String> {
        let until = Instant::now() + DEADLINE;
        loop {
            let shown = self.shown();
            if is_it(&shown) {
                return shown;
            }
            assert!(Instant::now() < until, "{what} did not come:\n{}", shown.join("\n"));
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn tells(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).out.trim().to_owned()
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
#[ignore = "needs tmux and mosquitto"]
fn a_table_is_driven_by_keys_and_leaves_the_terminal_as_it_was() {
    let scene = Scene::new(&[]);
    let terminal = Terminal::new(&scene, 110, 24);
    let line = scene.line("watch", &["--view", "table", "--dialect", "lmq"]).join(" ");
    let line = format!("echo before; {} {line}; echo code=$?", env!("CARGO_BIN_EXE_presence"));
    terminal.keys(&[&line, "Enter"]);
    let has =
        |part: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(part));
    terminal.until("the table", |lines| {
        has("no client is known yet")(lines) && lines[0].starts_with("online 0")
    });
    assert_eq!(terminal.tells("#{alternate_on} #{cursor_flag}"), "1 0");

    let now = now_ms();
    scene.notice("pump-1", "connect", "c1", now - 90_000);
    scene.notice("pump-1", "tcpclean", "c1", now - 60_000);
    scene.notice("pump-1", "connect", "c2", now - 30_000);
    scene.notice("泵-2", "connect", "c3", now - 20_000);
    scene.notice("fan-7", "connect", "c4", now - 10_000);
    scene.notice("fan-7", "tcpclean", "c4", now - 5_000);
    let lines = terminal.until("three clients", |lines| {
        lines[0].starts_with("online 2 · offline 1") && lines[1].starts_with("all 3 shown")
    });
    assert!(lines[2].starts_with("client▼"), "{lines:#?}");
    assert!(lines[3].starts_with("fan-7") && lines[3].contains("offline"), "{lines:#?}");
    assert!(lines[3].contains("abrupt"), "{lines:#?}");
    assert!(lines[4].starts_with("pump-1") && lines[4].contains("online"), "{lines:#?}");

    terminal.keys(&["S"]);
    terminal.until("the other order", |lines| lines[3].starts_with("泵-2  "));
    terminal.keys(&["/", "p?mp"]);
    terminal.until("what is typed", |lines| lines[23] == "/p?mp█" && lines[3] == "none of them");
    terminal.keys(&["-*", "Enter"]);
    terminal.until("one client", |lines| {
        lines[1].starts_with("1 of 3 shown · /p?mp-* ·") && lines[3].starts_with("pump-1")
    });

    terminal.keys(&["Enter"]);
    let lines = terminal.until("the client in full", has("last connections, by lmq:"));
    let all = lines.join("\n");
    assert_eq!(lines[1], "pump-1");
    for part in [
        "online for ",
        "5m ago until now",
        "· open · from 203.0.113.7:50001 · channel c2",
        "· abrupt · from 203.0.113.7:50001",
        "decided: lmq reported the connection, and no end of it",
        "listening: presence-",
    ] {
        assert!(all.contains(part), "{part}:\n{all}");
    }
    assert!(lines[4].contains('█') && lines[4].contains('·'), "{all}");
    scene.notice("pump-1", "tcpclean", "c2", now - 1_000);
    terminal.until("the news of it", |lines| lines[2].starts_with("offline for "));
    terminal.keys(&["Escape"]);
    terminal.until("the table again", |lines| lines[2].starts_with("client▲"));

    terminal.tmux(&["resize-window", "-x", "40", "-y", "12"]);
    let lines = terminal.until("a narrow table", |lines| {
        lines.len() == 12
            && lines[2].starts_with("client▲")
            && lines[2].ends_with(" state     since")
    });
    assert!(lines[3].starts_with("pump-1  ") && lines[3].contains(" offline "), "{lines:#?}");

    terminal.tmux(&["resize-window", "-x", "100", "-y", "24"]);
    terminal.keys(&["q"]);
    let lines = terminal.until("the end", has("code=0"));
    let all = lines.join("\n");
    assert!(all.contains("before\n"), "{all}");
    assert!(all.contains("7 events"), "{all}");
    assert_eq!(terminal.tells("#{alternate_on} #{cursor_flag}"), "0 1");
    terminal.keys(&["clear; stty -a", "Enter"]);
    terminal.until("a sane terminal", |lines| has(" icanon")(lines) && has(" echo ")(lines));
}

const LOOK_AGAIN: Duration = Duration::from_millis(20);
