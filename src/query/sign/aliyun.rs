//! Alibaba Cloud's ACS3-HMAC-SHA256, the third version of its signature.

use super::{hex, hmac_sha256, sha256_hex};
use crate::event::Timestamp;
use crate::query::exchange::{Proof, Question};
use crate::secret::Secret;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who signs.
#[derive(Debug)]
pub struct Signer {
    pub key_id: String,
    pub key: Secret,
    /// Of temporary credentials.
    pub session: Option<Secret>,
    /// What the header `Host` will say.
    pub host: String,
    /// Tells this run from others that sign with the same key.
    pub seed: u64,
    /// Requests that were signed.
    pub signed: AtomicU64,
}

impl Signer {
    /// Returns the headers that prove a request. `prefix` stands before its target. No two requests of 15
    /// minutes may have the same nonce.
    pub fn prove(&self, question: &Question, prefix: &str, now: Timestamp) -> Proof {
        let place = self.signed.fetch_add(1, Ordering::Relaxed);
        let nonce = sha256_hex(format!("{:016x}-{place}-{}", self.seed, now.0).as_bytes());
        self.prove_once(question, prefix, now, &nonce[..32])
    }

    fn prove_once(&self, question: &Question, prefix: &str, now: Timestamp, nonce: &str) -> Proof {
        let seconds = now.0.div_euclid(1_000);
        let Ok(time) = jiff::Timestamp::from_second(seconds) else { return Vec::new() };
        let mut proof = vec![
            ("x-acs-content-sha256", sha256_hex(question.body.as_bytes())),
            ("x-acs-date", time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("x-acs-signature-nonce", nonce.to_owned()),
        ];
        if let Some(session) = &self.session {
            proof.push(("x-acs-security-token", session.reveal().to_owned()));
        }
        // What is sent beside these is none of the signature's business.
        let is_signed =
            |name: &str| name.starts_with("x-acs-") || matches!(name, "host" | "content-type");
        let mut headers: Vec<(&str, &str)> = vec![("host", &self.host)];
        headers.extend(question.headers.iter().map(|(name, value)| (*name, &**value)));
        headers.extend(proof.iter().map(|(name, value)| (*name, &**value)));
        headers.retain(|(name, _)| is_signed(name));
        headers.sort_unstable();
        let canonical = canonical(question, prefix, &headers);
        let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
        let signature = hmac_sha256(self.key.reveal().as_bytes(), &to_sign);
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}",
            self.key_id,
            names(&headers),
            hex(signature.as_ref()),
        );
        proof.push(("authorization", authorization));
        proof.into_iter().map(|(name, value)| (name, Secret::from(value))).collect()
    }
}

/// Returns the text that is hashed. `headers` are sorted.
fn canonical(question: &Question, prefix: &str, headers: &[(&str, &str)]) -> String {
    let target = format!("{prefix}{}", question.target);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let lines = headers
        .iter()
        .fold(String::new(), |lines, (name, value)| lines + name + ":" + value.trim() + "\n");
    let (method, query, names) = (question.method.name(), pairs.join("&"), names(headers));
    format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{}", sha256_hex(question.body.as_bytes()))
}

fn names(headers: &[(&str, &str)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::exchange::{About, Method, Page};

    fn signer(session: Option<&str>) -> Signer {
        Signer {
            key_id: "YourAccessKeyId".to_owned(),
            key: Secret::from("YourAccessKeySecret"),
            session: session.map(Secret::from),
            host: "ecs.cn-shanghai.aliyuncs.com".to_owned(),
            seed: 7,
            signed: AtomicU64::new(0),
        }
    }

    /// The example of "Request syntax and signature method V3" of the vendor.
    fn example() -> Question {
        Question {
            method: Method::Post,
            target:
                "/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
                    .to_owned(),
            headers: vec![
                ("x-acs-version", "2014-05-26".to_owned()),
                ("x-acs-action", "RunInstances".to_owned()),
            ],
            body: String::new(),
            about: About::these(&[]),
            page: Page::default(),
            known: None,
        }
    }

    const NONCE: &str = "3156853299f313e23d1673dc12e1703d";
    /// 2023-10-26T10:22:32Z
    const THEN: Timestamp = Timestamp(1_698_315_752_000);

    #[test]
    fn the_signature_is_that_of_the_vendors_documentation() {
        let proof = signer(None).prove_once(&example(), "", THEN, NONCE);
        let headers: Vec<_> = proof.iter().map(|(name, value)| (*name, value.reveal())).collect();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            headers[..3],
            [
                ("x-acs-content-sha256", empty),
                ("x-acs-date", "2023-10-26T10:22:32Z"),
                ("x-acs-signature-nonce", NONCE),
            ]
        );
        assert_eq!(
            headers[3],
            (
                "authorization",
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
                 x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
                 Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
            )
        );
    }

    #[test]
    fn a_security_token_and_the_type_of_the_body_are_signed_with_the_rest() {
        let question = example().with("content-type", "text/plain").with("accept", "*/*");
        let proof = signer(Some("sts")).prove_once(&question, "/x", THEN, NONCE);
        assert_eq!(proof[3], ("x-acs-security-token", Secret::from("sts")));
        let told = "SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;\
                    x-acs-security-token;x-acs-signature-nonce;x-acs-version,";
        assert!(proof[4].1.reveal().contains(told), "{}", proof[4].1.reveal());
    }

    #[test]
    fn no_nonce_comes_twice() {
        let signer = signer(None);
        let nonce = || signer.prove(&example(), "", THEN)[2].1.reveal().to_owned();
        let (first, second) = (nonce(), nonce());
        assert!(first.len() == 32 && first != second, "{first} {second}");
        let other = Signer { seed: 8, ..self::signer(None) };
        assert_ne!(other.prove(&example(), "", THEN)[2].1.reveal(), first);
    }
}
