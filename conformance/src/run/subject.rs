//! What is tested, from the words of a user: a server to start, or addresses of one that runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use shardlab::error::{ErrorKind, Text};
use shardlab::machine::environment::Environment;
use shardlab::server::{Notify, SearchEnv};
use shardlab::state::usual_cache;
use shardlab::wire::client::ClientError;
use shardlab::wire::tls::{Tls, TlsError, TlsOptions, TlsOptionsError};
use thiserror::Error;

use crate::known::{KnownError, KnownList};
use crate::pattern::Server;
use crate::system::attached::{Attachment, Permission, Unusable, address_maps};
use crate::system::control::{Control, ControlError};
use crate::system::launched::Launcher;
use crate::system::pool::Pool;
use crate::system::{AddressError, AddressMap, Credentials, describe};

/// What is tested.
#[derive(Debug)]
pub enum Subject {
    /// A server that we start.
    Launched(Arc<Pool>),
    /// Somebody's cluster.
    Attached(Attachment),
}

/// What a user asks for; where nothing is said, the environment counts, then what is found.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A path, a program, `valkey`, `redis`, or `product@version`.
    pub server: Option<String>,
    /// The file that says how to start it, if it does not take Redis's configuration.
    pub profile: Option<PathBuf>,
    /// `HOST:PORT,rediss://USER:PASSWORD@HOST:PORT`
    pub attach: Option<String>,
    /// With what to log in there, instead of what a URL says.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// Whether to connect there over TLS; a URL may say so, too.
    pub tls: bool,
    /// Whom to trust then, and what to show.
    pub tls_options: TlsOptions,
    /// Where its nodes are from here.
    pub address_map: AddressMap,
    /// What T is there, instead of what the server says.
    pub node_timeout: Option<Duration>,
    /// What may be done there.
    pub permission: Permission,
    /// The program that ends and starts the processes of its nodes.
    pub control: Option<String>,
    /// What the running server is, instead of what it says of itself.
    pub identity: Option<Server>,
    /// Nothing may be fetched.
    pub offline: bool,
}

/// Why there is nothing to test.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody is there, or nobody who could be tested.
    #[error("{0}")]
    Unusable(Box<Unusable>),
    /// A `--control` that is no program.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A user without a password.
    #[error("`--user {0}` needs a password")]
    NoPassword(String),
    /// Options for TLS without TLS.
    #[error("options for TLS are given, and neither `--tls` nor a URL `rediss://`")]
    NoTls,
    /// A file with a certificate or a key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsOptionsError),
    /// No server can be found, or fetched.
    #[error(transparent)]
    Server(#[from] shardlab::Error),
}

/// How much longer than the answer of a server an action of `--control` may take.
const PROCESS: u32 = 4;

/// How a password is given.
const PASSWORD: &str = "write it into the URL, `redis://USER:PASSWORD@HOST:PORT`, or give `--password`, or set REDISCLI_AUTH; \
`--user` names an ACL user";

/// The part of a reply's time in which a server must say which nodes there are: a silent one is told of at once.
const FIRST_ANSWER: u32 = 5;

/// The part of it for what may be missing: cases ask for that again.
const FIRST_WORD: u32 = 10;

impl Unusable {
    /// What the user can do about it.
    fn hint(&self) -> Text {
        let text = match self {
            Self::LoginMissing { .. } | Self::LoginRefused { .. } => PASSWORD,
            Self::Forbidden { .. } => {
                "the user needs the commands of the cases, as with `ACL SETUSER NAME +@all ~*`"
            }
            Self::Nobody { .. } => {
                "`shardlab up` starts a cluster; `shardlab status` tells its addresses"
            }
            Self::Talk(ClientError::Tls { source, .. }) => hint_of_tls(source),
            Self::OnlyTls { .. } | Self::NoTls => {
                "give `--tls`, or write `rediss://`; `--cacert FILE` says which authority to trust"
            }
            Self::Talk(_) => {
                "give the address at which a node of the cluster listens for clients; `--slow` waits longer"
            }
            Self::NoCluster { .. } => {
                "start it with `cluster-enabled yes`; `shardlab up` starts a cluster"
            }
            Self::Odd { .. } => {
                "the suite reads CLUSTER NODES, SHARDS or SLOTS; it tests servers that answer one of them"
            }
            Self::TooLarge { .. } => "give the address of a smaller cluster",
            Self::Unreachable { nodes, .. } => {
                return format!(
                    "say where they are from here: `{}`; nodes that the cluster marks as failed are not used",
                    address_maps(nodes)
                )
                .into();
            }
            Self::NoHost { .. } => {
                "check the name, or give an IP address; `--slow` looks it up for longer"
            }
            Self::Unnamed { .. } => {
                "say where the nodes are from here with `--address-map FROM=TO`; `--slow` waits longer"
            }
            Self::Incomplete { .. } => {
                "give every slot to a master first; `redis-cli --cluster check HOST:PORT` tells which have none"
            }
        };
        text.into()
    }
}

