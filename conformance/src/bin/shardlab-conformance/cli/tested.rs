//! The arguments that say what is tested.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use shardlab::wire::tls::TlsOptions;
use shardlab_conformance::transcript::ast;

use super::values::{time, version};

/// What is tested: a server to start, or a running cluster.
#[derive(Debug, Args)]
pub(crate) struct Tested {
    /// The server to start: a path, a program, `valkey`, `redis`, or a version such as `valkey@9.1`
    #[arg(long, value_name = "SPEC")]
    pub(crate) server: Option<String>,
    /// How to start a server that does not take Redis's configuration (docs/profiles.md); `--server` may
    /// name its program
    #[arg(long, value_name = "FILE", conflicts_with = "attach")]
    pub(crate) profile: Option<PathBuf>,
    /// Do not download a server
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) attached: Attached,
    /// The product of the running server [default: what it says itself]
    #[arg(long, value_name = "NAME", requires = "server_version")]
    pub(crate) product: Option<String>,
    /// The version of `--product`
    #[arg(long, value_name = "VERSION", requires = "product", value_parser = version)]
    pub(crate) server_version: Option<ast::Version>,
}

/// A running cluster, and how to talk to it.
#[derive(Debug, Args)]
pub(crate) struct Attached {
    /// Test a running cluster as a client, given by addresses or URLs; leave no key behind
    #[arg(long, value_name = "HOST:PORT,…", conflicts_with_all = ["server", "offline"])]
    pub(crate) attach: Option<String>,
    /// The ACL user of `--attach`
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The password of `--attach` [default: `REDISCLI_AUTH`, which other users cannot see]
    #[arg(long, value_name = "TEXT")]
    pub(crate) password: Option<String>,
    #[command(flatten)]
    pub(crate) tls: OverTls,
    /// Where a node of `--attach` is from here, if not where it says; may be given several times
    #[arg(long, value_name = "FROM=TO")]
    pub(crate) address_map: Vec<String>,
    /// T of `--attach`, as `500ms` or `15s` [default: what CONFIG GET tells, or 15s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) node_timeout: Option<Duration>,
    /// Write no key of `--attach`; skip the cases that do
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Run cases that change slots, epochs, roles and settings of `--attach`, and put these back; only for
    /// clusters for tests
    #[arg(long, requires = "attach", conflicts_with = "read_only")]
    pub(crate) allow_admin: bool,
    /// Run cases that kill, pause and start nodes with this program, as `CMD ACTION HOST:PORT` (docs/control.md);
    /// keys may be lost
    #[arg(long, value_name = "CMD", requires = "allow_admin")]
    pub(crate) control: Option<String>,
}

/// How to connect over TLS; the options are redis-cli's.
#[derive(Debug, Args)]
pub(crate) struct OverTls {
    /// Connect to `--attach` over TLS, as with `rediss://`
    #[arg(long)]
    pub(crate) tls: bool,
    /// The authorities to trust, in PEM format [default: `REDIS_TLS_CA_CERT`, or those of the system]
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// The client's certificate, in PEM format [default: `REDIS_TLS_CERT`]
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The private key of `--cert`, in PEM format [default: `REDIS_TLS_KEY`]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The server name to send, which certificates must be for
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,
    /// Take any server's certificate
    #[arg(long)]
    insecure: bool,
}

impl OverTls {
    /// Whom to trust and what to show.
    pub(crate) fn options(&self) -> TlsOptions {
        TlsOptions {
            authorities: self.cacert.clone(),
            certificate: self.cert.clone(),
            key: self.key.clone(),
            name: self.sni.clone(),
            insecure: self.insecure,
        }
    }
}
