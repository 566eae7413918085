//! Certificates made for the test: a fixed one would expire.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use tempfile::TempDir;

/// An authority, and a folder for what it issues.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("an authority")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is randomness");
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let pem = params.self_signed(&key).expect("it signs").pem();
        std::fs::write(folder.path().join("ca.pem"), pem).expect("the disk has room");
        Self { issuer: Issuer::new(params, key), folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cafile(&self) -> String {
        format!("--cafile {}", self.path("ca.pem").display())
    }

    /// Issues a certificate for this host, and leaves `HOST.pem` and `HOST.key` in the folder. Returns both as PEM.
    pub fn issue(&self, host: &str) -> (String, String) {
        let params = CertificateParams::new(vec![host.to_owned()]).expect("the name is one");
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        let (cert, key) = (certificate.pem(), key.serialize_pem());
        std::fs::write(self.path(&format!("{host}.pem")), &cert).expect("the disk has room");
        std::fs::write(self.path(&format!("{host}.key")), &key).expect("the disk has room");
        (cert, key)
    }
}
