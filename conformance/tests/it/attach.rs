//! Attached to genuine clusters that are not shaped as the transcripts' own: cases are tried, none departs,
//! and everything is as it was before.

use std::sync::Arc;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::machine::environment::Environment;
use shardlab::plan::{Options, PortChoice, Topology};
use shardlab::wire::resp::escape;
use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::run::{Limits, Runner, Subject, Wanted};
use shardlab_conformance::suite::{Origin, load};

/// What a cluster is asked for, to see that it has not changed.
const PICTURE: [&[&str]; 4] = [
    &["CONFIG", "GET", "*"],
    &["ACL", "LIST"],
    &["GET", "foreign"],
    &["DBSIZE"],
];

async fn picture(cluster: &Cluster) -> Vec<String> {
    let mut picture = Vec::new();
    for node in cluster.nodes() {
        for command in PICTURE {
            let reply = node.call(command).await.unwrap();
            picture.push(format!(
                "{} {command:?} {}",
                node.name(),
                escape(&reply.raw)
            ));
        }
        let nodes = node.call(&["CLUSTER", "NODES"]).await.unwrap();
        let text = String::from_utf8_lossy(nodes.as_text().unwrap_or_default()).into_owned();
        let mut lines: Vec<_> = text.lines().map(without_times).collect();
        lines.sort();
        picture.extend(lines);
    }
    picture
}

/// A line without the times of ping and pong.
fn without_times(line: &str) -> String {
    let fields = line.split(' ').enumerate();
    let kept = fields.filter(|(place, _)| !(4..=5).contains(place));
    kept.map(|(_, field)| field).collect::<Vec<_>>().join(" ")
}

/// All cases on a cluster, of which at least `least` are tried.
async fn is_tested_and_left_alone(options: Options, least: usize) {
    let password = options.password.clone();
    let cluster = Cluster::builder().options(options).start().await.unwrap();
    for node in cluster.nodes() {
        // Only its owner takes it.
        let _ = node.call(&["SET", "foreign", "1"]).await;
    }
    let before = picture(&cluster).await;
    let limits = Limits::default();
    let address = cluster.nodes().last().unwrap().address().to_string();
    let wanted = Wanted {
        attach: Some(address),
        password,
        ..Wanted::default()
    };
    let environment = Environment::of_process();
    let subject = Subject::open(&wanted, &environment, limits.read, &|_| {});
    let runner = Runner::new(subject.await.unwrap()).limits(limits);
    let cases = load(&Origin::Embedded).unwrap();
    let run = Arc::new(runner).run(cases, 1, Duration::from_secs(600), |_| {});
    let result = run.await;
    let mut passed = 0;
    for case in &result.cases {
        match &case.verdict {
            Verdict::Pass => passed += 1,
            Verdict::Skipped(_) => {}
            other => panic!("{}: {other:?}", case.id),
        }
    }
    assert!(passed >= least, "{passed}");
    assert_eq!(picture(&cluster).await, before);
}

#[test]
fn clusters_of_other_shapes_are_tested_and_left_as_they_were() {
    let options = |masters, replicas| Options {
        masters,
        replicas: vec![replicas],
        ports: PortChoice::Auto,
        persist: false,
        ..Options::of(Topology::Cluster)
    };
    let slots = ["0-4000,8000-12000", "4001-7999,12001-16383"];
    let ranges = Options {
        slots: Some(slots.map(|slots| slots.parse().unwrap()).to_vec()),
        password: Some("a secret".to_owned()),
        ..options(2, 0)
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        tokio::join!(
            is_tested_and_left_alone(ranges, 60),
            is_tested_and_left_alone(options(4, 1), 80),
        );
    });
}
