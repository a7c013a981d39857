//! Finds a server: the one that is asked for, or the best that can be had.

use std::path::{Path, PathBuf};

use super::catalogue::{self, Entry, Platform};
use super::error::ServerError;
use super::fetch::fetch;
use super::identify::{self, ProgramError, identify, identify_profiled};
use super::identity::Identity;
use super::path::{self, Candidate};
use super::product::Product;
use super::profile::Profile;
use super::search::{Notice, Notify, SearchEnv};
use super::spec::{ProductSpec, ServerSpec};
use super::{Origin, Server, cache};
use crate::machine::suggestion::closest;

/// Finds the server that is asked for, or any: on PATH, else in the cache, else it is fetched. A
/// path or the name of a program is looked up and never fetched. Every server has been asked for
/// its version when this returns, which takes at most 10 seconds for each program in question; a
/// fetch at most two minutes for each of uv and pip.
pub async fn find(
    spec: Option<&ServerSpec>,
    env: &SearchEnv,
    notify: Notify<'_>,
) -> Result<Server, ServerError> {
    match spec {
        Some(ServerSpec::Path(path)) => {
            let candidate = Candidate::at(path::absolute(path));
            Ok(server(candidate, Origin::Given).await?)
        }
        Some(ServerSpec::Program(name)) => {
            let candidate = path::candidates_named(name, &env.path)
                .next()
                .ok_or_else(|| not_on_path(name))?;
            Ok(server(candidate, Origin::Path).await?)
        }
        Some(ServerSpec::Product(wanted)) => find_product(Some(wanted), env, notify).await,
        None => find_product(None, env, notify).await,
    }
}

/// The server that a profile describes: the program that is asked for, or the first one of the profile's
/// that is on PATH. It has told its version when this returns, if the profile says how.
pub async fn find_profiled(
    profile: Profile,
    spec: Option<&ServerSpec>,
    env: &SearchEnv,
) -> Result<Server, ServerError> {
    let (program, origin) = match spec {
        Some(ServerSpec::Path(path)) => (path::absolute(path), Origin::Given),
        Some(ServerSpec::Program(name)) => {
            let program = path::programs(name, &env.path).next();
            (program.ok_or_else(|| not_on_path(name))?, Origin::Path)
        }
        Some(ServerSpec::Product(product)) => {
            return Err(ServerError::NeedsNoProfile(product.clone()));
        }
        None => program_of(&profile, env).ok_or_else(|| ServerError::NoProgram {
            profile: profile.name.clone(),
            programs: profile.programs.clone(),
        })?,
    };
    let identity = identify_profiled(&program, &profile, identify::DEADLINE).await?;
    Ok(Server {
        program,
        argv0: None,
        identity,
        origin,
        profile: Some(Box::new(profile)),
    })
}

/// The server of that identity, else one of the same minor version, if one is on PATH or in the cache: for
/// what another one has written.
pub(crate) async fn find_like(saved: &Identity, env: &SearchEnv) -> Option<Server> {
    let env = SearchEnv {
        offline: true,
        ..env.clone()
    };
    let (version, product) = (saved.version, &saved.product);
    let minor = format!("{product}@{}.{}", version.major, version.minor);
    for wanted in [format!("{product}@{version}"), minor] {
        // Of a product that we do not know there is none to be found.
        let wanted = wanted.parse().ok()?;
        if let Ok(server) = find_product(Some(&wanted), &env, &|_| {}).await {
            return Some(server);
        }
    }
    None
}

/// Puts a server of the catalogue into the cache, unless it is there and works, and returns it.
/// Servers with a restricted licence need `licence_accepted`.
pub async fn install(
    wanted: &ProductSpec,
    licence_accepted: bool,
    env: &SearchEnv,
    notify: Notify<'_>,
) -> Result<Server, ServerError> {
    let entry = catalogue::newest(wanted, licence_accepted)
        .ok_or_else(|| ServerError::NotInCatalogue(wanted.clone()))?;
    match cached(&env.cache, &entry.identity).await {
        Ok(server) => Ok(server),
        Err(_) => fetched(entry, licence_accepted, env, notify).await,
    }
}

async fn find_product(
    wanted: Option<&ProductSpec>,
    env: &SearchEnv,
    notify: Notify<'_>,
) -> Result<Server, ServerError> {
    let matches = |identity: &Identity| wanted.is_none_or(|wanted| wanted.matches(identity));
    let pass_over = |error: &ProgramError| {
        notify(&Notice::PassedOver {
            reason: error.to_string(),
        });
    };
    for candidate in path::candidates(&env.path) {
        match server(candidate, Origin::Path).await {
            Ok(server) if matches(&server.identity) => return Ok(server),
            Ok(_) => {}
            Err(error) => pass_over(&error),
        }
    }
    for identity in cache::servers(&env.cache) {
        if matches(&identity) {
            match cached(&env.cache, &identity).await {
                Ok(server) => return Ok(server),
                Err(error) => pass_over(&error),
            }
        }
    }
    if env.offline {
        return Err(ServerError::NoneOffline(wanted.cloned()));
    }
    let entry = match wanted {
        None => &catalogue::DEFAULT,
        Some(wanted) => catalogue::newest(wanted, false)
            .ok_or_else(|| ServerError::NotInCatalogue(wanted.clone()))?,
    };
    notify(&Notice::NoneFound {
        wanted: wanted.cloned(),
    });
    fetched(entry, false, env, notify).await
}

/// The server that a candidate turns out to be.
pub(super) async fn server(candidate: Candidate, origin: Origin) -> Result<Server, ProgramError> {
    let Candidate { program, argv0 } = candidate;
    let identity = identify(&program, argv0, identify::DEADLINE).await?;
    Ok(Server {
        program,
        argv0: argv0.map(str::to_owned),
        identity,
        origin,
        profile: None,
    })
}

/// That server in the cache.
pub(super) async fn cached(cache: &Path, identity: &Identity) -> Result<Server, ProgramError> {
    let program = path::absolute(&cache::program(cache, identity));
    server(Candidate::at(program), Origin::Cache).await
}

async fn fetched(
    entry: &Entry,
    licence_accepted: bool,
    env: &SearchEnv,
    notify: Notify<'_>,
) -> Result<Server, ServerError> {
    if entry.ask_first && !licence_accepted {
        return Err(ServerError::LicenceNotAccepted {
            spec: entry.spec(),
            licence: entry.licence,
        });
    }
    if env.offline {
        return Err(ServerError::Offline(entry.identity.clone()));
    }
    let build = Platform::here()
        .and_then(|platform| entry.build(platform))
        .ok_or_else(|| ServerError::NotForThisMachine(entry.identity.clone()))?;
    let program = fetch(entry, build, env, notify).await?;
    Ok(Server {
        program: path::absolute(&program),
        argv0: None,
        identity: entry.identity.clone(),
        origin: Origin::Fetched,
        profile: None,
    })
}

/// The first program of a profile that is there.
fn program_of(profile: &Profile, env: &SearchEnv) -> Option<(PathBuf, Origin)> {
    profile.programs.iter().find_map(|name| {
        if name.contains('/') {
            let program = path::absolute(Path::new(name));
            return program.exists().then_some((program, Origin::Given));
        }
        let program = path::programs(name, &env.path).next()?;
        Some((program, Origin::Path))
    })
}

fn not_on_path(name: &str) -> ServerError {
    let names = Product::KNOWN.iter().map(Product::name);
    ServerError::NotOnPath {
        name: name.to_owned(),
        suggestion: closest(name, names.chain(path::server_names())).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
