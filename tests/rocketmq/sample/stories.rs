//! What was told of a client, how it really was, and what is answered: the rows of the table in `docs/sample.md`.

/// A client of its own, and what is told of it.
pub struct Story {
    /// Names the client too.
    pub name: &'static str,
    /// In this order: `TYPE CHANNEL SECONDS`, and what else is special about a notice. `-` stands for a member that
    /// is missing; instead of seconds there may be what the member holds.
    pub sent: &'static [&'static str],
    /// Neither may have believed it: what nobody tells cannot be known.
    pub truth: &'static str,
    pub sample: &'static str,
    pub presence: &'static str,
    pub because: &'static str,
    /// The section of `docs/state-logic.md` that says so.
    pub section: &'static str,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both say the same of the client.
    Alike,
    /// They do not.
    Different,
    /// They do not after a restart of the sample, which goes on reading where it was.
    Restart,
    /// They do not where the sample subscribes to all types, as its first edition did.
    AllTypes,
}

/// What a watcher answers that began just before, where that is not what is read of the whole topic: a newer
/// connection may have been opened before it listened, and the end of an older one does not show it.
pub const WATCHED: (&str, &str) = ("came-unheard", "unknown (connect-missing)");

impl Story {
    pub fn watched(&self) -> &'static str {
        if self.name == WATCHED.0 { WATCHED.1 } else { self.presence }
    }
}

