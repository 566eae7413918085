//! The options of every command that asks the API of a broker or a cloud.

use crate::secret::Secret;
use clap::Args;
use clap::builder::BoolishValueParser;
use std::path::PathBuf;

/// Whom to ask, who to be there, and whom to believe.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "API")]
pub struct Api {
    /// API to ask who is connected, such as `emqx5+http://HOST`
    ///
    /// `KIND+http://` or `KIND+https://`, then `[USER@]HOST[:PORT][/PREFIX]`. The kinds are emqx5, emqx4,
    /// hivemq, rabbitmq, nanomq, vernemq, rmqtt, bifromq, activemq, artemis, apollo, nats, aws, azure,
    /// tencent-tdmq, tencent-iothub, aliyun and huawei; each has a port of its own, and where no other has the
    /// same one, `http://HOST:PORT` is enough. `aws://REGION` and the like name a region of a cloud. A
    /// password in the URL works, but every user of this machine can read it in the list of processes.
    /// Several URLs in the environment variable are separated by spaces.
    // A `Secret`, because a URL can hold a password and this type is printed by `Debug`.
    #[arg(
        long,
        value_name = "URL",
        env = "PRESENCE_API",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub api: Vec<Secret>,

    /// User name, application id or access key to log in to the API with
    #[arg(long, value_name = "NAME", env = "PRESENCE_API_USER")]
    pub api_user: Option<String>,

    /// Read the password, secret or secret key of the API from a file
    ///
    /// One line end at the end of the file does not count. The environment variable
    /// `PRESENCE_API_PASSWORD` can hold the password itself, where a file is out of reach.
    #[arg(long, value_name = "PATH", env = "PRESENCE_API_PASSWORD_FILE")]
    pub api_password_file: Option<PathBuf>,

    /// Read the token of the API from a file
    ///
    /// What kinds of token an API takes stands in `docs/apis.md`. The environment variable
    /// `PRESENCE_API_TOKEN` can hold the token itself.
    #[arg(long, value_name = "PATH", env = "PRESENCE_API_TOKEN_FILE")]
    pub api_token_file: Option<PathBuf>,

    /// Believe only the certificate authorities in this PEM file, for APIs
    ///
    /// Without it: those that the operating system trusts.
    #[arg(long, value_name = "PATH", env = "PRESENCE_API_CAFILE")]
    pub api_cafile: Option<PathBuf>,

    /// Accept any certificate from the API
    ///
    /// Encrypts, but proves nothing: anyone on the way can pose as the API and read the password. For
    /// trials only.
    #[arg(
        long,
        env = "PRESENCE_API_INSECURE",
        value_parser = BoolishValueParser::new()
    )]
    pub api_insecure: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        api: Api,
    }

    #[test]
    fn options_are_read_and_urls_never_printed() {
        let line = "x --api emqx5+http://me:hunter2@h --api nats+http://h --api-user you \
                    --api-password-file p --api-token-file t --api-cafile c --api-insecure";
        let Command { api } =
            Command::try_parse_from(line.split_ascii_whitespace()).expect("all of them are known");
        assert_eq!(api.api.len(), 2);
        assert_eq!(api.api_user.as_deref(), Some("you"));
        assert_eq!(api.api_password_file, Some("p".into()));
        assert_eq!((api.api_token_file, api.api_cafile), (Some("t".into()), Some("c".into())));
        assert!(api.api_insecure);
        assert!(!format!("{:?}", api.api).contains("hunter2"));
        let Command { api } = Command::try_parse_from(["x"]).expect("none is needed");
        assert!(api.api.is_empty() && !api.api_insecure);
    }
}
