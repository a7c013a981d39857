//! One door each: what touches the world does so in one place. clippy.toml holds sleeping, exiting
//! and reading the environment; this holds the rest.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The source files below `src` that hold one of the words outside of their tests.
fn holders(words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
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
    // Nodes; short-lived programs with a deadline; ps where there is no /proc; CMD of `run`; and
    // two commands that become another program.
    assert_eq!(
        holders(&["Command::new("]),
        [
            "commands/cli.rs",
            "commands/conformance.rs",
            "commands/run.rs",
            "node/lifecycle.rs",
            "process.rs",
            "server/identify.rs",
            "server/package_client.rs",
        ]
    );
}

#[test]
fn only_one_place_sleeps() {
    assert_eq!(holders(&["thread::sleep(", "time::sleep("]), ["wait.rs"]);
}

#[test]
fn only_the_terminal_prints() {
    assert_eq!(holders(&["::stdout()", "::stderr()"]), ["term.rs"]);
}

#[test]
fn only_one_place_reads_the_environment() {
    assert_eq!(holders(&["std::env::var"]), ["environment.rs"]);
}

#[test]
fn pure_modules_touch_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let pure = [
        "plan",
        "config.rs",
        "config",
        "bend.rs",
        "boot/seed.rs",
        "directive.rs",
        "archive/manifest.rs",
        "archive/nodes_conf.rs",
        "failover/set.rs",
        "failover/shard.rs",
        "failover/standby.rs",
        "failover/timeline.rs",
        "ladder",
        "signal.rs",
        "view.rs",
        "view",
        "reshape/plan",
        "reshape/moves.rs",
        "reshape/survey.rs",
        "reshape/mover/jobs.rs",
        "slots",
        "resp",
        "shape.rs",
        "reshape/check/finding.rs",
        "reshape/check/inspection.rs",
        "reshape/check/nodes.rs",
        "reshape/check/slots.rs",
        "reshape/fix/belief.rs",
        "reshape/fix/plan.rs",
        "reshape/fix/repair.rs",
        "reshape/fix/spread.rs",
        "reshape/fix/verdict.rs",
    ];
    for module in pure {
        let path = root.join(module);
        let files = if path.is_dir() {
            sources(&path)
        } else {
            vec![path]
        };
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in [
                "tokio",
                "std::fs",
                "std::net::Tcp",
                "Instant",
                "SystemTime",
                "crate::client",
                "crate::node",
            ] {
                assert!(!code.contains(word), "{} mentions {word}", file.display());
            }
        }
    }
}
