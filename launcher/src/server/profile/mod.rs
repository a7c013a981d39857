//! A profile: what has to be known of a server to start it, as a TOML file. Pure.
//!
//! Our own products are described in the same form, in `server/profiles/`: they take Redis's configuration
//! (`lineage`). Whatever else is started says how it wants to be (`start`, `ready`, `cluster`, `stop`).

mod formation;
mod known;
mod lineage;
mod sign;
mod template;
mod version_line;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use lineage::Lineage;
use version_line::VersionLine;

use super::product::Product;
use super::version::Version;
use crate::machine::signal::Signal;

pub(crate) use formation::{Formation, NewNode};
pub(super) use known::{known, of};
pub(super) use lineage::Feature;
pub(crate) use sign::Sign;
pub(crate) use template::{Place, Template};

/// What has to be known of a server to start it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// What the product is called.
    pub(crate) name: String,
    /// The names under which its program is found on PATH.
    pub(crate) programs: Vec<String>,
    /// Programs that are the whole server as well, if they are started under its name.
    #[serde(default)]
    pub(super) stand_ins: Vec<String>,
    /// How it tells its version.
    pub(crate) version: VersionQuestion,
    /// What it has in common with Redis: a server that takes Redis's configuration.
    pub(super) lineage: Option<Lineage>,
    /// How any other one is started.
    pub(crate) start: Option<Start>,
    /// When a cluster is ready, besides that all nodes answer PING; without, it is when they say that it is.
    ready: Option<Vec<Sign>>,
    /// How nodes of it become a cluster; without, they do by themselves.
    #[serde(default)]
    pub(crate) cluster: Formation,
    /// How it is ended.
    #[serde(default)]
    pub(crate) stop: Stop,
    /// What it cannot be asked for.
    #[serde(default)]
    pub(crate) lacks: Vec<Lack>,
}

/// How a server tells its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct VersionQuestion {
    /// What its program is started with to tell it.
    #[serde(default = "usual_arguments")]
    pub(crate) arguments: Vec<String>,
    /// The lines that it may say, with `{version}` in the place of the version.
    #[serde(default)]
    lines: Vec<VersionLine>,
    /// The version of a program that does not tell it.
    pub(crate) is: Option<Version>,
}

fn usual_arguments() -> Vec<String> {
    vec!["--version".to_owned()]
}

impl VersionQuestion {
    /// The version in a line that is one of them.
    pub(super) fn of_line<'a>(&self, line: &'a str) -> Option<&'a str> {
        self.lines.iter().find_map(|form| form.version_in(line))
    }
}

/// How a server is started that does not take Redis's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Start {
    /// Its arguments.
    pub(crate) arguments: Vec<Template>,
    /// Further ones, behind them, where nodes form a cluster.
    #[serde(default)]
    pub(crate) cluster_arguments: Vec<Template>,
    /// Further ones, behind them, for each `--set`: `{key}` and `{value}`.
    pub(crate) setting_arguments: Option<Vec<Template>>,
    /// Further ones, behind them, for `--password`: `{password}`.
    pub(crate) password_arguments: Option<Vec<Template>>,
    /// The text of its config file, which is at `{config}`.
    pub(crate) config: Option<Template>,
    /// How a text stands in that file.
    #[serde(default)]
    pub(crate) quotes: Quotes,
    /// How many ports it takes in a row, from its client port on and from its bus port on.
    #[serde(default = "one")]
    pub(crate) ports_in_a_row: u16,
}

impl Start {
    /// Looks for places that stand for nothing where they are.
    fn check(&self) -> Result<(), String> {
        if self.ports_in_a_row == 0 {
            return Err("`start.ports-in-a-row` is at least 1".to_owned());
        }
        let lists = [
            ("arguments", Some(&self.arguments), &[][..]),
            ("cluster-arguments", Some(&self.cluster_arguments), &[]),
            (
                "setting-arguments",
                self.setting_arguments.as_ref(),
                &["key", "value"],
            ),
            (
                "password-arguments",
                self.password_arguments.as_ref(),
                &["password"],
            ),
        ];
        let config = self.config.iter().map(|config| ("config", config, &[][..]));
        let arguments = lists.into_iter().flat_map(|(key, list, more)| {
            let each = list.into_iter().flatten();
            each.map(move |template| (key, template, more))
        });
        for (key, template, more) in arguments.chain(config) {
            if self.config.is_none() && template.has("config") {
                return Err(format!(
                    "`start.{key}` has `{{config}}`, the server's own config file, and `start.config` does not say what is in it"
                ));
            }
            let has_value = |name: &str| IN_START.contains(&name) || more.contains(&name);
            let filled = template.fill(|name| has_value(name).then_some(Place::Number(0)));
            filled.map_err(|problem| format!("`start.{key}`: {problem}"))?;
        }
        Ok(())
    }
}

