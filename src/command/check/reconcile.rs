//! What is derived from events beside what somebody else lists: ghosts, whom only we believe online, and the
//! missing, of whom only the listing knows.

use super::Inquiry;
use super::listing::{self, Listing};
use crate::clock;
use crate::event::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::number::{counted, grouped};
use crate::output::object::VerdictObject;
use crate::output::verdict;
use crate::state::verdict::Verdict;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::time::UNIX_EPOCH;

/// Bytes of a listing that is read.
const LISTING_MAX: u64 = 1 << 30;

/// A listing, and the moment of which it is.
#[derive(Debug)]
pub struct Listed {
    listing: Listing,
    at: Timestamp,
    shown: String,
}

/// In which way the two differ.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// We say online, and the listing does not.
    Ghost,
    /// The listing says connected, and we say offline.
    Missing,
}

#[derive(Serialize)]
struct Difference<'a> {
    r#type: &'static str,
    #[serde(rename = "difference")]
    kind: Kind,
    /// `None`: it is not in the listing.
    listed: Option<bool>,
    verdict: VerdictObject<'a>,
}

/// What the comparison comes to.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    r#type: &'static str,
    agreed: u64,
    ghosts: u64,
    missing: u64,
    /// They differ, and something was heard of them since the listing was made.
    changed_since: u64,
    /// Nobody here can say, or the listing cannot.
    unknown: u64,
    /// Entries of the listing that do not say who or whether.
    unusable: u64,
}

/// Reads a listing, `-` from standard input. One of a file is of the moment when that was last written.
///
/// Errors: it cannot be read, exit 4; it is none, exit 2.
pub fn read(name: &str) -> Result<Listed, Failure> {
    let shown = if name == "-" { "standard input" } else { name }.to_owned();
    let unreadable = |error: io::Error| {
        Failure::new(format!("could not read the listing in `{shown}`"))
            .because(error)
            .next("name a file with what the broker lists, or `-` for standard input")
    };
    let mut text = String::new();
    let at = if name == "-" {
        io::stdin().lock().take(LISTING_MAX).read_to_string(&mut text).map_err(unreadable)?;
        clock::now()
    } else {
        let file = File::open(name).map_err(unreadable)?;
        let written = file.metadata().and_then(|metadata| metadata.modified());
        file.take(LISTING_MAX).read_to_string(&mut text).map_err(unreadable)?;
        let since = written.ok().and_then(|written| written.duration_since(UNIX_EPOCH).ok());
        let ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
        ms.map_or_else(clock::now, Timestamp)
    };
    let listing = listing::read(&text).map_err(|cause| {
        Failure::misuse(format!("{shown} lists nobody")).because(cause).next(
            "pass what EMQX, RabbitMQ, VerneMQ or HiveMQ list, or a table with columns `client_id` \
             and `connected`",
        )
    })?;
    Ok(Listed { listing, at, shown })
}

impl Listed {
    /// Returns the ids in it.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.listing.clients.keys()
    }

    /// Tells in which way a verdict differs from it; `Ok(None)` if it does not.
    ///
    /// Errors: one of them cannot say.
    fn compare(&self, verdict: &Verdict) -> Result<Option<Kind>, ()> {
        let listed = self.listing.clients.get(verdict.client.as_str()).copied();
        let absent = self.listing.partial.is_none().then_some(false);
        match (listed.or(absent), verdict.status.online()) {
            (Some(true), Some(false)) => Ok(Some(Kind::Missing)),
            (Some(false), Some(true)) => Ok(Some(Kind::Ghost)),
            (Some(_), Some(_)) => Ok(None),
            (None, _) | (_, None) => Err(()),
        }
    }
}

impl Inquiry {
    /// Tells in what the verdicts differ from a listing.
    pub(super) fn reconcile(
        self,
        listed: &Listed,
        console: &mut Console,
    ) -> Result<Outcome, Failure> {
        self.warn(console)?;
        let Listed { listing, at, shown } = listed;
        let now = clock::now();
        console.say(format_args!(
            "{shown}: {}, {} of {}",
            listing.format,
            counted(listing.clients.len() as u64, "client"),
            console.style().time(*at),
        ));
        if let Some(partial) = listing.partial {
            console.say(format_args!("who is not in it may be connected: {partial}"));
        }
        let unusable = listing.unusable;
        let mut counts = Counts { r#type: "reconciliation", unusable, ..Counts::default() };
        for id in &self.ids {
            let verdict = self.verdict(id, now);
            match listed.compare(&verdict) {
                Ok(None) => counts.agreed += 1,
                Err(()) => counts.unknown += 1,
                // What the listing could not know yet is no contradiction.
                Ok(Some(_)) if heard_after(&verdict, *at, self.policy.judge_skew_ms) => {
                    counts.changed_since += 1;
                }
                Ok(Some(kind)) => {
                    match kind {
                        Kind::Ghost => counts.ghosts += 1,
                        Kind::Missing => counts.missing += 1,
                    }
                    self.print_difference(kind, &verdict, listing, console)?;
                }
            }
        }
        if console.is_json() {
            console.json_line(&counts)?;
        } else {
            console.print_line(counts.line())?;
        }
        Ok(counts.outcome())
    }

    fn print_difference(
        &self,
        kind: Kind,
        verdict: &Verdict,
        listing: &Listing,
        console: &mut Console,
    ) -> Result<(), Failure> {
        if console.is_json() {
            let listed = listing.clients.get(verdict.client.as_str()).copied();
            let verdict = VerdictObject::new(&self.instance, verdict);
            console.json_line(&Difference { r#type: "difference", kind, listed, verdict })?;
        } else {
            let word = match kind {
                Kind::Ghost => "ghost  ",
                Kind::Missing => "missing",
            };
            console
                .print_line(format_args!("{word}  {}", verdict::line(verdict, console.style())))?;
        }
        Ok(())
    }
}

fn heard_after(verdict: &Verdict, at: Timestamp, skew_ms: i64) -> bool {
    verdict.last_heard.as_ref().is_some_and(|(heard, _)| heard.since(at) > -skew_ms)
}

impl Counts {
    fn line(&self) -> String {
        let Self { agreed, ghosts, missing, changed_since, unknown, unusable, .. } = *self;
        let mut text = format!(
            "{} the same · {} · {} missing",
            grouped(agreed),
            counted(ghosts, "ghost"),
            grouped(missing)
        );
        for (count, what) in [
            (changed_since, "changed since the listing"),
            (unknown, "that one of the two cannot tell"),
            (unusable, "unusable entries"),
        ] {
            if count > 0 {
                text += " · ";
                text += &grouped(count);
                text += " ";
                text += what;
            }
        }
        text
    }

    const fn outcome(&self) -> Outcome {
        if self.ghosts + self.missing > 0 {
            Outcome::No
        } else if self.agreed == 0 && self.unknown > 0 {
            Outcome::CannotTell
        } else {
            Outcome::Yes
        }
    }
}
