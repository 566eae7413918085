//! What the columns of tables hold, checked.

use crate::cli::tables::Tables;
use crate::dialect::csv::{Columns, EventWord, Part};
use crate::failure::Failure;
use crate::nearest::nearest;

/// Returns which columns matter, and what is said in them.
pub fn columns(options: &Tables) -> Result<Columns, Failure> {
    let mut columns = Columns::default();
    for typed in &options.csv_map {
        let (part, column) = pair("--csv-map", typed, "client=Device")?;
        let known = Part::ALL.into_iter().find(|known| known.name() == part);
        let part = known.ok_or_else(|| unknown("--csv-map", part, Part::ALL.map(Part::name)))?;
        columns.named.push((part, column.to_owned()));
    }
    for typed in &options.csv_event {
        let (word, meant) = pair("--csv-event", typed, "tcpclean=close")?;
        let known = EventWord::ALL.into_iter().find(|known| known.0 == word);
        let words = EventWord::ALL.map(|known| known.0);
        let known = known.ok_or_else(|| unknown("--csv-event", word, words))?;
        columns.words.push((meant.to_owned(), known));
    }
    let is_named = |part| columns.named.iter().any(|(named, _)| *named == part);
    match Part::NEEDED.into_iter().find(|part| !is_named(*part)) {
        Some(part) if !columns.named.is_empty() => {
            Err(Failure::misuse(format!("`--csv-map` names no column for `{}`", part.name()))
                .because("a row says nothing without it")
                .next("name it as well, as in `--csv-map client=Device,event=Type`"))
        }
        _ => Ok(columns),
    }
}

fn pair<'a>(option: &str, typed: &'a str, example: &str) -> Result<(&'a str, &'a str), Failure> {
    let pair = typed.split_once('=').map(|(one, other)| (one.trim(), other.trim()));
    pair.filter(|(_, meant)| !meant.is_empty()).ok_or_else(|| {
        Failure::misuse(format!("`{option} {typed}` is not two words"))
            .because("what it names stands on both sides of a `=`")
            .next(format!("write it as in `{option} {example}`"))
    })
}

fn unknown<const N: usize>(option: &str, typed: &str, known: [&str; N]) -> Failure {
    let failure = Failure::misuse(format!("`{option} {typed}=…` names nothing that is known"))
        .because(format!("known are {}", known.map(|word| format!("`{word}`")).join(", ")));
    match nearest(typed, known.into_iter()) {
        Some(meant) => failure.next(format!("did you mean `{meant}`?")),
        None => failure.next("take one of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(map: &[&str], events: &[&str]) -> Result<Columns, String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let options = Tables { csv_map: owned(map), csv_event: owned(events) };
        columns(&options).map_err(|failure| failure.to_string())
    }

    #[test]
    fn columns_and_words_are_named_in_pairs() {
        assert_eq!(read(&[], &[]), Ok(Columns::default()));
        let columns = read(&["client=Device", "event = Type"], &["tcpclean=close"]);
        let columns = columns.expect("all is well");
        let named = [(Part::Client, "Device".to_owned()), (Part::Event, "Type".to_owned())];
        assert_eq!(columns.named, named);
        assert_eq!(columns.words, [("close".to_owned(), EventWord("tcpclean"))]);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_meant() {
        for (map, events, told) in [
            (&["client"][..], &[][..], "`--csv-map client` is not two words"),
            (&["client="], &[], "`--csv-map client=` is not two words"),
            (&["clint=Device"], &[], "did you mean `client`?"),
            (&["weather=Rain"], &[], "known are `client`, `event`, `time`, `channel`, `ip`"),
            (&["client=Device", "time=At"], &[], "names no column for `event`"),
            (&[], &["conect=in"], "did you mean `connect`?"),
        ] {
            let said = read(map, events).expect_err(told);
            assert!(said.contains(told), "{said}");
        }
    }
}
