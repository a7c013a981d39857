//! The servers on PATH.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::profile;

/// The file names under which a server is found, in the order in which they are tried, and the
/// name that it must be started under if that is another.
///
/// Redis and Valkey are one program that looks at its `argv[0]` (`main` in `src/server.c`).
/// Where the server is a package of its own, as in Debian, the package of the tools
/// nevertheless has the whole of it, as `*-check-rdb`.
fn names() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let profiles = || profile::known().map(|(_, profile)| profile);
    let programs = profiles().flat_map(|profile| &profile.programs);
    let stand_ins = profiles().flat_map(|profile| {
        let names = profile.stand_ins.iter();
        names.map(|name| (name.as_str(), Some(profile.server_name())))
    });
    programs.map(|name| (name.as_str(), None)).chain(stand_ins)
}

/// A program that may be a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) program: PathBuf,
    /// The name to start it under, if not its own.
    pub(super) argv0: Option<&'static str>,
}

impl Candidate {
    /// The program at that path; one that is known to need it gets the server's name.
    pub(super) fn at(program: PathBuf) -> Self {
        let name = program.file_name().and_then(OsStr::to_str);
        let argv0 = names()
            .find(|(file, _)| name == Some(file))
            .and_then(|(_, argv0)| argv0);
        Self { program, argv0 }
    }
}

/// The names of servers that a user may have meant.
pub(super) fn server_names() -> impl Iterator<Item = &'static str> {
    names().map(|(file, _)| file)
}

/// All programs on PATH that have a server's name, in the order in which they are tried.
pub(super) fn candidates(path: &OsStr) -> impl Iterator<Item = Candidate> {
    server_names().flat_map(move |name| programs(name, path).map(Candidate::at))
}

/// The programs on PATH by which a server of that name can be started.
pub(super) fn candidates_named(name: &str, path: &OsStr) -> impl Iterator<Item = Candidate> {
    let stand_ins = names()
        .filter(move |(_, argv0)| *argv0 == Some(name))
        .map(|(file, _)| file);
    std::iter::once(name)
        .chain(stand_ins)
        .flat_map(move |file| programs(file, path).map(Candidate::at))
}

/// All executable files of that name on PATH, as absolute paths.
pub(super) fn programs(name: &str, path: &OsStr) -> impl Iterator<Item = PathBuf> {
    which::which_in_global(name, Some(path))
        .into_iter()
        .flatten()
        .map(|program| absolute(&program))
}

/// The path from the root, so that it holds wherever the program is started; links are kept,
/// because the last name of the path is the program's `argv[0]`.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Candidate, candidates, candidates_named};
    use crate::server::fake::Folder;

    /// `file` or `file as argv0`, without the folder.
    fn shown(candidates: impl Iterator<Item = Candidate>) -> Vec<String> {
        candidates
            .map(|Candidate { program, argv0 }| {
                let file = program.file_name().unwrap().to_str().unwrap().to_owned();
                argv0.map_or(file.clone(), |name| format!("{file} as {name}"))
            })
            .collect()
    }

    #[test]
    fn servers_come_before_their_stand_ins() {
        let folder = Folder::new()
            .does("redis-check-rdb", "")
            .does("keydb-server", "")
            .does("valkey-server", "");
        assert_eq!(
            shown(candidates(&folder.as_path())),
            [
                "valkey-server",
                "keydb-server",
                "redis-check-rdb as redis-server"
            ]
        );
    }

    #[test]
    fn a_named_server_may_be_started_by_its_stand_in() {
        let folder = Folder::new()
            .does("redis-check-rdb", "")
            .does("valkey-server", "");
        let named = |name| shown(candidates_named(name, &folder.as_path()));
        assert_eq!(named("redis-server"), ["redis-check-rdb as redis-server"]);
        assert_eq!(
            named("redis-check-rdb"),
            ["redis-check-rdb as redis-server"]
        );
        assert_eq!(named("valkey-server"), ["valkey-server"]);
        assert!(named("my-server").is_empty());
    }
}
