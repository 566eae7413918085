//! Laws that hold for any file of notices: order, repetition and division change nothing.

use crate::run::{Home, Run, lines, notice};

/// A small generator: the message of a failed law holds the seed, which shows the same file again.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("it is below a usize")
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Returns the lives of a few clients: clean and abrupt ends, lost ends, take-overs, near ties.
fn lives(rng: &mut Rng) -> Vec<String> {
    let mut all = Vec::new();
    for client in 0..=rng.below(5) {
        let id = format!("pump-{client}");
        let mut at = i64::try_from(rng.below(5_000)).expect("it is small");
        for channel in 0..=rng.below(6) {
            let name = format!("c{channel}");
            let mut say = |at: i64, kind: &str| all.push(notice(&id, at, kind, &name));
            say(at, "connect");
            let end = at + [1, 500, 5_000, 40_000][rng.below(4)];
            match rng.below(4) {
                0 => say(end, "tcpclean"),
                1 => {
                    say(end, "disconnect");
                    say(end + 3, "tcpclean");
                }
                2 => say(end, "disconnect"),
                _ => {}
            }
            at = end + [-400, 0, 700, 1_001, 20_000][rng.below(5)];
        }
    }
    all
}

#[track_caller]
fn replay(home: &Home, files: &str, seed: u64) -> Run {
    let run = home.run(&format!("replay -q --json {files}"));
    assert_eq!((run.code, &*run.err), (0, ""), "seed {seed}");
    run
}

#[test]
fn order_and_repetition_of_lines_change_no_verdict() {
    for seed in 0..50 {
        let mut rng = Rng(seed);
        let told = lives(&mut rng);
        let mut scrambled = told.clone();
        for _ in 0..=told.len() {
            scrambled.push(told[rng.below(told.len())].clone());
        }
        rng.shuffle(&mut scrambled);
        let home = Home::with("told.jsonl", lines(&told));
        home.write("scrambled.jsonl", lines(&scrambled));

        let (once, again) =
            (replay(&home, "told.jsonl", seed), replay(&home, "scrambled.jsonl", seed));

        assert!(!once.verdicts().is_empty(), "seed {seed}");
        assert_eq!(again.verdicts(), once.verdicts(), "seed {seed}");
        assert_eq!(again.summary()["events"], scrambled.len(), "seed {seed}");
    }
}

#[test]
fn files_that_were_split_say_what_the_whole_says() {
    for seed in 100..125 {
        let mut rng = Rng(seed);
        let mut told = lives(&mut rng);
        rng.shuffle(&mut told);
        let (head, tail) = told.split_at(1 + rng.below(told.len() - 1));
        let home = Home::with("whole.jsonl", lines(&told));
        home.write("head.jsonl", lines(head));
        home.write("tail.jsonl", lines(tail));

        let whole = replay(&home, "whole.jsonl", seed);

        assert_eq!(replay(&home, "head.jsonl tail.jsonl", seed).out, whole.out, "seed {seed}");
        let back = replay(&home, "tail.jsonl head.jsonl", seed);
        assert_eq!(back.verdicts(), whole.verdicts(), "seed {seed}");
    }
}

#[test]
fn what_is_shown_as_a_table_is_what_json_says() {
    for seed in 200..210 {
        let home = Home::with("told.jsonl", lines(&lives(&mut Rng(seed))));
        let wide = [("COLUMNS", "1000")];
        let table = home.run_with(&["replay", "-q", "told.jsonl"], "", &wide);
        assert_eq!((table.code, &*table.err), (0, ""), "seed {seed}");
        let rows = table.out.lines().skip(1).take_while(|line| !line.is_empty());
        let shown: Vec<(String, String)> = rows
            .map(|row| {
                let mut words = row.split_whitespace().map(str::to_owned);
                (words.next().expect("a client"), words.next().expect("a state"))
            })
            .collect();
        assert_eq!(shown, replay(&home, "told.jsonl", seed).states(), "seed {seed}");
    }
}
