//! What mends a finding, in words. Pure.

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// `shardlab fix`
    Fix,
    /// `shardlab start NODE`
    Start(String),
    /// `shardlab resume NODE`
    Resume(String),
    /// It runs and is busy; else `shardlab restart NODE`.
    Restart(String),
    /// It is not ours: whoever started it must look after it.
    Foreign(String),
    /// The command that is at work must be waited for.
    Wait,
    /// It passes by itself, or `fix` helps.
    Time,
    /// A replica must be added.
    AddReplica(String),
    /// All masters must be given this command, with what is to be the same on all of them.
    OnAllMasters(String),
    /// The command that was interrupted must be given again.
    Again,
    /// Another finding must be mended first.
    Others,
    /// It is to be decided by the user: the node at this address is alive.
    Decide(String),
}

impl Remedy {
    /// The remedy in words; `option` is what a command needs to mean the same cluster, with a blank in
    /// front.
    pub fn text(&self, option: &str) -> String {
        match self {
            Self::Fix => format!("`shardlab fix{option}`"),
            Self::Start(node) => format!("`shardlab start{option} {node}`"),
            Self::Resume(node) => format!("`shardlab resume{option} {node}`"),
            Self::Restart(node) => format!(
                "passes by itself if the node is busy; if not, `shardlab restart{option} {node}`"
            ),
            Self::Foreign(node) => format!(
                "{node} was not started by shardlab: start it where it was started, or `shardlab del-node{option} {node}`"
            ),
            Self::Wait => "wait until the command has ended, then check again".to_owned(),
            Self::Time => {
                format!("usually passes by itself within seconds; if not, `shardlab fix{option}`")
            }
            Self::AddReplica(node) => {
                format!("`shardlab add-node{option} --replica-of {node}`")
            }
            Self::OnAllMasters(command) => format!("`shardlab call{option} --masters {command}`"),
            Self::Again => "the same command again finishes it".to_owned(),
            Self::Others => "resolves with the other findings".to_owned(),
            Self::Decide(address) => format!(
                "it runs: `shardlab add-node{option} --existing {address}` takes it in; \
                 once it has no slots and is ended, `shardlab fix{option}` has the others forget it"
            ),
        }
    }
}
