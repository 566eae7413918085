//! What is worth knowing beside a verdict: where to look next, and what will surprise somebody later.

use super::{AnswerObject, remedy};
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::output::time::duration_ms;
use crate::state::fleet::Opinion;
use crate::state::verdict::{Status, Verdict};

/// Bytes of an id that a broker of MQTT 3.1.1 must accept (§3.1.3.1), and that Alibaba's service accepts.
const ID_SURE: usize = 23;
const ID_LONG: usize = 64;
/// Many routers forget a connection that rests for longer, s.
const KEEP_ALIVE_LONG: u64 = 300;

/// The voice of devices that keep a status by birth and will.
const STATUS: &str = "status";
const WEAKEST: &str = "a status that says online is the weakest evidence: a goodbye sends no will, a broker that \
    started anew may have lost the will, one that is delayed is yet to come, and whoever may publish there can say \
    anything";

/// Returns what to do about an anomaly; where addresses alternate, which of them to look for.
pub fn next_step(code: &str, verdict: &Verdict, opinions: &[Opinion<'_, '_>]) -> String {
    let is_shared = matches!(code, "takeover-loop" | "concurrent-open");
    let other = if is_shared { other_address(verdict, opinions) } else { None };
    match other {
        Some((one, other)) => format!(
            "two addresses alternate, {} and {}: find the second device at {}",
            sanitize(&one, 80),
            sanitize(&other, 80),
            sanitize(&other, 80),
        ),
        None => remedy(code).to_owned(),
    }
}

/// Returns from where the client is connected, and from where it was before, if that is elsewhere.
fn other_address(verdict: &Verdict, opinions: &[Opinion<'_, '_>]) -> Option<(String, String)> {
    let name = verdict.voice.as_deref()?;
    let opinion = opinions.iter().find(|opinion| opinion.voice.key.name == name)?;
    let openings = opinion.voice.records.iter().filter_map(|record| record.opening().observation());
    let mut openings: Vec<_> = openings.filter(|opening| !opening.address.is_empty()).collect();
    openings.sort_by_key(|opening| std::cmp::Reverse(opening.time));
    let host = |address: &str| {
        crate::state::address::read(address).map_or(address.to_owned(), |ip| ip.to_string())
    };
    let mut hosts = openings.iter().map(|opening| host(opening.address));
    let last = hosts.next()?;
    let other = hosts.find(|other| *other != last)?;
    Some((last, other))
}

/// Returns what is worth a note about a client.
pub fn hints(verdict: &Verdict, answers: &[AnswerObject]) -> Vec<String> {
    let Verdict { client, status, .. } = verdict;
    let mut hints = Vec::new();
    if *status == Status::Online && verdict.voice.as_deref() == Some(STATUS) {
        hints.push(WEAKEST.to_owned());
    }
    hints.extend(answers.iter().filter_map(AnswerObject::cannot_tell));
    let keep_alive = answers.iter().find_map(|answer| answer.keep_alive_s);
    match keep_alive {
        Some(0) => hints.push(
            "it has no keep alive: if it falls silent, the broker never notices by itself".into(),
        ),
        Some(seconds) if seconds > KEEP_ALIVE_LONG => {
            let ms =
                |seconds: u64| i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
            hints.push(format!(
                "its keep alive is {}: routers that translate addresses may forget the connection \
                 before, and its death may go unnoticed for up to {}",
                duration_ms(ms(seconds)),
                duration_ms(ms(seconds.saturating_mul(3))),
            ));
        }
        _ => {}
    }
    let keeps_session = answers.iter().any(|answer| {
        answer.session == Some(true) && (answer.clean == Some(false) || *status == Status::Offline)
    });
    if keeps_session && *status == Status::Offline {
        hints.push("the broker keeps its session: messages wait for it while it is away".into());
    }
    if client.len() > ID_LONG {
        hints.push(format!(
            "its id has {}: some services cut or refuse more than {ID_LONG}",
            counted(client.len() as u64, "byte")
        ));
    } else if client.len() > ID_SURE {
        hints.push(format!(
            "its id has {}: a broker of MQTT 3.1.1 need not accept more than {ID_SURE}",
            counted(client.len() as u64, "byte")
        ));
    }
    for note in answers.iter().flat_map(|answer| &answer.notes) {
        hints.push(sanitize(note, 200).into_owned());
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(keep_alive_s: Option<u64>, session: Option<bool>) -> AnswerObject {
        AnswerObject {
            source: "emqx5 at h:18083".into(),
            online: Some(false),
            because: None,
            asked_ms: 0,
            cached: false,
            connected_ms: None,
            disconnected_ms: None,
            address: None,
            channel: None,
            keep_alive_s,
            clean: None,
            session,
            protocol: None,
            user: None,
            node: None,
            reason: None,
            stands: None,
            notes: vec!["odd\u{1b}[2J".into()],
        }
    }

    #[test]
    fn surprises_are_told_beforehand() {
        let of = |answer| {
            let offline = Verdict { status: Status::Offline, ..Verdict::unknown("a") };
            hints(&offline, &[answer])
        };
        assert!(of(answer(Some(0), None))[0].starts_with("it has no keep alive"));
        let long = &of(answer(Some(600), None))[0];
        assert!(long.starts_with("its keep alive is 10m") && long.contains("30m"), "{long}");
        assert_eq!(of(answer(Some(60), None)).len(), 1, "only the note");
        assert!(of(answer(None, Some(true)))[0].contains("keeps its session"));
        assert!(!of(answer(None, None))[0].contains('\u{1b}'));
        let because = Some("it is\u{1b}busy".to_owned());
        let hint = &of(AnswerObject { online: None, because, ..answer(None, None) })[0];
        assert!(hint.starts_with("emqx5 at h:18083 cannot tell: it is"), "{hint}");
        assert!(!hint.contains('\u{1b}'), "{hint}");
    }

    #[test]
    fn long_ids_are_named_as_what_they_are() {
        let of = |length: usize| hints(&Verdict::unknown("x".repeat(length)), &[]).join("");
        assert_eq!(
            (of(23), of(24).contains("3.1.1"), of(65).contains("64")),
            (String::new(), true, true)
        );
    }

    #[test]
    fn what_devices_say_of_themselves_is_said_to_be_weak() {
        let online = |voice: &str| Verdict {
            status: Status::Online,
            voice: Some(voice.into()),
            ..Verdict::unknown("a")
        };
        assert_eq!(hints(&online("status"), &[]), [WEAKEST]);
        assert!(hints(&online("lmq"), &[]).is_empty());
    }
}
