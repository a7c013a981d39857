//! Archives that were cut short or altered: every one is refused, and nothing is left of it.

use std::io::Read as _;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::Digest as _;
use tar::EntryType;
use tempfile::TempDir;

use crate::lab::Lab;

/// The members of an archive: path, kind, content.
type Members = Vec<(String, EntryType, Vec<u8>)>;

fn unpack(file: &Path) -> Members {
    let mut tar = tar::Archive::new(GzDecoder::new(std::fs::File::open(file).unwrap()));
    let members = tar.entries().unwrap().map(|member| {
        let mut member = member.unwrap();
        let path = member.path().unwrap().display().to_string();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        (path, member.header().entry_type(), content)
    });
    members.collect()
}

fn pack(members: &Members) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, kind, content) in members {
        let mut header = tar::Header::new_gnu();
        // As a hostile writer would: no library lets these through.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        if *kind == EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, content.as_slice()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn changed(members: &Members, change: impl FnOnce(&mut Members)) -> Vec<u8> {
    let mut members = members.clone();
    change(&mut members);
    pack(&members)
}

/// The manifest's text with a word exchanged.
fn lied(members: &Members, from: &str, to: &str) -> Vec<u8> {
    changed(members, |members| {
        let text = String::from_utf8(members[0].2.clone()).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        members[0].2 = text.replacen(from, to, 1).into_bytes();
    })
}

/// What is wrong with an archive, its bytes, and what is said of it.
type Case = (&'static str, Vec<u8>, &'static str);

/// A file that was cut short, damaged, or added to.
fn damaged(sound: &[u8]) -> Vec<Case> {
    // A single bit may say the same in other words, such as another place in a run of zeros.
    let altered = |at: usize| {
        let mut bytes = sound.to_vec();
        bytes[at..at + 4].iter_mut().for_each(|byte| *byte ^= 0xff);
        bytes
    };
    let (half, end) = (sound.len() / 2, sound.len());
    let no_manifest = "does not begin with a manifest";
    let broken = "is cut short or broken";
    vec![
        ("nothing", Vec::new(), broken),
        ("another file", b"#!/bin/sh\n".to_vec(), no_manifest),
        ("the first half", sound[..half].to_vec(), "is refused"),
        ("all but the last byte", sound[..end - 1].to_vec(), broken),
        ("altered bytes in the middle", altered(half), "is refused"),
        ("an altered sum", altered(end - 8), broken),
        (
            "more behind it",
            [sound, b"more"].concat(),
            "data follows its end",
        ),
    ]
}

/// Other members than the manifest lists.
fn altered(members: &Members) -> Vec<Case> {
    let kind = |kind| changed(members, |it| it[2].1 = kind);
    let path = |path: &str| changed(members, |it| path.clone_into(&mut it[2].0));
    let no_file = "`n1/snapshot.rdb` is not a plain file";
    vec![
        (
            "a missing file",
            changed(members, |it| drop(it.pop())),
            "`the end` was found where `n1/snapshot.rdb` was expected",
        ),
        (
            "a file twice",
            changed(members, |it| it.push(it[2].clone())),
            "`n1/snapshot.rdb` was found where `the end` was expected",
        ),
        (
            "another order",
            changed(members, |it| it.swap(1, 2)),
            "`n1/snapshot.rdb` was found where `n1/nodes.conf` was expected",
        ),
        (
            "a path that climbs",
            path("n1/../../x"),
            "`n1/../../x` was found where",
        ),
        (
            "an absolute path",
            path("/tmp/x"),
            "`/tmp/x` was found where",
        ),
        ("a link", kind(EntryType::Symlink), no_file),
        ("a hard link", kind(EntryType::Link), no_file),
        ("a device", kind(EntryType::Block), no_file),
        ("a pipe", kind(EntryType::Fifo), no_file),
        ("a folder", kind(EntryType::Directory), no_file),
        (
            "a longer name to come",
            kind(EntryType::GNULongName),
            no_file,
        ),
        (
            "other content",
            changed(members, |it| it[2].2[20] ^= 1),
            "its SHA-256 does not match",
        ),
        (
            "a longer file",
            changed(members, |it| it[2].2.push(0)),
            " by the manifest",
        ),
        (
            "no manifest",
            changed(members, |it| drop(it.remove(0))),
            "does not begin with a manifest",
        ),
    ]
}

