//! What is tested, from the words of a user: a server to start, or addresses of one that runs.

use std::sync::Arc;
use std::time::Duration;

use shardlab::error::{ErrorKind, Hint};
use shardlab::machine::environment::Environment;
use shardlab::server::{Notify, SearchEnv};
use shardlab::state::usual_cache;
use shardlab::wire::client::ClientError;
use thiserror::Error;

use crate::known::{KnownError, KnownList};
use crate::pattern::Server;
use crate::pool::Pool;
use crate::system::attached::{AddressError, Attachment};
use crate::system::describe;
use crate::system::launched::Launcher;

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
    /// `HOST:PORT,HOST:PORT`
    pub attach: Option<String>,
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
    /// Nobody is there.
    #[error("no server answers at `{addresses}`: {source}")]
    Unreachable {
        /// As they were given.
        addresses: String,
        /// What happened at the last one.
        source: ClientError,
    },
    /// No server can be found, or fetched.
    #[error(transparent)]
    Server(#[from] shardlab::Error),
}

impl SubjectError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_) => ErrorKind::Request,
            Self::Unreachable { .. } => ErrorKind::Environment,
            Self::Server(error) => error.kind(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::Address(_) => None,
            Self::Unreachable { .. } => {
                Some("`shardlab up` starts a cluster; `shardlab status` tells its addresses".into())
            }
            Self::Server(error) => error.hint(),
        }
    }
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
        let attach = match &wanted.server {
            Some(_) => None,
            None => wanted.attach.as_ref().or(environment.attach.as_ref()),
        };
        if let Some(addresses) = attach {
            let mut attachment = Attachment::parse(addresses)?;
            if let Some(server) = &wanted.identity {
                attachment = attachment.with_server(server.clone());
            }
            let reached = attachment.reach(patience).await;
            reached.map_err(|source| SubjectError::Unreachable {
                addresses: addresses.clone(),
                source,
            })?;
            return Ok(Self::Attached(attachment));
        }
        let search = SearchEnv {
            path: environment.path.clone(),
            cache: usual_cache()?,
            offline: wanted.offline,
        };
        let spec = wanted.server.as_deref().or(environment.server.as_deref());
        let launcher = Launcher::find(spec, &search, note).await?;
        Ok(Self::Launched(Arc::new(Pool::new(launcher))))
    }

    /// The options that mean the same subject in a later run, word by word: `--server`,
    /// `/usr/bin/valkey-server`.
    pub fn options(&self) -> Vec<String> {
        match self {
            Self::Launched(pool) => {
                let program = pool.launcher().program().display();
                vec!["--server".to_owned(), program.to_string()]
            }
            Self::Attached(attachment) => {
                let mut words = vec!["--attach".to_owned(), attachment.to_string()];
                if let Some(server) = attachment.server() {
                    words.extend(["--product".to_owned(), server.product.clone()]);
                    words.extend(["--server-version".to_owned(), server.version.to_string()]);
                }
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
