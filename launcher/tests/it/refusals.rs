//! What cannot be is refused with a reason, the right exit code, and nothing left behind.

use std::net::TcpListener;

use crate::lab::Lab;

#[track_caller]
fn refused(args: &[&str], code: i32, words: &str) {
    let lab = Lab::new();
    let told = lab.refused(&[&["up", "-q"], args].concat(), code);
    assert!(told.contains(words), "{args:?}: {told}");
    lab.assert_empty();
}

#[test]
fn shapes_that_cannot_be_are_usage_errors() {
    refused(&["--masters", "0"], 2, "at least 1 master");
    refused(&["--masters", "2000"], 2, "1000 is the most");
    refused(&["--replicas", "1,2"], 2, "gives 2 numbers for 3 masters");
    refused(&["--replicas", "27"], 2, "26 is the most");
    refused(
        &["--slots", "0-1"],
        2,
        "gives slots to 1 master, but the cluster has 3 masters",
    );
    refused(
        &["--slots", "0-5460,5460-10922,10923-16383"],
        2,
        "slot 5460 is given to both `n1` and `n2`",
    );
    refused(
        &["--slots", "0-5460,5462-10922,10923-16383"],
        2,
        "slot 5461 is given to no master",
    );
    refused(
        &["--slots", "0-5460,5461-10922,10923-16384"],
        2,
        "at byte 24",
    );
}

#[test]
fn ports_that_do_not_exist_or_overlap_are_usage_errors() {
    refused(
        &["--port", "70000"],
        2,
        "expected a port such as 7001, or `auto`",
    );
    refused(&["--port", "0"], 2, "node `n1` cannot have port 0");
    refused(&["--port", "65535"], 2, "node `n2` cannot have port 65536");
    refused(
        &["--ports", "7001,7002"],
        2,
        "`--ports` names 2 ports, but the cluster has 6 nodes",
    );
    refused(
        &["--ports", "7001,7002,7003,7004,7005,7001"],
        2,
        "the client port of `n1` and the client port of `r3`",
    );
    refused(&["--bus-port", "x"], 2, "expected a port such as 17001");
    let (replication, bus) = (["--topology", "replication"], ["--bus-port", "20001"]);
    refused(
        &[&replication[..], &bus[..]].concat(),
        2,
        "`--bus-port` does not fit `--topology replication`",
    );
}

#[test]
fn names_of_masters_that_sentinel_cannot_keep_are_usage_errors() {
    let sentinel = ["--topology", "sentinel", "--port", "auto", "--master-name"];
    let long = "x".repeat(256);
    for (name, words) in [
        ("my master", "it holds ' '"),
        ("a,b", "it holds ','"),
        ("quo\"te", "it holds '\"'"),
        (&long, "it has 256 bytes"),
    ] {
        refused(&[&sentinel[..], &[name]].concat(), 2, words);
    }
    refused(
        &["--master-name", "x"],
        2,
        "`--master-name` does not fit `--topology cluster`",
    );
}

#[test]
fn names_that_could_lead_elsewhere_are_usage_errors() {
    refused(
        &["-n", "../x"],
        2,
        "`../x` cannot be a cluster's name: it holds '/'",
    );
    refused(&["-n", ".."], 2, "it starts with `.`");
    refused(&["-n", "a/b"], 2, "it holds '/'");
    refused(&["-n", ""], 2, "it is empty");
}

#[test]
fn a_value_that_is_empty_is_refused_and_not_taken_for_none() {
    for args in [
        ["--announce", ""],
        ["--announce", " "],
        ["--server", ""],
        ["--password", "\t"],
        ["--set", ""],
        ["--dir", " "],
        ["--from", " "],
    ] {
        refused(&args, 2, &format!("the value of '{}", args[0]));
    }
    let lab = Lab::new();
    let stop = lab.shardlab(["stop", " "]).output().unwrap();
    let told = String::from_utf8_lossy(&stop.stderr).into_owned();
    assert!(told.contains("the value of '[NODE]...' is empty"), "{told}");
    refused(&["--announce", "my host"], 2, "a host name cannot hold ' '");
}

#[tokio::test]
async fn the_library_announces_no_empty_host_either() {
    let lab = Lab::new();
    for announce in ["", " "] {
        let options = shardlab::plan::Options {
            announce: Some(announce.to_owned()),
            ports: shardlab::plan::PortChoice::Auto,
            ..shardlab::plan::Options::default()
        };
        let refused = lab.cluster().options(options).start().await.unwrap_err();
        assert!(refused.to_string().contains("an empty host"), "{refused}");
    }
}

#[test]
fn an_address_of_another_machine_is_named_whichever_the_ports() {
    // Kept for documents (RFC 5737): no machine has it.
    let words = "servers cannot listen on 192.0.2.1: this machine has no such address";
    for port in ["auto", "7001"] {
        refused(&["--bind", "192.0.2.1", "--port", port], 3, words);
        let too = ["--bind", "127.0.0.1", "--bind", "192.0.2.1"];
        refused(&[&too[..], &["--port", port]].concat(), 3, words);
    }
}

#[test]
fn settings_that_make_no_sense_are_usage_errors() {
    refused(&["--set", "nonsense"], 2, "lacks `=`");
    refused(&["--set", "port=1"], 2, "use `--port` or `--ports`");
    refused(&["--set", "a=b\nport 1"], 2, "control character");
    refused(
        &["--port", "auto", "--set", "no-such-directive=1"],
        2,
        "the server refuses `--set no-such-directive=1`",
    );
}

