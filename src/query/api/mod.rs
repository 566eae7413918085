//! One file an API: what is asked, and what the replies say. Nothing here talks to anyone.

mod access;
mod activemq;
mod aliyun;
mod apollo;
mod artemis;
mod aws;
mod azure;
mod bifromq;
mod emqx4;
mod emqx5;
mod hivemq;
mod huawei;
mod jolokia;
mod nanomq;
mod nats;
mod rabbitmq;
mod rmqtt;
mod tencent;
mod tencent_iothub;
mod tencent_tdmq;
mod value;
mod vernemq;

use super::asked::Facts;
use super::exchange::{Absent, Proof, Question, Reading, Reply, Trouble};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use access::{Access, setting};
use std::fmt;
use std::time::Duration;

/// An API that can be asked whether clients are online.
pub trait Api: fmt::Debug + Send + Sync {
    fn facts(&self) -> &'static Facts;

    /// Returns by how much what it lists may lag: one who is missing counts as absent after that.
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns the questions that are asked first, each about some of the clients; together about all.
    fn begin(&self, clients: &[String]) -> Vec<Question>;

    /// Returns the question that begins a list of everybody; `None` where it cannot list.
    fn list(&self) -> Option<Question> {
        None
    }

    /// Returns what it means for a client not to be listed.
    fn absent(&self) -> Absent {
        Absent::unconnected()
    }

    /// Returns how many requests about so many clients the vendor sends a bill for; `None` where it sends
    /// none.
    fn billed(&self, _clients: usize) -> Option<usize> {
        None
    }

    /// Fills in what depends on when a question is asked. `now` is the wall clock's time.
    fn complete(&self, _question: &mut Question, _now: Timestamp) {}

    /// Tells whether it knows what its refusals mean, whatever their status; where not, what every API means
    /// by a status is said.
    fn explains_refusals(&self) -> bool {
        false
    }

    /// Tells whether it refuses because too much is asked, and will answer a little later.
    fn is_busy(&self, _reply: &Reply) -> bool {
        false
    }

    /// Returns what proves who asks. `now` is the wall clock's time.
    fn prove(&self, question: &Question, now: Timestamp) -> Proof;

    /// Reads the reply to a question.
    ///
    /// Errors: a reply that is none of this API's, or refuses.
    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble>;
}

/// Returns the API of an endpoint.
///
/// Errors: a setting or a credential that it cannot do without (exit 2).
pub fn of(endpoint: &Endpoint) -> Result<Box<dyn Api>, Failure> {
    let access = Access::of(endpoint);
    let settings = &endpoint.address.settings;
    Ok(match endpoint.address.kind {
        Kind::Emqx5 => Box::new(emqx5::Emqx5(access)),
        Kind::Emqx4 => Box::new(emqx4::Emqx4(access)),
        Kind::HiveMq => Box::new(hivemq::HiveMq(access)),
        Kind::RabbitMq => Box::new(rabbitmq::RabbitMq(access)),
        Kind::NanoMq => Box::new(nanomq::NanoMq(access)),
        Kind::VerneMq => {
            Box::new(vernemq::VerneMq { access, mountpoint: settings.get("mountpoint").cloned() })
        }
        Kind::Rmqtt => Box::new(rmqtt::Rmqtt(access)),
        Kind::BifroMq => {
            let (tenant, user) = (setting(endpoint, "tenant")?, setting(endpoint, "user")?);
            Box::new(bifromq::BifroMq { access, tenant, user })
        }
        Kind::ActiveMq => Box::new(activemq::ActiveMq(access)),
        Kind::Artemis => {
            let broker = settings.get("broker").map_or(artemis::BROKER, String::as_str).to_owned();
            Box::new(artemis::Artemis { access, broker })
        }
        Kind::Apollo => Box::new(apollo::Apollo(access)),
        Kind::Nats => Box::new(nats::Nats(access)),
        Kind::Aws => Box::new(aws::Aws::of(endpoint)?),
        Kind::Azure => Box::new(azure::Azure::of(endpoint)?),
        Kind::TencentTdmq => Box::new(tencent_tdmq::Tdmq::of(endpoint)?),
        Kind::TencentIotHub => Box::new(tencent_iothub::IotHub::of(endpoint)?),
        Kind::Aliyun => Box::new(aliyun::Aliyun::of(endpoint)?),
        Kind::Huawei => Box::new(huawei::Huawei::of(endpoint)?),
    })
}
