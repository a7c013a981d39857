//! All servers that are here, and all that can be had.

use std::collections::HashSet;

use super::catalogue::{self, Platform};
use super::find::{cached, server};
use super::identity::Identity;
use super::search::SearchEnv;
use super::{Origin, Server, cache, path};

/// The servers of a machine.
#[derive(Debug)]
pub struct Listing {
    /// Those on PATH, in the order in which they are chosen, then those in the cache. A program
    /// that PATH leads to by several names is here once.
    pub here: Vec<Server>,
    /// Those of the catalogue, the default first.
    pub catalogue: Vec<Available>,
}

/// A server of the catalogue.
#[derive(Debug)]
pub struct Available {
    /// The server.
    pub identity: Identity,
    /// Its licence.
    pub licence: &'static str,
    /// The licence restricts the use: it has to be accepted before the server is fetched.
    pub ask_first: bool,
    /// There is a build of it for this operating system and processor.
    pub for_this_machine: bool,
    /// It is in the cache, and works.
    pub installed: bool,
}

/// Lists the servers on PATH, in the cache and in the catalogue. What has a server's name and is
/// none that works is left out. Nothing is fetched. At most 10 seconds for each program.
pub async fn list(env: &SearchEnv) -> Listing {
    let mut here = Vec::new();
    let mut seen = HashSet::new();
    for candidate in path::candidates(&env.path) {
        let file = candidate.program.canonicalize();
        if file.is_ok_and(|file| seen.insert(file)) {
            here.extend(server(candidate, Origin::Path).await);
        }
    }
    let mut installed = HashSet::new();
    for identity in cache::servers(&env.cache) {
        if let Ok(server) = cached(&env.cache, &identity).await {
            installed.insert(identity);
            here.push(server);
        }
    }
    let catalogue = catalogue::entries().map(|entry| Available {
        identity: entry.identity.clone(),
        licence: entry.licence,
        ask_first: entry.ask_first,
        for_this_machine: Platform::here().is_some_and(|here| entry.build(here).is_some()),
        installed: installed.contains(&entry.identity),
    });
    Listing {
        catalogue: catalogue.collect(),
        here,
    }
}
