//! What the lost have in common, and those that stayed have not.

use super::finding::{Factor, FactorKind};
use super::roster::Member;
use crate::state::address::Subnet;
use std::collections::HashMap;
use std::hash::Hash;

/// One client, as far as it can have something in common with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits<'a> {
    pub(super) id: &'a str,
    pub(super) subnet: Option<Subnet>,
    pub(super) voice: u8,
}

impl<'a> Traits<'a> {
    pub(super) fn of(member: &'a Member) -> Self {
        Self { id: &member.id, subnet: member.subnet, voice: member.voice }
    }
}

/// A factor covers at least this share of the lost.
const COVERS: f64 = 0.8;
/// And is so many times rarer among those that stayed.
const LIFT: f64 = 4.0;
/// Clients of which all prefixes are looked at.
const PREFIXED_MAX: usize = 2_000;
/// Prefixes of one id.
const PREFIXES_MAX: usize = 12;
const SEPARATORS: [char; 8] = ['-', '_', '.', '/', ':', '@', ' ', '|'];
const GROUP_END: &str = "@@@";

/// Returns what the lost have in common, in a fixed order of kinds.
pub(super) fn common(lost: &[Traits<'_>], stayed: &[Traits<'_>], voices: &[String]) -> Vec<Factor> {
    let mut found = Vec::new();
    let mut add = |kind, value: Option<String>, has: &dyn Fn(&Traits<'_>) -> bool| {
        let (Some(value), Some((of_lost, of_stayed))) = (value, weigh(lost, stayed, has)) else {
            return false;
        };
        found.push(Factor { kind, value, of_lost, of_stayed });
        true
    };
    let group = frequent(lost.iter().filter_map(|client| group(client.id)));
    let groups = add(FactorKind::Group, group.map(str::to_owned), &|client| {
        group.is_some() && self::group(client.id) == group
    });
    for prefix in prefixes(lost).into_iter().rev() {
        let says_more = group
            .filter(|_| groups)
            .is_none_or(|group| prefix.len() > group.len() + GROUP_END.len());
        let has = |client: &Traits<'_>| client.id.starts_with(prefix);
        if says_more && add(FactorKind::Prefix, Some(prefix.to_owned()), &has) {
            break;
        }
    }
    let subnet = frequent(lost.iter().filter_map(|client| client.subnet));
    add(FactorKind::Subnet, subnet.map(Subnet::text), &|client| client.subnet == subnet);
    let voice = frequent(lost.iter().map(|client| client.voice));
    let name = voice.and_then(|voice| voices.get(usize::from(voice)));
    add(FactorKind::Voice, name.cloned(), &|client| Some(client.voice) == voice);
    found
}

/// Returns the shares of the lost and of those that stayed which have something, if it covers most of
/// the lost and is much rarer among the others.
fn weigh(
    lost: &[Traits<'_>],
    stayed: &[Traits<'_>],
    has: &dyn Fn(&Traits<'_>) -> bool,
) -> Option<(f64, f64)> {
    let with = |clients: &[Traits<'_>]| clients.iter().filter(|client| has(client)).count();
    let of_lost = share(with(lost), lost.len());
    if of_lost < COVERS {
        return None;
    }
    let stayed_with = with(stayed);
    // Few that stayed prove little: half a client more that has it, and half a one that has not.
    let smooth = share(2 * stayed_with + 1, 2 * stayed.len() + 2);
    (of_lost >= LIFT * smooth).then(|| (of_lost, share(stayed_with, stayed.len())))
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn group(id: &str) -> Option<&str> {
    id.split_once(GROUP_END).map(|(group, _)| group)
}

/// Returns the most frequent value. Equal counts: whichever comes first.
fn frequent<T: Copy + Eq + Hash>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: HashMap<T, (usize, usize)> = HashMap::new();
    for (place, value) in values.enumerate() {
        counts.entry(value).or_insert((0, usize::MAX - place)).0 += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// Returns the beginnings that most of the lost share, up to a separator each, the shortest first.
fn prefixes<'a>(lost: &[Traits<'a>]) -> Vec<&'a str> {
    let step = (lost.len() / PREFIXED_MAX).max(1);
    let sample: Vec<&str> = lost.iter().step_by(step).map(|client| client.id).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for id in &sample {
        for (at, separator) in id.match_indices(SEPARATORS).take(PREFIXES_MAX) {
            let end = at + separator.len();
            // Only where a run of separators ends: `GID_x@@@` and not `GID_x@`.
            if !id[end..].starts_with(SEPARATORS) {
                *counts.entry(&id[..end]).or_default() += 1;
            }
        }
    }
    let mut common: Vec<&str> = counts
        .into_iter()
        .filter(|(_, count)| share(*count, sample.len()) >= COVERS)
        .map(|(prefix, _)| prefix)
        .collect();
    common.sort_unstable_by_key(|prefix| prefix.len());
    common
}
