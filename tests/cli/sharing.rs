//! What cannot be shared is said before anything is watched.

use crate::run::Home;

#[test]
fn what_cannot_be_shared_is_a_misuse_that_leaves_nothing_behind() {
    for (line, told) in [
        ("watch --share a/b", "none of `/`, `+`, `#`"),
        ("watch --share=", "1 to 64 characters"),
        ("watch --share g --store memory", "nothing without what the others have heard"),
        ("watch --share g --dialect status", "by the order in which one watcher hears them"),
        ("watch --share g --topic notices/#", "which dialect its messages belong to"),
    ] {
        let home = Home::new();

        let run = home.run(line);

        assert_eq!((run.code, &*run.out), (2, ""), "{line}");
        assert!(run.err.contains(told), "{line}: {}", run.err);
        assert!(!home.path().join("state/presence/presence.db").exists(), "{line}");
    }
}
