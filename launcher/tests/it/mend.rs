//! `check` and `fix` on clusters that were broken on purpose, and the shapes.

use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::cluster::routing::Router;
use shardlab::machine::wait::{Deadline, until};
use shardlab::plan::Shape;
use shardlab::reshape::check::Finding;
use shardlab::reshape::fix::Repair;
use shardlab::state::{Home, Lock};
use shardlab::wire::client::Connection;
use shardlab::wire::slots::key_slot;

use crate::lab::{Lab, PATIENCE};
use crate::nodes::{id, order};

/// A cluster with keys, and the right to mend it.
pub(crate) struct Broken {
    _lab: Lab,
    pub(crate) lock: Lock,
    pub(crate) cluster: Cluster,
    keys: Vec<String>,
}

/// The tag of slot 15495, which `n3` owns.
const TAG: &str = "{a}";

fn deadline() -> Deadline {
    Deadline::after(PATIENCE)
}

/// What a client that follows redirects is answered.
async fn ask(cluster: &Cluster, command: &[&str]) -> Option<Vec<u8>> {
    let (_, reply) = Router::new(cluster)
        .call(command, deadline())
        .await
        .unwrap();
    reply.as_text().map(<[u8]>::to_vec)
}

impl Broken {
    /// Sound as yet: three masters with a replica each, `count` keys in slot 15495 and as many all over.
    pub(crate) async fn new(count: usize) -> Self {
        let lab = Lab::new();
        let home = Home::at(lab.home());
        let lock = home
            .lock(&"broken".parse().unwrap(), deadline())
            .await
            .unwrap();
        let cluster = lab
            .cluster()
            .node_timeout(Duration::from_secs(2))
            .name("broken".parse().unwrap())
            .start_locked(&home, &lock, true)
            .await
            .unwrap();
        let tagged = (0..count).map(|number| format!("{TAG}{number}"));
        let keys: Vec<_> = tagged
            .chain((0..count).map(|number| format!("key:{number}")))
            .collect();
        for key in &keys {
            assert_eq!(
                ask(&cluster, &["SET", key, key]).await,
                Some(b"OK".to_vec())
            );
        }
        let broken = Self {
            _lab: lab,
            lock,
            cluster,
            keys,
        };
        assert_eq!(broken.check().await, [""; 0]);
        broken
    }

    pub(crate) async fn check(&self) -> Vec<String> {
        let findings = self.cluster.check(deadline()).await;
        findings.iter().map(ToString::to_string).collect()
    }

    pub(crate) async fn open(&self, node: &str, direction: &str, other: &str) {
        let slot = key_slot(TAG.as_bytes()).to_string();
        let other = id(&self.cluster, other).await;
        order(
            &self.cluster,
            node,
            &["CLUSTER", "SETSLOT", &slot, direction, &other],
        )
        .await;
    }

    /// Moves some keys of slot 15495 from `n3` as a mover would.
    pub(crate) async fn migrate(&self, to: &str, keys: std::ops::Range<usize>) {
        let address = self.cluster.node(to).unwrap().address();
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let keys: Vec<_> = keys.map(|number| format!("{TAG}{number}")).collect();
        let mut command = vec!["MIGRATE", &ip, &port, "", "0", "5000", "KEYS"];
        command.extend(keys.iter().map(String::as_str));
        order(&self.cluster, "n3", &command).await;
    }

    /// Mends it, after which it must be sound, with all keys there; gives what was done.
    pub(crate) async fn fixed(mut self) -> Vec<Repair> {
        let fixed = self.cluster.fix_locked(&self.lock, |_| {}).await.unwrap();
        let left: Vec<_> = fixed.left.iter().map(ToString::to_string).collect();
        assert_eq!(left, [""; 0], "done: {:?}", fixed.done);
        self.assert_whole().await;
        let again = self.cluster.fix_locked(&self.lock, |_| {}).await.unwrap();
        assert_eq!(again.done, [], "there was more to do");
        fixed.done
    }

