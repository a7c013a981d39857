//! Whose process is it? Somebody else's in a node's folder, one of another container, one that
//! cannot be seen.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::killed::folder_of;
use crate::lab::{Lab, text, wait_until};

/// A process of somebody else, ended with the test.
struct Stranger(Child);

impl Stranger {
    fn new(program: &str, arguments: &[&str], dir: &Path) -> Self {
        Self::writing(program, arguments, dir, Stdio::null())
    }

    fn writing(program: &str, arguments: &[&str], dir: &Path, output: Stdio) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir);
        let quiet = command.stdin(Stdio::null()).stderr(Stdio::null());
        Self(quiet.stdout(output).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    #[track_caller]
    fn assert_alive(&mut self) {
        assert_eq!(self.0.try_wait().unwrap(), None, "a stranger was killed");
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SMALL: [&str; 4] = ["--masters", "1", "--replicas", "0"];

fn pid_of(report: &Value) -> Option<i64> {
    report["nodes"][0]["pid"].as_i64()
}

#[test]
fn what_others_run_in_a_nodes_folder_is_not_its_server() {
    let lab = Lab::new();
    let dir = folder_of(&lab.up(&SMALL));
    let conf = dir.join("node.conf");
    // With the config and the log as arguments, as an editor or `tail` has them.
    let log = dir.join("node.log");
    let files = [conf.to_str().unwrap(), log.to_str().unwrap()];
    let mut tail = Stranger::new("tail", &["-f", files[0], files[1]], &dir);
    // It writes to the log, as who adds a mark to it does.
    let output = OpenOptions::new().append(true).open(&log).unwrap();
    let mut marks = Stranger::writing("tail", &["-f", files[0]], &dir, output.into());
    lab.shardlab(["stop", "-q", "n1"]).assert().success();
    assert_eq!(pid_of(&lab.json(["status", "--json"])), None);
    let started = pid_of(&lab.json(["start", "--json"])).unwrap();
    assert_ne!(started, i64::from(tail.pid()));
    lab.shardlab(["restart", "-q", "n1"]).assert().success();
    tail.assert_alive();
    lab.shardlab(["down", "-q"]).assert().success();
    tail.assert_alive();
    marks.assert_alive();
}

#[tokio::test]
async fn what_a_server_has_forked_is_not_taken_for_it() {
    let lab = Lab::new();
    let up = ["--masters", "1", "--replicas", "0", "--ephemeral"];
    lab.up(&up);
    let cluster = lab.open();
    let node = cluster.node("n1").unwrap();
    node.call(&["SET", "a", "1"]).await.unwrap();
    // One key takes a minute to be written.
    let delay = ["CONFIG", "SET", "rdb-key-save-delay", "60000000"];
    if node.call(&delay).await.unwrap().as_error().is_some() {
        // Redis 5.0 has no such setting.
        return;
    }
    assert!(node.call(&["BGSAVE"]).await.unwrap().as_error().is_none());
    let server = node.process().unwrap();
    let works_here = || lab.processes().len();
    wait_until("the server forks", || works_here() == 2);
    server.signal(nix::sys::signal::Signal::SIGKILL).unwrap();
    wait_until("the server is gone", || !server.is_alive());
    assert_eq!(works_here(), 1, "the fork lives on");
    assert_eq!(pid_of(&lab.json(["status", "--json"])), None);
    let started = pid_of(&lab.json(["start", "--json"])).unwrap();
    assert_ne!(started, i64::from(server.pid));
    assert_eq!(works_here(), 1, "the fork is ended");
}

#[test]
fn a_pid_that_somebody_else_has_got_is_left_alone() {
    let lab = Lab::new();
    let dir = folder_of(&lab.up(&SMALL));
    lab.shardlab(["stop", "-q"]).assert().success();
    let mut sleep = Stranger::new("sleep", &["600"], &dir);
    let record = lab.home().join("default/cluster.json");
    let mut cluster: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    // As an older version has written it.
    cluster["nodes"][0]["process"] = json!({ "pid": sleep.pid(), "started": "1" });
    std::fs::write(&record, serde_json::to_vec(&cluster).unwrap()).unwrap();
    std::fs::write(dir.join("node.pid"), sleep.pid().to_string()).unwrap();
    assert_eq!(pid_of(&lab.json(["status", "--json"])), None);
    lab.shardlab(["start", "-q"]).assert().success();
    lab.shardlab(["down", "-q"]).assert().success();
    sleep.assert_alive();
}

/// Prepares a program that runs in namespaces of its own, if this machine lets us make any.
fn unshared(options: &[&str]) -> Option<Command> {
    let root = nix::unistd::geteuid().is_root();
    let user = ["--user", "--map-root-user"].iter();
    let options: Vec<_> = user.filter(|_| !root).chain(options).copied().collect();
    let mut probe = Command::new("unshare");
    let probe = probe.args(&options).arg("true").stderr(Stdio::null());
    let mut command = Command::new("unshare");
    command.args(&options);
    probe
        .status()
        .is_ok_and(|status| status.success())
        .then_some(command)
}

/// The program, in the lab, started by another one.
fn inside(command: &mut Command, lab: &Lab, script: &str) -> (Option<i32>, String, Value) {
    let output = command
        .args(["sh", "-c", script])
        .env("SHARDLAB_HOME", lab.home())
        .env("SHARDLAB", env!("CARGO_BIN_EXE_shardlab"))
        .env_remove("SHARDLAB_NAME")
        .output()
        .unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), text(&output.stderr), json)
}