/// A manifest that lies, in an archive that is sound otherwise.
fn lying(members: &Members) -> Vec<Case> {
    let sum = |bytes: &[u8]| -> String {
        let digits = sha2::Sha256::digest(bytes);
        digits
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from_digit(digit.into(), 16).unwrap())
            .collect()
    };
    let zeros = vec![b'0'; members[1].2.len()];
    let mut strange = members.clone();
    strange[1].2.clone_from(&zeros);
    vec![
        (
            "a later schema",
            lied(members, "\"schema\": 1", "\"schema\": 2"),
            "it has schema 2",
        ),
        (
            "a file that climbs",
            lied(members, "\"snapshot.rdb\"", "\"data/../../x\""),
            "is not a file of a node",
        ),
        (
            "a node that climbs",
            lied(members, "\"name\": \"n1\"", "\"name\": \"../n1\""),
            "is not the name of a node",
        ),
        (
            "a nodes.conf that no server has written",
            lied(&strange, &sum(&members[1].2), &sum(&zeros)),
            "nodes.conf of `n1` cannot be understood",
        ),
    ]
}

fn sound_archive(lab: &Lab, scratch: &TempDir) -> Vec<u8> {
    let file = scratch.path().join("sound.shardlab");
    lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    lab.shardlab(["save", file.to_str().unwrap(), "-q"])
        .assert()
        .success();
    lab.shardlab(["down", "-q"]).assert().success();
    std::fs::read(&file).unwrap()
}

#[test]
fn an_archive_that_was_cut_short_or_altered_is_refused_and_leaves_nothing() {
    let lab = Lab::new();
    let scratch = tempfile::tempdir().unwrap();
    let sound = sound_archive(&lab, &scratch);
    let members = unpack(&scratch.path().join("sound.shardlab"));
    let bad = scratch.path().join("bad.shardlab");
    let cases = damaged(&sound)
        .into_iter()
        .chain(altered(&members))
        .chain(lying(&members));
    for (name, bytes, complaint) in cases {
        std::fs::write(&bad, bytes).unwrap();
        let output = lab
            .shardlab([
                "up",
                "-q",
                "--port",
                "auto",
                "--from",
                bad.to_str().unwrap(),
            ])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(complaint), "{name}: {text}");
        lab.assert_empty();
    }
    // What was packed here is taken if nothing is wrong with it.
    std::fs::write(&bad, pack(&members)).unwrap();
    lab.up(&["--from", bad.to_str().unwrap()]);
}

#[test]
fn an_archive_does_not_decide_who_reaches_the_nodes() {
    let lab = Lab::new();
    let scratch = tempfile::tempdir().unwrap();
    sound_archive(&lab, &scratch);
    let file = scratch.path().join("sound.shardlab");
    let mut members = unpack(&file);
    let mut manifest: serde_json::Value = serde_json::from_slice(&members[0].2).unwrap();
    manifest["options"]["bind"] = serde_json::json!(["0.0.0.0"]);
    manifest["options"]["announce"] = serde_json::json!("evil.example");
    manifest["options"]["settings"] = serde_json::json!([
        { "key": "loadmodule", "value": "data/x.so" },
        { "key": "user", "value": "evil on nopass ~* +@all" },
        { "key": "maxmemory", "value": "33mb" },
    ]);
    members[0].2 = manifest.to_string().into_bytes();
    std::fs::write(&file, pack(&members)).unwrap();
    let up = ["up", "--port", "auto", "--from", file.to_str().unwrap()];
    let output = lab.shardlab(up).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let options = "`--bind 0.0.0.0`, `--announce evil.example`, `--set loadmodule=data/x.so`, \
                   `--set user=evil on nopass ~* +@all`";
    assert!(told.contains(options), "{told}");
    let conf = lab.open().node("n1").unwrap().config_path();
    let conf = std::fs::read_to_string(conf).unwrap();
    let has = |line: &str| conf.lines().any(|other| other == line);
    assert!(has("bind 127.0.0.1") && has("maxmemory 33mb"), "{conf}");
    assert!(!conf.contains("evil") && !conf.contains("x.so"), "{conf}");
}
