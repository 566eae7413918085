//! Saying who we are: PLAIN (RFC 4616), and SCRAM with SHA-256 or SHA-512 (RFC 5802, RFC 7677).
//!
//! Kafka takes names and passwords as they are, without SASLprep (`ScramFormatter`, 4.3).

use crate::config::kafka::Mechanism;
use crate::secret::Secret;
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// More of them are asked of nobody: they would keep us busy for seconds.
const ITERATIONS_MAX: u32 = 1_000_000;
/// No channel is bound: `n,,` in base64.
const NO_BINDING: &str = "biws";

/// Returns what PLAIN sends.
pub fn plain(username: &str, password: &Secret) -> Vec<u8> {
    format!("\0{username}\0{}", password.reveal()).into_bytes()
}

/// One proof under way that we know the password, and that the broker does.
pub struct Scram {
    hash: Hash,
    first_bare: String,
    nonce: String,
    /// What the broker has to answer at the end.
    expected: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Hash {
    hmac: hmac::Algorithm,
    pbkdf2: pbkdf2::Algorithm,
    digest: &'static digest::Algorithm,
}

impl Scram {
    /// `nonce`: a text that nobody can foresee, without commas.
    pub fn new(mechanism: Mechanism, username: &str, nonce: String) -> Self {
        let hash = if mechanism == Mechanism::ScramSha512 {
            Hash {
                hmac: hmac::HMAC_SHA512,
                pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512,
                digest: &digest::SHA512,
            }
        } else {
            Hash {
                hmac: hmac::HMAC_SHA256,
                pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256,
                digest: &digest::SHA256,
            }
        };
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={name},r={nonce}");
        Self { hash, first_bare, nonce, expected: Vec::new() }
    }

    pub fn first(&self) -> Vec<u8> {
        format!("n,,{}", self.first_bare).into_bytes()
    }

    /// Answers the broker's first message. Errors: what is wrong with it.
    pub fn last(&mut self, said: &[u8], password: &Secret) -> Result<Vec<u8>, String> {
        let said = std::str::from_utf8(said).map_err(|_| "its message is no UTF-8")?;
        let part = |name: &str| said.split(',').find_map(|part| part.strip_prefix(name));
        let (Some(nonce), Some(salt), Some(count)) = (part("r="), part("s="), part("i=")) else {
            return Err("its message holds no salt".to_owned());
        };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its message answers somebody else".to_owned());
        }
        let salt = BASE64.decode(salt).map_err(|_| "its salt is no base64")?;
        let count = count.parse().ok().filter(|count: &NonZeroU32| count.get() <= ITERATIONS_MAX);
        let count = count.ok_or("it wants more work than anybody should do")?;

        let Hash { hmac: algorithm, pbkdf2, digest } = self.hash;
        let mut salted = vec![0; digest.output_len()];
        pbkdf2::derive(pbkdf2, count, &salt, password.reveal().as_bytes(), &mut salted);
        let salted = hmac::Key::new(algorithm, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = digest::digest(digest, client_key.as_ref());
        let without_proof = format!("c={NO_BINDING},r={nonce}");
        let all = format!("{},{said},{without_proof}", self.first_bare);
        let signature = hmac::sign(&hmac::Key::new(algorithm, stored_key.as_ref()), all.as_bytes());
        let pairs = client_key.as_ref().iter().zip(signature.as_ref());
        let proof: Vec<u8> = pairs.map(|(one, other)| one ^ other).collect();
        let server_key = hmac::sign(&salted, b"Server Key");
        let server_key = hmac::Key::new(algorithm, server_key.as_ref());
        self.expected = hmac::sign(&server_key, all.as_bytes()).as_ref().to_vec();
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)).into_bytes())
    }

    /// Checks that the broker knows the password too. Errors: it does not.
    pub fn check(&self, said: &[u8]) -> Result<(), String> {
        let said = std::str::from_utf8(said).unwrap_or_default();
        let proof = said.split(',').find_map(|part| part.strip_prefix("v="));
        let proof = proof.and_then(|proof| BASE64.decode(proof).ok()).unwrap_or_default();
        // Whoever could try it out byte by byte is asked anew each time, with another nonce.
        if self.expected.is_empty() || proof != self.expected {
            return Err("it could not show that it knows the password itself".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677 §3.
    #[test]
    fn the_proof_is_the_one_of_the_standard() {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        let mut scram = Scram::new(Mechanism::ScramSha256, "user", nonce);
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server_first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = scram.last(server_first, &Secret::from("pencil")).expect("it is fine");
        assert_eq!(
            String::from_utf8_lossy(&last),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(scram.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
        assert!(scram.check(b"v=AAAA").is_err() && scram.check(b"").is_err());
    }

    #[test]
    fn what_is_no_challenge_is_refused() {
        for said in [
            &b""[..],
            b"\xff",
            b"r=n,s=AA==,i=4096",
            b"r=other,s=AA==,i=4096",
            b"r=n1,s=?,i=4096",
            b"r=n1,s=AA==,i=0",
            b"r=n1,s=AA==,i=99999999",
            b"e=unknown-user",
        ] {
            let mut scram = Scram::new(Mechanism::ScramSha512, "a,b=c", "n".to_owned());
            assert_eq!(scram.first(), b"n,,n=a=2Cb=3Dc,r=n");
            assert!(scram.last(said, &Secret::from("x")).is_err(), "{said:?}");
            assert!(scram.check(b"v=").is_err());
        }
    }
}
