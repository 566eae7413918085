//! Watching together with others: which part of the work is ours, what the others have stored, and how
//! our part is handed over at the end.

use super::{HEARTBEAT, News, Watcher};
use crate::clock;
use crate::command::moment;
use crate::config::broker::MqttVersion;
use crate::dialect::{Dialect, Dialects, topic};
use crate::failure::Failure;
use crate::output::warning::Missing;
use crate::source::ear::Ear;
use crate::source::mqtt::{Heard, Publish, SHARED};
use crate::state::hearing::Moment;
use crate::state::presence::Teller;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::{sleep_until, timeout, timeout_at};

/// Our part in a group.
#[derive(Debug)]
pub struct Share {
    group: String,
    /// The voices that are shared. Others are heard by every member.
    pub voices: Vec<&'static str>,
    /// As they are subscribed to.
    filters: Vec<String>,
    /// A broker that does not share would grant them all the same: only MQTT 5 has a word for it.
    pub is_unproven: bool,
}

/// What the name of the source of a group begins with.
pub const EAR: &str = "share:";
/// How often the others are looked at while something depends on them.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long handing our part over may take.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long removing an empty session may take.
const LEAVE_MAX: Duration = Duration::from_secs(5);
/// Rounds without a message after which nothing is still to come: a broker may hand out the next message
/// only after it has answered.
const QUIET_ROUNDS: u32 = 2;
/// What Mosquitto begins to say of itself with. It shares under every version of MQTT, but for topics
/// that begin with `$`: all its versions look for those where no shared subscription is kept.
const MOSQUITTO: &str = "mosquitto version";

impl Share {
    pub fn new(group: &str, dialects: &Dialects, version: MqttVersion) -> Result<Self, Failure> {
        let (shared, alone): (Vec<&Dialect>, Vec<&Dialect>) =
            dialects.iter().partition(|dialect| dialect.is_shareable());
        let cannot = |cause: &str| {
            Failure::misuse("`--share` with what cannot be shared")
                .because(cause)
                .next("add `--dialect lmq`, or leave `--share` out")
        };
        if shared.is_empty() {
            return Err(cannot(
                "these dialects tell events apart by the order in which one watcher hears them",
            ));
        }
        if dialects.is_overridden() && !alone.is_empty() {
            return Err(cannot("`--topic` does not say which dialect its messages belong to"));
        }
        let filters: Vec<String> = if dialects.is_overridden() {
            dialects.filters()
        } else {
            shared.iter().flat_map(|dialect| dialect.filters()).collect()
        };
        Ok(Self {
            group: group.to_owned(),
            voices: shared.iter().map(|dialect| dialect.name()).collect(),
            filters: filters.iter().map(|filter| format!("{SHARED}{group}/{filter}")).collect(),
            is_unproven: version == MqttVersion::V311,
        })
    }

    /// Returns the name of the group's sources.
    pub fn ear(&self) -> String {
        format!("{EAR}{}", self.group)
    }

    /// Tells whether it matters what the broker is: Mosquitto, for one, does not share everything.
    pub fn asks_what_it_is(&self) -> bool {
        self.is_unproven || self.has_system_topics()
    }

    /// Returns whether this filter of a dialect was granted as this one.
    pub fn is_of(&self, dialect: &Dialect, filter: &str, granted: &str) -> bool {
        if !self.voices.contains(&dialect.name()) {
            return filter == granted;
        }
        granted
            .strip_prefix(SHARED)
            .and_then(|rest| rest.strip_prefix(&*self.group))
            .is_some_and(|rest| rest.strip_prefix('/').is_some_and(|granted| granted == filter))
    }

    fn has_system_topics(&self) -> bool {
        let start = format!("{SHARED}{}/$", self.group);
        self.filters.iter().any(|filter| filter.starts_with(&start))
    }
}

