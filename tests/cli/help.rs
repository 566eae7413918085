//! Help, and how much is said beside the answer.

use crate::run::{Home, lines, notice};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const COMMANDS: [&str; 18] = [
    "watch",
    "check",
    "replay",
    "simulate",
    "simulate merge",
    "probe",
    "store",
    "store info",
    "store import",
    "store export",
    "store compact",
    "store forget-queues",
    "store forget-session",
    "broker",
    "demo",
    "dialects",
    "dialects test",
    "completions",
];

#[test]
fn the_short_help_fits_a_terminal() {
    let run = Home::new().run("-h");

    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.lines().count() <= 25, "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 100), "{}", run.out);
    for command in COMMANDS {
        let name = command.split(' ').next().expect("a name");
        assert!(run.out.contains(&format!("\n  {name} ")), "{name} is not in:\n{}", run.out);
    }
}

#[test]
fn the_long_help_tells_of_the_variables() {
    let run = Home::new().run("--help");

    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.contains("`--close-grace` is `PRESENCE_CLOSE_GRACE`"), "{}", run.out);
}

#[test]
fn the_help_of_every_command_fits_the_width_and_ends_with_an_example() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let run = Home::new().run(&format!("{command} {flag}"));

            assert_eq!((run.code, &*run.err), (0, ""), "{command}");
            assert!(run.out.lines().all(|line| line.chars().count() <= 100), "{}", run.out);
            let last = run.out.lines().rev().take(2).collect::<Vec<_>>();
            assert_eq!(last[1], "Example:", "{command} {flag}");
            assert!(last[0].starts_with(&format!("  presence {command}")), "{}", last[0]);
        }
    }
}

#[test]
fn what_is_typed_wrongly_is_a_misuse() {
    let home = Home::new();
    for (line, told) in [
        ("", "Usage: presence"),
        ("frobnicate", "unrecognized subcommand"),
        ("replay", "required arguments"),
        ("check", "required arguments"),
        ("store", "Usage: presence store"),
        ("completions tcsh", "invalid value 'tcsh'"),
        ("replay a --close-grace soon", "--close-grace"),
        ("replay a --loop 1/60s", "COUNT is at least 2"),
        ("replay a --skew 5", "--skew"),
        ("replay a --channels 0", "--channels"),
        ("watch --format {clint}", "did you mean `{client}`?"),
        ("watch --format {client} --json", "cannot be used with"),
        ("watch --only away", "invalid value 'away'"),
        ("replay a --dialect klingon", "invalid value 'klingon'"),
        ("watch --view tree", "invalid value 'tree'"),
        #[cfg(feature = "tui")]
        ("watch --view table", "`--view table` needs a terminal"),
        #[cfg(feature = "tui")]
        ("watch --view table -v", "`--view table` and a log exclude each other"),
        #[cfg(feature = "tui")]
        ("watch --view table --json", "`--view table` and `--json` exclude each other"),
        #[cfg(not(feature = "tui"))]
        ("watch --view table", "this build has no table"),
    ] {
        let run = home.run(line);

        assert_eq!((run.code, &*run.out), (2, ""), "{line}");
        assert!(run.err.contains(told), "{line}: {}", run.err);
    }
}

#[test]
fn a_variable_stands_in_for_an_option() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));

    let run = home.run_with(&["replay", "a.jsonl"], "", &[("PRESENCE_JSON", "yes")]);
    assert_eq!((run.code, &*run.err), (0, "a.jsonl: LMQ notices\n"));
    assert_eq!(run.summary()["online"], 1);

    let run = home.run_with(&["replay", "a.jsonl"], "", &[("PRESENCE_JSON", "perhaps")]);
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.contains("perhaps"), "{}", run.err);
}

#[test]
fn quiet_leaves_warnings_and_verbose_adds_detail() {
    let broken = "not a notice".to_owned();
    let text = lines(&[notice("a", 0, "connect", "c"), broken.clone(), broken]);
    let home = Home::with("a.jsonl", text);
    let warning = "\
warning: 2 lines were set aside, the first is a.jsonl, line 2: unreadable: no JSON object: `not a notice`
  next:  `-v` shows more of them, `--strict` makes them fatal
";
    let out = "\
CLIENT  STATE   SINCE                     CHANNEL  HOW  ANOMALIES
a       online  2025-10-09T08:53:20.000Z  c        –

1 client · 1 online
1 event · 2 malformed
";
    home.run("replay -q a.jsonl").is(0, out, warning);
    home.run("replay a.jsonl").is(0, out, &format!("a.jsonl: LMQ notices\n{warning}"));
    let debug = "debug: set aside: a.jsonl, line 3: unreadable: no JSON object: `not a notice`\n";
    home.run("replay -v a.jsonl").is(0, out, &format!("a.jsonl: LMQ notices\n{warning}{debug}"));
}

#[test]
fn a_pipe_is_never_coloured() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c"), "x".to_owned()]));
    let term = ("TERM", "xterm-256color");
    for environment in [&[term][..], &[term, ("NO_COLOR", "1")], &[term, ("NO_COLOR", "")]] {
        for words in
            [&["replay", "a.jsonl"][..], &["--help"], &["replay", "missing"], &["nonsense"]]
        {
            let run = home.run_with(words, "", environment);
            assert!(!run.out.contains('\x1b'), "{words:?} {environment:?}: {}", run.out);
            assert!(!run.err.contains('\x1b'), "{words:?} {environment:?}: {}", run.err);
        }
    }
}

#[test]
fn a_reader_that_has_had_enough_ends_the_run_quietly() {
    let many: Vec<String> =
        (0..20_000).map(|number| notice(&format!("pump-{number}"), 0, "connect", "c")).collect();
    let home = Home::with("many.jsonl", lines(&many));
    for words in [&["replay", "-q", "--json", "many.jsonl"][..], &["replay", "-q", "many.jsonl"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_presence"))
            .args(words)
            .current_dir(home.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let mut first = String::new();
        let mut out = BufReader::with_capacity(16, child.stdout.take().expect("it is piped"));
        out.read_line(&mut first).expect("there is a line");
        drop(out);

        let ended = child.wait_with_output().expect("it ends");

        assert!(!first.is_empty());
        assert_eq!(ended.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
}

#[test]
fn completions_and_the_manual_come_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh", "man"] {
        let run = home.run(&format!("completions {shell}"));

        assert_eq!((run.code, &*run.err), (0, ""), "{shell}");
        for word in ["replay", "forget", "close"] {
            assert!(run.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_version_is_told() {
    let version = env!("CARGO_PKG_VERSION");
    Home::new().run("--version").is(0, &format!("presence {version}\n"), "");
}
