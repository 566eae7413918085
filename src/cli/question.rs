//! What recorded events are asked, beside the verdicts at their end.

use clap::Args;
use clap::builder::BoolishValueParser;
use std::path::PathBuf;

pub const WORST: usize = 10;

/// One question a run; without one the verdicts are printed.
#[expect(clippy::struct_excessive_bools, reason = "one for each question, of which one is asked")]
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Questions")]
pub struct Question {
    /// Print every change of verdict, as it could be known then
    ///
    /// In the order of arrival; of a plain log, in that of its lines. Each carries the stamp of what
    /// caused it, so that late news stand below later ones.
    #[arg(long, env = "PRESENCE_CHANGES", value_parser = BoolishValueParser::new())]
    pub changes: bool,

    /// Print when a client was online, when it was not, and when nobody knows
    ///
    /// As a strip, and as a table with the address and the end of each connection.
    #[arg(long, value_name = "ID", env = "PRESENCE_TIMELINE")]
    pub timeline: Option<String>,

    /// Print for how long clients were online, and how often that ended
    ///
    /// Of all, of each group, and of the worst clients: the available share of the time that is known, the
    /// known share of all time, connections, and the mean times between failures and to recovery.
    #[arg(long, env = "PRESENCE_UPTIME", value_parser = BoolishValueParser::new())]
    pub uptime: bool,

    /// Print how many clients were online at a time
    ///
    /// As lines of bars, each a mean over a piece of time, and the most that were online at once.
    #[arg(long, env = "PRESENCE_CONCURRENCY", value_parser = BoolishValueParser::new())]
    pub concurrency: bool,

    /// Print when many clients were lost at once, what they have in common, and how many came back
    ///
    /// The findings of that kind which `presence watch` would have told.
    #[arg(long, env = "PRESENCE_OUTAGES", value_parser = BoolishValueParser::new())]
    pub outages: bool,

    /// Print how many clients have an odd history, by anomaly, and some of them
    #[arg(long, env = "PRESENCE_ANOMALIES", value_parser = BoolishValueParser::new())]
    pub anomalies: bool,

    /// Print where, and for how long, other rules would have been wrong about the same events
    ///
    /// `last-event-wins`, `latest-stamp-wins`, `vendor-sample`, `any-open`, `counter` and
    /// `debounce=30s`, several separated by commas; docs/what-if.md tells what each does, and what it is
    /// held against.
    #[arg(long, value_name = "RULE", env = "PRESENCE_WHAT_IF", value_delimiter = ',')]
    pub what_if: Vec<String>,

    /// Print how long to wait before an absence is told, so that short ones are not
    ///
    /// For several graces: how many absences are over by then, and how much later the others are told.
    #[arg(long, env = "PRESENCE_DEBOUNCE_ADVISOR", value_parser = BoolishValueParser::new())]
    pub debounce_advisor: bool,

    /// Rows of a table that begins with the worst; JSON has them all
    #[arg(long, value_name = "COUNT", env = "PRESENCE_WORST", default_value_t = WORST)]
    pub worst: usize,

    /// Leave out what was before, as RFC 3339 or milliseconds since 1970
    ///
    /// Of changes, their stamps count. A time that names no zone is one of `--time-zone`.
    #[arg(long, value_name = "TIME", env = "PRESENCE_SINCE")]
    pub since: Option<String>,

    /// Leave out what was then or later, as RFC 3339 or milliseconds since 1970
    #[arg(long, value_name = "TIME", env = "PRESENCE_UNTIL")]
    pub until: Option<String>,

    /// Print comma-separated values, below a header
    ///
    /// The objects of `--json` as rows, but for the summary; with `--concurrency` but for the peak.
    #[arg(long, env = "PRESENCE_CSV", value_parser = BoolishValueParser::new(), conflicts_with = "json")]
    pub csv: bool,

    /// Write a page about all that was read into this file as well
    ///
    /// One file for a browser, which fetches nothing: who was online when, outages, the lives of clients
    /// that are worth a look and a search for any, anomalies and uptime.
    #[arg(long, value_name = "FILE", env = "PRESENCE_REPORT")]
    pub report: Option<PathBuf>,

    /// Put pseudonyms in the place of ids and addresses, by the key in this file
    ///
    /// In everything that is printed or written, names of brokers included. The same key gives the same
    /// pseudonyms, and without it nobody finds out whose they are. Globs and ids are typed as they are.
    #[arg(long, value_name = "KEYFILE", env = "PRESENCE_REDACT")]
    pub redact: Option<PathBuf>,

    /// Compare the answer with a file, print how it differs, and end with 1 if it does
    ///
    /// For tests of what makes recordings. The file is what the same command prints without this option.
    #[arg(long, value_name = "FILE", env = "PRESENCE_EXPECT")]
    pub expect: Option<PathBuf>,

    /// Show only clients whose group matches; may be given several times
    ///
    /// The group is what stands before the first `@@@` of a client id.
    #[arg(long, value_name = "GLOB", env = "PRESENCE_GROUP")]
    pub group: Vec<String>,
}
