//! The encrypted line to a PostgreSQL, over the TLS that everything else here speaks.

use super::address::{Address, Encryption};
use crate::config::connection::Tls;
use crate::failure::Failure;
use crate::source::mqtt::tls::client_config;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

/// Reads whom to believe, where the line is to be encrypted.
pub fn config(address: &Address) -> Result<Option<Arc<ClientConfig>>, Failure> {
    let insecure = match address.encryption {
        Encryption::Clear => return Ok(None),
        // An authority that was named is asked.
        Encryption::Encrypted => address.cafile.is_none(),
        Encryption::Verified => false,
    };
    let cafile = address.cafile.clone();
    client_config(&Tls { cafile, identity: None, insecure, alpn: None }).map(Some)
}

/// Makes an encrypted line of one that is not.
#[derive(Clone)]
pub struct Maker(pub Arc<ClientConfig>);

pub struct Shake {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// An encrypted line.
///
/// Its authentication is not bound to it: an authority vouches for the server, or nobody does.
pub struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

type Opening<S> = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Maker {
    type Stream = Encrypted<S>;
    type TlsConnect = Shake;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Shake, Self::Error> {
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Shake { connector: TlsConnector::from(Arc::clone(&self.0)), name })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Shake {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Opening<S>;

    fn connect(self, stream: S) -> Opening<S> {
        Box::pin(async move { self.connector.connect(self.name, stream).await.map(Encrypted) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
