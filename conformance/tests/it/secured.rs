//! Servers with TLS, and the certificates for that, made on the spot.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, date_time_ymd,
};
use shardlab::node::Node;
use shardlab::wire::tls::TlsOptions;
use shardlab::wire::view::info_field;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// An authority and what it has signed, in files of one folder.
pub(crate) struct Authority {
    folder: TempDir,
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let parameters = of_authority(name);
        let authority = Self {
            folder: TempDir::new().unwrap(),
            certificate: parameters.self_signed(&key).unwrap(),
            issuer: Issuer::new(parameters, key),
        };
        fs::write(authority.file("ca.crt"), authority.certificate.pem()).unwrap();
        let client = authority.identity(|_| {});
        fs::write(authority.file("client.crt"), client.certificate.pem()).unwrap();
        fs::write(authority.file("client.key"), client.key.serialize_pem()).unwrap();
        authority
    }

    /// `ca.crt`, `client.crt`, `client.key`
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a client shows that trusts the authority, and that it trusts.
    pub(crate) fn options(&self) -> TlsOptions {
        TlsOptions {
            authorities: Some(self.file("ca.crt")),
            certificate: Some(self.file("client.crt")),
            key: Some(self.file("client.key")),
            ..TlsOptions::default()
        }
    }

    /// A certificate for `one.example`.
    pub(crate) fn identity(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut parameters = CertificateParams::new(["one.example".to_owned()]).unwrap();
        parameters.distinguished_name = named("one");
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate, key }
    }

    /// The address at which the server at `target` can be reached with TLS.
    pub(crate) fn front(
        &self,
        target: SocketAddr,
        identity: &Identity,
        wants_client_certificate: bool,
    ) -> SocketAddr {
        let config = ServerConfig::builder();
        let config = if wants_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let chain = vec![identity.certificate.der().clone()];
        let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
        let config = config.with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            Runtime::new()
                .unwrap()
                .block_on(accept(listener, acceptor, target));
        });
        address
    }

    /// The address at which a node can be reached with TLS, and with a client certificate: its own if the
    /// server takes one.
    pub(crate) async fn secured(&self, node: &Node, identity: &Identity) -> SocketAddr {
        match self.own(node, identity).await {
            Some(address) => address,
            None => self.front(node.address(), identity, true),
        }
    }

    /// Redis 7.2 and later and Valkey crash if they do not have TLS and are told of a port for it while they run;
    /// if they have it, their peers tell that port only after a while.
    async fn own(&self, node: &Node, identity: &Identity) -> Option<SocketAddr> {
        let info = node.call(&["INFO", "server"]).await.unwrap();
        let version = info_field(&info, "redis_version").unwrap();
        if !version.starts_with("6.") && !version.starts_with("7.0.") {
            return None;
        }
        fs::write(self.file("node.crt"), identity.certificate.pem()).unwrap();
        fs::write(self.file("node.key"), identity.key.serialize_pem()).unwrap();
        let file = |name: &str| self.file(name).display().to_string();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        for (setting, value) in [
            ("tls-ca-cert-file", file("ca.crt")),
            ("tls-cert-file", file("node.crt")),
            ("tls-key-file", file("node.key")),
            ("tls-port", address.port().to_string()),
        ] {
            let set = node.call(&["CONFIG", "SET", setting, &value]).await;
            set.unwrap().as_error().is_none().then_some(())?;
        }
        Some(address)
    }
}

impl Identity {
    /// One that nobody else has signed.
    pub(crate) fn alone(authority: &Authority) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = of_authority("alone").self_signed(&key).unwrap();
        fs::write(authority.file("alone.crt"), certificate.pem()).unwrap();
        Self { certificate, key }
    }
}

fn of_authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name = named(name);
    parameters
}

fn named(name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::CommonName, name);
    whole
}

/// Changes a certificate into one that was valid once.
pub(crate) fn expired(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2020, 2, 1);
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, target: SocketAddr) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let mut inside = TcpStream::connect(target).await.ok()?;
            inside.set_nodelay(true).ok()?;
            stream.set_nodelay(true).ok()?;
            let mut outside = acceptor.accept(stream).await.ok()?;
            copy_bidirectional(&mut outside, &mut inside).await.ok()
        });
    }
}
