//! Masters that do not have the same functions, users or settings. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::inspection::Inspection;
use super::remedy::Remedy;
use crate::reshape::equipment::Equipment;
use crate::wire::resp::escape;

/// What masters are to have alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A library of functions.
    Library,
    /// A user.
    User,
    /// A setting.
    Setting,
}

/// Something that masters do not have alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// Its name, escaped.
    pub name: String,
    /// The masters with each version of it, escaped, the version that most of them have first.
    pub versions: Vec<(String, Vec<String>)>,
    /// The masters that do not have it.
    pub lacking: Vec<String>,
}

impl Difference {
    /// The master that has it and those that lack it, if that is all that is wrong.
    pub(crate) fn to_load(&self) -> Option<(&str, &[String])> {
        match (self.kind, self.versions.as_slice()) {
            (Kind::Library, [(_, nodes)]) => Some((nodes.first()?, &self.lacking)),
            _ => None,
        }
    }

    pub(super) fn remedy(&self) -> Remedy {
        let on_all = |command: String| Remedy::OnAllMasters(command);
        match self.kind {
            Kind::Library if self.to_load().is_some() => Remedy::Fix,
            Kind::Library => on_all("FUNCTION LOAD REPLACE CODE".to_owned()),
            Kind::User => on_all(format!("ACL SETUSER {} RULES", self.name)),
            Kind::Setting => on_all(format!("CONFIG SET {} VALUE", self.name)),
        }
    }

    pub(super) fn nodes(&self) -> Vec<&str> {
        let having = self.versions.iter().flat_map(|(_, nodes)| nodes);
        self.lacking
            .iter()
            .chain(having)
            .map(String::as_str)
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            Kind::Library => write!(f, "the function library {name}")?,
            Kind::User => write!(f, "the user {name}")?,
            Kind::Setting => write!(f, "the setting {name}")?,
        }
        let versions = self.versions.iter();
        let mut parts: Vec<String> = match self.kind {
            Kind::Setting => versions
                .map(|(value, nodes)| format!("is `{value}` on {}", nodes.join(", ")))
                .collect(),
            Kind::Library | Kind::User if self.versions.len() > 1 => {
                let nodes = versions.map(|(_, nodes)| nodes.join(", "));
                vec![format!(
                    "is not the same on {}",
                    nodes.collect::<Vec<_>>().join(" and on ")
                )]
            }
            Kind::Library | Kind::User => versions
                .map(|(_, nodes)| format!("is on {}", nodes.join(", ")))
                .collect(),
        };
        if !self.lacking.is_empty() {
            parts.push(format!("is missing on {}", self.lacking.join(", ")));
        }
        write!(f, " {}", parts.join(" and "))
    }
}

/// What the masters that answer do not have alike.
pub(super) fn differences(inspection: &Inspection) -> Vec<Difference> {
    let masters: Vec<(&str, &Equipment)> = inspection
        .survey
        .masters()
        .filter_map(|(node, _)| {
            let detail = inspection.details.get(node)?;
            Some((node, detail.equipment.as_ref()?))
        })
        .collect();
    let mut found = of_kind(&masters, Kind::Library, |own| Some(&own.libraries));
    found.extend(of_kind(&masters, Kind::User, |own| Some(&own.users)));
    // A node that does not tell its settings (CONFIG may be renamed) lacks none.
    found.extend(of_kind(&masters, Kind::Setting, |own| {
        Some(&own.settings).filter(|settings| !settings.is_empty())
    }));
    found
}

fn of_kind<'a>(
    masters: &[(&'a str, &'a Equipment)],
    kind: Kind,
    part: impl Fn(&'a Equipment) -> Option<&'a BTreeMap<Vec<u8>, Vec<u8>>>,
) -> Vec<Difference> {
    let parts: Vec<_> = masters
        .iter()
        .filter_map(|(node, own)| Some((*node, part(own)?)))
        .collect();
    let names: BTreeSet<&Vec<u8>> = parts.iter().flat_map(|(_, part)| part.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let mut versions: BTreeMap<&Vec<u8>, Vec<String>> = BTreeMap::new();
        let mut lacking = Vec::new();
        for (node, part) in &parts {
            match part.get(name) {
                Some(version) => versions
                    .entry(version)
                    .or_default()
                    .push((*node).to_owned()),
                None => lacking.push((*node).to_owned()),
            }
        }
        // Servers of several versions do not know the same settings.
        if kind == Kind::Setting {
            lacking.clear();
        }
        if versions.len() > 1 || !lacking.is_empty() {
            let mut versions: Vec<_> = versions
                .into_iter()
                .map(|(version, nodes)| (escape(version), nodes))
                .collect();
            versions.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
            differences.push(Difference {
                kind,
                name: escape(name),
                versions,
                lacking,
            });
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::super::tests::World;
    use super::super::{Detail, check};
    use super::*;

    /// The findings where n1, n2 and n3 have these, `name=value` each.
    fn found(of: [(&'static str, [&str; 3]); 3]) -> Vec<(String, Remedy)> {
        let map = |text: &str| {
            let pairs = text.split_ascii_whitespace();
            let pairs = pairs.filter_map(|pair| pair.split_once('='));
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect()
        };
        let mut world = World::sound();
        world.details = of
            .map(|(node, [libraries, users, settings])| {
                let equipment = Equipment {
                    libraries: map(libraries),
                    users: map(users),
                    settings: map(settings),
                };
                let detail = Detail {
                    equipment: Some(equipment),
                    ..Detail::default()
                };
                (node, detail)
            })
            .to_vec();
        let findings = check(&world.inspection());
        findings
            .iter()
            .map(|finding| (finding.to_string(), finding.remedy()))
            .collect()
    }

    #[test]
    fn masters_that_are_alike_have_no_findings() {
        let same = ["lib=1", "alice=on", "maxmemory=0"];
        assert_eq!(found([("n1", same), ("n2", same), ("n3", same)]), []);
    }

    #[test]
    fn what_is_missing_or_not_the_same_is_told_with_its_remedy() {
        let on_all = |command: &str| Remedy::OnAllMasters(command.to_owned());
        let found = found([
            (
                "n1",
                ["lib=1 two=1", "alice=on bob=on", "maxmemory=0 hz=10"],
            ),
            (
                "n2",
                ["lib=1 two=2", "alice=on bob=on", "maxmemory=9 hz=10"],
            ),
            ("n3", ["two=1", "bob=off", "maxmemory=0"]),
        ]);
        let expected = [
            (
                "the function library lib is on n1, n2 and is missing on n3",
                Remedy::Fix,
            ),
            (
                "the function library two is not the same on n1, n3 and on n2",
                on_all("FUNCTION LOAD REPLACE CODE"),
            ),
            (
                "the user alice is on n1, n2 and is missing on n3",
                on_all("ACL SETUSER alice RULES"),
            ),
            (
                "the user bob is not the same on n1, n2 and on n3",
                on_all("ACL SETUSER bob RULES"),
            ),
            (
                "the setting maxmemory is `0` on n1, n3 and is `9` on n2",
                on_all("CONFIG SET maxmemory VALUE"),
            ),
        ];
        assert_eq!(
            found,
            expected.map(|(text, remedy)| (text.to_owned(), remedy))
        );
    }
}
