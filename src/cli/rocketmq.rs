//! The options of every command that reads a topic of RocketMQ.
//!
//! clap reads them, [`crate::config::rocketmq`] checks them together: no command sees this type.

use clap::Args;

/// Whoever reads a topic without being a member of a group is this one; every broker knows it.
pub const GROUP: &str = "TOOLS_CONSUMER";
/// What status notices are tagged with.
pub const TAGS: &str = "connect,disconnect,tcpclean";

/// What of a topic to read, and who to be there.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "RocketMQ")]
pub struct RocketMq {
    /// Read only messages with one of these tags; `*` stands for all
    #[arg(
        long,
        value_name = "TAGS",
        env = "PRESENCE_TAGS",
        value_delimiter = ',',
        default_value = TAGS
    )]
    pub tags: Vec<String>,

    /// Name of the consumer group to ask as, where rights are given to groups
    ///
    /// Nothing is committed in its name, and it is never joined. A broker that does not know the name makes a
    /// group of it, for good; the default is one that every broker has.
    #[arg(long, value_name = "GROUP", env = "PRESENCE_CONSUMER_GROUP", default_value = GROUP)]
    pub consumer_group: String,

    /// Instance of the cloud whose topics and groups are meant, as in `MQ_INST_…`
    #[arg(long, value_name = "ID", env = "PRESENCE_NAMESPACE")]
    pub namespace: Option<String>,
}
