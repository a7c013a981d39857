//! The environment, read in one place and once; everything else is handed what it needs.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What Shardlab looks at in its environment. An empty variable counts as none.
#[derive(Clone, Default)]
pub struct Environment {
    /// `PATH`: where programs are.
    pub path: OsString,
    /// `SHARDLAB_SERVER`: the server to use unless an option says otherwise.
    pub server: Option<String>,
    /// `SHARDLAB_ATTACH`: the addresses of a running cluster that the suite tests instead.
    pub attach: Option<String>,
    /// `REDISCLI_AUTH`: the password of that cluster, as for redis-cli.
    pub password: Option<String>,
    /// `REDIS_TLS_CA_CERT`: the file with the authorities that are trusted for TLS.
    pub tls_authorities: Option<PathBuf>,
    /// `REDIS_TLS_CERT`: the file with the client's certificate.
    pub tls_certificate: Option<PathBuf>,
    /// `REDIS_TLS_KEY`: the file with its private key.
    pub tls_key: Option<PathBuf>,
    /// `SHARDLAB_HOME`: the state folder.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads it"
    )]
    pub fn of_process() -> Self {
        let some = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| some(name).map(PathBuf::from);
        let text = |name: &str| some(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            path: some("PATH").unwrap_or_default(),
            server: text("SHARDLAB_SERVER"),
            attach: text("SHARDLAB_ATTACH"),
            password: text("REDISCLI_AUTH"),
            tls_authorities: path("REDIS_TLS_CA_CERT"),
            tls_certificate: path("REDIS_TLS_CERT"),
            tls_key: path("REDIS_TLS_KEY"),
            home: path("SHARDLAB_HOME"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("path", &self.path)
            .field("server", &self.server)
            .field("attach", &self.attach)
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

/// Whether a variable is set, but to nothing: that counts as not set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads it"
)]
pub fn is_set_to_nothing(name: &std::ffi::OsStr) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn a_password_is_not_shown() {
        let environment = Environment {
            password: Some("secret".to_owned()),
            server: Some("valkey".to_owned()),
            ..Environment::default()
        };
        let shown = format!("{environment:?}");
        assert!(
            shown.contains("valkey") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