    /// Every key is there once, and can be read and written.
    pub(crate) async fn assert_whole(&self) {
        for key in &self.keys {
            let value = ask(&self.cluster, &["GET", key]).await;
            assert_eq!(value.as_deref(), Some(key.as_bytes()), "{key}");
        }
        let mut total = 0;
        for (node, _) in self.cluster.survey(deadline()).await.masters() {
            let size = self.cluster.call(node, &["DBSIZE"]).await.unwrap();
            total += usize::try_from(size.as_integer().unwrap()).unwrap();
        }
        assert_eq!(total, self.keys.len());
    }
}

fn kinds(repairs: &[Repair]) -> Vec<&str> {
    repairs.iter().map(Repair::kind).collect()
}

#[tokio::test]
async fn a_move_that_stopped_half_way_is_found_and_goes_on() {
    let broken = Broken::new(20).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    broken.migrate("n1", 0..7).await;
    assert_eq!(
        broken.check().await,
        [
            "n1 is importing slot 15495 from n3",
            "n3 is migrating slot 15495 to n1"
        ]
    );
    let repairs = broken.cluster.repairs().await;
    assert_eq!(
        repairs[0].to_string(),
        "n3 finishes migrating slot 15495 to n1, with 13 keys left"
    );
    assert_eq!(kinds(&broken.fixed().await), ["hand-over"]);
}

#[tokio::test]
async fn half_open_slots_go_back_to_their_owner_with_their_keys() {
    // Migrating without importing.
    let broken = Broken::new(5).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    broken.migrate("n1", 0..2).await;
    order(
        &broken.cluster,
        "n1",
        &["CLUSTER", "SETSLOT", "15495", "STABLE"],
    )
    .await;
    assert_eq!(kinds(&broken.fixed().await), ["close", "bring"]);
    // Importing, by two, without migrating; with keys at one of them.
    let broken = Broken::new(5).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n2", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    broken.migrate("n1", 0..2).await;
    order(
        &broken.cluster,
        "n3",
        &["CLUSTER", "SETSLOT", "15495", "STABLE"],
    )
    .await;
    assert_eq!(kinds(&broken.fixed().await), ["close", "close", "bring"]);
}

#[tokio::test]
async fn of_a_key_that_two_nodes_have_the_owners_is_kept() {
    let broken = Broken::new(3).await;
    broken.open("n1", "IMPORTING", "n3").await;
    let address = broken.cluster.node("n1").unwrap().address();
    let mut n1 = Connection::open(address, deadline()).await.unwrap();
    for (key, value) in [("{a}0", "stale"), ("{a}1", "stale")] {
        let asking: [&[&str]; 2] = [&["ASKING"], &["SET", key, value]];
        n1.pipeline(&asking, deadline()).await.unwrap();
    }
    // `fixed` reads all values; the owner's are the keys themselves.
    assert_eq!(kinds(&broken.fixed().await), ["close", "bring"]);
}

#[tokio::test]
async fn slots_that_nobody_owns_go_to_who_has_their_keys() {
    let broken = Broken::new(5).await;
    for node in broken.cluster.nodes() {
        // Some servers let replicas have no say.
        let _ = node
            .call(&["CLUSTER", "DELSLOTS", "15495", "15494", "7"])
            .await
            .unwrap();
    }
    let findings = broken.cluster.check(deadline()).await;
    let uncovered = findings
        .iter()
        .find(|finding| finding.kind() == "not-covered");
    let uncovered = uncovered.unwrap();
    assert_eq!(uncovered.slots().unwrap().to_string(), "7,15494-15495");
    assert_eq!(uncovered.nodes(), ["n3"]);
    let done = broken.fixed().await;
    let of_n3 = done.iter().any(|repair| {
        repair.to_string().starts_with("n3 takes slots") && repair.to_string().ends_with("15495")
    });
    assert!(of_n3, "{done:?}");
}

