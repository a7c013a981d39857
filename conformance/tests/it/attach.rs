//! Attached: on genuine clusters of other shapes than the transcripts' own no case departs and everything is left
//! as it was; what is no cluster is told at once.

use std::sync::Arc;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::machine::environment::Environment;
use shardlab::plan::{Options, PortChoice, Topology};
use shardlab::wire::resp::escape;
use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::run::{Limits, Runner, Subject, Wanted};
use shardlab_conformance::suite::{Origin, load};
use shardlab_conformance::system::AddressMap;

use crate::program::{PING, folder, program, run_attached};
use crate::secured::Authority;
use crate::server::{Answer, serve, serve_cluster};

/// What a cluster is asked for, to see that it has not changed.
const PICTURE: [&[&str]; 4] = [
    &["CONFIG", "GET", "*"],
    &["ACL", "LIST"],
    &["GET", "foreign"],
    &["DBSIZE"],
];

pub(crate) async fn picture(cluster: &Cluster) -> Vec<String> {
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

/// All cases on a cluster, of which at least `least` are tried; over TLS, if there is an authority for it.
async fn is_tested_and_left_alone(options: Options, least: usize, tls: Option<&Authority>) {
    let password = options.password.clone();
    let cluster = Cluster::builder().options(options).start().await.unwrap();
    for node in cluster.nodes() {
        // Only its owner takes it.
        let _ = node.call(&["SET", "foreign", "1"]).await;
    }
    let mut address = cluster.nodes().last().unwrap().address().to_string();
    let mut map = Vec::new();
    if let Some(authority) = tls {
        let identity = authority.identity(|_| {});
        for node in cluster.nodes() {
            let secured = authority.secured(node, &identity).await;
            // Not every server tells a client with TLS the port that is for it.
            map.push(format!("{}={secured}", node.address()));
            address = format!("rediss://{secured}");
        }
    }
    let before = picture(&cluster).await;
    let limits = Limits::default();
    let wanted = Wanted {
        attach: Some(address),
        password,
        tls_options: tls.map(Authority::options).unwrap_or_default(),
        address_map: AddressMap::parse(map.iter().map(String::as_str)).unwrap(),
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
    let authority = Authority::new("ours");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        tokio::join!(
            is_tested_and_left_alone(ranges, 60, Some(&authority)),
            is_tested_and_left_alone(options(4, 1), 80, None),
        );
    });
}

#[test]
fn keys_of_others_are_left_alone() {
    let set = PING.replace("n1> PING\nPONG", "n1> SET mine 1\nPONG");
    let folder = folder(&[("fixtures/ping/is_answered.resp", &set)]);
    // Every key is there already.
    let full = |request: &str| {
        let count = request.matches("EXISTS").count();
        (count > 0).then(|| b":1\r\n".repeat(count))
    };
    let run = run_attached(&folder, full).assert().code(1);
    let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert!(text.contains("the key `mine` is there already"), "{text}");
}

/// A node behind NAT: it tells addresses at which nobody listens. One of them is its own, and one is of a node that
/// has failed.
fn nodes_elsewhere(request: &str) -> Vec<u8> {
    let id = |digit: &str| digit.repeat(40);
    let text = if request.contains("MYID") {
        id("1")
    } else {
        format!(
            "{} 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-8191\n\
             {} 127.0.0.1:2@2 master - 0 0 2 connected 8192-16383\n\
             {} 127.0.0.1:3@2 slave,fail - 0 0 2 connected\n",
            id("1"),
            id("2"),
            id("3")
        )
    };
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

/// Whoever listens at the addresses of a cluster's nodes is none of them.
#[test]
fn a_cluster_whose_addresses_lead_to_other_nodes_is_code_3() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    let address = serve_cluster(|request| {
        let other = format!("$40\r\n{}\r\n", "9".repeat(40));
        request.contains("MYID").then(|| other.into_bytes())
    });
    let run = program(folder.path())
        .args(["run", "fixtures", "--attach", &address.to_string()])
        .assert()
        .code(3);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(text.contains("(another node listens there)"), "{text}");
}

