//! What a server cannot be asked for that is started by a profile. Pure.

use super::{Boot, Options, Topology};
use crate::machine::message::{Text, text};
use crate::machine::parameter::Parameter;
use crate::server::{Lack, Profile};

impl Options {
    /// Why a server with this profile cannot be asked for that; `None` if it can.
    pub fn refused_by(&self, profile: &Profile) -> Option<Text> {
        let clustered = self.topology.is_cluster();
        let replicas = self.replicas.iter().any(|count| *count > 0);
        let other = |topology: Topology| Parameter::Topology.as_part(topology.to_string());
        let reasons = [
            (
                self.topology.has_one_master(),
                text![
                    "is started by a profile, which is for ",
                    other(Topology::Cluster),
                    " and ",
                    other(Topology::Standalone)
                ],
            ),
            (
                clustered && profile.lacks(Lack::Cluster),
                text![
                    "forms no cluster of several processes, says its profile; ",
                    other(Topology::Standalone),
                    " starts it alone"
                ],
            ),
            (
                !clustered && profile.lacks(Lack::Standalone),
                text!["serves only as a node of a cluster, says its profile"],
            ),
            (
                clustered && replicas && profile.lacks(Lack::Replicas),
                text![
                    "has no replicas, says its profile; ",
                    Parameter::Replicas.as_part("0"),
                    " asks for none"
                ],
            ),
            (
                clustered && replicas && !profile.makes_replicas(),
                text![
                    "has no replicas: no order of its profile says whose replica a node becomes; ",
                    Parameter::Replicas.as_part("0"),
                    " asks for none"
                ],
            ),
            (
                !self.settings.is_empty() && !profile.takes_settings(),
                text!["cannot be given directives: its profile has no `start.setting-arguments`"],
            ),
            (
                self.password.is_some() && !profile.takes_password(),
                text!["cannot be given a password: its profile has no `start.password-arguments`"],
            ),
            (
                self.announce.is_some(),
                text![
                    "is started by a profile, and takes no ",
                    Parameter::Announce
                ],
            ),
            (
                self.shape.is_some(),
                text!["is started by a profile, and takes no ", Parameter::Shape],
            ),
            (
                matches!(self.boot, Boot::Seeded | Boot::Commands),
                text![
                    "is started by a profile, which says how a cluster is formed; leave ",
                    Parameter::Boot,
                    " out, or say ",
                    Parameter::Boot.as_part("none")
                ],
            ),
        ];
        let refused = reasons.into_iter().find(|(refused, _)| *refused);
        refused.map(|(_, reason)| text![format!("{} ", profile.name)].and(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::plan::Topology;
    use crate::server::Profile;

    fn refusal(lacks: &str, options: &Options) -> String {
        let text = format!(
            "name = \"mine\"\nprograms = []\nlacks = [{lacks}]\nversion.is = \"1\"\nstart.arguments = []\n\
             [[cluster.orders]]\nsay = [\"A\", \"{{nodes}}\"]\n"
        );
        of(&text, options)
    }

    fn of(text: &str, options: &Options) -> String {
        let refusal = options.refused_by(&Profile::parse(text).unwrap());
        refusal.map_or_else(String::new, |refusal| refusal.to_string())
    }

    #[test]
    fn what_a_profile_lacks_is_refused_and_nothing_else() {
        let cluster = Options::default();
        let standalone = Options::of(Topology::Standalone);
        assert_eq!(refusal("", &cluster), "");
        assert_eq!(refusal("\"cluster\", \"replicas\"", &standalone), "");
        assert!(refusal("\"cluster\"", &cluster).contains("forms no cluster"));
        assert!(refusal("\"replicas\"", &cluster).contains("`replicas 0` asks"));
        assert!(refusal("\"standalone\"", &standalone).contains("only as a node"));
        assert!(refusal("", &Options::of(Topology::Sentinel)).contains("which is for"));
    }

    #[test]
    fn what_a_profile_does_not_say_is_refused() {
        let least = "name = \"mine\"\nprograms = []\nversion.is = \"1\"\nstart.arguments = []\n";
        let cluster = Options::default();
        assert!(of(least, &cluster).contains("no order of its profile"));
        let guarded = Options {
            password: Some("secret".to_owned()),
            ..Options::of(Topology::Standalone)
        };
        assert!(of(least, &guarded).contains("`start.password-arguments`"));
        let taken = format!("{least}start.password-arguments = [\"{{password}}\"]\n");
        assert_eq!(of(&taken, &guarded), "");
    }
}
