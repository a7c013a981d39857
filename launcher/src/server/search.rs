//! Where servers are looked for, and who is told how it goes.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::identity::Identity;
use super::spec::ProductSpec;
use crate::machine::message::{Text, text};
use crate::machine::parameter::Parameter;

/// Where servers are looked for.
#[derive(Debug, Clone)]
pub struct SearchEnv {
    /// The value of PATH.
    pub path: OsString,
    /// The folder for what can be fetched again. It is made when it is needed.
    pub cache: PathBuf,
    /// Nothing may be fetched.
    pub offline: bool,
}

/// Something that the user should know while a server is looked for. It prints as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A program on PATH or in the cache has a server's name and is none that works.
    PassedOver {
        /// Why.
        reason: String,
    },
    /// None of the servers that are asked for is on this machine.
    NoneFound {
        /// The servers that are asked for, if not any.
        wanted: Option<ProductSpec>,
    },
    /// An archive was saved by a server that is not on this machine.
    Unlike {
        /// The server that has saved it.
        saved: Identity,
        /// The server that is started instead.
        found: Identity,
    },
    /// A package client is about to fetch a server.
    Fetching {
        /// The server.
        identity: Identity,
        /// The client, as a user would start it.
        client: String,
    },
}

impl Notice {
    /// What is to be told.
    pub fn message(&self) -> Text {
        match self {
            Self::PassedOver { reason } => text![format!("passed over: {reason}")],
            Self::NoneFound { wanted: None } => text!["no server found"],
            Self::NoneFound {
                wanted: Some(wanted),
            } => text![format!("no server `{wanted}` found")],
            Self::Unlike { saved, found } => text![
                format!(
                    "the archive was saved by {saved}, which is not here; {found} is started, "
                ),
                Parameter::Server,
                " takes another one"
            ],
            Self::Fetching { identity, client } => {
                text![format!("fetching {identity} with `{client}`")]
            }
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

/// Who is told the notices, as they come.
pub type Notify<'a> = &'a (dyn Fn(&Notice) + Sync);
