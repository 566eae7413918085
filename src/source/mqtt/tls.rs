//! Whom to believe on an encrypted connection, and how to say that someone is not believed.
//!
//! The provider of the cryptography is named in every configuration made here. It is installed for the
//! process too, for whatever a library configures by itself: without one that would panic.

use super::trouble::Trouble;
use crate::config::connection::{Identity, Tls};
use crate::failure::Failure;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Reads the certificates named in the configuration.
pub fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Fails only where one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new("could not set up TLS").because(error))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Gullible(provider)))
    } else {
        builder.with_root_certificates(roots(tls.cafile.as_deref())?)
    };
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (certs, key) = read_identity(identity)?;
            builder.with_client_auth_cert(certs, key).map_err(|error| {
                Failure::new(format!(
                    "could not use `{}` with `{}`",
                    identity.cert.display(),
                    identity.key.display()
                ))
                .because(error)
                .next("check that the key belongs to the first certificate in the file")
            })?
        }
    };
    config.alpn_protocols.extend(tls.alpn.as_ref().map(|name| name.clone().into_bytes()));
    Ok(Arc::new(config))
}

/// Returns whom to believe: those in the file and nobody else, or those the system believes.
fn roots(cafile: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let certificates = certificates(cafile)?;
    let Some(path) = cafile else {
        // Systems ship certificates that are a little off; the others count all the same.
        roots.add_parsable_certificates(certificates);
        return Ok(roots);
    };
    for certificate in certificates {
        roots.add(certificate).map_err(|error| {
            cannot_read(path, &error).next("pass a PEM file with certificates of authorities only")
        })?;
    }
    Ok(roots)
}

/// Returns the certificates in the file, or those of the authorities that the system believes.
///
/// Errors: a file that cannot be read or holds none; a system that has none (exit 4).
pub fn certificates(cafile: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    if let Some(path) = cafile {
        return read_certificates(path);
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        let cause = if errors.is_empty() { "there are none".to_owned() } else { errors.join("; ") };
        return Err(Failure::new("could not read the certificate authorities of this system")
            .because(cause)
            .next("install them (often a package `ca-certificates`), or pass `--cafile`"));
    }
    Ok(found.certs)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(cannot_read(path, &"it holds no certificate")
            .next("pass a PEM file, with lines that say `BEGIN CERTIFICATE`")),
        Ok(found) => Ok(found),
        Err(error) => Err(cannot_read(path, &pem_cause(&error))
            .next("check the path, who may read the file, and that it is a PEM file")),
    }
}

fn read_identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let certs = read_certificates(&identity.cert)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            cannot_read(&identity.key, &"it holds no private key in the clear").next(
                "a key with passphrase has to be unlocked first, with `openssl pkey -in … -out …`",
            )
        }
        error => cannot_read(&identity.key, &pem_cause(&error))
            .next("check the path, who may read the file, and that it is a PEM file"),
    })?;
    Ok((certs, key))
}

fn cannot_read(path: &Path, cause: &dyn Display) -> Failure {
    Failure::new(format!("could not read `{}`", path.display())).because(cause)
}

/// The library's own words for an unreadable file are those of a debugger.
fn pem_cause(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Says what went wrong with TLS, be it in the handshake or later: a broker that does not like our
/// certificate says so only after the handshake (RFC 8446 §4.4.2.4, §6).
pub fn trouble(error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => of_rustls(error),
        None => Trouble::Tls {
            cause: format!("it ended the connection during the TLS handshake ({error})"),
            next: "check that the port speaks TLS; without, the URL starts with `mqtt://`".into(),
        },
    }
}

/// Tells whether an error of a stream comes from TLS.
pub fn is_tls(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).is_some()
}

/// Sorts an error of TLS itself.
pub fn of_rustls(error: &Error) -> Trouble {
    use CertificateError as Bad;
    let tls = |cause: String, next: &str| Trouble::Tls { cause, next: next.to_owned() };
    match error {
        // A bad signature is an authority of the right name with another key: one made anew.
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => tls(
            "its certificate was issued by an authority that is not trusted here".into(),
            "pass the authority's own certificate with `--cafile`",
        ),
        Error::InvalidCertificate(Bad::NotValidForName) => {
            tls("its certificate was issued for another host name".into(), NAMES)
        }
        Error::InvalidCertificate(Bad::NotValidForNameContext { presented, expected }) => tls(
            format!(
                "its certificate is not for `{}`, but for {}",
                expected.to_str(),
                if presented.is_empty() {
                    "no host at all".into()
                } else {
                    shortened(&bare(presented).join(", "))
                }
            ),
            NAMES,
        ),
        Error::InvalidCertificate(
            Bad::Expired
            | Bad::ExpiredContext { .. }
            | Bad::NotValidYet
            | Bad::NotValidYetContext { .. },
        ) => tls(
            "its certificate has expired, or is not valid yet".into(),
            "renew the broker's certificate, and check this machine's clock",
        ),
        Error::InvalidCertificate(other) => tls(
            format!("its certificate cannot be accepted: {other}"),
            "have it replaced; `--insecure` accepts any, for a trial on a trusted network",
        ),
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure
            | AlertDescription::DecryptError,
        ) => tls(
            format!("it wants a client certificate, or another than ours ({error})"),
            "pass the certificate and key of an account the broker knows with `--cert` and `--key`",
        ),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol)
        | Error::NoApplicationProtocol => tls(
            "it does not know the application protocol that was named".into(),
            "check `--tls-alpn`: a broker on a shared port often expects `mqtt`",
        ),
        Error::InvalidMessage(_) => tls(
            "what answered does not speak TLS".into(),
            "check the port; a broker without TLS is reached with `mqtt://`",
        ),
        other => tls(
            format!("TLS failed: {other}"),
            "check which versions and ciphers the broker offers (TLS 1.2 and 1.3 are spoken here)",
        ),
    }
}

const NAMES: &str = "use a name from the certificate in `--broker`, or have the certificate mended";

/// Returns names without what the library puts around them: `DnsName("a.example")`.
fn bare(presented: &[String]) -> Vec<&str> {
    presented
        .iter()
        .map(|name| {
            let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            inner.unwrap_or(name).trim_matches('"')
        })
        .collect()
}

fn shortened(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(120).collect();
    if chars.next().is_some() { start + "…" } else { start }
}

/// Accepts whatever certificate it is shown: `--insecure`. Signatures are not looked at either,
/// because they prove nothing about a certificate that anyone may have made.
#[derive(Debug)]
struct Gullible(Arc<CryptoProvider>);

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