/// Returns what the dialects listen to, those that are shared as a part of it.
pub fn filters(dialects: &Dialects, share: Option<&Share>) -> Vec<String> {
    let Some(share) = share else { return dialects.filters() };
    let mut filters = share.filters.clone();
    let alone = dialects.iter().filter(|dialect| !share.voices.contains(&dialect.name()));
    for filter in alone.flat_map(Dialect::filters) {
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    filters
}

/// Says goodbye; for good where nothing of ours is left at the broker. A session that stays behind
/// empty does no harm.
pub async fn leave(session: Ear, for_good: bool) {
    if for_good {
        let _ = timeout(LEAVE_MAX, session.leave_for_good()).await;
    } else {
        session.leave().await;
    }
}

impl Watcher {
    /// Tells whether each of several watchers hears a part.
    pub(super) const fn is_one_of_many(&self) -> bool {
        self.share.is_some() || self.is_divided
    }

    /// Tells whether those who read other queues may be about to begin.
    pub(super) fn awaits_readers(&self, now: Moment) -> bool {
        self.hearing.awaits_readers(now, &self.presence.fleet().coverage)
    }

    /// Enters the group before anything is subscribed to: from then on we are missed if we die.
    pub(super) fn enter_group(&mut self) -> Result<(), Failure> {
        if self.share.is_none() {
            return Ok(());
        }
        let Self { ledger, presence, hearing, .. } = self;
        hearing.register(clock::now(), presence.coverage_mut());
        ledger.commit(presence, hearing)
    }

    /// Leaves the group again where nothing was ever subscribed to.
    pub(super) fn withdraw(&mut self) -> Result<(), Failure> {
        if self.share.is_none() {
            return Ok(());
        }
        let Self { ledger, presence, hearing, .. } = self;
        hearing.withdraw(presence.coverage_mut());
        ledger.commit(presence, hearing)
    }

    /// Says once that another client has our id, and that what it heard is lost to us.
    pub(super) async fn note_rival(&mut self, cause: &str) {
        if !self.session.is_usurped() {
            return;
        }
        self.hearing.usurped();
        if !std::mem::replace(&mut self.state.rival_told, true) {
            let (broker, cause) = (self.broker.clone(), cause.to_owned());
            let client_id = self.session.client_id().to_owned();
            self.tell(News::Warning(Missing::Rival { broker, client_id, cause }.into())).await;
        }
    }

    /// Tells whether the others are to be looked at.
    pub(super) fn is_look_due(&self) -> bool {
        let waited = self.state.last_look.elapsed();
        let every = if self.hearing.awaits_others() { LOOK_EVERY } else { HEARTBEAT };
        self.state.ever_connected && self.state.stuck.is_none() && waited >= every
    }

    /// Takes over what other watchers have stored, so that all judge by the same. Returns whether it was
    /// decided if anybody listened before we joined.
    pub(super) async fn look_at_others(&mut self, now: Moment) -> bool {
        self.state.last_look = clock::monotonic();
        let Some(store) = self.ledger.store_mut() else { return false };
        let told = match block_in_place(|| store.others(&self.instance)) {
            Ok(told) => told,
            Err(failure) => {
                if !std::mem::replace(&mut self.state.others_unread, true) {
                    let failure = failure.in_short();
                    self.tell(News::Warning(Missing::OthersUnread { failure }.into())).await;
                }
                return false;
            }
        };
        self.state.others_unread = false;
        let teller = if self.is_one_of_many() { Teller::Hearer } else { Teller::Everybody };
        let Self { presence, hearing, .. } = self;
        let removed = hearing.join_others(&told.coverage, now, presence.coverage_mut());
        presence.handle_others(&told, teller, now.wall);
        let decided = hearing.settle_joining(now, presence.coverage_mut());
        hearing.heed_others(now, &presence.fleet().coverage);
        self.state.owed |= removed || decided;
        self.tell_missing(now).await;
        decided
    }

    /// Says which member of the group is missed, once for each time.
    async fn tell_missing(&mut self, now: Moment) {
        let coverage = &self.presence.fleet().coverage;
        let others = |key| {
            let missing = coverage.source(key)?.missing(now.wall);
            missing.filter(|(name, _)| !self.hearing.speaks_for(key, name))
        };
        let missing = self.hearing.shared().find_map(others);
        let missing = missing
            .map(|(name, member)| (name.to_owned(), (!member.is_unread()).then_some(member.heard)));
        if missing == self.state.missing {
            return;
        }
        self.state.missing.clone_from(&missing);
        if let Some((member, since)) = missing {
            let instance = self.instance.clone();
            let missing = match since {
                Some(since) if !self.hearing.is_kept() => {
                    Missing::MemberSilent { instance, member, since }
                }
                since => Missing::QueueUnread { instance, queue: member, since },
            };
            self.tell(News::Warning(missing.into())).await;
        }
    }

    /// Judges what a broker says that it is: whether our part of the work reaches us there.
    pub(super) fn judge_broker(&mut self, version: &str) {
        let Some(share) = &self.share else { return };
        if !version.starts_with(MOSQUITTO) {
            return;
        }
        self.state.may_be_literal = None;
        if share.has_system_topics() {
            self.state.hopeless = Some(
                Failure::new(format!(
                    "could not share topics that begin with `$` at {}",
                    self.broker
                ))
                .because("Mosquitto grants such a subscription, but never delivers anything")
                .next(
                    "let the notices come below another topic and pass it with `--dialect lmq \
                         --topic`, or leave `--share` out",
                ),
            );
        }
    }

    /// Says once that nobody knows whether the broker shares, where it would not say so itself.
    pub(super) async fn doubt_sharing(&mut self) {
        let due = |since: std::time::Instant| since.elapsed() >= HEARTBEAT;
        if self.state.may_be_literal.is_some_and(due) {
            self.state.may_be_literal = None;
            let broker = self.broker.clone();
            self.tell(News::Warning(Missing::SharingUnproven { broker }.into())).await;
        }
    }

    /// Hands our part over to the others: no longer subscribes, and takes in what is still to come.
    /// Returns whether nothing is left at the broker.
    pub(super) async fn drain(&mut self) -> bool {
        if self.share.is_none() || !self.state.connected || self.hearing.is_arriving() {
            return false;
        }
        let deadline = tokio::time::Instant::now() + DRAIN_MAX;
        let mut quiet_rounds = 0;
        // What we say to have heard must be durable before, and never grow again: others conclude from it
        // that we were subscribed when they read it.
        self.commit(moment(self.state.begun)).await;
        self.hearing.begin_to_leave();
        while quiet_rounds < QUIET_ROUNDS {
            let Some(messages) = self.drain_round(deadline).await else { return false };
            quiet_rounds = if messages == 0 { quiet_rounds + 1 } else { 0 };
        }
        true
    }

    /// Takes our subscriptions back, and takes in what comes until the broker has answered. Returns how
    /// many messages came, `None` if it cannot be done.
    async fn drain_round(&mut self, deadline: tokio::time::Instant) -> Option<u64> {
        let filters = self.share.as_ref().map(|share| share.filters.clone())?;
        for filter in &filters {
            self.session.unsubscribe(filter);
        }
        let (mut unanswered, mut messages) = (filters.len(), 0);
        while unanswered > 0 {
            let mut next = Some(timeout_at(deadline, self.session.next()).await.ok()?.ok()?);
            while let Some(heard) = next {
                match &heard {
                    Heard::Unsubscribed => unanswered -= 1,
                    Heard::Message(publish) => messages += u64::from(self.is_shared(publish)),
                    Heard::Lost { .. } => return None,
                    _ => {}
                }
                self.handle(heard, self.moment()).await.ok()?;
                next = self.session.drain();
            }
            // At once: a broker sends no more than so many without an answer.
            self.commit(moment(self.state.begun)).await;
            while self.state.stuck.is_some() {
                if tokio::time::Instant::now() >= deadline {
                    return None;
                }
                sleep_until(tokio::time::Instant::now() + LOOK_EVERY).await;
                self.commit(moment(self.state.begun)).await;
            }
        }
        Some(messages)
    }

    fn is_shared(&self, publish: &Publish) -> bool {
        self.share.iter().flat_map(|share| &share.filters).any(|filter| {
            let plain = filter.splitn(3, '/').nth(2).unwrap_or(filter);
            topic::matches(plain, &publish.topic)
        })
    }

    /// Says that we leave while the broker may still hold something for us.
    pub(super) async fn tell_undrained(&mut self) {
        let instance = self.instance.clone();
        let member = self.hearing.member().to_owned();
        self.tell(News::Warning(Missing::NotDrained { instance, member }.into())).await;
    }
}
