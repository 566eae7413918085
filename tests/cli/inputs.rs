//! Files as they lie about: compressed, damaged, missing, many at once.

use crate::run::{Home, Run, lines, notice};
use crate::support::process::{DEADLINE, Presence};
use std::io::Write as _;

fn notices(count: usize) -> String {
    let all = (0..count).map(|at| notice(&format!("pump-{at}"), 0, "connect", &format!("c{at}")));
    lines(&all.collect::<Vec<_>>())
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes.as_ref()).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).expect("memory takes it")
}

/// Runs it through a shell: `"$@"` in the script is `presence replay -q --json -`.
fn piped(home: &Home, script: &str) -> Run {
    let words = ["replay", "-q", "--json", "-"];
    let ended = Presence::start_through(home.path(), script, words).ended(DEADLINE);
    Run { code: ended.code.expect("no signal ended it"), out: ended.out, err: ended.err }
}

#[test]
fn what_is_compressed_is_told_by_its_content_and_judged_as_if_it_were_not() {
    let home = Home::with("plain", notices(3_000));
    home.write("night.zst", gzip(notices(3_000)));
    home.write("night.log", zstd(notices(3_000)));
    home.write("several.gz", [gzip(notices(2_000)), gzip(notices(3_000))].concat());

    let plain = home.run("replay -q --json plain");

    assert_eq!((plain.code, plain.verdicts().len()), (0, 3_000));
    for name in ["night.zst", "night.log", "several.gz"] {
        let run = home.run(&format!("replay --json {name}"));
        assert_eq!((run.code, &run.err), (0, &format!("{name}: LMQ notices\n")));
        assert_eq!(run.verdicts(), plain.verdicts(), "{name}");
        let run = piped(&home, &format!("\"$@\" < {name}"));
        assert_eq!((run.code, run.verdicts()), (0, plain.verdicts()), "{name}");
    }
    home.run("store import --instance b:1 night.zst").is(
        0,
        &format!(
            "3,000 clients joined into {}/state/presence/presence.db\n",
            home.path().display()
        ),
        "night.zst: LMQ notices\n",
    );
}

#[test]
fn other_ways_of_compressing_are_named_with_the_way_out() {
    let home = Home::with("night.bz2", b"BZh91AY&SY");
    home.run("replay night.bz2")
        .failed(4, "could not read `night.bz2`\n  cause: it is compressed with bzip2");
    let run = home.run("replay night.bz2");
    assert!(run.err.ends_with("`bzcat night.bz2 | presence replay -`\n"), "{}", run.err);
}
