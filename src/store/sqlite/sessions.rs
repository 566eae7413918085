//! The watcher's own sessions at the brokers. They are kept with the state, so that a restart finds its
//! queue and two stores never share a client id.

use super::{Sqlite, begin, instances};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::store::Session;
use rusqlite::OptionalExtension as _;

impl Sqlite {
    /// Returns the session at the broker of an instance, where one was made.
    pub fn session(&self, instance: &str) -> Result<Option<Session>, Failure> {
        self.reading(|snapshot| {
            let Some(number) = instances::find(snapshot, instance)? else { return Ok(None) };
            let session = snapshot
                .prepare_cached(
                    "SELECT client_id, made_ms, expiry_s FROM sessions WHERE instance = ?1",
                )?
                .query_row([number], |row| {
                    Ok(Session {
                        client_id: row.get(0)?,
                        made: Timestamp(row.get(1)?),
                        expiry_s: row.get(2)?,
                    })
                })
                .optional()?;
            Ok(session)
        })
    }

    /// Keeps the session at the broker of an instance, in the place of an earlier one.
    pub fn remember_session(&mut self, instance: &str, session: &Session) -> Result<(), Failure> {
        self.writing(|store| {
            let transaction = begin(&mut store.connection)?;
            let number = instances::find_or_add(&transaction, instance)?;
            transaction.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?1, ?2, ?3, ?4)",
                (number, &session.client_id, session.made.0, session.expiry_s),
            )?;
            Ok(transaction.commit()?)
        })
    }

    /// Forgets the session at the broker of an instance. Returns whether there was one.
    pub fn forget_session(&mut self, instance: &str) -> Result<bool, Failure> {
        self.writing(|store| {
            let transaction = begin(&mut store.connection)?;
            let Some(number) = instances::find(&transaction, instance)? else { return Ok(false) };
            let gone = transaction.execute("DELETE FROM sessions WHERE instance = ?1", [number])?;
            transaction.commit()?;
            Ok(gone > 0)
        })
    }
}
