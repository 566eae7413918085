//! `presence dialects`: what each way of speaking about clients can tell.

mod trial;

use crate::cli::dialects::{Action, Dialects};
use crate::dialect::facts::Facts;
use crate::dialect::terms::Terms;
use crate::failure::{Failure, Outcome};
use crate::nearest::nearest;
use crate::output::console::Console;
use crate::output::table::{Cell, Table};
use crate::simulate::verify::voice::{Knowledge, Speaker};
use serde::Serialize;
use std::fmt::Write as _;

pub fn run(options: &Dialects, console: &mut Console) -> Result<Outcome, Failure> {
    if let Some(Action::Test(options)) = &options.action {
        return trial::run(options, console);
    }
    let all: Vec<Known> = Terms::names().map(Known::of).collect::<Result<_, _>>()?;
    let chosen = options.names.iter().map(|name| find(&all, name));
    let chosen: Vec<&Known> = chosen.collect::<Result<_, _>>()?;
    let shown = if chosen.is_empty() { all.iter().collect() } else { chosen };
    if console.is_json() {
        for known in shown {
            console.json_line(known)?;
        }
    } else if options.names.is_empty() {
        console.print(&table(&shown).render(console.style(), console.columns()))?;
    } else {
        let texts: Vec<String> = shown.into_iter().map(Known::text).collect();
        console.print(&texts.join("\n"))?;
    }
    Ok(Outcome::Yes)
}

fn find<'a>(all: &'a [Known], name: &str) -> Result<&'a Known, Failure> {
    all.iter().find(|known| known.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|known| known.name).collect();
        let failure = Failure::misuse(format!("no dialect is called `{name}`"));
        match nearest(name, names.iter().copied()) {
            Some(near) => failure.next(format!("did you mean `{near}`?")),
            None => failure.next(format!("name one of {}", names.join(", "))),
        }
    })
}

/// What is known about a dialect, as `--json` prints it.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts of their own, not states of one thing")]
struct Known {
    r#type: &'static str,
    name: &'static str,
    title: String,
    speaker: &'static str,
    authority: u8,
    key: Option<&'static str>,
    goodbyes: bool,
    takeovers: bool,
    dated: &'static str,
    kept: bool,
    auto: bool,
    filters: Vec<String>,
    mark: &'static str,
    enable: &'static str,
}

impl Known {
    /// Errors: a dialect about which nobody has written down what it can tell.
    fn of(name: &'static str) -> Result<Self, Failure> {
        let unwritten = || Failure::new(format!("nothing is known about the dialect `{name}`"));
        let facts = Facts::of(name).ok_or_else(unwritten)?;
        let known = Knowledge::of(name).ok_or_else(unwritten)?;
        let dialect = crate::config::reading::usual().dialect(name, None);
        let dialect = dialect.map_err(Failure::misuse)?;
        Ok(Self {
            r#type: "dialect",
            name,
            title: dialect.title().to_owned(),
            speaker: match known.speaker {
                Speaker::Broker => "broker",
                Speaker::Device => "devices",
            },
            authority: dialect.authority(),
            key: facts.key,
            goodbyes: known.goodbyes,
            takeovers: known.takeovers,
            dated: facts.dated.word(),
            kept: facts.is_kept,
            auto: Terms::usual().any(|usual| usual == name),
            filters: dialect.filters(),
            mark: facts.mark,
            enable: facts.enable,
        })
    }

    fn text(&self) -> String {
        let Self {
            name, title, key, goodbyes, takeovers, dated, kept, filters, mark, enable, ..
        } = self;
        let mut text = format!("{name}: {title}\n");
        let mut line = |head: &str, said: &str| {
            let _ = writeln!(text, "  {head}: {said}");
        };
        line("who speaks", if self.speaker == "broker" { "the broker" } else { "the devices" });
        line(
            "names",
            &key.map_or_else(
                || {
                    "no connection: an end that comes late looks like that of a newer one"
                        .to_owned()
                },
                |key| format!("each connection, by `{key}`"),
            ),
        );
        let yes =
            |can: bool, what: &str, not: &str| if can { what.to_owned() } else { not.to_owned() };
        line(
            "goodbye",
            &yes(*goodbyes, "is told from a drop", "is not told from a drop, or not at all"),
        );
        line(
            "take-over",
            &yes(
                *takeovers,
                "ends the older connection",
                "says nothing of the older connection's end",
            ),
        );
        line(
            "dated",
            match *dated {
                "arrival" => "by arrival: it has no time of its own",
                dated => dated,
            },
        );
        line(
            "who comes later",
            &yes(*kept, "is told how things stand", "knows nobody until the next event"),
        );
        let none = "no topic: it is read from files, or where `--topic` says";
        let filters = filters.join(", ");
        line("listens at", if filters.is_empty() { none } else { &filters });
        line("known by", mark);
        line("in `auto`", &yes(self.auto, "yes", "no: name it with `--dialect`"));
        line("to enable", enable);
        text
    }
}

fn table(all: &[&Known]) -> Table {
    let headers = [
        "dialect",
        "by",
        "names connections",
        "goodbyes",
        "take-overs",
        "dated by",
        "kept",
        "auto",
    ];
    let mut table = Table::new(&headers);
    let mark = |yes: bool| Cell::text(if yes { "yes" } else { "–" });
    for known in all {
        table.row([
            Cell::text(known.name),
            Cell::text(known.speaker),
            Cell::text(known.key.unwrap_or("–")),
            mark(known.goodbyes),
            mark(known.takeovers),
            Cell::text(known.dated),
            mark(known.kept),
            mark(known.auto),
        ]);
    }
    table
}
