//! What APIs answered, as it is told.

use crate::output::explain::AnswerObject;
use crate::output::number::counted;
use crate::output::time::duration;
use crate::query::{Asked, Details, Told};

/// Returns what an API said about one client.
pub fn object(source: &str, told: &Told) -> AnswerObject {
    let Told { online, why, at, cached, details, .. } = told;
    let Details {
        connected_at,
        disconnected_at,
        address,
        channel,
        keep_alive,
        clean,
        session,
        protocol,
        user,
        node,
        reason,
        notes,
    } = details.clone();
    AnswerObject {
        source: source.to_owned(),
        online: *online,
        because: why.clone(),
        asked_ms: at.0,
        cached: *cached,
        connected_ms: connected_at.map(|at| at.0),
        disconnected_ms: disconnected_at.map(|at| at.0),
        address,
        channel,
        keep_alive_s: keep_alive,
        clean,
        session,
        protocol,
        user,
        node,
        reason,
        stands: None,
        notes,
    }
}

/// Returns who was asked, and what that took.
pub fn summary(asked: &Asked) -> String {
    let requests = counted(asked.requests.into(), "request");
    let mut text = format!("{}: {requests}, {}", asked.source, duration(asked.took));
    if asked.cached {
        text.push_str("; from a cache, which decides nothing");
    }
    text
}
