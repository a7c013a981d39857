//! TLS for a connection: who is trusted, what the client shows, and what is wrong with either.

mod client;
mod options;
mod problem;
mod stream;
mod trust;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::CertifiedKey;

use client::ClientCertificate;
pub use options::{TlsOptions, TlsOptionsError};
pub use problem::TlsError;
pub(super) use stream::Encrypted;

/// How to connect over TLS 1.2 or 1.3.
///
/// A server's certificate must be signed by a trusted authority and be valid now. Its name is compared if
/// the authorities are the system's, of whom anybody may get a certificate, or if a name is given.
/// Otherwise it is not, as in redis-cli: nodes tell IP addresses, and few certificates are for those.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    options: TlsOptions,
    config: ClientConfig,
    certificate: Option<Arc<CertifiedKey>>,
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read or used, or there is no authority.
    pub fn new(options: TlsOptions) -> Result<Self, TlsOptionsError> {
        let provider = Arc::new(ring::default_provider());
        let name = options.name.as_ref().map(|name| {
            ServerName::try_from(name.clone()).map_err(|_| TlsOptionsError::Name(name.clone()))
        });
        let name = name.transpose()?;
        let certificate = options::client_certificate(&options, &provider)?;
        let verifier = trust::verifier(&options, &provider)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsOptionsError::Library(error.to_string()))?
            .dangerous() // `trust` says whom it takes
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // Each connection shows anew what a server wants, and whether it is trusted.
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(Settings {
            options,
            config,
            certificate,
            name,
        })))
    }

    /// What it was made of.
    pub fn options(&self) -> &TlsOptions {
        &self.0.options
    }

    /// Agrees on TLS with the other end, which was reached as `host`.
    pub(super) async fn encrypt(
        &self,
        stream: TcpStream,
        host: &str,
        ip: IpAddr,
    ) -> io::Result<Encrypted> {
        let named = || ServerName::try_from(host.to_owned()).ok();
        let name = self.0.name.clone().or_else(named);
        let name = name.unwrap_or_else(|| ServerName::from(ip));
        let client = Arc::new(ClientCertificate::new(self.0.certificate.clone()));
        let mut config = self.0.config.clone();
        config.client_auth_cert_resolver = Arc::clone(&client) as Arc<_>;
        let connector = TlsConnector::from(Arc::new(config));
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Encrypted::new(stream, client)),
            Err(error) => Err(client.explain(error)),
        }
    }
}
