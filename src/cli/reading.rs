//! Which dialects are understood, and where they are listened for.

use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const STATUS_TOPIC: &str = "devices/{client}/status";
pub const STATUS_ONLINE: &str = "online";
pub const STATUS_OFFLINE: &str = "offline";

/// How clients are spoken about.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Dialects")]
pub struct Reading {
    /// Way of announcing clients to understand; may be given several times
    ///
    /// `auto` is all that brokers and devices publish by themselves, recognised by topic and content; it listens
    /// to a fixed, short list, says what it hears, and believes nothing that two of them understand.
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        env = "PRESENCE_DIALECT",
        value_delimiter = ',',
        default_value = "auto",
        default_value_if("dialect_file", ArgPredicate::IsPresent, None)
    )]
    pub dialect: Vec<DialectName>,

    #[command(flatten)]
    pub files: DialectFiles,

    /// Listen here instead of where the dialect says; may be given several times
    #[arg(long, value_name = "FILTER", env = "PRESENCE_TOPIC")]
    pub topic: Vec<String>,

    /// Where devices keep their own status, with `{client}` in the place of the client id
    #[arg(long, value_name = "TEMPLATE", env = "PRESENCE_STATUS_TOPIC", default_value = STATUS_TOPIC)]
    pub status_topic: String,

    /// Word that means online there; may be given several times
    #[arg(long, value_name = "WORD", env = "PRESENCE_STATUS_ONLINE", value_delimiter = ',', default_value = STATUS_ONLINE)]
    pub status_online: Vec<String>,

    /// Word that means offline there; may be given several times
    #[arg(long, value_name = "WORD", env = "PRESENCE_STATUS_OFFLINE", value_delimiter = ',', default_value = STATUS_OFFLINE)]
    pub status_offline: Vec<String>,

    /// Where the word stands in a status that is JSON, as a JSON pointer such as `/state`
    #[arg(long, value_name = "POINTER", env = "PRESENCE_STATUS_JSON")]
    pub status_json: Option<String>,

    /// Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`
    ///
    /// Stamps that name none are read as its times, and times are shown in it, with their offset. Without it
    /// they are shown in UTC, and a log in local time is not read. JSON has ms since 1970.
    #[arg(long, value_name = "ZONE", env = "PRESENCE_TIME_ZONE")]
    pub time_zone: Option<String>,
}

/// Dialects that are described in files.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Dialects")]
pub struct DialectFiles {
    /// File that describes a dialect of your own; may be given several times
    ///
    /// Without `--dialect` nothing else is listened to. `presence dialects test` tries a file out.
    #[arg(long, value_name = "FILE", env = "PRESENCE_DIALECT_FILE")]
    pub dialect_file: Vec<PathBuf>,
}

/// The dialects that can be chosen.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialectName {
    /// All that brokers and devices publish by themselves, recognised by topic and content
    Auto,
    /// Notices of Alibaba Cloud's MQTT service (connect, disconnect, tcpclean), over any topic
    Lmq,
    /// Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`
    Mosquitto,
    /// Client ids of aedes, below `$SYS`
    Aedes,
    /// Lifecycle events of AWS IoT Core, below `$aws/events`
    AwsIot,
    /// Client notices of NanoMQ, below `$SYS/brokers`
    Nanomq,
    /// Client notices of EMQX 4 to 6, below `$SYS/brokers`
    Emqx,
    /// Client notices of RMQTT, below `$SYS/brokers`
    Rmqtt,
    /// Event log of HiveMQ, as a file
    Hivemq,
    /// Log of FlashMQ, as a file
    Flashmq,
    /// Client events of Tencent Cloud's TDMQ for MQTT, below `$events`
    TencentTdmq,
    /// State that Mosquitto's plugin `connection-state` keeps retained
    ConnectionState,
    /// Device states of Alibaba Cloud's IoT Platform (another product than LMQ)
    AlibabaIot,
    /// Histories of clients that the API of Alibaba Cloud's MQTT tells, as a file
    AliyunTrace,
    /// Connection states of Azure IoT Hub, from Event Grid or by routing
    AzureIothub,
    /// Client sessions of Azure Event Grid's MQTT broker
    AzureEventgrid,
    /// Device states that Huawei IoTDA pushes
    Huawei,
    /// States of devices of Tencent's IoT Hub and IoT Explorer, as a file
    TencentIothub,
    /// Calls of VerneMQ's webhooks
    Vernemq,
    /// Events of RabbitMQ's event exchange, 3.8 to 4
    Rabbitmq,
    /// Log of RabbitMQ 3.8 to 3.11, as a file
    RabbitmqLog,
    /// Advisories of ActiveMQ Classic about connections
    Activemq,
    /// Notifications of ActiveMQ Artemis about sessions
    Artemis,
    /// System events of NATS server about clients of MQTT, kept one a line
    Nats,
    /// Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on
    EmqxRule,
    /// Calls of NanoMQ's webhook
    NanomqWebhook,
    /// Hooks of mochi-mqtt, as the program that embeds it writes them
    Mochi,
    /// Interceptors of Moquette, as the program that embeds it writes them
    Moquette,
    /// Events of BifroMQ, as an event collector of yours writes them
    Bifromq,
    /// Event log of Solace, as a file; known from its documents alone
    Solace,
    /// Births and deaths of Sparkplug B, nodes and devices
    Sparkplug,
    /// Home Assistant itself, and entities beside their configuration
    Homeassistant,
    /// Bridge and devices of zigbee2mqtt
    Zigbee2mqtt,
    /// Tasmota, in both orders of its topics
    Tasmota,
    /// Shelly devices of the first generation
    Shelly1,
    /// Homie 2 to 5
    Homie,
    /// Frigate
    Frigate,
    /// Theengs Gateway
    Theengs,
    /// OpenMQTTGateway
    Openmqttgateway,
    /// Campbell Scientific loggers
    Campbell,
    /// Shelly devices from the second generation on
    Shelly2,
    /// ESPHome nodes
    Esphome,
    /// Retained status that devices keep by birth and will
    Status,
}
