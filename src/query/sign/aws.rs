//! AWS Signature Version 4, for requests whose path is encoded once.

use super::{hex, hmac_sha256, sha256_hex};
use crate::event::Timestamp;
use crate::query::exchange::{Proof, Question};
use crate::secret::Secret;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Who signs, and for what.
#[derive(Clone, Debug)]
pub struct Signer {
    pub key_id: String,
    pub key: Secret,
    /// Of temporary credentials.
    pub session: Option<Secret>,
    pub region: String,
    pub service: &'static str,
    /// What the header `Host` will say.
    pub host: String,
}

impl Signer {
    /// Returns the headers that prove a request. `prefix` stands before its target.
    pub fn prove(&self, question: &Question, prefix: &str, now: Timestamp) -> Proof {
        let Ok(time) = jiff::Timestamp::from_millisecond(now.0) else { return Vec::new() };
        let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![("host", self.host.clone()), ("x-amz-date", stamp.clone())];
        if let Some(session) = &self.session {
            headers.push(("x-amz-security-token", session.reveal().to_owned()));
        }
        let target = format!("{prefix}{}", question.target);
        let canonical = canonical(question.method.name(), &target, &headers, &question.body);
        let day = &stamp[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let key = format!("AWS4{}", self.key.reveal());
        let key = [day, &*self.region, self.service, "aws4_request"]
            .iter()
            .fold(key.into_bytes(), |key, part| hmac_sha256(&key, part).as_ref().to_vec());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.key_id,
            names(&headers),
            hex(hmac_sha256(&key, &to_sign).as_ref()),
        );
        let mut proof: Proof = headers
            .into_iter()
            .filter(|(name, _)| *name != "host")
            .map(|(name, value)| (name, Secret::from(value)))
            .collect();
        proof.push(("authorization", Secret::from(authorization)));
        proof
    }
}

/// Returns the text that is hashed. `headers` are sorted.
fn canonical(method: &str, target: &str, headers: &[(&'static str, String)], body: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.is_empty() { "/" } else { path };
    // What is encoded in the path is encoded again: only Amazon's storage leaves it as it is.
    let path = utf8_percent_encode(path, PERCENT);
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    let lines = headers
        .iter()
        .fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
    let (query, names, hash) = (pairs.join("&"), names(headers), sha256_hex(body.as_bytes()));
    format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}")
}

fn names(headers: &[(&'static str, String)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

/// All else is encoded already.
const PERCENT: &AsciiSet = &CONTROLS.add(b'%');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::exchange::About;

    /// The credentials, the time and the service of Amazon's own test suite.
    fn signature(question: &Question) -> String {
        let signer = Signer {
            key_id: "AKIDEXAMPLE".to_owned(),
            key: Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session: None,
            region: "us-east-1".to_owned(),
            service: "service",
            host: "example.amazonaws.com".to_owned(),
        };
        let proof = signer.prove(question, "", Timestamp(1_440_938_160_000));
        assert_eq!(proof[0].1.reveal(), "20150830T123600Z");
        let (name, value) = proof.last().expect("it is signed");
        assert_eq!(*name, "authorization");
        let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=";
        value.reveal().strip_prefix(start).expect("it is of the usual shape").to_owned()
    }

    #[test]
    fn signatures_are_those_of_amazons_test_suite() {
        let get = |target: &str| Question::get(target.to_owned(), About::these(&[]));
        let post = Question::post("/".to_owned(), String::new(), About::these(&[]));
        for (question, expected) in [
            // get-vanilla, post-vanilla, get-vanilla-query-order-key-case
            (get("/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (post, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                get("/?Param2=value2&Param1=value1"),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            assert_eq!(signature(&question), expected, "{question:?}");
        }
    }

    #[test]
    fn an_encoded_path_is_encoded_again() {
        let text = canonical("GET", "/connections/a%2Fb?x", &[("host", "h".to_owned())], "");
        let start =
            "GET\n/connections/a%252Fb\nx=\nhost:h\n\nhost\ne3b0c44298fc1c149afbf4c8996fb924";
        assert!(text.starts_with(start), "{text}");
    }
}
