//! The options of every command that shows an access key of Alibaba Cloud.
//!
//! clap reads them, [`crate::config::access_key`] checks them together: no command sees this type.

use clap::Args;
use std::path::PathBuf;

/// Who to be at Alibaba Cloud.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Access key of Alibaba Cloud")]
pub struct AccessKey {
    /// Id of the access key, or of a device's own
    #[arg(long, value_name = "ID", env = "PRESENCE_ACCESS_KEY_ID")]
    pub access_key_id: Option<String>,

    /// Read the secret of the access key from a file
    ///
    /// One line end at the end of the file does not count. The environment variable
    /// `PRESENCE_ACCESS_KEY_SECRET` can hold the secret itself, where a file is out of reach. It is never
    /// sent: it signs.
    #[arg(long, value_name = "PATH", env = "PRESENCE_ACCESS_KEY_SECRET_FILE")]
    pub access_key_secret_file: Option<PathBuf>,

    /// Read the security token of a temporary access key from a file
    ///
    /// The environment variable `PRESENCE_ACCESS_KEY_TOKEN` can hold the token itself. MQTT has no place
    /// for it: temporary access keys are for APIs.
    #[arg(long, value_name = "PATH", env = "PRESENCE_ACCESS_KEY_TOKEN_FILE")]
    pub access_key_token_file: Option<PathBuf>,
}
