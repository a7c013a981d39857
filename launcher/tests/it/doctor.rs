//! State that is damaged or gone strands nothing, and `doctor` mends it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::lab::{Lab, PATIENCE, text};
use nix::sys::stat::Mode;

const ONE: [&str; 4] = ["--masters", "1", "--replicas", "0"];

/// What can happen to a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Harm {
    Garbage,
    Emptied,
    Removed,
    Directory,
    NoWhere,
    Loop,
    Fifo,
    Newer,
    Unreadable,
}

pub(crate) const HARMS: [Harm; 9] = [
    Harm::Garbage,
    Harm::Emptied,
    Harm::Removed,
    Harm::Directory,
    Harm::NoWhere,
    Harm::Loop,
    Harm::Fifo,
    Harm::Newer,
    Harm::Unreadable,
];

/// Does it to a file, or to a folder with all that is in it.
pub(crate) fn harm(path: &Path, harm: Harm) {
    let before = fs::read_to_string(path).unwrap_or_default();
    if matches!(harm, Harm::Unreadable) {
        return fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
    }
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
        if matches!(harm, Harm::Garbage | Harm::Emptied | Harm::Newer) {
            return fs::create_dir(path).unwrap();
        }
    } else {
        fs::remove_file(path).unwrap();
    }
    match harm {
        Harm::Garbage => fs::write(path, [0, 255, 10, 123, 34, 7]).unwrap(),
        Harm::Emptied => fs::write(path, "").unwrap(),
        Harm::Removed | Harm::Unreadable => {}
        Harm::Directory => fs::create_dir(path).unwrap(),
        Harm::NoWhere => symlink("nowhere", path).unwrap(),
        Harm::Loop => symlink(path, path).unwrap(),
        Harm::Fifo => nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap(),
        Harm::Newer => {
            let newer = before.replace("\"schema\": 1", "\"schema\": 99, \"more\": true");
            fs::write(path, newer).unwrap();
        }
    }
}

pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// Runs the program, which must not hang and not panic.
#[track_caller]
pub(crate) fn run(lab: &Lab, args: &[&str]) -> Said {
    let output = lab.shardlab(args).timeout(PATIENCE).output().unwrap();
    let said = Said {
        code: output.status.code(),
        out: text(&output.stdout),
        errors: text(&output.stderr),
    };
    assert!(
        matches!(said.code, Some(0..=4)),
        "{args:?}: {:?}: {}",
        output.status,
        said.errors
    );
    said
}

/// Runs a command that stumbles: it must say over what, and name what mends it.
#[track_caller]
fn stumbles(lab: &Lab, args: &[&str], over: &str) {
    let said = run(lab, args);
    assert_eq!(said.code, Some(3), "{args:?}: {}", said.errors);
    assert!(said.errors.contains(over), "{args:?}: {}", said.errors);
    let names_it = said.errors.contains("`shardlab doctor --fix`");
    assert!(names_it, "{args:?}: {}", said.errors);
}

/// Runs `doctor`, which must find something of this kind, then `doctor --fix`, which must mend it.
#[track_caller]
fn mended(lab: &Lab, kind: &str) {
    let found = run(lab, &["doctor", "--json"]);
    assert_eq!(found.code, Some(1), "{}", found.out);
    let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let is_found = findings.iter().any(|finding| finding["kind"] == kind);
    assert!(is_found, "{kind} is not found: {report:#}");
    let fixed = run(lab, &["doctor", "--fix"]);
    assert_eq!(fixed.code, Some(0), "{}{}", fixed.errors, fixed.out);
}

