//! The APIs that can be asked, and where each listens unless told otherwise.

use std::fmt;

/// An API of a broker or a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Emqx5,
    Emqx4,
    HiveMq,
    RabbitMq,
    NanoMq,
    VerneMq,
    Rmqtt,
    BifroMq,
    ActiveMq,
    Artemis,
    Apollo,
    Nats,
    Aws,
    Azure,
    TencentTdmq,
    TencentIotHub,
    Aliyun,
    Huawei,
}

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::Emqx5,
        Self::Emqx4,
        Self::HiveMq,
        Self::RabbitMq,
        Self::NanoMq,
        Self::VerneMq,
        Self::Rmqtt,
        Self::BifroMq,
        Self::ActiveMq,
        Self::Artemis,
        Self::Apollo,
        Self::Nats,
        Self::Aws,
        Self::Azure,
        Self::TencentTdmq,
        Self::TencentIotHub,
        Self::Aliyun,
        Self::Huawei,
    ];

    /// Returns what is typed before the `+` of a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emqx5 => "emqx5",
            Self::Emqx4 => "emqx4",
            Self::HiveMq => "hivemq",
            Self::RabbitMq => "rabbitmq",
            Self::NanoMq => "nanomq",
            Self::VerneMq => "vernemq",
            Self::Rmqtt => "rmqtt",
            Self::BifroMq => "bifromq",
            Self::ActiveMq => "activemq",
            Self::Artemis => "artemis",
            Self::Apollo => "apollo",
            Self::Nats => "nats",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::TencentTdmq => "tencent-tdmq",
            Self::TencentIotHub => "tencent-iothub",
            Self::Aliyun => "aliyun",
            Self::Huawei => "huawei",
        }
    }

    /// Returns the port of this kind as it is shipped, without and with TLS.
    #[must_use]
    pub const fn ports(self) -> (u16, u16) {
        match self {
            Self::Emqx5 => (18083, 18084),
            Self::Emqx4 | Self::NanoMq => (8081, 8081),
            Self::HiveMq | Self::VerneMq => (8888, 8888),
            Self::RabbitMq => (15672, 15671),
            Self::Rmqtt => (6060, 6060),
            Self::BifroMq => (8091, 8091),
            Self::ActiveMq | Self::Artemis => (8161, 8161),
            Self::Apollo => (61680, 61681),
            Self::Nats => (8222, 8222),
            Self::Aws
            | Self::Azure
            | Self::TencentTdmq
            | Self::TencentIotHub
            | Self::Aliyun
            | Self::Huawei => (80, 443),
        }
    }

    /// Tells whether it is the API of a cloud, for which a region or a hub can be named alone.
    #[must_use]
    pub const fn is_cloud(self) -> bool {
        matches!(
            self,
            Self::Aws
                | Self::Azure
                | Self::TencentTdmq
                | Self::TencentIotHub
                | Self::Aliyun
                | Self::Huawei
        )
    }

    /// Returns what may follow a `?` in the URL of this kind, each with what it holds.
    #[must_use]
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::BifroMq => {
                &[("tenant", "tenant of the clients"), ("user", "user of the clients")]
            }
            Self::VerneMq => &[("mountpoint", "mountpoint of the clients, if there are several")],
            Self::Artemis => &[("broker", "name of the broker, `0.0.0.0` unless it was set")],
            Self::Aws => &[
                ("region", "region, where the host does not tell"),
                ("via", "`connection`, or `index` for the fleet index"),
            ],
            Self::TencentTdmq => &[
                ("instance", "id of the instance; with it the cloud's API is asked"),
                ("region", "region of the instance"),
            ],
            Self::TencentIotHub => &[
                ("product", "id of the product; without it the first 10 characters of a client id"),
                ("region", "region, `ap-guangzhou` unless given"),
                ("via", "`hub`, or `explorer` for IoT Explorer"),
            ],
            Self::Aliyun => &[
                ("instance", "id of the instance"),
                ("region", "region of the instance, where the host does not tell"),
                ("via", "`session`, or `batch` for ten clients at once out of a cache"),
            ],
            Self::Huawei => &[("project", "id of the project"), ("instance", "id of the instance")],
            _ => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