#[test]
fn what_is_no_cluster_is_code_3_at_once_and_says_what_to_do() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    let behaviours: [(Answer, &str, &str); 9] = [
        (
            |_| Some(b"HTTP/1.1 400\r\n".to_vec()),
            "does not speak RESP",
            "listens for clients",
        ),
        (|_| Some(Vec::new()), "no answer in time", "--slow"),
        (|_| None, "closed the connection", "listens for clients"),
        (
            |_| Some(b"-NOAUTH Authentication required.\r\n".to_vec()),
            "wants a password: ",
            "REDISCLI_AUTH",
        ),
        (
            |_| Some(b"-ERR This instance has cluster support disabled\r\n".to_vec()),
            "is not a node of a cluster: ",
            "cluster-enabled yes",
        ),
        (
            |_| Some(b"+OK\r\n".to_vec()),
            "does not tell its nodes; to CLUSTER NODES it answers `+OK`",
            "CLUSTER NODES",
        ),
        (
            |_| Some(b"$49\r\nid 127.0.0.1:1@2 myself,master - 0 0 1 connected\n\r\n".to_vec()),
            "serves 0 of 16384 slots",
            "--cluster check",
        ),
        (
            |request| Some(nodes_elsewhere(request)),
            "2 of the 2 nodes of the cluster of 127.0.0.1:",
            "`--address-map 127.0.0.1:1=127.0.0.1:",
        ),
        (
            |request| Some(nodes_elsewhere(request)),
            "cannot be reached from here: 127.0.0.1:1, 127.0.0.1:2 (Connection refused",
            " --address-map 127.0.0.1:2=HOST:PORT`",
        ),
    ];
    for (answer, cause, advice) in behaviours {
        let address = serve(answer).to_string();
        let run = program(folder.path())
            .args(["run", "fixtures", "--attach", &address])
            .assert()
            .code(3);
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        let (error, hint) = text.split_once("\n\n").unwrap();
        assert!(
            error.starts_with("error: ") && error.contains(cause),
            "{text}"
        );
        assert!(
            hint.starts_with("hint: ") && hint.contains(advice),
            "{text}"
        );
    }
}

#[test]
fn a_user_and_a_password_are_said_in_any_of_four_ways_and_never_told() {
    let folder = folder(&[(
        "fixtures/ping/is_answered.resp",
        &PING.replace("\nPONG", "\n(nil)"),
    )]);
    // Refuses everything, and says as whom it was asked.
    let address = serve(|request| {
        let known = request.contains("AUTH") && request.contains("secret");
        let ann = if request.contains("ann") {
            " as ann"
        } else {
            ""
        };
        known.then(|| format!("-WRONGPASS seen{ann}\r\n").into_bytes())
    });
    let (plain, url) = (address.to_string(), format!("redis://ann:secret@{address}"));
    for (arguments, variable, user) in [
        (&["--attach", &plain, "--password", "secret"][..], "", ""),
        (
            &["--attach", &plain, "--user", "ann", "--password", "secret"],
            "",
            " as ann",
        ),
        (&["--attach", &plain, "--user", "ann"], "secret", " as ann"),
        (&["--attach", &url], "", " as ann"),
        (&["--attach", &url, "--password", "secret2"], "", " as ann"),
    ] {
        let run = program(folder.path())
            .args(["run", "fixtures"])
            .args(arguments)
            .env("REDISCLI_AUTH", variable)
            .assert()
            .code(3);
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        let told = format!("refuses the user or the password: WRONGPASS seen{user}\n");
        assert!(
            text.contains(&told) && !text.contains("secret"),
            "{arguments:?}: {text}"
        );
    }
    program(folder.path())
        .args(["run", "fixtures", "--attach", &plain, "--user", "ann"])
        .env_remove("REDISCLI_AUTH")
        .assert()
        .code(2);
}
