//! What is put back, and in which order.

use shardlab::wire::resp::{Frame, Value};
use shardlab::wire::view::NodeId;

use super::picture::*;
use super::view::{View, Views};
use crate::system::without_words;
use crate::transcript::ast::NodeName;

const M1: &str = "11@127.0.0.1:7001 master 0-8191";
const M2: &str = "22@127.0.0.1:7002 master 8192-16383";
const R1: &str = "33@127.0.0.1:7003 11";

fn bulk(text: String) -> Frame {
    Frame::from_value(Value::BulkString(text.into()))
}

/// What a node says, from `ID@ADDRESS master SLOTS` and `ID@ADDRESS MASTER`.
fn view(own: &str, nodes: &[&str], setting: &str) -> Result<View, String> {
    let mut text = String::new();
    let mut is_replica = false;
    for node in nodes {
        let (id, rest) = node.split_once('@').unwrap();
        let (address, rest) = rest.split_once(' ').unwrap();
        let (role, slots) = rest.split_once(' ').unwrap_or((rest, ""));
        let (flags, master) = match role {
            "master" => ("master", "-"),
            master => ("slave", master),
        };
        let myself = if id == own { "myself," } else { "" };
        is_replica |= id == own && flags == "slave";
        let line = format!("{id} {address}@17001 {myself}{flags} {master} 0 1 1 connected");
        text.extend([line.as_str(), " ", slots, "\n"]);
    }
    let replication = if is_replica {
        "role:slave\r\nmaster_host:h\r\nmaster_port:1\r\nmaster_link_status:up\r\n"
    } else {
        "role:master\r\nslave0:ip=h,port=1,state=online,offset=1,lag=0\r\n"
    };
    let settings = ["maxmemory", setting].map(|word| bulk(word.to_owned()));
    View::of(&[
        bulk(text),
        bulk("cluster_state:ok\r\n".to_owned()),
        bulk(replication.to_owned()),
        Frame::from_value(Value::Array(settings.to_vec())),
    ])
    .ok_or_else(|| "odd".to_owned())
}

fn name(text: &str) -> NodeName {
    NodeName::parse(text).unwrap()
}

fn views(n1: &[&str], n2: &[&str], r1: &[&str]) -> Views {
    let views = [("n1", "11", n1), ("n2", "22", n2), ("r1", "33", r1)];
    let views = views.map(|(node, id, nodes)| (name(node), view(id, nodes, "0")));
    views.into()
}

fn picture() -> Picture {
    let place = |id: &str, port| Place {
        id: NodeId::new(id).unwrap(),
        ip: "127.0.0.1".to_owned(),
        port,
        bus: None,
    };
    let places = [
        (name("n1"), place("11", 7001)),
        (name("n2"), place("22", 7002)),
        (name("r1"), place("33", 7003)),
    ];
    let all: &[&str] = &[M1, M2, R1];
    Picture::of(&views(all, all, all), &places.into()).unwrap()
}

/// What is done first about what a cluster says.
fn mends(views: &Views) -> Vec<String> {
    let faults = picture().faults(views);
    let mends = Picture::first(&faults).map(|fault| match &fault.mend {
        Mend::Tell(node, words) => format!("{node} {}", words.join(" ")),
        Mend::Return(Return {
            slot,
            home,
            is_home,
            from,
            misled,
        }) => {
            let names = |names: &[NodeName]| {
                let names = names.iter().map(ToString::to_string);
                names.collect::<Vec<_>>().join(" ")
            };
            let is_home = if *is_home { "at" } else { "to" };
            let (from, misled) = (names(from), names(misled));
            format!("{slot} {is_home} {home} from [{from}] misled [{misled}]")
        }
        other => format!("{other:?}"),
    });
    mends.collect()
}

#[test]
fn a_refusal_is_told_without_the_words_of_the_command() {
    let unknown = "ERR unknown command 'MIGRATE'";
    let error = format!("{unknown}, with args beginning with: 'h' '1' 'AUTH2' 'ann' 'secret'");
    assert_eq!(without_words(error.as_bytes()), unknown.as_bytes());
    assert_eq!(without_words(b"IOERR error"), b"IOERR error");
}

