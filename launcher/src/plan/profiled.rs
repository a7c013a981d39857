//! What a server cannot be asked for that is started by a profile. Pure.

use super::{Boot, Options};
use crate::server::{Lack, Profile};

impl Options {
    /// Why a server with this profile cannot be asked for that; `None` if it can.
    pub fn refused_by(&self, profile: &Profile) -> Option<String> {
        let clustered = self.topology.is_cluster();
        let replicas = self.replicas.iter().any(|count| *count > 0);
        let reasons = [
            (
                self.topology.has_one_master(),
                "is started by a profile, which is for `--topology cluster` and `--topology standalone`",
            ),
            (
                clustered && profile.lacks(Lack::Cluster),
                "forms no cluster of several processes, says its profile; `--topology standalone` starts it alone",
            ),
            (
                !clustered && profile.lacks(Lack::Standalone),
                "serves only as a node of a cluster, says its profile",
            ),
            (
                clustered && replicas && profile.lacks(Lack::Replicas),
                "has no replicas, says its profile; `--replicas 0` asks for none",
            ),
            (
                !self.settings.is_empty() && !profile.takes_settings(),
                "cannot be given directives: its profile has no `start.setting-arguments`",
            ),
            (
                self.password.is_some() || self.announce.is_some(),
                "is started by a profile, and takes neither `--password` nor `--announce`",
            ),
            (
                self.shape.is_some(),
                "is started by a profile, and takes no `--shape`",
            ),
            (
                matches!(self.boot, Boot::Seeded | Boot::Commands),
                "is started by a profile, which says how a cluster is formed; leave `--boot` out, or say `--boot none`",
            ),
        ];
        let refused = reasons.into_iter().find(|(refused, _)| *refused);
        refused.map(|(_, reason)| format!("{} {reason}", profile.name))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::plan::Topology;
    use crate::server::Profile;

    fn refusal(lacks: &str, options: &Options) -> String {
        let text = format!(
            "name = \"mine\"\nprograms = []\nlacks = [{lacks}]\nversion.is = \"1\"\nstart.arguments = []\n"
        );
        let profile = Profile::parse(&text).unwrap();
        options.refused_by(&profile).unwrap_or_default()
    }

    #[test]
    fn what_a_profile_lacks_is_refused_and_nothing_else() {
        let cluster = Options::default();
        let standalone = Options::of(Topology::Standalone);
        assert_eq!(refusal("", &cluster), "");
        assert_eq!(refusal("\"cluster\", \"replicas\"", &standalone), "");
        assert!(refusal("\"cluster\"", &cluster).contains("forms no cluster"));
        assert!(refusal("\"replicas\"", &cluster).contains("`--replicas 0` asks"));
        assert!(refusal("\"standalone\"", &standalone).contains("only as a node"));
        assert!(refusal("", &Options::of(Topology::Sentinel)).contains("which is for"));
    }
}
