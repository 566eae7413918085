//! Shared access signatures of Azure IoT Hub.

use super::hmac_sha256;
use crate::event::Timestamp;
use crate::query::exchange::encode;
use crate::secret::Secret;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// How long a signature is good for, in s: no longer than any asking takes.
const LIFE: i64 = 600;

/// Who signs.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Name of a policy of the hub, such as `service`.
    pub policy: String,
    /// Its key, decoded.
    pub key: Key,
    /// What the header `Host` will say.
    pub host: String,
}

/// A key, out of its base64.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}

impl Key {
    /// Reads a key as the portal shows it; `None` if it is no base64.
    pub fn read(key: &Secret) -> Option<Self> {
        BASE64_STANDARD.decode(key.reveal()).ok().map(Self)
    }
}

impl Signer {
    /// Returns the value of the header `authorization`.
    pub fn prove(&self, now: Timestamp) -> Secret {
        let resource = encode(&self.host);
        let expiry = now.0.div_euclid(1_000).saturating_add(LIFE);
        let signature = hmac_sha256(&self.key.0, &format!("{resource}\n{expiry}"));
        let signature = encode(&BASE64_STANDARD.encode(signature.as_ref()));
        let policy = encode(&self.policy);
        Secret::from(format!(
            "SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_other_tools() {
        let key = Key::read(&Secret::from("c2VjcmV0")).expect("it is base64");
        let signer =
            Signer { policy: "service".to_owned(), key, host: "hub.azure-devices.net".to_owned() };
        // printf 'hub.azure-devices.net\n1760000600' | openssl dgst -sha256 -hmac secret -binary | base64
        assert_eq!(
            signer.prove(Timestamp(1_760_000_000_999)).reveal(),
            "SharedAccessSignature sr=hub.azure-devices.net&sig=hrI3iU7oUvyB%2B%2BP8tNaJ41QumOW2lpM7uidjW3tnFrQ%3D&se=1760000600&skn=service"
        );
        assert!(Key::read(&Secret::from("no base64!")).is_none());
        assert!(!format!("{signer:?}").contains("115"), "{signer:?}");
    }
}
