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
                "it passes if the node is only busy; if not, `shardlab restart{option} {node}`"
            ),
            Self::Foreign(node) => format!(
                "shardlab did not start {node}: start it the way it was started, or `shardlab del-node{option} {node}`"
            ),
            Self::Wait => "wait until the command has ended, then check again".to_owned(),
            Self::Time => {
                format!("it usually passes within seconds; if not, `shardlab fix{option}`")
            }
            Self::AddReplica(node) => {
                format!("`shardlab add-node{option} --replica-of {node}`")
            }
            Self::OnAllMasters(command) => format!("`shardlab call{option} --masters {command}`"),
            Self::Again => "run the same command again".to_owned(),
            Self::Others => "it passes once the other findings are fixed".to_owned(),
            Self::Decide(address) => format!(
                "to keep it, `shardlab add-node{option} --existing {address}`; to be rid of it, move its slots away, \
                 stop it, then `shardlab fix{option}`"
            ),
        }
    }
}