#[test]
fn a_cluster_whose_record_is_damaged_is_told_and_mended() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    let record = lab.home().join("default/cluster.json");
    for what in HARMS
        .into_iter()
        .filter(|harm| !matches!(harm, Harm::Unreadable))
    {
        harm(&record, what);
        let listed = run(&lab, &["ls"]);
        assert!(listed.out.contains("damaged"), "{what:?}: {}", listed.out);
        assert!(listed.errors.contains("doctor --fix"), "{}", listed.errors);
        for args in [
            &["status"][..],
            &["check"],
            &["stop"],
            &["start"],
            &["logs"],
            &["save", "/nonexistent/file"],
            &["up", "--port", "auto"],
            &["up", "--dry-run"],
        ] {
            stumbles(&lab, args, "cluster.json` cannot be used: it ");
        }
        assert_eq!(lab.processes().len(), 1, "{what:?}");
        mended(&lab, "record");
        let status = lab.json(["status", "--json"]);
        assert_eq!(status["nodes"][0]["pid"], report["nodes"][0]["pid"]);
        assert_eq!(run(&lab, &["doctor"]).code, Some(0));
    }
    // `down` needs no doctor.
    harm(&record, Harm::Garbage);
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn without_record_and_copy_servers_are_stopped_and_their_data_is_kept() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    let folder = lab.home().join("default");
    for file in ["cluster.json", "cluster.copy.json"] {
        fs::remove_file(folder.join(file)).unwrap();
    }
    stumbles(&lab, &["up", "--port", "auto"], "it is gone");
    let fixed = run(&lab, &["doctor", "--fix"]);
    assert_eq!(fixed.code, Some(1), "{}", fixed.out);
    let next = "keep of it what you need; `shardlab down -n default` removes it";
    assert!(fixed.out.contains(next), "{}", fixed.out);
    lab.assert_no_process();
    // What a command names is what helps: `--fix` has done what it can.
    for command in [&["status"][..], &["start"], &["call", "PING"]] {
        let said = run(&lab, command);
        assert!(said.errors.contains(next), "{command:?}: {}", said.errors);
        let names_fix = said.errors.contains("--fix");
        assert!(!names_fix, "{command:?}: {}", said.errors);
    }
    let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    assert!(dir.join("appendonlydir").exists() || dir.join("appendonly.aof").exists());
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn servers_whose_clusters_folder_was_deleted_are_found() {
    let lab = Lab::new();
    lab.up(&["--masters", "3", "--replicas", "0"]);
    fs::remove_dir_all(lab.home().join("default")).unwrap();
    assert!(run(&lab, &["ls"]).out.contains("damaged"));
    stumbles(&lab, &["status"], "while servers of the cluster run (pids ");
    stumbles(
        &lab,
        &["up", "--port", "auto"],
        "while servers of the cluster run",
    );
    mended(&lab, "record");
    lab.assert_empty();
    lab.up(&ONE);
    fs::remove_dir_all(lab.home()).unwrap();
    assert_eq!(run(&lab, &["down", "--all"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn locks_that_are_none_are_told_and_mended() {
    let lab = Lab::new();
    lab.up(&ONE);
    let folder = lab.home().join("default");
    for what in [Harm::Directory, Harm::NoWhere, Harm::Loop, Harm::Fifo] {
        harm(&folder.join("shardlab.lock"), what);
        for args in [["stop"], ["start"], ["down"]] {
            stumbles(&lab, &args, "shardlab.lock` cannot be used: it is ");
        }
        assert_eq!(run(&lab, &["status"]).code, Some(0));
        mended(&lab, "lock");
    }
    let ports = lab.home().join(".ports.lock");
    harm(&ports, Harm::Fifo);
    let other = ["up", "-n", "other", "--port", "auto", "--masters", "1"];
    stumbles(&lab, &other, ".ports.lock` cannot be used: it is a FIFO");
    mended(&lab, "lock");
    // It is made again.
    fs::remove_file(folder.join("shardlab.lock")).unwrap();
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    harm(&folder.join("shardlab.lock"), Harm::Unreadable);
    mended(&lab, "permissions");
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn what_a_command_had_set_out_to_do_may_be_damaged() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0"]);
    let journal = lab.home().join("default/reshape.json");
    for what in [
        Harm::Garbage,
        Harm::Emptied,
        Harm::Directory,
        Harm::NoWhere,
        Harm::Fifo,
    ] {
        fs::write(&journal, "{}").unwrap();
        harm(&journal, what);
        let reshard = ["reshard", "--slots", "1", "--to", "n1"];
        stumbles(&lab, &reshard, "reshape.json` cannot be used: ");
        let started = run(&lab, &["start"]);
        assert_eq!(started.code, Some(0), "{}", started.errors);
        assert!(
            started.errors.contains("doctor --fix"),
            "{}",
            started.errors
        );
        mended(&lab, "journal");
    }
    fs::write(
        &journal,
        r#"{"schema": 1, "command": "shardlab rebalance", "moves": []}"#,
    )
    .unwrap();
    mended(&lab, "unfinished-move");
    assert_eq!(
        run(&lab, &["reshard", "--slots", "1", "--to", "n1"]).code,
        Some(0)
    );
}

#[test]
fn the_files_that_a_server_needs_to_start_are_told_and_mended() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "2", "--replicas", "0"]);
    let set = ["call", "SET", "a", "1"];
    assert_eq!(run(&lab, &set).code, Some(0));
    let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    let all = [
        Harm::Garbage,
        Harm::Emptied,
        Harm::Removed,
        Harm::Directory,
        Harm::Loop,
        Harm::Fifo,
    ];
    let special = [Harm::Directory, Harm::Fifo];
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    for (file, kind, harms) in [
        ("node.conf", "node-config", &all[..]),
        (
            "nodes.conf",
            "nodes-conf",
            &[Harm::Garbage, Harm::Emptied, Harm::Fifo],
        ),
        ("node.log", "node-file", &special),
        ("node.pid", "node-file", &special),
    ] {
        let path = dir.join(file);
        for what in harms {
            if !path.exists() {
                fs::write(&path, "").unwrap();
            }
            harm(&path, *what);
            stumbles(
                &lab,
                &["start"],
                &format!("/{file}` cannot be used: it is "),
            );
            assert_eq!(run(&lab, &["status"]).code, Some(0));
            assert_eq!(run(&lab, &["logs", "--lines", "1"]).code, Some(0));
            mended(&lab, kind);
        }
    }
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    let get = run(&lab, &["call", "GET", "a"]);
    assert_eq!(get.out, "\"1\"\n", "{}", get.errors);
    let ids = |report: &serde_json::Value| {
        [
            report["nodes"][0]["id"].clone(),
            report["nodes"][1]["id"].clone(),
        ]
    };
    assert_eq!(ids(&lab.json(["status", "--json"])), ids(&report));
    // Of a server that runs, it is the server's to write.
    for what in [Harm::Removed, Harm::Garbage, Harm::Directory] {
        harm(&dir.join("nodes.conf"), what);
        mended(&lab, "nodes-conf");
    }
    // A folder that is gone comes back without the data.
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    fs::remove_dir_all(&dir).unwrap();
    stumbles(&lab, &["start"], "cannot be used: it is gone");
    mended(&lab, "node-folder");
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn data_that_a_server_cannot_read_is_told() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    assert_eq!(run(&lab, &["call", "SET", "a", "1"]).code, Some(0));
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    let mut files = Vec::new();
    files_in(&dir, &mut files);
    let is_data = |path: &&PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        path.is_file() && name.contains("appendonly.aof") && !name.contains("base")
    };
    for data in files.iter().filter(is_data) {
        harm(data, Harm::Garbage);
    }
    let start = run(&lab, &["start"]);
    assert_eq!(start.code, Some(3), "{}", start.errors);
    assert!(
        start.errors.contains("`shardlab doctor` tells"),
        "{}",
        start.errors
    );
    let found = run(&lab, &["doctor", "--fix"]);
    assert_eq!(found.code, Some(1), "{}", found.out);
    assert!(
        found.out.contains("`shardlab wipe -n default n1`"),
        "{}",
        found.out
    );
    assert_eq!(run(&lab, &["wipe", "n1"]).code, Some(0));
    assert_eq!(run(&lab, &["doctor"]).code, Some(0));
    assert_eq!(run(&lab, &["start"]).code, Some(0));
}

