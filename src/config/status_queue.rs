//! The queue of status notices at the AMQP door of Alibaba Cloud's MQTT: what to take from it, and by whose leave.

use super::access_key::AccessKey;
use super::auth;
use super::door::Remote;
use crate::cli::connection as cli;
use crate::cli::watch::Sources;
use crate::failure::Failure;

/// Which notices to take, and who signs for it.
#[derive(Clone, Debug)]
pub struct StatusQueue {
    /// The instance of the service.
    pub instance: String,
    pub key: AccessKey,
    /// The group of clients that the notices are about.
    pub group: String,
}

impl StatusQueue {
    /// Reads what the options say about it. `remote`: what the URL says, with the group that is its path.
    ///
    /// Errors: nobody has said that messages may be taken away; a group, an instance or a key that is missing or
    /// cannot be one (exit 2); a file that cannot be read (exit 4).
    pub(super) fn read(
        options: &cli::Connection,
        sources: &Sources,
        remote: &Remote,
        group: String,
        key: Option<AccessKey>,
    ) -> Result<Self, Failure> {
        let refuse = |what: &str| Failure::misuse(format!("`--source {remote}` {what}"));
        if !is_group(&group) {
            return Err(refuse("does not say which group to take notices of")
                .because(format!(
                    "its path is to be the name of one: 1 to {GROUP_MAX} letters, digits, `-` and `_`"
                ))
                .next("write it as in `aliyun-amqp://HOST/GID_demo`"));
        }
        if remote.username.is_some() || remote.password.is_some() {
            return Err(refuse("cannot have a user or a password")
                .because("both are made of the access key and the time")
                .next("leave them out of the URL, and pass `--access-key-id`"));
        }
        if !sources.may_take_messages {
            return Err(refuse("would take messages away from others")
                .because(
                    "what is read from the queue `STATUS` nobody else gets, and the application that these \
                     notices are meant for reads the same queue",
                )
                .next(
                    "read the notices with `--source rocketmq://NAMESERVER/TOPIC`, or ask with `--api`: neither \
                     takes anything away. Where nobody else reads the queue, add `--may-take-messages`",
                ));
        }
        let instance = auth::instance(options, &remote.host_name(), &remote.to_string())?;
        let key = key.ok_or_else(|| {
            refuse("needs an access key")
                .because("the service lets in who signs with one")
                .next("add `--access-key-id` and `--access-key-secret-file`")
        })?;
        Ok(Self { instance, key, group })
    }
}

fn is_group(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=GROUP_MAX).contains(&name.len()) && name.chars().all(is_part)
}

/// The service takes no longer ones.
const GROUP_MAX: usize = 64;
