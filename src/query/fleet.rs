//! Asks about many clients: by a list of everybody where that takes fewer requests, and comes to the same.

use super::api::Api;
use super::asked::{Asked, Cost, Details, Told};
use super::asker::Asker;
use super::client::{Client, Missed};
use super::gather::failure;
use super::list::{read, told};
use super::roll::{End, Roll};
use super::settle;
use crate::clock;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Requests about one client that a page of a list weighs: at 100 a second, they take half a second, which is
/// what a server needs for a page of 1,000 under load.
const PAGE_WEIGHS: u64 = 50;

/// Tells whether a list of so many pages is worth reading for so many clients, rather than to ask about each.
#[must_use]
pub fn is_worth(clients: usize, pages: u64) -> bool {
    u64::try_from(clients).is_ok_and(|clients| clients > pages.saturating_mul(PAGE_WEIGHS))
}

/// Asks about clients until the deadline.
pub fn ask(
    api: &Arc<dyn Api>,
    client: &Arc<Client>,
    source: &str,
    clients: &[String],
    deadline: Instant,
) -> Asked {
    let by_itself = |clients: &[String]| settle::ask(api, client, source, clients, deadline);
    let facts = api.facts();
    let sought: BTreeSet<String> = clients.iter().filter(|id| !id.is_empty()).cloned().collect();
    // Where a list names clients and nothing else, each would have to be asked about all the same.
    let can = facts.cost == Cost::OneEach
        && matches!(facts.list, Some(Cost::Listing | Cost::Pages(_)))
        && is_worth(sought.len(), 1);
    let Some(question) = api.list().filter(|_| can) else { return by_itself(clients) };
    let (begun, at) = (clock::monotonic(), clock::now());
    let asker = Arc::new(Asker::new(api, client, deadline));
    let mut read = read(&asker, question, Roll::seeking(sought));
    let absent = matches!(read.end, Ok(End::Whole)).then(|| api.absent());
    let (mut answers, mut rest) = (Vec::new(), Vec::new());
    for id in clients.iter().collect::<BTreeSet<_>>() {
        match (read.listed.remove(id), &absent) {
            (Some(listed), _) => answers.push(told(listed, facts.cached)),
            (None, Some(absent)) if !id.is_empty() => answers.push(Told {
                client: id.clone(),
                online: absent.online,
                why: absent.why.clone(),
                at,
                cached: facts.cached,
                details: Details { session: absent.session, ..Details::default() },
            }),
            (None, _) => rest.push(id.clone()),
        }
    }
    let refused = match read.end {
        Err(
            Missed::Trouble(trouble) | Missed::Broken(trouble) | Missed::NotNow { trouble, .. },
        ) if trouble.everywhere => Some(failure(source, None, &trouble)),
        _ => None,
    };
    if refused.is_some() {
        // The rest would be told the same; what is no id is told something else.
        rest.retain(String::is_empty);
    }
    let mut asked = by_itself(&rest);
    asked.failures.extend(refused.map(|failure| (None, failure)));
    asked.told.append(&mut answers);
    asked.told.sort_by(|one, other| one.client.cmp(&other.client));
    asked.requests += read.requests;
    asked.took = begun.elapsed();
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_for_many_clients_only() {
        for (clients, pages, expected) in [
            (0, 1, false),
            (1, 1, false),
            (50, 1, false),
            (51, 1, true),
            (100, 2, false),
            (101, 2, true),
            (10_000, 199, true),
            (10_000, 200, false),
            (usize::MAX, u64::MAX, false),
        ] {
            assert_eq!(is_worth(clients, pages), expected, "{clients} {pages}");
        }
    }
}