#[test]
fn a_private_cluster_whose_owners_lock_is_deleted_is_not_taken_from_its_owner() {
    let lab = Lab::new();
    let cut = "rm $SHARDLAB_HOME/run-*/owner; for verb in ls 'down --all'; do $SHARDLAB $verb; done; \
               $SHARDLAB call PING";
    let output = lab
        .shardlab([
            "run",
            "-q",
            "--masters",
            "1",
            "--replicas",
            "0",
            "--",
            "sh",
            "-c",
            cut,
        ])
        .env("SHARDLAB", env!("CARGO_BIN_EXE_shardlab"))
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(text(&output.stdout).ends_with("PONG\n"), "{errors}");
    lab.shardlab(["down", "--all"]).assert().success();
    lab.assert_empty();
}

#[test]
fn a_state_folder_in_order_has_no_findings_and_what_is_others_stays() {
    let lab = Lab::new();
    let nothing = run(&lab, &["doctor"]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.out);
    assert!(
        nothing.out.ends_with("nothing is wrong\n"),
        "{}",
        nothing.out
    );
    lab.up(&ONE);
    fs::write(lab.home().join("mine"), "data").unwrap();
    fs::write(lab.home().join("default/mine"), "data").unwrap();
    let sound = run(&lab, &["doctor", "--fix"]);
    assert_eq!(sound.code, Some(0), "{}", sound.out);
    assert!(sound.out.contains("left alone: `"), "{}", sound.out);
    let report = lab.json(["doctor", "--json"]);
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["foreign"].as_array().unwrap().len(), 1);
    lab.shardlab(["down"]).assert().success();
    assert!(lab.home().join("mine").is_file());
    assert!(lab.home().join("default/mine").is_file());
}

/// All that is in a folder, in order.
pub(crate) fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_in(&path, found);
        }
        found.push(path);
    }
}
