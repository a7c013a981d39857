//! What is wrong when TLS cannot be agreed on.

use std::io;

use thiserror::Error;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as Fault};

/// How many names of a certificate are told, and how much of each.
const MOST_NAMES: usize = 3;
const LONGEST_NAME: usize = 100;

/// Why there is no TLS with a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// What it sends is not TLS.
    #[error("it does not speak TLS")]
    NoTls,
    /// No trusted authority has signed its certificate.
    #[error("no trusted authority has signed its certificate")]
    UnknownAuthority,
    /// Its certificate is no longer valid.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is for somebody else: "`one.example`, not for `two.example`".
    #[error("its certificate is for {0}")]
    OtherName(String),
    /// Its certificate cannot be verified for another reason.
    #[error("its certificate cannot be verified: {0}")]
    Certificate(String),
    /// It wants to know who the client is.
    #[error("it wants a client certificate")]
    ClientCertificateMissing,
    /// It does not take the client's certificate.
    #[error("it refuses the client certificate: {0}")]
    ClientCertificateRefused(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl TlsError {
    /// What an error of a connection says of TLS; the error itself, if it says nothing of it.
    ///
    /// # Errors
    /// It is about something else, such as the network.
    pub(crate) fn of(error: io::Error) -> Result<Self, io::Error> {
        let inner = error.get_ref();
        if let Some(known) = inner.and_then(|inner| inner.downcast_ref::<Self>()) {
            return Ok(known.clone());
        }
        match inner.and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => Ok(Self::of_fault(fault)),
            None => Err(error),
        }
    }

    fn of_fault(fault: &Fault) -> Self {
        match fault {
            Fault::InvalidMessage(_) => Self::NoTls,
            Fault::InvalidCertificate(problem) => Self::of_certificate(problem),
            Fault::AlertReceived(alert) => Self::of_alert(*alert),
            fault => Self::Other(fault.to_string()),
        }
    }

    fn of_certificate(problem: &CertificateError) -> Self {
        match problem {
            // The second is of an authority that bears the name of one that is trusted.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::OtherName(format!(
                "{}, not for `{}`",
                names(presented),
                expected.to_str()
            )),
            CertificateError::Other(other) => match other.0.to_string().as_str() {
                // It says that it is of an authority, and is none that is trusted: it has signed itself.
                "CaUsedAsEndEntity" => Self::UnknownAuthority,
                "UnsupportedCertVersion" => Self::Certificate(
                    "it is of version 1 of X.509, and not of version 3".to_owned(),
                ),
                problem => Self::Certificate(problem.to_owned()),
            },
            problem => Self::Certificate(problem.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::ClientCertificateMissing,
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA => {
                Self::ClientCertificateRefused(format!("it answers {alert:?}"))
            }
            alert => Self::Other(format!("it ends the handshake with {alert:?}")),
        }
    }
}

/// Whom a certificate is for, from how the library writes it: `DnsName("one.example")`.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no server name".to_owned();
    }
    let name = |name: &String| {
        let name = name.trim_start_matches(|letter: char| letter.is_alphanumeric());
        let name = name.trim_matches(['(', ')', '"']).escape_debug();
        format!("`{}`", name.take(LONGEST_NAME).collect::<String>())
    };
    let shown: Vec<_> = presented.iter().take(MOST_NAMES).map(name).collect();
    let more = presented.len() - shown.len();
    let more = (more > 0).then(|| format!(" and {more} more"));
    format!("{}{}", shown.join(", "), more.unwrap_or_default())
}
