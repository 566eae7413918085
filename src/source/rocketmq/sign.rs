//! How a request shows whose it is.

use super::frame::Fields;
use crate::config::access_key::AccessKey;
use crate::sign::hmac_sha1;

/// Signs a request. There is no time in it: whoever has heard it can send it again, so use TLS where
/// strangers listen. Source: apache/rocketmq `AclClientRPCHook` and `AclUtils`; of `OnsChannel`, `ons-client`'s
/// `ClientRPCHook`.
pub fn sign(fields: &mut Fields, body: &[u8], key: &AccessKey, is_alibaba: bool) {
    fields.insert("AccessKey".into(), key.id.clone());
    if let Some(token) = &key.token {
        fields.insert("SecurityToken".into(), token.reveal().to_owned());
    }
    if is_alibaba {
        fields.insert("OnsChannel".into(), "ALIYUN".to_owned());
    }
    // The values of all fields, in the order of their names, and the body.
    let what: Vec<u8> =
        fields.values().flat_map(|value| value.bytes()).chain(body.iter().copied()).collect();
    let signature = hmac_sha1(&key.secret, &what);
    fields.insert("Signature".into(), signature.reveal().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::source::rocketmq::frame;
    use bytes::BytesMut;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Exchanged {
        name: String,
        direction: String,
        hex: String,
    }

    /// Returns the fields of a recorded request.
    fn recorded(name: &str) -> Fields {
        let frames = include_str!("../../../tests/fixtures/rocketmq/rocketmq-5.3.3.frames.jsonl");
        let mut lines =
            frames.lines().map(|line| serde_json::from_str::<Exchanged>(line).expect("JSON"));
        let found =
            lines.find(|one| one.name == name && one.direction == "request").expect("there");
        let bytes = (0..found.hex.len()).step_by(2);
        let mut bytes: BytesMut =
            bytes.map(|at| u8::from_str_radix(&found.hex[at..at + 2], 16).expect("hex")).collect();
        frame::read(&mut bytes).expect("it is a frame").expect("it is whole").fields
    }

    #[test]
    fn a_signature_that_a_broker_took_is_made_again() {
        for name in ["auth-pull-signed", "auth-proxy-pull-signed"] {
            let mut fields = recorded(name);
            let taken = fields.remove("Signature").expect("it is signed");
            let id = fields.remove("AccessKey").expect("it says whose it is");
            let key = AccessKey { id, secret: Secret::from("rigsecret-0123456789"), token: None };
            sign(&mut fields, b"", &key, false);
            assert_eq!(fields["Signature"], taken, "{name}");
            let with_token = AccessKey { token: Some(Secret::from("t")), ..key };
            sign(&mut fields, b"", &with_token, true);
            assert_eq!((&*fields["SecurityToken"], &*fields["OnsChannel"]), ("t", "ALIYUN"));
        }
    }
}
