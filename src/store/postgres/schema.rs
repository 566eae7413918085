//! The tables, their version, and the way from one version to the next.

use super::failing::Trouble;
use super::link::Line;
use crate::state::packed;

/// What leads from each version to the next; the first step makes the tables. A released step is never
/// changed, only followed by another.
const STEPS: [&str; 1] = [FIRST];

/// A client id is bytes, since a text holds no NUL here, and longer than an index takes: `key` stands for it.
/// `version` is the number of the transaction that wrote the row last.
const FIRST: &str = "
CREATE TABLE presence.meta (
    key text PRIMARY KEY,
    value bigint NOT NULL
);
CREATE TABLE presence.instances (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    restart_ms bigint,
    restart_tie bigint,
    restart_resolution bigint,
    tie bigint NOT NULL DEFAULT 0,
    dropped bigint
);
CREATE TABLE presence.clients (
    instance integer NOT NULL,
    key bytea NOT NULL,
    version bigint NOT NULL,
    id bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (instance, key)
);
CREATE INDEX clients_by_version ON presence.clients (instance, version);
CREATE TABLE presence.listeners (
    instance integer NOT NULL,
    voice text NOT NULL,
    ear text NOT NULL,
    member text NOT NULL,
    epoch bigint NOT NULL,
    began_ms bigint NOT NULL,
    heard_ms bigint NOT NULL,
    patience_ms bigint NOT NULL,
    lossy boolean NOT NULL,
    has_left boolean NOT NULL,
    holes bigint[] NOT NULL,
    PRIMARY KEY (instance, voice, ear, member)
);
CREATE TABLE presence.positions (
    instance integer NOT NULL,
    queue text NOT NULL,
    next bigint NOT NULL,
    PRIMARY KEY (instance, queue)
);
";
/// Makes whoever else begins a store wait: the letters `PRSN`.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1347569486)";
const HAS_SCHEMA: &str = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'presence'";
/// Not `to_regclass`: that believes what the session knew before it waited for the lock.
const HAS_TABLES: &str = "SELECT 1 FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'presence' AND c.relname = 'meta'";
const META: &str = "SELECT key, value FROM presence.meta";
const LAYOUT: &str = "layout";
const FORMAT: &str = "client_format";

/// Whose tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's yet: there are none.
    Nobody,
    /// Ours, of the present version.
    Us,
    /// Ours, of another version of tables and of the clients' bytes.
    Another { layout: i64, format: i64 },
}

impl Owner {
    /// Tells whether a newer release wrote it.
    pub fn is_newer(self) -> bool {
        matches!(self, Self::Another { layout, format }
            if layout > present_layout() || format > i64::from(packed::FORMAT))
    }
}

pub async fn owner(line: &Line) -> Result<Owner, Trouble> {
    const UNREADABLE: Trouble =
        Trouble::Inconsistent("its tables do not say of which version they are");
    if line.rows(HAS_TABLES, &[]).await?.is_empty() {
        return Ok(Owner::Nobody);
    }
    let rows = line.rows(META, &[]).await?;
    let value = |key: &str| {
        let mut rows = rows.iter().filter(|row| row.try_get(0).is_ok_and(|name: &str| name == key));
        rows.next()?.try_get::<_, i64>(1).ok()
    };
    let layout = value(LAYOUT).ok_or(UNREADABLE)?;
    let format = value(FORMAT).ok_or(UNREADABLE)?;
    let is_ours = (layout, format) == (present_layout(), i64::from(packed::FORMAT));
    Ok(if is_ours { Owner::Us } else { Owner::Another { layout, format } })
}

/// Makes the tables, or brings them to the present version, where that is to be done.
pub async fn migrate(line: &Line) -> Result<Owner, Trouble> {
    match owner(line).await? {
        Owner::Another { layout, .. } if layout < present_layout() => {}
        Owner::Nobody => {}
        done => return Ok(done),
    }
    let steps = async {
        line.rows(LOCK, &[]).await?;
        // Another may have done it until the lock was ours.
        let done = match owner(line).await? {
            Owner::Nobody => 0,
            Owner::Another { layout, .. } => layout,
            Owner::Us => return Ok(()),
        };
        // To make it takes a right that nobody needs who was given it.
        if done == 0 && line.rows(HAS_SCHEMA, &[]).await?.is_empty() {
            line.script("CREATE SCHEMA presence").await?;
        }
        for step in STEPS.iter().skip(usize::try_from(done).unwrap_or(usize::MAX)) {
            line.script(step).await?;
        }
        let (layout, format) = (present_layout(), packed::FORMAT);
        line.script(&format!(
            "INSERT INTO presence.meta VALUES ('{LAYOUT}', {layout}), ('{FORMAT}', {format})
            ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.key = '{LAYOUT}'"
        ))
        .await
    };
    line.within("BEGIN", steps).await?;
    owner(line).await
}

const fn present_layout() -> i64 {
    STEPS.len().cast_signed() as i64
}
