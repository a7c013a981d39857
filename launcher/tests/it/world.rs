//! One door each: what touches the world does so in one place. clippy.toml holds sleeping, exiting
//! and reading the environment; this holds the rest.

use std::fs;

use crate::sources::{sources, src};

/// The source files below `src` that hold one of the words outside of their tests.
fn holders(words: &[&str]) -> Vec<String> {
    let root = src("launcher");
    let mut holders: Vec<_> = sources(&root)
        .into_iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            words.iter().any(|word| code.contains(word))
        })
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    holders.sort();
    holders
}

#[test]
fn processes_are_started_in_few_places() {
    // Nodes; short-lived programs with a deadline; ps where there is no /proc; CMD of `run`; two
    // commands that become another program; and the process that outlives a private cluster's owner.
    assert_eq!(
        holders(&["Command::new("]),
        [
            "bin/shardlab/commands/cli.rs",
            "bin/shardlab/commands/conformance.rs",
            "bin/shardlab/commands/reap.rs",
            "bin/shardlab/commands/run.rs",
            "machine/process.rs",
            "node/lifecycle.rs",
            "server/child.rs",
            "server/identify.rs",
            "server/package_client.rs",
        ]
    );
}

#[test]
fn only_one_place_sleeps() {
    assert_eq!(
        holders(&["thread::sleep(", "time::sleep("]),
        ["machine/wait.rs"]
    );
}

#[test]
fn only_the_terminal_prints() {
    assert_eq!(
        holders(&["::stdout()", "::stderr()"]),
        ["bin/shardlab/term/mod.rs"]
    );
}

#[test]
fn only_one_place_reads_the_environment() {
    assert_eq!(holders(&["std::env::var"]), ["machine/environment.rs"]);
}

/// Folders all of whose files are pure; elsewhere a module says so of itself, by the word `Pure`.
const PURE: [&str; 7] = [
    "config",
    "ladder",
    "plan",
    "reshape/plan",
    "wire/resp",
    "wire/slots",
    "wire/view",
];

/// What a pure module has nothing to do with.
const IMPURE: [&str; 13] = [
    "tokio",
    "async fn",
    "std::fs",
    "std::process",
    "std::net::Tcp",
    "Instant",
    "SystemTime",
    "crate::boot",
    "crate::wire::client",
    "crate::cluster",
    "crate::start",
    "crate::node",
    "crate::machine::wait",
];

#[test]
fn pure_modules_touch_nothing() {
    let root = src("launcher");
    let mut pure = 0;
    for file in sources(&root) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let says_so = code
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .any(|line| line.contains("Pure"));
        let place = file.strip_prefix(&root).unwrap();
        let is_test = place.ends_with("tests.rs") || place.iter().any(|folder| folder == "tests");
        let in_folder = PURE.iter().any(|folder| place.starts_with(folder));
        if !says_so && (is_test || !in_folder) {
            continue;
        }
        pure += 1;
        for word in IMPURE {
            assert!(!code.contains(word), "{} mentions {word}", place.display());
        }
    }
    assert!(pure > 60, "only {pure} files say that they are pure");
}