/// The options that mean the same.
fn tls_words(options: &TlsOptions) -> Vec<String> {
    let mut words = vec!["--tls".to_owned()];
    let shown = |path: &PathBuf| path.display().to_string();
    for (name, value) in [
        ("--cacert", options.authorities.as_ref().map(shown)),
        ("--cert", options.certificate.as_ref().map(shown)),
        ("--key", options.key.as_ref().map(shown)),
        ("--sni", options.name.clone()),
    ] {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    }
    words.extend(options.insecure.then(|| "--insecure".to_owned()));
    words
}

/// What to do about options for TLS.
fn hint_of_options(error: &TlsOptionsError) -> Option<&'static str> {
    Some(match error {
        TlsOptionsError::Half => {
            "give `--cert FILE` and `--key FILE`, or set REDIS_TLS_CERT and REDIS_TLS_KEY"
        }
        TlsOptionsError::NoAuthorities => "give one with `--cacert FILE`, or set REDIS_TLS_CA_CERT",
        _ => return None,
    })
}

/// What to do so that TLS can be agreed on.
fn hint_of_tls(error: &TlsError) -> &'static str {
    match error {
        TlsError::NoTls => {
            "give the port that listens with TLS; or leave out `--tls`, and write `redis://`"
        }
        TlsError::UnknownAuthority => {
            "give the certificate of the authority with `--cacert FILE`; `--insecure` takes any server"
        }
        TlsError::Expired | TlsError::Certificate(_) => {
            "give the server another certificate; `--insecure` takes any server"
        }
        TlsError::OtherName(_) => {
            "say whom the certificate is for with `--sni NAME`; with `--cacert FILE` and no `--sni`, names are not compared"
        }
        TlsError::ClientCertificateMissing => "give one with `--cert FILE` and `--key FILE`",
        TlsError::ClientCertificateRefused(_) => {
            "give one with `--cert FILE` and `--key FILE` that an authority of the server's `tls-ca-cert-file` has signed"
        }
        _ => "the suite speaks TLS 1.2 and 1.3",
    }
}

impl Wanted {
    /// How to use TLS, if it is used. What is not said is as the environment says.
    fn tls(&self, in_url: bool, environment: &Environment) -> Result<Option<Tls>, SubjectError> {
        let given = self.tls_options.clone();
        if !self.tls && !in_url {
            let none = given == TlsOptions::default();
            return none.then_some(None).ok_or(SubjectError::NoTls);
        }
        let or = |given: Option<PathBuf>, usual: &Option<PathBuf>| given.or_else(|| usual.clone());
        let tls = Tls::new(TlsOptions {
            authorities: or(given.authorities, &environment.tls_authorities),
            certificate: or(given.certificate, &environment.tls_certificate),
            key: or(given.key, &environment.tls_key),
            ..given
        })?;
        Ok(Some(tls))
    }

    fn attachment(
        &self,
        addresses: &str,
        environment: &Environment,
    ) -> Result<Attachment, SubjectError> {
        let mut attachment = Attachment::parse(addresses)?;
        let in_url = attachment.access.credentials.take();
        let (user, password) = match in_url {
            Some(Credentials { user, password }) => (user, Some(password)),
            None => (None, None),
        };
        let user = self.user.clone().or(user);
        let given = self.password.clone().or(password);
        attachment.access.credentials = match (given.or_else(|| environment.password.clone()), user)
        {
            (Some(password), user) => Some(Credentials { user, password }),
            (None, Some(user)) => return Err(SubjectError::NoPassword(user)),
            (None, None) => None,
        };
        attachment.access.tls = self.tls(attachment.over_tls, environment)?;
        attachment.server.clone_from(&self.identity);
        attachment.address_map.clone_from(&self.address_map);
        attachment.node_timeout = self.node_timeout;
        attachment.permission = self.permission;
        Ok(attachment)
    }
}

