//! A profile: what has to be known of a server to start it, as a TOML file. Pure.
//!
//! Our own products are described in the same form, in `server/profiles/`.

mod known;
mod lineage;
mod version_line;

use serde::{Deserialize, Serialize};

use version_line::VersionLine;

pub(super) use known::{known, of};
pub(super) use lineage::Feature;
use lineage::Lineage;

/// What has to be known of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Profile {
    /// What the product is called.
    pub(super) name: String,
    /// The names under which its program is found on PATH.
    pub(super) programs: Vec<String>,
    /// Programs that are the whole server as well, if they are started under its name.
    #[serde(default)]
    pub(super) stand_ins: Vec<String>,
    /// How it tells its version.
    pub(super) version: VersionLines,
    /// What it has in common with Redis: a server that takes Redis's configuration.
    pub(super) lineage: Option<Lineage>,
}

/// How a server tells its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct VersionLines {
    /// The lines that it may say, with `{version}` in the place of the version.
    lines: Vec<VersionLine>,
}

impl VersionLines {
    /// The version in a line that is one of them.
    pub(super) fn of_line<'a>(&self, line: &'a str) -> Option<&'a str> {
        self.lines.iter().find_map(|form| form.version_in(line))
    }
}

impl Profile {
    /// The name to start its stand-ins under.
    pub(super) fn server_name(&self) -> &str {
        self.programs.first().map_or(&self.name, String::as_str)
    }
}
