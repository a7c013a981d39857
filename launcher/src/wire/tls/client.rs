//! What a client shows of itself on one connection, and whether the server asks for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::problem::TlsError;

#[derive(Debug)]
pub(super) struct ClientCertificate {
    shown: Option<Arc<CertifiedKey>>,
    is_wanted: AtomicBool,
}

impl ClientCertificate {
    pub(super) fn new(shown: Option<Arc<CertifiedKey>>) -> Self {
        Self {
            shown,
            is_wanted: AtomicBool::new(false),
        }
    }

    /// What an error means before the server has sent any data. In TLS 1.3 a server refuses a client
    /// only when the client has begun to talk; it may close then in such a way that its reason is lost.
    pub(super) fn explain(&self, error: io::Error) -> io::Error {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return error;
        }
        io::Error::other(match (TlsError::of(error), &self.shown) {
            (Err(_) | Ok(TlsError::Other(_)), None) => TlsError::ClientCertificateMissing,
            (Err(error), Some(_)) => TlsError::ClientCertificateRefused(error.to_string()),
            (Ok(problem), _) => problem,
        })
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_wanted.store(true, Ordering::Relaxed);
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        self.shown.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_breaks_off_when_it_has_asked_for_a_certificate_wants_one() {
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        let client = ClientCertificate::new(None);
        assert!(TlsError::of(client.explain(broken())).is_err());
        client.resolve(&[], &[]);
        assert_eq!(
            TlsError::of(client.explain(broken())).unwrap(),
            TlsError::ClientCertificateMissing
        );
        let expired = client.explain(io::Error::other(TlsError::Expired));
        assert_eq!(TlsError::of(expired).unwrap(), TlsError::Expired);
    }
}
