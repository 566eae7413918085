//! Tencent IoT Hub: `DescribeDevice`, whose `Online` is 0, 1, or 3 for a device that never was there.
//!
//! Another API of the same cloud, `AppGetDeviceStatuses`, counts the other way round: 0 is online there. It
//! is never asked.

use super::Api;
use super::tencent::{Cloud, Said, response};
use super::value::{id, number, seconds, text};
use crate::config::api::{Endpoint, Kind};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::asked::{Cost, Details, Facts};
use crate::query::exchange::{About, Found, Proof, Question, Reading, Reply, Trouble};
use serde_json::json;

#[derive(Debug)]
pub struct IotHub {
    cloud: Cloud,
    product: Option<String>,
}

const FACTS: Facts = Facts {
    kind: Kind::TencentIotHub,
    cost: Cost::OneEach,
    list: None,
    per_second: 20,
    cached: false,
    rights: "a `SecretId` and its `SecretKey` as user and password, the token of temporary ones as token; the right `iotcloud:DescribeDevice`",
    tells: "online, offline, or never activated; when it came and left last",
    limits: &[
        "why a connection ended, its keep alive and its session are not told",
        "a client id is product id and device name; without `product` in the URL its first 10 characters are taken for the product",
    ],
};

/// Characters of a product id.
const PRODUCT: usize = 10;

impl IotHub {
    /// Errors: no secret id with its key (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let settings = &endpoint.address.settings;
        let region = settings.get("region").cloned().unwrap_or_else(|| "ap-guangzhou".to_owned());
        let cloud = Cloud::of(endpoint, "iotcloud", "2021-04-08", region)?;
        Ok(Self { cloud, product: settings.get("product").cloned() })
    }

    /// Takes a client id apart: the product, and the device.
    fn parts<'a>(&'a self, client: &'a str) -> (&'a str, &'a str) {
        match &self.product {
            Some(product) => (product, client.strip_prefix(&**product).unwrap_or(client)),
            None => client.split_at_checked(PRODUCT).unwrap_or((client, "")),
        }
    }
}

impl Api for IotHub {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn begin(&self, clients: &[String]) -> Vec<Question> {
        let one = |client: &String| {
            let (product, device) = self.parts(client);
            let body = json!({ "ProductId": product, "DeviceName": device });
            self.cloud.question("DescribeDevice", &body, About::one(client))
        };
        clients.iter().map(one).collect()
    }

    fn prove(&self, question: &Question, now: Timestamp) -> Proof {
        self.cloud.prove(question, now)
    }

    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble> {
        let device = match response(reply)? {
            Said::Response(device) => device,
            Said::Error { code, .. } if code.starts_with("ResourceNotFound.Device") => {
                let mut found = Found::without_session(question.client());
                found.why = Some("the hub has no such device".to_owned());
                return Ok(Reading::one(found));
            }
            Said::Error { trouble, .. } => return Err(trouble),
        };
        let (_, name) = self.parts(question.client());
        if id(&device, "DeviceName").is_some_and(|told| told != name) {
            return Err(Trouble::new("it answered about another client"));
        }
        let state = number(&device, "Online").ok_or_else(|| Trouble::shape("`Online`"))?;
        let (online, why) = match state {
            0 => (Some(false), None),
            1 => (Some(true), None),
            3 => (Some(false), Some("it was never activated".to_owned())),
            other => (None, Some(format!("its `Online` is {other}, which is not known here"))),
        };
        let details = Details {
            connected_at: seconds(&device, "LoginTime"),
            disconnected_at: seconds(&device, "LastOfflineTime").filter(|_| online == Some(false)),
            address: text(&device, "ConnIP").or_else(|| text(&device, "ClientIP")),
            ..Details::default()
        };
        Ok(Reading::one(Found { client: question.client().to_owned(), online, why, details }))
    }
}