#[tokio::test]
async fn keys_of_a_slot_without_an_owner_are_brought_together() {
    let broken = Broken::new(9).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    broken.migrate("n1", 0..6).await;
    for node in ["n3", "n1", "n2"] {
        order(&broken.cluster, node, &["CLUSTER", "DELSLOTS", "15495"]).await;
    }
    for node in ["n3", "n1"] {
        order(
            &broken.cluster,
            node,
            &["CLUSTER", "SETSLOT", "15495", "STABLE"],
        )
        .await;
    }
    let slot = key_slot(TAG.as_bytes());
    let finding = broken.cluster.check(deadline()).await.into_iter().next();
    assert!(
        matches!(finding, Some(Finding::NotCovered { ref keys, .. }) if keys.len() == 2),
        "{finding:?}"
    );
    let done = broken.fixed().await;
    assert_eq!(done[0].slots().unwrap().to_string(), slot.to_string());
    assert_eq!(kinds(&done), ["take", "bring"]);
    assert!(done[0].to_string().starts_with("n1 takes"), "{done:?}");
}

#[tokio::test]
async fn a_slot_that_two_say_is_theirs_costs_no_key() {
    let mut broken = Broken::new(8).await;
    let n1 = id(&broken.cluster, "n1").await;
    for _ in 0..4 {
        // Gossip settles it in moments; whatever `fix` sees of it, no key is lost.
        let command = ["CLUSTER", "SETSLOT", "15495", "NODE", &n1];
        order(&broken.cluster, "n1", &command).await;
        let fixed = broken
            .cluster
            .fix_locked(&broken.lock, |_| {})
            .await
            .unwrap();
        assert_eq!(fixed.left, []);
        broken.assert_whole().await;
    }
}

