//! What `check` finds besides slots: nodes that do not answer, files that cannot be read.

use shardlab::machine::wait::Deadline;
use shardlab::reshape::plan::{Reshard, Sources};
use shardlab::reshape::{Intent, Journal};
use shardlab::state::Home;

use crate::lab::{Lab, PATIENCE};

/// `kind: message` of each finding of `check`.
pub(crate) fn findings(lab: &Lab) -> Vec<String> {
    let output = lab.shardlab(["check", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let findings: Vec<_> = findings
        .map(|finding| {
            let field = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!("{}: {}", field("kind"), field("message"))
        })
        .collect();
    assert_eq!(report["verdict"] == "pass", findings.is_empty());
    assert_eq!(output.status.code(), Some(i32::from(!findings.is_empty())));
    findings
}

#[tokio::test]
async fn what_is_not_answered_or_cannot_be_read_is_a_finding() {
    let lab = Lab::new();
    lab.up(&["--replicas", "0", "--ephemeral"]);
    let cluster = lab.open();
    assert_eq!(findings(&lab), [""; 0]);

    // It answers CLUSTER NODES and then no more. Redis before 6.0 has no ACL to bring that about.
    let keep_silent = [
        "ACL",
        "SETUSER",
        "default",
        "-dbsize",
        "-info",
        "-cluster|countkeysinslot",
    ];
    let told = cluster.call("n2", &keep_silent).await.unwrap();
    if told.as_error().is_none() {
        let silent = findings(&lab);
        assert_eq!(silent.len(), 1, "{silent:?}");
        assert!(
            silent[0].starts_with("silent: n2, which owns slots 5461-10922, does not answer: `")
                && silent[0].contains("NOPERM"),
            "{silent:?}"
        );
        let again = ["ACL", "SETUSER", "default", "+@all"];
        cluster.call("n2", &again).await.unwrap();
    }

    // A command that is at work is not one that was interrupted.
    let home = Home::at(lab.home());
    let deadline = Deadline::after(PATIENCE);
    let lock = home.lock(cluster.name(), deadline).await.unwrap();
    let intent = Intent::Reshard(Reshard {
        slots: 1,
        to: "n1".to_owned(),
        from: Sources::All,
    });
    Journal::write(&lock, &intent, &[]).unwrap();
    let running = "unfinished: the reshard of 1 slot to `n1` is running; it moves slots ";
    assert_eq!(findings(&lab), [running]);
    let path = lock.folder().join("reshape.json");
    drop(lock);
    let interrupted = "unfinished: the reshard of 1 slot to `n1` was interrupted; it moves slots ";
    assert_eq!(findings(&lab), [interrupted]);
    let check = lab.shardlab(["check"]).output().unwrap();
    let told = String::from_utf8_lossy(&check.stdout).into_owned();
    let again = "fix: `shardlab fix`, or `shardlab reshard --slots 1 --to n1 --from all`\n";
    assert!(told.contains(again), "{told}");

    std::fs::write(&path, "{").unwrap();
    let unreadable = findings(&lab);
    assert_eq!(unreadable.len(), 1);
    assert!(unreadable[0].starts_with("unreadable: "), "{unreadable:?}");
    let fix = lab.json(["fix", "--json"]);
    assert_eq!(fix["repairs"][0]["kind"], "discard");
    assert!(!path.exists());
    assert_eq!(findings(&lab), [""; 0]);
}
