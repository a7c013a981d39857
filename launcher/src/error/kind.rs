//! The kinds of errors: of each error in one place, so that the compiler names one that was forgotten. Pure.

use super::Error;
use super::archive::ArchiveError;
use super::failover::FailoverError;
use super::members::MemberError;
use super::node::NodeError;
use super::wish::WishError;
use crate::machine::signal::Signal;
use crate::server::ServerError;

/// What kind of an error it is. The exit code of a program follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for cannot be: an option, a name or a file is wrong.
    Request,
    /// The machine, the nodes or the state folder do not allow it now.
    Environment,
    /// It was not done in time.
    NotReady,
    /// The user ended it.
    Interrupted(Signal),
}

impl Error {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Plan(_)
            | Self::Shape(_)
            | Self::Setting(_)
            | Self::Spec(_)
            | Self::Profile(_)
            | Self::Name(_)
            | Self::NoNode { .. }
            | Self::NoCluster(_)
            | Self::Differs { .. }
            | Self::Unsupported(_)
            | Self::Server(ServerError::NeedsNoProfile(_))
            | Self::RefusedSetting { .. } => ErrorKind::Request,
            Self::Archive(error) => error.kind(),
            Self::Node(error) => error.kind(),
            Self::Failover(error) => error.kind(),
            Self::Wish(error) => error.kind(),
            Self::Member(error) => error.kind(),
            Self::NotReady(_) | Self::NotRole { .. } => ErrorKind::NotReady,
            Self::Interrupted(signal) => ErrorKind::Interrupted(*signal),
            Self::Server(_)
            | Self::Exists(_)
            | Self::NotRunning(_)
            | Self::Unfinished(_)
            | Self::HalfRemoved(_)
            | Self::Busy { .. }
            | Self::PortsBusy { .. }
            | Self::NoHome
            | Self::State { .. }
            | Self::PortTaken { .. }
            | Self::Bind { .. }
            | Self::Address { .. }
            | Self::Move(_)
            | Self::Limit { .. }
            | Self::NoPorts { .. }
            | Self::FolderExists { .. }
            | Self::Io { .. }
            | Self::Died { .. }
            | Self::WillNotEnd { .. }
            | Self::Client { .. }
            | Self::NoReply { .. }
            | Self::Reply { .. }
            | Self::Redirects { .. }
            | Self::Stray { .. }
            | Self::NoClient
            | Self::NoConformance { .. } => ErrorKind::Environment,
        }
    }
}

impl ArchiveError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsettled(_) | Self::Changed(_) | Self::Snapshot { .. } | Self::Space { .. } => {
                ErrorKind::Environment
            }
            Self::Exists(_)
            | Self::Target { .. }
            | Self::NotOurs(_)
            | Self::Stranger { .. }
            | Self::File { .. }
            | Self::Damaged { .. }
            | Self::Contradicts { .. }
            | Self::Foreign { .. } => ErrorKind::Request,
        }
    }
}

impl NodeError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Ambiguous { .. } | Self::Foreign { .. } => ErrorKind::Request,
            Self::NotRunning { .. }
            | Self::Elsewhere { .. }
            | Self::Paused { .. }
            | Self::Unmoved { .. } => ErrorKind::Environment,
        }
    }
}

impl FailoverError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Late { .. } | Self::Behind { .. } | Self::Open { .. } => ErrorKind::NotReady,
            Self::Unsupported(_) | Self::NoShard { .. } => ErrorKind::Request,
            Self::NoReplica { .. }
            | Self::SilentReplica { .. }
            | Self::SilentMaster { .. }
            | Self::FailedOver { .. }
            | Self::LinkDown { .. }
            | Self::NoMajority { .. }
            | Self::TwoMasters { .. }
            | Self::NoSentinel { .. }
            | Self::NoQuorum { .. }
            | Self::FewSentinels { .. }
            | Self::Refused { .. } => ErrorKind::Environment,
        }
    }
}

impl WishError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Silent { .. }
            | Self::NotCovered { .. }
            | Self::Open { .. }
            | Self::Disputed { .. } => ErrorKind::Environment,
            Self::NotMaster { .. }
            | Self::TargetAmongSources { .. }
            | Self::Twice { .. }
            | Self::NoSlots
            | Self::TooMany { .. }
            | Self::Weight { .. }
            | Self::Weightless
            | Self::Threshold(_) => ErrorKind::Request,
        }
    }
}

impl MemberError {
    /// What kind of an error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Late { .. } => ErrorKind::NotReady,
            Self::Silent { .. }
            | Self::Apart { .. }
            | Self::Lost { .. }
            | Self::Promoted { .. }
            | Self::Unfit { .. } => ErrorKind::Environment,
            Self::Leaving(_) | Self::LastMaster(_) | Self::Pending { .. } | Self::Shape(_) => {
                ErrorKind::Request
            }
        }
    }
}
