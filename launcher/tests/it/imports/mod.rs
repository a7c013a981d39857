//! No files import each other in a circle, and no import runs against the order of the wings in
//! `docs/architecture.md`.

mod graph;
mod source;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

/// The roots of the libraries and the programs, by the names that the tables of wings have.
const ROOTS: [(&str, &str); 4] = [
    ("launcher", "launcher/src/lib.rs"),
    ("shardlab", "launcher/src/bin/shardlab/main.rs"),
    ("conformance", "conformance/src/lib.rs"),
    (
        "shardlab-conformance",
        "conformance/src/bin/shardlab-conformance/main.rs",
    ),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn graph(root: &str) -> Graph {
    let root = workspace().join(root);
    let folder = root.parent().unwrap().to_owned();
    let file = root.file_name().unwrap().to_str().unwrap();
    Graph::of(file, &|file| fs::read_to_string(folder.join(file)).ok())
}

/// Every circle, file by file.
fn circles(graph: &Graph) -> Vec<String> {
    let arrow = |circle: &[&str], place: usize| {
        let (from, to) = (circle[place], circle[(place + 1) % circle.len()]);
        format!("{from}:{} imports {to}", graph.line(from, to))
    };
    let told = |circle: Vec<&str>| {
        let arrows: Vec<_> = (0..circle.len())
            .map(|place| arrow(&circle, place))
            .collect();
        arrows.join(", ")
    };
    graph.circles().into_iter().map(told).collect()
}

/// The wings of a root, bottom-up, as the architecture's page has them: the first column of the
/// table whose head says `Wing of <name>`.
fn order(page: &str, name: &str) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("The wings\n"))
        .unwrap_or_default();
    let head = format!("| Wing of `{name}` |");
    let table = section
        .lines()
        .skip_while(|line| !line.starts_with(&head))
        .skip(2);
    table
        .map_while(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}

/// The entry of the crate's root that a file stands in.
fn wing(file: &str) -> String {
    match file.split_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => file.to_owned(),
    }
}

/// Every import that runs upwards, and every wing without a place in the order. The root itself
/// stands above all.
fn against(graph: &Graph, order: &[String]) -> Vec<String> {
    let place = |file: &str| match wing(file).as_str() {
        "lib.rs" | "main.rs" => Some(order.len()),
        wing => order.iter().position(|known| known == wing),
    };
    let mut wrong = Vec::new();
    for (file, imports) in &graph.imports {
        let Some(here) = place(file) else {
            wrong.push(format!(
                "{file}: `{}` is not in the table of wings",
                wing(file)
            ));
            continue;
        };
        for (target, line) in imports {
            if place(target).is_some_and(|there| there > here) {
                wrong.push(format!(
                    "{file}:{line} imports {target}: `{}` comes after `{}` in the order",
                    wing(target),
                    wing(file)
                ));
            }
        }
    }
    wrong
}

#[track_caller]
fn assert_none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    for (_, root) in ROOTS {
        let graph = graph(root);
        assert!(
            graph.imports.len() > 5,
            "{root}: only {} files",
            graph.imports.len()
        );
        wrong.extend(
            circles(&graph)
                .iter()
                .map(|circle| format!("{root}: {circle}")),
        );
    }
    assert_none(
        &wrong,
        "files import each other in a circle; what both need belongs below them",
    );
}

#[test]
fn imports_follow_the_order_of_the_wings() {
    let page = fs::read_to_string(workspace().join("docs/architecture.md")).unwrap();
    let mut wrong = Vec::new();
    for (name, root) in ROOTS {
        let order = order(&page, name);
        assert!(
            order.len() > 2,
            "docs/architecture.md has no table `Wing of {name}`"
        );
        let against = against(&graph(root), &order);
        wrong.extend(against.iter().map(|import| format!("{root}: {import}")));
    }
    let rule = "a wing imports itself and those before it in docs/architecture.md, \"The wings\"";
    assert_none(&wrong, rule);
}

#[test]
fn an_order_is_read_from_its_own_table() {
    let page = "# A\n\n## The wings\n\nProse.\n\n| Wing of `a` | . |\n|---|---|\n| `x/` | . |\n| `y.rs` | . |\n\n\
                | Wing of `b` | . |\n|---|---|\n| `z/` | . |\n\n## Others\n\n| Wing of `c` | . |\n|---|---|\n| `v/` | . |\n";
    assert_eq!(order(page, "a"), ["x/", "y.rs"]);
    assert_eq!(order(page, "b"), ["z/"]);
    assert!(order(page, "c").is_empty());
}

#[test]
fn an_import_upwards_and_a_wing_without_a_place_are_told() {
    let files = [
        ("lib.rs", "mod x; mod y; mod z; fn f() { x::a() }"),
        ("x/mod.rs", "mod w;"),
        ("x/w.rs", "\nuse crate::y::Y;\nuse super::V;\nuse crate::f;"),
        ("y.rs", "use crate::x::V;"),
        ("z.rs", ""),
    ];
    let graph = graph::graph(&files);
    assert_eq!(
        against(&graph, &["x/".to_owned(), "y.rs".to_owned()]),
        [
            "x/w.rs:4 imports lib.rs: `lib.rs` comes after `x/` in the order",
            "x/w.rs:2 imports y.rs: `y.rs` comes after `x/` in the order",
            "z.rs: `z.rs` is not in the table of wings",
        ]
    );
}