#[test]
fn a_cluster_that_is_as_it_was_needs_nothing() {
    let all: &[&str] = &[M1, M2, R1];
    assert!(mends(&views(all, all, all)).is_empty());
    assert_eq!(picture().setting("maxmemory"), Some("0"));
    assert_eq!(picture().masters().count(), 2);
}

#[test]
fn slots_go_home() {
    let all: &[&str] = &[M1, M2, R1];
    let open = "11@127.0.0.1:7001 master 0-8191 [7->-22]";
    let takes = "22@127.0.0.1:7002 master 8192-16383 [7-<-11]";
    let (n1, n2): (&[&str], &[&str]) = (&[open, M2, R1], &[M1, takes, R1]);
    assert_eq!(mends(&views(n1, n2, all)), ["7 at n1 from [n2] misled []"]);
    let lost = "11@127.0.0.1:7001 master 0-6 8-8191";
    assert_eq!(
        mends(&views(&[lost, M2, R1], all, all)),
        ["7 to n1 from [] misled []"]
    );
    let won = "22@127.0.0.1:7002 master 7 8192-16383";
    let moved: &[&str] = &[lost, won, R1];
    assert_eq!(
        mends(&views(moved, moved, moved)),
        ["7 to n1 from [n2] misled [n2]"]
    );
}

#[test]
fn roles_come_before_slots_and_nodes_before_roles() {
    let (old, new) = ("11@127.0.0.1:7001 33", "33@127.0.0.1:7003 master 0-8191");
    let swapped: &[&str] = &[old, M2, new];
    let told = mends(&views(swapped, swapped, swapped));
    assert_eq!(told, ["n1 CLUSTER FAILOVER", "Wait"]);
    let elsewhere: &[&str] = &[M1, M2, "33@127.0.0.1:7003 22"];
    let told = mends(&views(elsewhere, elsewhere, elsewhere));
    assert_eq!(told, ["r1 CLUSTER REPLICATE 11"]);
    let forgotten: &[&str] = &[old, M2];
    let told = mends(&views(forgotten, swapped, swapped));
    assert_eq!(told, ["n1 CLUSTER MEET 127.0.0.1 7003"]);
    let mut views = views(forgotten, swapped, swapped);
    views.insert(name("n2"), Err("silence".to_owned()));
    assert_eq!(mends(&views), [format!("Wake({:?})", name("n2"))]);
}

#[test]
fn settings_come_last_and_are_not_told() {
    let all: &[&str] = &[M1, M2, R1];
    let mut views = views(all, all, all);
    views.insert(name("r1"), view("33", all, "secret"));
    assert_eq!(mends(&views), ["r1 CONFIG SET maxmemory 0"]);
    let faults = picture().faults(&views);
    let told = picture().by_hand(faults.first().unwrap());
    assert_eq!(
        told.as_deref(),
        Some("send `CONFIG SET maxmemory …` to 127.0.0.1:7003")
    );
}

#[test]
fn settings_that_are_not_told_are_not_as_they_were() {
    let all: &[&str] = &[M1, M2, R1];
    let mut views = views(all, all, all);
    if let Some(Ok(view)) = views.get_mut(&name("r1")) {
        view.settings = None;
    }
    let faults = picture().faults(&views);
    let differs: Vec<_> = faults.iter().map(|fault| &*fault.differs).collect();
    assert_eq!(differs, ["127.0.0.1:7003 does not tell its settings"]);
}

#[test]
fn a_cluster_that_is_not_at_rest_has_no_picture() {
    let all: &[&str] = &[M1, M2, R1];
    let open: &[&str] = &["11@127.0.0.1:7001 master 0-8191 [7->-22]", M2, R1];
    let picture = Picture::of(&views(open, all, all), &picture().places());
    assert_eq!(
        picture.unwrap_err(),
        "slot 7 does not belong to 127.0.0.1:7001 alone"
    );
}
