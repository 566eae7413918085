//! Tencent Cloud's TC3-HMAC-SHA256, for POSTs of JSON.

use super::{hex, hmac_sha256, sha256_hex};
use crate::event::Timestamp;
use crate::query::exchange::Proof;
use crate::secret::Secret;

/// Who signs, and for what.
#[derive(Clone, Debug)]
pub struct Signer {
    pub key_id: String,
    pub key: Secret,
    /// Of temporary credentials.
    pub session: Option<Secret>,
    pub service: &'static str,
    /// What the header `Host` will say.
    pub host: String,
}

impl Signer {
    /// Returns the headers that prove a request with this body to `/`.
    pub fn prove(&self, content_type: &str, body: &str, now: Timestamp) -> Proof {
        let seconds = now.0.div_euclid(1_000);
        let Ok(time) = jiff::Timestamp::from_second(seconds) else { return Vec::new() };
        let day = time.strftime("%Y-%m-%d").to_string();
        let canonical = format!(
            "POST\n/\n\ncontent-type:{content_type}\nhost:{}\n\ncontent-type;host\n{}",
            self.host,
            sha256_hex(body.as_bytes())
        );
        let scope = format!("{day}/{}/tc3_request", self.service);
        let to_sign =
            format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let key = format!("TC3{}", self.key.reveal());
        let key = [&*day, self.service, "tc3_request"]
            .iter()
            .fold(key.into_bytes(), |key, part| hmac_sha256(&key, part).as_ref().to_vec());
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=content-type;host, Signature={}",
            self.key_id,
            hex(hmac_sha256(&key, &to_sign).as_ref()),
        );
        let mut proof = vec![
            ("authorization", Secret::from(authorization)),
            ("x-tc-timestamp", Secret::from(seconds.to_string())),
        ];
        proof.extend(self.session.clone().map(|session| ("x-tc-token", session)));
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_tencents_documentation() {
        let signer = Signer {
            key_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
            key: Secret::from("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"),
            session: None,
            service: "cvm",
            host: "cvm.tencentcloudapi.com".to_owned(),
        };
        let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let proof =
            signer.prove("application/json; charset=utf-8", body, Timestamp(1_551_113_065_000));
        assert_eq!(
            proof[0].1.reveal(),
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
             SignedHeaders=content-type;host, \
             Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
        assert_eq!(proof[1].1.reveal(), "1551113065");
    }
}