pub const STORIES: &[Story] = &[
    Story {
        name: "came",
        sent: &["connect a 0"],
        truth: "online",
        sample: "online",
        presence: "online",
        because: "an opening without an end",
        section: "judging",
        kind: Kind::Alike,
    },
    Story {
        name: "went",
        sent: &["connect a 0", "tcpclean a 5"],
        truth: "offline",
        sample: "offline",
        presence: "offline",
        because: "the end of the only connection",
        section: "judging",
        kind: Kind::Alike,
    },
    Story {
        name: "end-first",
        sent: &["tcpclean a 5", "connect a 0"],
        truth: "offline",
        sample: "offline",
        presence: "offline",
        because: "a connection has ended once its end was heard, whichever notice came first",
        section: "slots-and-joins",
        kind: Kind::Alike,
    },
    Story {
        name: "came-told-twice",
        sent: &["connect a 0", "connect a 0"],
        truth: "online",
        sample: "online",
        presence: "online",
        because: "the same fact again changes nothing",
        section: "slots-and-joins",
        kind: Kind::Alike,
    },
    Story {
        name: "late-end",
        sent: &["connect a 0", "connect b 10", "tcpclean a 100"],
        truth: "online",
        sample: "online",
        presence: "online",
        because: "an end ends its own connection, however late it is",
        section: "channels",
        kind: Kind::Alike,
    },
    Story {
        name: "foreign-end",
        sent: &["connect a 0", "tcpclean x 60"],
        truth: "online",
        sample: "online",
        presence: "online (connect-missing)",
        because: "the same; that an opening is missing is said",
        section: "anomalies",
        kind: Kind::Alike,
    },
    Story {
        name: "two-clocks",
        sent: &["connect a 0.4", "connect b 0", "tcpclean a 0.45"],
        truth: "online",
        sample: "online",
        presence: "online",
        because: "stamps of two nodes are no order within `--skew`, so the older one may be the newer connection",
        section: "judging",
        kind: Kind::Alike,
    },
    Story {
        name: "far-future",
        sent: &["connect a 4102444800000", "tcpclean a 4102444801000", "connect b 9"],
        truth: "online",
        sample: "online",
        presence: "online (future-time)",
        because: "who compares times must not believe every one",
        section: "observations",
        kind: Kind::Alike,
    },
    Story {
        name: "shared-id",
        sent: &[
            "connect a 0",
            "connect b 4",
            "tcpclean a 4.002",
            "connect c 9",
            "tcpclean b 9.003",
            "connect d 13",
            "tcpclean c 13.002",
        ],
        truth: "online, two devices in turn",
        sample: "online",
        presence: "online (flapping, takeover-loop)",
        because: "that two devices share the id is no matter of online or offline, and is said beside it",
        section: "anomalies",
        kind: Kind::Alike,
    },
    Story {
        name: "end-lost",
        sent: &["connect a 0"],
        truth: "offline, which nobody told",
        sample: "online",
        presence: "online",
        because: "both are wrong, and no rule about notices can be right: the broker has to be asked, with \
                  `--api` or `--evidence`",
        section: "answers",
        kind: Kind::Alike,
    },
    Story {
        name: "came-told-again",
        sent: &["connect a 0", "tcpclean a 5", "connect a 0"],
        truth: "offline",
        sample: "online",
        presence: "offline",
        because: "what has ended is not forgotten, so an opening that is delivered again meets its end",
        section: "slots-and-joins",
        kind: Kind::Different,
    },
    Story {
        name: "history-again",
        sent: &[
            "connect a 0",
            "tcpclean a 5",
            "connect b 9",
            "tcpclean b 12",
            "connect a 0",
            "tcpclean a 5",
            "connect b 9",
        ],
        truth: "offline",
        sample: "online",
        presence: "offline",
        because: "a group whose offset was set back reads all of it again, which changes nothing of a state that is \
                  a join",
        section: "slots-and-joins",
        kind: Kind::Different,
    },
    Story {
        name: "end-told-again",
        sent: &["connect a 0", "tcpclean a 5", "tcpclean a 5"],
        truth: "offline",
        sample: "offline, and keeps 1 for ever",
        presence: "offline",
        because: "the second end joins the first; of any client at most `--channels` are kept",
        section: "forgetting",
        kind: Kind::Different,
    },
    Story {
        name: "came-unheard",
        sent: &["tcpclean a 5"],
        truth: "offline",
        sample: "offline, and keeps 1 for ever",
        presence: "offline (connect-missing)",
        because: "the same, and that the opening is missing is said; a watcher that has just begun cannot know \
                  whether a newer connection was opened before it listened",
        section: "coverage",
        kind: Kind::Different,
    },
    Story {
        name: "ghost",
        sent: &["connect a 0", "connect b 60", "tcpclean b 90"],
        truth: "offline",
        sample: "online",
        presence: "offline (superseded-open)",
        because: "a client has one connection: a newer one supersedes it though its end was never told",
        section: "judging",
        kind: Kind::Different,
    },
    Story {
        name: "old-opening-last",
        sent: &["connect b 10", "tcpclean b 12", "connect a 0"],
        truth: "offline",
        sample: "online",
        presence: "offline (superseded-open)",
        because: "which connection is newer is told by their stamps, as the page has it, and not by which came last",
        section: "judging",
        kind: Kind::Different,
    },
    Story {
        name: "goodbye-alone",
        sent: &["connect a 0", "disconnect a 5"],
        truth: "offline",
        sample: "online",
        presence: "offline (tcpclean-missing)",
        because: "a goodbye whose end does not come within `--close-grace` is the end; the sample never sees one",
        section: "judging",
        kind: Kind::Different,
    },
    Story {
        name: "never-told",
        sent: &[],
        truth: "online since before the topic began",
        sample: "offline",
        presence: "unknown",
        because: "no evidence is no evidence of absence",
        section: "judging",
        kind: Kind::Different,
    },
    Story {
        name: "type-in-the-tag",
        sent: &["- a 0 tag=connect"],
        truth: "online",
        sample: "offline, and keeps 1 for ever",
        presence: "online",
        because: "the tag repeats the type, and stands in for it; to the sample, what is no `connect` is an end",
        section: "observations",
        kind: Kind::Different,
    },
    Story {
        name: "unreadable-time",
        sent: &["connect a \"yesterday\""],
        truth: "online",
        sample: "offline",
        presence: "online (time-invalid)",
        because: "what can be read counts; the sample gives the whole notice back, 16 times, until it is a dead letter",
        section: "slots-and-joins",
        kind: Kind::Different,
    },
    Story {
        name: "no-channel",
        sent: &["connect - 0", "connect - 8 port=50002", "tcpclean - 10"],
        truth: "online",
        sample: "offline",
        presence: "online (channel-missing)",
        because: "the address stands in, so that the end meets its own opening; to the sample, all are one connection",
        section: "channels",
        kind: Kind::Different,
    },
    Story {
        name: "restart",
        sent: &["connect a 0"],
        truth: "online",
        sample: "offline",
        presence: "online",
        because: "what is known is stored together with how far the topic was read",
        section: "coverage",
        kind: Kind::Restart,
    },
    Story {
        name: "unknown-type",
        sent: &["connect a 0", "heartbeat a 5"],
        truth: "online",
        sample: "offline",
        presence: "online (unknown-event)",
        because: "a type that nobody knows is set aside, and counted; to the sample it is an end",
        section: "anomalies",
        kind: Kind::AllTypes,
    },
    Story {
        name: "goodbye-and-end",
        sent: &["connect a 0", "disconnect a 5", "tcpclean a 5.003"],
        truth: "offline",
        sample: "offline, and keeps 1 for ever",
        presence: "offline",
        because: "goodbye and end are kept apart; the sample takes the goodbye for the end, and then keeps the end",
        section: "slots-and-joins",
        kind: Kind::AllTypes,
    },
];