#[tokio::test]
async fn a_node_that_is_gone_but_not_from_all_lists_is_forgotten() {
    let broken = Broken::new(2).await;
    let node = broken.cluster.node("r2").unwrap();
    node.stop(PATIENCE).await.unwrap();
    let path = node.dir().join("nodes.conf");
    let conf = std::fs::read_to_string(&path).unwrap();
    let mut fields: Vec<_> = conf
        .lines()
        .find(|line| line.contains(" master - "))
        .unwrap()
        .split(' ')
        .take(8)
        .map(ToOwned::to_owned)
        .collect();
    let stranger = "f".repeat(40);
    fields[0].clone_from(&stranger);
    let (_, more) = fields[1].split_once(',').unwrap_or_default();
    fields[1] = format!(
        "127.0.0.1:1@10001{}{more}",
        if more.is_empty() { "" } else { "," }
    );
    std::fs::write(&path, format!("{}\n{conf}", fields.join(" "))).unwrap();
    node.start().await.unwrap();
    let found = until(deadline(), Duration::from_millis(50), || async {
        let findings = broken.cluster.check(deadline()).await;
        let stranger = |finding: &Finding| matches!(finding, Finding::Stranger { id, .. } if **id == *stranger);
        if !findings.is_empty() && findings.iter().all(stranger) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(findings)
        }
    });
    found.await.unwrap();
    // The others may have heard of it by gossip.
    let done = broken.fixed().await;
    assert!(
        !done.is_empty() && done.iter().all(|repair| repair.kind() == "forget"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_dead_node_is_found_and_its_slots_are_left_alone() {
    let mut broken = Broken::new(2).await;
    broken.cluster.node("r2").unwrap().kill().await.unwrap();
    broken.cluster.node("n1").unwrap().kill().await.unwrap();
    broken.cluster.node("r1").unwrap().kill().await.unwrap();
    let findings = broken.cluster.check(deadline()).await;
    let silent = findings.iter().filter(|finding| finding.kind() == "silent");
    let silent: Vec<_> = silent
        .map(|finding| {
            (
                finding.nodes()[0].to_owned(),
                finding.slots().map(ToString::to_string),
            )
        })
        .collect();
    let owner = |node: &str, slots: Option<&str>| (node.to_owned(), slots.map(ToOwned::to_owned));
    assert_eq!(
        silent,
        [
            owner("n1", Some("0-5460")),
            owner("r1", None),
            owner("r2", None)
        ]
    );
    assert!(
        !findings
            .iter()
            .any(|finding| finding.kind() == "not-covered")
    );
    let fixed = broken
        .cluster
        .fix_locked(&broken.lock, |_| {})
        .await
        .unwrap();
    assert_eq!(fixed.done, []);
    assert!(!fixed.left.is_empty());
}

#[tokio::test]
async fn every_shape_is_what_it_is_called() {
    for shape in [
        Shape::TwoMasters,
        Shape::NoReplicas,
        Shape::UnevenReplicas,
        Shape::Uneven,
        Shape::EmptyMaster,
    ] {
        let lab = Lab::new();
        let cluster = lab.cluster().shape(shape).start().await.unwrap();
        let survey = cluster.survey(deadline()).await;
        let slots: Vec<u16> = survey
            .masters()
            .map(|(_, line)| line.slots.count())
            .collect();
        let replicas: Vec<usize> = survey
            .masters()
            .map(|(_, line)| survey.replicas_of(&line.id).count())
            .collect();
        let (wanted_slots, wanted_replicas): (&[u16], &[usize]) = match shape {
            Shape::TwoMasters => (&[8192, 8192], &[1, 1]),
            Shape::NoReplicas => (&[5461, 5462, 5461], &[0, 0, 0]),
            Shape::UnevenReplicas => (&[5461, 5462, 5461], &[2, 1, 0]),
            Shape::Uneven => (&[15_383, 1_000, 1], &[1, 1, 1]),
            _ => (&[5461, 5462, 5461, 0], &[1, 1, 1, 1]),
        };
        assert_eq!(
            (slots.as_slice(), replicas.as_slice()),
            (wanted_slots, wanted_replicas),
            "{shape}"
        );
        let findings = cluster.check(deadline()).await;
        assert_eq!(findings, [], "{shape}");
    }
}

#[tokio::test]
async fn an_open_slot_answers_ask_and_tryagain() {
    let lab = Lab::new();
    let cluster = lab.cluster().shape(Shape::OpenSlot).start().await.unwrap();
    let moved = cluster.call("n3", &["GET", "{a}:moved"]).await.unwrap();
    assert_eq!(moved.error_code(), Some("ASK"));
    let here = cluster.call("n3", &["GET", "{a}:here"]).await.unwrap();
    assert_eq!(here.as_text(), Some(&b"n3"[..]));
    let mut n1 = cluster.node("n1").unwrap().connect().await.unwrap();
    let both: [&[&str]; 2] = [&["ASKING"], &["MGET", "{a}:here", "{a}:moved"]];
    let replies = n1.pipeline(&both, deadline()).await.unwrap();
    assert_eq!(replies[1].error_code(), Some("TRYAGAIN"));
}

#[tokio::test]
async fn a_hole_is_remembered_and_goes_when_it_is_mended() {
    let lab = Lab::new();
    let up = lab.up(&["--shape", "uncovered", "--node-timeout", "1s"]);
    assert_eq!(up["rung"], "formed");
    let lost = lab.shardlab(["call", "n1", "GET", "foo"]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&lost.stdout).contains("CLUSTERDOWN"),
        "{lost:?}"
    );
    let check = lab.shardlab(["check", "--json"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    let check: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(check["schema"], 2);
    assert_eq!(check["findings"][0]["kind"], "not-covered");
    assert_eq!(
        check["findings"][0]["slots"],
        serde_json::json!(["12100-12199"])
    );
    assert_eq!(check["findings"][0]["hint"], "`shardlab fix`");
    lab.shardlab(["stop"]).assert().success();
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    let plan = lab.json(["fix", "--dry-run", "--json"]);
    assert_eq!(plan["repairs"][0]["kind"], "take");
    let fix = lab.json(["fix", "--json"]);
    assert_eq!(
        (&fix["verdict"], &fix["repairs"][0]["slots"]),
        (&"pass".into(), &serde_json::json!(["12100-12199"]))
    );
    lab.shardlab(["check"]).assert().success();
    lab.shardlab(["up", "--shape", "uncovered"])
        .assert()
        .code(2)
        .stderr_eq(
            "error: the cluster `default` already exists with other options: `--shape` is none[..]\n...",
        );
}
