//! What can be asked for, by name: what messages and hints speak of. Pure.

use std::fmt;

macro_rules! parameters {
    ($($parameter:ident $name:literal,)+) => {
        /// Something that can be asked for, of a start or of another verb. A hint has it as a value: a library
        /// tells its [name](Parameter::name), a program the option by which its user asks for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Parameter {
            $(#[doc = concat!("The parameter \"", $name, "\".")] $parameter,)+
        }

        impl Parameter {
            /// All that there are.
            #[doc(hidden)]
            pub const ALL: &[Self] = &[$(Self::$parameter),+];

            /// In plain words, such as "bus port".
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$parameter => $name,)+
                }
            }
        }
    };
}

parameters! {
    AcceptLicence "accept licence",
    Announce "announce",
    Bind "bind",
    Boot "boot",
    BusPort "bus port",
    Dir "dir",
    DownAfter "down after",
    Ephemeral "ephemeral",
    Existing "existing",
    FailoverTimeout "failover timeout",
    Fix "fix",
    For "for",
    Force "force",
    Foreground "foreground",
    From "from",
    Json "json",
    MasterName "master name",
    Masters "masters",
    Mode "mode",
    Name "name",
    NodeTimeout "node timeout",
    Offline "offline",
    Password "password",
    Persist "persist",
    Port "port",
    Ports "ports",
    Profile "profile",
    Quorum "quorum",
    ReplicaOf "replica of",
    Replicas "replicas",
    Rolling "rolling",
    SentinelPort "sentinel port",
    Sentinels "sentinels",
    Server "server",
    Set "set",
    Shape "shape",
    Slots "slots",
    Threshold "threshold",
    Timeout "timeout",
    To "to",
    Topology "topology",
    UseEmpty "use empty",
    Weight "weight",
}

impl Parameter {
    /// The option of a command line, in one spelling.
    #[doc(hidden)]
    pub fn option(self) -> String {
        match self {
            Self::Name => "-n".to_owned(),
            other => format!("--{}", other.name().replace(' ', "-")),
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
