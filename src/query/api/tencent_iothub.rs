//! Tencent IoT Hub and IoT Explorer: `DescribeDevice`, whose `Online`, there `Status`, is 0, 1, or 3 for a device
//! that never was there.
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
use serde_json::{Value, json};

#[derive(Debug)]
pub struct IotHub {
    cloud: Cloud,
    product: Option<String>,
    is_explorer: bool,
}

const EXPLORER: Facts = Facts {
    rights: "a `SecretId` and its `SecretKey` as user and password, the token of temporary ones as token; the right `iotexplorer:DescribeDevice`",
    tells: "online, offline, or never activated; when it came last",
    limits: &[
        "when and why a connection ended, its address, its keep alive and its session are not told",
        WHICH_PRODUCT,
    ],
    ..FACTS
};

const WHICH_PRODUCT: &str = "a client id is product id and device name; without `product` in the URL its first 10 characters are taken for the product";

const FACTS: Facts = Facts {
    kind: Kind::TencentIotHub,
    cost: Cost::OneEach,
    list: None,
    per_second: 20,
    cached: false,
    rights: "a `SecretId` and its `SecretKey` as user and password, the token of temporary ones as token; the right `iotcloud:DescribeDevice`",
    tells: "online, offline, or never activated; when it came and left last",
    limits: &["why a connection ended, its keep alive and its session are not told", WHICH_PRODUCT],
};

/// Characters of a product id.
const PRODUCT: usize = 10;

impl IotHub {
    /// Errors: no secret id with its key, a platform that is none of the two (exit 2).
    pub fn of(endpoint: &Endpoint) -> Result<Self, Failure> {
        let settings = &endpoint.address.settings;
        let is_explorer = match settings.get("via").map(String::as_str) {
            None | Some("hub") => false,
            Some("explorer") => true,
            Some(_) => {
                let address = &endpoint.address;
                return Err(Failure::misuse(format!("{address} is asked in no way that is known"))
                    .because("`via` is neither `hub` nor `explorer`")
                    .next("leave `via` out, or write `?via=explorer`"));
            }
        };
        let region = settings.get("region").cloned().unwrap_or_else(|| "ap-guangzhou".to_owned());
        let cloud = if is_explorer {
            Cloud::of(endpoint, "iotexplorer", "2019-04-23", region)?
        } else {
            Cloud::of(endpoint, "iotcloud", "2021-04-08", region)?
        };
        Ok(Self { cloud, product: settings.get("product").cloned(), is_explorer })
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
        if self.is_explorer { &EXPLORER } else { &FACTS }
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
            Said::Response(mut response) if self.is_explorer => {
                let device = response.get_mut("Device").filter(|device| device.is_object());
                device.map(Value::take).ok_or_else(|| Trouble::shape("`Device`"))?
            }
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
        let (name, shape) =
            if self.is_explorer { ("Status", "`Status`") } else { ("Online", "`Online`") };
        let state = number(&device, name).ok_or_else(|| Trouble::shape(shape))?;
        let (online, why) = match state {
            0 => (Some(false), None),
            1 => (Some(true), None),
            3 => (Some(false), Some("it was never activated".to_owned())),
            2 if self.is_explorer => (None, Some("the cloud could not find it out".to_owned())),
            other => (None, Some(format!("its {shape} is {other}, which is not known here"))),
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
