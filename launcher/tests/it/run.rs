//! `run`: a cluster for one command.

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, wait_until};

fn run(lab: &Lab, command: &[&str]) -> snapbox::cmd::Command {
    lab.shardlab(
        [
            "run",
            "-q",
            "--timeout",
            "120s",
            "--masters",
            "1",
            "--replicas",
            "0",
            "--",
        ]
        .iter()
        .chain(command),
    )
}

#[test]
fn the_exit_code_is_the_commands() {
    let lab = Lab::new();
    run(&lab, &["true"]).assert().code(0);
    run(&lab, &["sh", "-c", "exit 7"]).assert().code(7);
    run(&lab, &["sh", "-c", "kill -9 $$"]).assert().code(137);
    run(&lab, &["no-such-program"]).assert().code(127);
    run(&lab, &["/etc/passwd"]).assert().code(126);
    lab.shardlab(["run", "-q", "--masters", "0", "--", "true"])
        .assert()
        .code(125);
    lab.assert_empty();
}

#[test]
fn the_command_finds_the_cluster_in_its_environment() {
    let lab = Lab::new();
    let output = lab
        .shardlab(["run", "-q", "--timeout", "120s", "--", "env"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("{key}=")))
            .unwrap()
            .to_owned()
    };
    let nodes = value("REDIS_CLUSTER_NODES");
    assert_eq!(nodes.split(',').count(), 6, "{nodes}");
    assert_eq!(
        value("REDIS_URL"),
        format!("redis://{}", nodes.split(',').next().unwrap())
    );
    assert!(value("SHARDLAB_NAME").starts_with("run-"));
    lab.assert_empty();
}

#[test]
fn the_command_can_use_shardlab_on_its_own_cluster() {
    let lab = Lab::new();
    run(
        &lab,
        &[env!("CARGO_BIN_EXE_shardlab"), "call", "SET", "a", "1"],
    )
    .assert()
    .success()
    .stdout_eq("OK\n");
    lab.assert_empty();
}

#[test]
fn a_node_that_the_command_starts_again_lives_until_the_cluster_goes() {
    let lab = Lab::new();
    let program = env!("CARGO_BIN_EXE_shardlab");
    let script =
        format!("{program} stop -q n1 && {program} start -q n1 && {program} call GET a && echo on");
    run(&lab, &["sh", "-c", &script])
        .assert()
        .success()
        .stdout_eq("[..]\n...\n(nil)\non\n");
    lab.assert_empty();
}

#[test]
fn a_cluster_that_took_a_removed_ones_name_is_not_its_owners_to_remove() {
    let lab = Lab::new();
    let small = ["--masters", "1", "--replicas", "0"];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let name = "blue".parse().unwrap();
    let first = runtime
        .block_on(lab.cluster().name(name).masters(1).replicas(0).start())
        .unwrap();
    assert!(!first.is_removed());
    let port = first.nodes()[0].plan().port.to_string();
    lab.shardlab(["down", "-q", "-n", "blue"])
        .assert()
        .success();
    let again = ["up", "-q", "-n", "blue", "--timeout", "120s", "--port"];
    lab.shardlab(again.iter().chain(&[port.as_str()]).chain(&small))
        .assert()
        .success();
    assert!(first.is_removed());
    drop(first);
    lab.shardlab(["call", "-n", "blue", "PING"])
        .assert()
        .success()
        .stdout_eq("PONG\n");
    lab.shardlab(["down", "-q", "-n", "blue"])
        .assert()
        .success();
    lab.assert_empty();
}

#[test]
fn an_interrupt_reaches_the_command_and_its_answer_counts() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let lab = Lab::new();
        let ready = lab.home().with_file_name("ready");
        let script = format!(
            "trap 'exit 42' INT TERM; touch {}; while :; do sleep 0.1; done",
            ready.display()
        );
        // A session of its own: without a terminal nobody but the launcher passes the signal on.
        let mut launcher = Command::new("setsid")
            .args([
                env!("CARGO_BIN_EXE_shardlab"),
                "run",
                "-q",
                "--masters",
                "1",
                "--replicas",
                "0",
                "--",
            ])
            .args(["sh", "-c", &script])
            .env("SHARDLAB_HOME", lab.home())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("CMD has set its traps", || ready.exists());
        kill(Pid::from_raw(launcher.id().cast_signed()), signal).unwrap();
        assert_eq!(launcher.wait().unwrap().code(), Some(42), "{signal}");
        std::fs::remove_file(ready).unwrap();
        lab.assert_empty();
    }
}

#[test]
fn four_at_a_time_do_not_disturb_each_other() {
    let lab = Lab::new();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_shardlab"))
                .args(["run", "-q", "--timeout", "120s", "--", "true"])
                .env("SHARDLAB_HOME", lab.home())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    lab.assert_empty();
}
