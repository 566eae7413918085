//! How to listen for the devices of a run.

use crate::cli::verify::Verify;
use crate::command::watcher::Setup;
use crate::config::auth::Auth;
use crate::config::connection::{Connection, password_from};
use crate::config::described;
use crate::config::probed::dialects;
use crate::config::reading::{check_listening, named, usual};
use crate::dialect::status::Status;
use crate::dialect::terms::Terms;
use crate::failure::Failure;
use crate::probe::findings::Findings;
use crate::simulate::fleet::{Credentials, Fleet, Message};
use std::time::Duration;

/// Returns how to watch: as `presence watch` does, but for the topics and words of these devices, and
/// without keeping anything.
///
/// Errors: nothing that could be heard (exit 2).
pub fn setup(
    options: &Verify,
    fleet: &Fleet,
    found: Option<&Findings>,
    timeout: Duration,
) -> Result<Setup, Failure> {
    let dialects = match found {
        // All that tells something: what devices say of themselves, too, since these do.
        Some(found) => {
            let usable = found.dialects.iter().filter(|voice| voice.is_usable);
            dialects(&options.dialect, usable.map(|voice| &*voice.dialect))
        }
        None => named(&options.dialect, &[]),
    };
    Ok(Setup::of_witness(terms(dialects, options, fleet)?, timeout))
}

fn terms(dialects: Vec<String>, options: &Verify, fleet: &Fleet) -> Result<Terms, Failure> {
    let mut terms = Terms { dialects, ..usual() };
    described::join(&options.files, &mut terms)?;
    match status_words(fleet) {
        Some((topic, online, offline)) => {
            terms.status_topic = topic;
            terms.status_online = online;
            terms.status_offline = offline;
        }
        None => terms.dialects.retain(|name| name != Status::NAME),
    }
    if terms.dialects.is_empty() {
        return Err(Failure::misuse("there is nothing that `--verify` could hear")
            .because(
                "births and wills are all that is listened for, and these devices have none that \
                 names its client on a topic with `{client}` in a level of its own",
            )
            .next("leave `--dialect` out, or give the devices a will and a birth"));
    }
    check_listening(&terms)?;
    terms.dialects(None).map_err(Failure::misuse)?;
    Ok(terms)
}

/// Returns the topic of births and wills and their words, where a watcher can understand them.
fn status_words(fleet: &Fleet) -> Option<(String, Vec<String>, Vec<String>)> {
    let births = || fleet.conducts().filter_map(|conduct| conduct.birth.as_ref());
    let wills = || fleet.conducts().filter_map(|conduct| Some(&conduct.will.as_ref()?.message));
    let topic = births().chain(wills()).find_map(|message| message.topic.of_run(&fleet.run))?;
    // What a watcher cannot read in a topic is not to be misread.
    let has_client = topic.split('/').filter(|level| *level == "{client}").count() == 1;
    let is_of_topic =
        |message: &&Message| message.topic.of_run(&fleet.run).as_ref() == Some(&topic);
    let word = |message: &Message| {
        message.payload.of_run(&fleet.run).filter(|text| !text.contains("{client}"))
    };
    let online: Vec<_> = births().filter(is_of_topic).filter_map(word).collect();
    let offline: Vec<_> = wills().filter(is_of_topic).filter_map(word).collect();
    let is_clear = !online.iter().any(|word| offline.contains(word));
    (has_client && is_clear).then_some((topic, online, offline))
}

/// Returns who listens: the broker of the devices, as the account that was named for it.
///
/// Errors: devices that each have an account of their own, and nobody to listen as (exit 2).
pub fn listener(options: &Verify, fleet: &Fleet) -> Result<Connection, Failure> {
    // One that is made there has no group.
    let client_id = fleet.has_groups().then(|| fleet.fellow("verify"));
    let mut connection =
        Connection { client_id, keep_alive: KEEP_ALIVE, ..fleet.connection.clone() };
    if let Some(username) = &options.verify_username {
        connection.auth = Auth::Plain;
        connection.username = Some(username.clone());
        connection.password =
            options.verify_password_file.as_deref().map(password_from).transpose()?;
        return Ok(connection);
    }
    if !fleet.shares_login() {
        return Err(Failure::misuse("`--verify` does not know who to listen as")
            .because("each device has an account of its own")
            .next("name one with `--verify-username` and `--verify-password-file`"));
    }
    match fleet.login(0, "") {
        _ if matches!(fleet.credentials, Credentials::Anonymous | Credentials::Derived) => {}
        (username, password) => (connection.username, connection.password) = (username, password),
    }
    Ok(connection)
}

/// Short, so that a watcher that hears nothing any more soon knows.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