#[test]
fn a_profile_of_a_product_that_is_known_is_a_wrong_command_line() {
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles/ember.toml");
    refused(
        &["--profile", profile, "--server", "valkey"],
        2,
        "`valkey` needs no profile",
    );
}

#[test]
fn servers_that_are_none_are_errors_of_the_environment() {
    refused(
        &["--server", "/nonexistent/valkey-server"],
        3,
        "the program `/nonexistent/valkey-server` does not exist",
    );
    refused(&["--server", "/"], 3, "`/` is a folder");
    refused(&["--server", "/etc/passwd"], 3, "not executable");
    refused(&["--server", "/bin/true"], 3, "is not a server");
    refused(&["--server", "valky"], 3, "did you mean `valkey`?");
}

#[test]
fn a_taken_port_is_named_with_its_role_and_its_holder() {
    for (offset, role, node) in [(0, "client port", "n1"), (2, "client port", "n3")] {
        let (first, _holder) = taken(offset);
        let lab = Lab::new();
        let output = lab
            .shardlab(["up", "-q", "--port", &first.to_string()])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(
            stderr.contains(&format!(
                "port {}, the {role} of node `{node}`, is taken by",
                first + offset
            )),
            "{stderr}"
        );
        assert!(
            stderr.contains(&format!("(pid {})", std::process::id())),
            "{stderr}"
        );
        lab.assert_empty();
    }
}

/// A first port such that the one at `offset` behind it is held by us.
fn taken(offset: u16) -> (u16, TcpListener) {
    let listeners = (10_100..12_000).find_map(|first| {
        Some((
            first,
            TcpListener::bind(("127.0.0.1", first + offset)).ok()?,
        ))
    });
    listeners.unwrap()
}

#[test]
fn a_server_that_dies_at_start_is_shown_with_its_last_words() {
    let lab = Lab::new();
    // Modules cannot be loaded from nowhere: a real server says so and ends.
    let args = [
        "up",
        "-q",
        "--port",
        "auto",
        "--set",
        "loadmodule=/nonexistent.so",
    ];
    let output = lab.shardlab(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.contains("ended with exit code 1; its last log lines:"),
        "{stderr}"
    );
    assert!(stderr.contains("/nonexistent.so"), "{stderr}");
    lab.assert_empty();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    refused(
        &["--port", "auto", "--dir", "/dev/null/x"],
        3,
        "cannot create `/dev/null/x`",
    );
}

#[test]
fn a_folder_that_is_there_is_not_touched() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    let (first, holder) = taken(0);
    drop(holder);
    let own = dir.path().join(first.to_string());
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("precious"), "data").unwrap();
    let port = first.to_string();
    let output = lab
        .shardlab([
            "up",
            "-q",
            "--port",
            &port,
            "--dir",
            dir.path().to_str().unwrap(),
        ])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        std::fs::read_to_string(own.join("precious")).unwrap(),
        "data"
    );
    lab.assert_empty();
}

#[test]
fn a_cluster_that_is_not_ready_in_time_says_who_lags_and_is_gone() {
    let lab = Lab::new();
    let output = lab
        .shardlab(["up", "-q", "--port", "auto", "--timeout", "200ms"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(
        stderr.contains("the cluster was not `ready` within 200ms"),
        "{stderr}"
    );
    assert!(stderr.contains(": waiting "), "{stderr}");
    assert!(stderr.contains("the last log lines of `"), "{stderr}");
    lab.assert_empty();
}

#[test]
fn a_value_that_cannot_be_read_is_answered_with_one_that_can() {
    let lab = Lab::new();
    let time = "expected a time with its unit, such as `500ms`, `30s` or `5m`";
    let address = "expected HOST:PORT, such as `127.0.0.1:7007`";
    let cases: [(&[&str], &str); 8] = [
        (
            &["logs", "--lines", "x"],
            "expected a number of lines, such as `20`",
        ),
        (&["up", "--timeout", "x"], time),
        (&["wait", "--timeout", "5"], time),
        (&["failover", "n1", "--timeout", "1x"], time),
        (&["call", "--timeout", "x", "PING"], time),
        (&["add-node", "--existing", "x"], address),
        (&["add-node", "--existing", "127.0.0.1:70000"], address),
        (&["add-node", "--existing", ":7001"], address),
    ];
    for (args, expected) in cases {
        let output = lab.shardlab(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn a_start_that_waits_for_a_node_without_its_nodes_conf_names_fix() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "3", "--replicas", "0"]);
    lab.shardlab(["stop", "-q"]).assert().success();
    let dir = std::path::Path::new(report["nodes"][0]["dir"].as_str().unwrap());
    std::fs::remove_file(dir.join("nodes.conf")).unwrap();
    let start = ["start", "-q", "--timeout", "3s"];
    let late = lab.shardlab(start).output().unwrap();
    let told = String::from_utf8_lossy(&late.stderr).into_owned();
    assert_eq!(late.status.code(), Some(4), "{told}");
    assert!(told.contains(": waiting to hear of n1"), "{told}");
    assert!(told.contains("hint: `shardlab fix` repairs"), "{told}");
    lab.shardlab(["fix", "-q"]).assert().success();
    lab.shardlab(["wait", "--for", "ready", "--timeout", "120s"])
        .assert()
        .success();
}
