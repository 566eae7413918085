//! What cannot be done with changes is said before anything is watched.

use crate::run::Home;

#[test]
fn what_cannot_be_acted_with_is_a_misuse_at_the_start() {
    let home = Home::with("plain.txt", "no program");
    home.write("empty", "\n");
    for (words, code, told) in [
        (&["--exec", "no-such-program-here -x"][..], 2, "no program `no-such-program-here`"),
        (&["--exec", "sh -c 'never closed"], 2, "a quote is never closed"),
        (&["--exec", " "], 2, "it names no program"),
        (&["--exec", "./plain.txt"], 2, "`./plain.txt` may not be run"),
        (&["--webhook", "https://"], 2, "empty host"),
        (&["--webhook", "hooks.example/hunter2"], 2, "relative URL"),
        (&["--webhook", "ftp://hooks.example/hunter2"], 2, "neither `http` nor `https`"),
        (&["--webhook", "http://h/", "--webhook-secret-file", "empty"], 4, "it is empty"),
        (&["--webhook", "http://h/", "--webhook-secret-file", "none"], 4, "`none`"),
        (&["--webhook", "https://h/", "--webhook-cafile", "plain.txt"], 4, "`plain.txt`"),
    ] {
        let run = home.run_with(&[&["watch"], words].concat(), "", &[]);

        run.failed(code, told);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
    }
}

#[test]
fn words_that_mean_nothing_are_a_misuse() {
    let home = Home::new();
    for (line, told) in [
        ("watch --fail-on sunset", "lag>DURATION"),
        ("watch --fail-on offline,lag>soon", "`soon` is no duration"),
        ("watch --exec-on offline", "--exec <COMMAND>"),
        ("watch --exec true --exec-on never", "possible values"),
        ("watch --exec true --exec-parallel 0", "--exec-parallel"),
        ("watch --exec true --exec-timeout 0s", "in no time"),
        ("watch --webhook http://h --webhook-timeout 9000000000y", "--webhook-timeout"),
        ("watch --debounce 400d", "at most a year"),
        ("watch --count 0", "--count"),
        ("watch --for ever", "--for"),
    ] {
        let run = home.run(line);

        assert_eq!((run.code, &*run.out), (2, ""), "{line}");
        assert!(run.err.contains(told), "{line}: {}", run.err);
    }
}
