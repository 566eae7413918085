//! The signature that Alibaba Cloud asks for at the doors of its message queues: those of MQTT and
//! RocketMQ. Its API, and the clouds of others, sign as `query` says.

use crate::secret::Secret;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

/// Returns HMAC-SHA1 of what is signed, in base64.
#[must_use]
pub fn hmac_sha1(secret: &Secret, what: &[u8]) -> Secret {
    // As a signature it still holds: what is broken of SHA-1 are collisions. The service takes no other.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.reveal().as_bytes());
    Secret::from(BASE64_STANDARD.encode(hmac::sign(&key, what).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_other_tools() {
        for (secret, what, expected) in [
            // printf 'GID_Test@@@0001' | openssl dgst -sha1 -hmac XXXXX -binary | base64
            ("XXXXX", "GID_Test@@@0001", "vI009IZJZVGRwBwZvnbwjfuXxVM="),
            ("XXXXX", "1700000000000", "sYHR/aSODGZ4pCa65FvNjNnmjSY="),
            // RFC 2202, section 3, test case 2.
            ("Jefe", "what do ya want for nothing?", "7/zfauXrL6LSdBbV8YTfnCWafHk="),
        ] {
            let signature = hmac_sha1(&Secret::from(secret), what.as_bytes());
            assert_eq!(signature.reveal(), expected, "{what}");
        }
    }
}