impl SubjectError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_)
            | Self::NoPassword(_)
            | Self::Control(_)
            | Self::NoTls
            | Self::Tls(_) => ErrorKind::Request,
            Self::Unusable(_) => ErrorKind::Environment,
            Self::Server(error) => error.kind(),
        }
    }

    /// What is wrong.
    pub fn message(&self) -> Text {
        match self {
            Self::Server(error) => error.message(),
            error => error.to_string().into(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<Text> {
        match self {
            Self::Address(_) | Self::Control(_) => None,
            Self::Unusable(unusable) => Some(unusable.hint()),
            Self::NoPassword(_) => Some(PASSWORD.into()),
            Self::NoTls => Some("give `--tls`, or write `rediss://HOST:PORT`".into()),
            Self::Tls(error) => hint_of_options(error).map(Into::into),
            Self::Server(error) => error.hint(),
        }
    }
}

/// Words as a shell reads them.
fn quoted(words: &[String]) -> String {
    let words = words.iter().map(String::as_str);
    shlex::try_join(words).unwrap_or_default()
}

impl Subject {
    /// Finds the server, or reaches the cluster. Nothing is started yet.
    ///
    /// # Errors
    /// There is no such server, or nobody listens within `patience`.
    pub async fn open(
        wanted: &Wanted,
        environment: &Environment,
        patience: Duration,
        note: Notify<'_>,
    ) -> Result<Self, SubjectError> {
        // An option outdoes both variables.
        let attach = match (&wanted.server, &wanted.profile) {
            (Some(_), _) | (_, Some(_)) => None,
            (None, None) => wanted.attach.as_ref().or(environment.attach.as_ref()),
        };
        if let Some(addresses) = attach {
            let mut attachment = wanted.attachment(addresses, environment)?;
            if let Some(control) = &wanted.control {
                let control = Control::parse(control, patience * PROCESS)?;
                attachment.control = Some(Arc::new(control));
            }
            let (patience, for_more) = (patience / FIRST_ANSWER, patience / FIRST_WORD);
            let unusable = |unusable| SubjectError::Unusable(Box::new(unusable));
            let found = attachment
                .discover(patience, for_more)
                .await
                .map_err(unusable)?;
            let reached = found.reach(patience).await;
            reached.map_err(unusable)?;
            return Ok(Self::Attached(attachment));
        }
        let search = SearchEnv {
            path: environment.path.clone(),
            cache: usual_cache()?,
            offline: wanted.offline,
        };
        // The variable means a server that needs no profile.
        let usual = environment.server.as_deref();
        let usual = usual.filter(|_| wanted.profile.is_none());
        let spec = wanted.server.as_deref().or(usual);
        let launcher = match &wanted.profile {
            Some(profile) => Launcher::profiled(profile, spec, &search).await?,
            None => Launcher::find(spec, &search, note).await?,
        };
        Ok(Self::Launched(Arc::new(Pool::new(
            launcher.patience(patience),
        ))))
    }

    /// The options that mean the same subject in a later run, word by word: `--server`,
    /// `/usr/bin/valkey-server`.
    pub fn options(&self) -> Vec<String> {
        match self {
            Self::Launched(pool) => {
                let program = pool.launcher().program().display();
                let mut words = vec!["--server".to_owned(), program.to_string()];
                if let Some(profile) = pool.launcher().profile() {
                    words.extend(["--profile".to_owned(), profile.display().to_string()]);
                }
                words
            }
            Self::Attached(attachment) => {
                let mut words = vec!["--attach".to_owned(), attachment.to_string()];
                let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
                if let Some(server) = &attachment.server {
                    option("--product", server.product.clone());
                    option("--server-version", server.version.to_string());
                }
                // A password is not written where others may read it.
                let credentials = attachment.access.credentials.as_ref();
                if let Some(user) = credentials.and_then(|login| login.user.clone()) {
                    option("--user", user);
                }
                if let Some(tls) = &attachment.access.tls {
                    words.extend(tls_words(tls.options()));
                }
                let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
                for entry in attachment.address_map.entries() {
                    option("--address-map", entry);
                }
                if let Some(timeout) = attachment.node_timeout {
                    option("--node-timeout", format!("{}ms", timeout.as_millis()));
                }
                if let Some(control) = &attachment.control {
                    option("--control", quoted(control.words()));
                }
                words.extend(match attachment.permission {
                    Permission::Read => Some("--read-only".to_owned()),
                    Permission::Write => None,
                    Permission::Admin => Some("--allow-admin".to_owned()),
                });
                words
            }
        }
    }

    /// What is known to depart there: our own lists, where the server is one that we start.
    ///
    /// # Errors
    /// One of the lists is wrong.
    pub fn known(&self) -> Result<KnownList, KnownError> {
        match self {
            Self::Launched(_) => KnownList::embedded(),
            Self::Attached(_) => Ok(KnownList::default()),
        }
    }

    /// What is tested, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Launched(pool) => describe(Some(pool.launcher().server())),
            Self::Attached(attachment) => attachment.to_string(),
        }
    }
}