/// The places that stand for something wherever a server is started.
const IN_START: [&str; 7] = [
    "host",
    "port",
    "bus",
    "dir",
    "name",
    "config",
    "node-timeout",
];

fn one() -> u16 {
    1
}

/// How a text stands in a server's config file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quotes {
    /// As in redis.conf: bare, or in double quotes if it has to be.
    #[default]
    Redis,
    /// Always in double quotes, as in JSON, TOML and YAML.
    Json,
    /// Bare: a text with anything but letters, digits and `_-./:` in it is refused.
    None,
}

/// How a server is ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Stop {
    /// The signal that asks it to; SIGTERM if not said.
    signal: Option<String>,
}

/// What a server cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lack {
    /// It forms no cluster of several processes.
    Cluster,
    /// Masters have no replicas.
    Replicas,
    /// It serves only as a node of a cluster.
    Standalone,
}

/// How long a program may take that makes a cluster of nodes.
pub(crate) const PROGRAM_DEADLINE: Duration = Duration::from_secs(60);

impl Profile {
    /// Reads the text of a profile.
    ///
    /// # Errors
    /// What is wrong with it, with the place.
    pub fn parse(text: &str) -> Result<Self, ProfileProblem> {
        let profile: Self =
            toml::from_str(text).map_err(|error| ProfileProblem::Form(error.to_string()))?;
        let problem = |reason: &str| Err(ProfileProblem::Sense(reason.to_owned()));
        if !Product::is_name(&profile.name) {
            return problem("`name` takes at most 32 letters, digits, `-`, `_` and `.`");
        }
        if Product::known(&profile.name).is_some() {
            return problem(
                "`name` is a product that shardlab knows: take another name, or start it without a profile",
            );
        }
        if profile.lineage.is_some() || !profile.stand_ins.is_empty() {
            return problem(
                "`lineage` and `stand-ins` are for the products that shardlab knows; a profile of your own has `[start]`",
            );
        }
        let Some(start) = &profile.start else {
            return problem(
                "`[start]` is missing: it says with which arguments the server is started",
            );
        };
        if profile.version.is.is_none() && profile.version.lines.is_empty() {
            return problem(
                "`[version]` has neither `lines`, such as [\"my-server {version}\"], nor `is`, such as \"1.2.3\"",
            );
        }
        if profile.ready(true).iter().any(|sign| sign.ask.is_empty()) {
            return problem("`ready.ask` is a command of at least one word");
        }
        start.check().map_err(ProfileProblem::Sense)?;
        profile.cluster.check().map_err(ProfileProblem::Sense)?;
        profile.stop_signal().map(|_| ())?;
        Ok(profile)
    }

    /// The same, where programs that are named by a relative path are in this folder or below it.
    pub(super) fn found_from(mut self, folder: &str) -> Self {
        for program in &mut self.programs {
            if program.contains('/') && !program.starts_with('/') {
                *program = format!("{folder}/{program}");
            }
        }
        self.cluster.found_from(folder);
        self
    }

    /// What the product is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name to start its stand-ins under.
    pub(super) fn server_name(&self) -> &str {
        self.programs.first().map_or(&self.name, String::as_str)
    }

    /// The signal that asks it to end.
    pub(crate) fn stop_signal(&self) -> Result<Signal, ProfileProblem> {
        match &self.stop.signal {
            None => Ok(Signal::TERM),
            Some(word) => word
                .parse()
                .map_err(|error| ProfileProblem::Sense(format!("`stop.signal`: {error}"))),
        }
    }

    /// What nodes say when they are ready: in a cluster what the profile says, else nothing.
    pub(crate) fn ready(&self, clustered: bool) -> Vec<Sign> {
        match &self.ready {
            _ if !clustered => Vec::new(),
            Some(signs) => signs.clone(),
            None => vec![Sign::usual()],
        }
    }

    /// How many ports it takes in a row.
    pub(crate) fn ports_in_a_row(&self) -> u16 {
        self.start.as_ref().map_or(1, |start| start.ports_in_a_row)
    }

    /// Whether it can be given directives.
    pub(crate) fn takes_settings(&self) -> bool {
        let start = self.start.as_ref();
        start.is_some_and(|start| start.setting_arguments.is_some())
    }

    /// Whether it can be given a password.
    pub(crate) fn takes_password(&self) -> bool {
        let start = self.start.as_ref();
        start.is_some_and(|start| start.password_arguments.is_some())
    }

    /// Whether it says that the server cannot be asked for that.
    pub(crate) fn lacks(&self, what: Lack) -> bool {
        self.lacks.contains(&what)
    }

    /// Whether it says how a node becomes a replica.
    pub(crate) fn makes_replicas(&self) -> bool {
        self.cluster.names_masters()
    }
}

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    /// It is no TOML, or has keys or values that no profile has; the message shows the place.
    #[error("{0}")]
    Form(String),
    /// It can be read, and says what cannot be.
    #[error("{0}")]
    Sense(String),
}

#[cfg(test)]
mod tests;