#[test]
fn without_proc_a_server_is_found_and_ended_all_the_same() {
    let hidden = |lab: &Lab, arguments: &str| {
        let mut command = unshared(&["--mount"])?;
        let script = format!("mount -t tmpfs none /proc && exec $SHARDLAB {arguments}");
        Some(inside(&mut command, lab, &script))
    };
    let lab = Lab::new();
    let up = lab.up(&SMALL);
    let Some((code, errors, seen)) = hidden(&lab, "status --json") else {
        return;
    };
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(pid_of(&seen), pid_of(&up));
    // A server that nothing vouches for is not called gone.
    let dir = folder_of(&up);
    std::fs::rename(dir.join("node.pid"), dir.join("moved.pid")).unwrap();
    for verb in ["down", "stop", "start", "kill n1"] {
        let (code, errors, _) = hidden(&lab, verb).unwrap();
        assert_eq!(code, Some(3), "{verb}: {errors}");
        assert!(
            errors.contains("cannot be seen from here"),
            "{verb}: {errors}"
        );
    }
    std::fs::rename(dir.join("moved.pid"), dir.join("node.pid")).unwrap();
    for (verb, left) in [
        ("kill n1 -q", 0),
        ("start -q", 1),
        ("restart -q", 1),
        ("stop -q", 0),
        ("start -q", 1),
        ("down -q", 0),
    ] {
        let (code, errors, _) = hidden(&lab, verb).unwrap();
        assert_eq!(code, Some(0), "{verb}: {errors}");
        assert_eq!(lab.processes().len(), left, "{verb}");
    }
    lab.assert_empty();
}

/// A container: its own pids, ended with the test.
struct Container {
    child: Child,
}

const CONTAINER: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

impl Container {
    fn start(lab: &Lab, script: &str) -> Option<Self> {
        let child = unshared(&CONTAINER)?
            .args(["sh", "-c", script])
            .env("SHARDLAB_HOME", lab.home())
            .env("SHARDLAB", env!("CARGO_BIN_EXE_shardlab"))
            .env_remove("SHARDLAB_NAME")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { child })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_cluster_of_another_container_is_neither_ended_nor_started_again() {
    let lab = Lab::new();
    let ready = lab.home().with_file_name("ready");
    let script = format!(
        "$SHARDLAB up -q --port auto --masters 1 --replicas 0 --timeout 120s && touch {} && sleep 600",
        ready.display()
    );
    let Some(container) = Container::start(&lab, &script) else {
        return;
    };
    wait_until("the cluster runs", || ready.exists());
    let other = |arguments: &str| {
        let mut command = unshared(&CONTAINER).unwrap();
        inside(&mut command, &lab, &format!("$SHARDLAB {arguments}"))
    };
    for verb in [
        "start",
        "stop",
        "restart",
        "wipe",
        "kill n1",
        "up",
        "down",
        "down --all",
    ] {
        let (code, errors, _) = other(verb);
        assert_eq!(code, Some(3), "{verb}: {errors}");
        assert!(
            errors.contains("runs in another container (host name `"),
            "{verb}: {errors}"
        );
    }
    assert_eq!(lab.processes().len(), 1, "it lives on");
    let (_, _, seen) = other("status --json");
    assert_eq!(
        (&seen["state"], &seen["rung"]),
        (&json!("running"), &json!("ready"))
    );
    assert_eq!(
        (&seen["nodes"][0]["pid"], &seen["nodes"][0]["unseen"]),
        (&Value::Null, &json!(true))
    );
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    // Once the container is gone, so is what ran in it.
    drop(container);
    lab.assert_no_process();
    std::fs::remove_file(ready).unwrap();
    let (code, errors, _) = other("down");
    assert_eq!(code, Some(0), "{errors}");
    lab.assert_empty();
}

#[test]
fn after_a_reboot_a_cluster_is_started_and_removed_as_usual() {
    let lab = Lab::new();
    let dir = folder_of(&lab.up(&SMALL));
    lab.shardlab(["kill", "-q", "n1"]).assert().success();
    let mut other = Stranger::new("sleep", &["600"], &dir);
    let started = shardlab::machine::process::ProcessId::of(other.pid().cast_signed()).unwrap();
    let record = lab.home().join("default/cluster.json");
    let reboot = |boot: &str| {
        let mut cluster: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        // The pid is somebody else's now, who has started at the same tick.
        cluster["nodes"][0]["process"] = serde_json::to_value(&started).unwrap();
        cluster["nodes"][0]["process"]["place"]["boot"] = json!(boot);
        std::fs::write(&record, serde_json::to_vec(&cluster).unwrap()).unwrap();
    };
    reboot("the one before");
    assert_eq!(pid_of(&lab.json(["status", "--json"])), None);
    lab.shardlab(["start", "-q"]).assert().success();
    lab.shardlab(["kill", "-q", "n1"]).assert().success();
    reboot("the one before");
    lab.shardlab(["down", "-q"]).assert().success();
    other.assert_alive();
}

#[test]
fn runs_of_several_containers_share_a_state_folder() {
    let lab = Lab::new();
    let small = "--masters 1 --replicas 0 --timeout 120s";
    let script = format!("$SHARDLAB run -q {small} -- true");
    let start = || Container::start(&lab, &script);
    let runs: Vec<_> = [start(), start(), start()].into_iter().flatten().collect();
    for mut run in runs {
        assert_eq!(run.child.wait().unwrap().code(), Some(0));
    }
    lab.assert_no_process();
    assert!(!lab.home().exists());
}
