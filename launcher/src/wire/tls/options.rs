//! What a client trusts and shows, from files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// What a client trusts and shows. Files are in PEM format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificates of the authorities that are trusted; without it, those of the system.
    pub authorities: Option<PathBuf>,
    /// The client's certificate, followed by those that lead to its authority.
    pub certificate: Option<PathBuf>,
    /// The private key of `certificate`, without a passphrase.
    pub key: Option<PathBuf>,
    /// The server name that is sent (SNI), and that certificates must be for.
    pub name: Option<String>,
    /// Takes any certificate of a server.
    pub insecure: bool,
}

/// What is wrong with [`TlsOptions`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` does not hold {wanted} in PEM format{problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// As in "a certificate".
        wanted: &'static str,
        /// What is wrong with what it holds; empty, or after a colon.
        problem: String,
    },
    /// A certificate without a key, or a key without a certificate.
    #[error("a client certificate and its private key must be given together")]
    Half,
    /// It is neither a host name nor an IP address.
    #[error("`{0}` is not the name of a server")]
    Name(String),
    /// Nobody would be trusted.
    #[error("this system has no certificates of authorities")]
    NoAuthorities,
    /// The TLS library cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}

impl TlsOptionsError {
    pub(super) fn content(path: &Path, wanted: &'static str, error: &impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            wanted,
            problem: format!(": {}", error.to_string()),
        }
    }

    fn pem(path: &Path, wanted: &'static str, error: &pem::Error) -> Self {
        match error {
            pem::Error::NoItemsFound => Self::Content {
                path: path.to_owned(),
                wanted,
                problem: String::new(),
            },
            error => Self::content(path, wanted, error),
        }
    }
}

/// What a client shows to servers that ask who it is.
pub(super) fn client_certificate(
    options: &TlsOptions,
    provider: &CryptoProvider,
) -> Result<Option<Arc<CertifiedKey>>, TlsOptionsError> {
    const KEY: &str = "a private key without a passphrase";
    let (certificate, path) = match (&options.certificate, &options.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        _ => return Err(TlsOptionsError::Half),
    };
    let chain = certificates(certificate)?;
    let der = PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|error| TlsOptionsError::pem(path, KEY, &error))?;
    let key = provider.key_provider.load_private_key(der);
    let key = key.map_err(|error| TlsOptionsError::content(path, KEY, &error))?;
    Ok(Some(Arc::new(CertifiedKey::new(chain, key))))
}

/// All certificates of a file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsOptionsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let some = match found {
        Ok(found) if found.is_empty() => Err(pem::Error::NoItemsFound),
        found => found,
    };
    some.map_err(|error| TlsOptionsError::pem(path, "a certificate", &error))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsOptionsError> {
    fs::read(path).map_err(|source| TlsOptionsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
