//! Which file imports which: the modules of one crate, each import followed to the file that
//! defines what is imported.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::source::{Import, Kind, Source};

type Module = Vec<String>;

/// The files of a crate, by what they import and the line where they do.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) imports: BTreeMap<String, BTreeMap<String, usize>>,
}

/// A module's file, and the names that its `use`s bring.
struct Room {
    file: String,
    source: Source,
    names: BTreeMap<String, Module>,
}

impl Graph {
    /// The modules that `root` (`lib.rs`, `main.rs`) declares, and theirs. `read` gives a file's
    /// text if there is such a file; tests are left out.
    pub(super) fn of(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut rooms = rooms(root, read);
        let names: Vec<_> = rooms
            .iter()
            .map(|(module, room)| (module.clone(), names(module, room, &rooms)))
            .collect();
        for (module, names) in names {
            if let Some(room) = rooms.get_mut(&module) {
                room.names = names;
            }
        }
        let mut graph = Self::default();
        for (module, room) in &rooms {
            let imports = graph.imports.entry(room.file.clone()).or_default();
            for import in &room.source.imports {
                let Some(path) = absolute(module, import, &rooms) else {
                    continue;
                };
                let line = match &import.kind {
                    // A module that shows the names of its parts does not need them by that.
                    Kind::Reexport(Some(name)) if path.starts_with(module) => {
                        room.source.names.get(name).copied()
                    }
                    _ => Some(import.line),
                };
                if let Some(line) = line
                    && let Some(target) = definer(path, &rooms)
                    && target.file != room.file
                {
                    imports.entry(target.file.clone()).or_insert(line);
                }
            }
        }
        graph
    }

    /// Circles of files that import each other, the shortest through each file; no file is in two of them.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let mut told = BTreeSet::new();
        let mut circles = Vec::new();
        for file in self.imports.keys() {
            if let Some(circle) = self
                .circle(file)
                .filter(|circle| circle.iter().all(|file| !told.contains(file)))
            {
                told.extend(circle.iter().copied());
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest way from a file back to itself.
    fn circle<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(file) = open.pop_front() {
            for next in self.imports.get(file)?.keys() {
                if next == start {
                    let mut circle = vec![file];
                    while let Some(earlier) = circle.last().and_then(|last| before.get(last)) {
                        circle.push(earlier);
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !before.contains_key(next.as_str()) {
                    before.insert(next, file);
                    open.push_back(next);
                }
            }
        }
        None
    }

    /// The line where one file imports another.
    pub(super) fn line(&self, from: &str, to: &str) -> usize {
        self.imports
            .get(from)
            .and_then(|imports| imports.get(to))
            .copied()
            .unwrap_or_default()
    }
}

/// The modules that the root declares, and theirs.
fn rooms(root: &str, read: &dyn Fn(&str) -> Option<String>) -> BTreeMap<Module, Room> {
    let mut rooms = BTreeMap::new();
    let mut open = vec![(Module::new(), root.to_owned())];
    while let Some((module, file)) = open.pop() {
        let source = Source::read(&read(&file).unwrap_or_default());
        let folder = folder_below(&file);
        for child in &source.children {
            let places = [format!("{child}.rs"), format!("{child}/mod.rs")];
            let mut places = places
                .map(|place| folder.join(place).display().to_string())
                .into_iter();
            if let Some(file) = places.find(|file| read(file).is_some()) {
                open.push((
                    [module.as_slice(), std::slice::from_ref(child)].concat(),
                    file,
                ));
            }
        }
        let names = BTreeMap::new();
        rooms.insert(
            module,
            Room {
                file,
                source,
                names,
            },
        );
    }
    rooms
}

/// Where the modules stand that a file declares.
fn folder_below(file: &str) -> PathBuf {
    let path = Path::new(file);
    let is_root = ["lib.rs", "main.rs", "mod.rs"]
        .iter()
        .any(|name| path.ends_with(name));
    if is_root {
        path.parent().unwrap_or(path).to_owned()
    } else {
        path.with_extension("")
    }
}

fn names(module: &Module, room: &Room, rooms: &BTreeMap<Module, Room>) -> BTreeMap<String, Module> {
    let named = |import: &Import| match &import.kind {
        Kind::Use(Some(name)) | Kind::Reexport(Some(name)) if import.inside.is_empty() => {
            Some((name.clone(), absolute(module, import, rooms)?))
        }
        _ => None,
    };
    room.source.imports.iter().filter_map(named).collect()
}

/// The path from the crate's root; `None` for what is of other crates, or of the file itself.
fn absolute(module: &Module, import: &Import, rooms: &BTreeMap<Module, Room>) -> Option<Module> {
    let mut base = [module.as_slice(), &import.inside].concat();
    let mut rest = import.path.as_slice();
    match rest.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = rest.split_first()?.1;
        }
        "self" => rest = rest.split_first()?.1,
        "super" => {
            while let Some(("super", behind)) = rest
                .split_first()
                .map(|(first, behind)| (first.as_str(), behind))
            {
                base.pop();
                rest = behind;
            }
        }
        first => {
            let child = [base.as_slice(), &[first.to_owned()]].concat();
            if !rooms.contains_key(&child) {
                // A name that a `use` has brought: `use crate::a; a::b()`.
                let room = rooms.get(module)?;
                let is_shown = room
                    .source
                    .imports
                    .iter()
                    .any(|import| import.kind == Kind::Reexport(Some(first.to_owned())));
                let named = room.names.get(first).filter(|_| !is_shown)?;
                return Some([named.as_slice(), rest.split_first()?.1].concat());
            }
        }
    }
    Some([base.as_slice(), rest].concat())
}

/// The room whose file defines what the path names, through the rooms that only show it.
fn definer(mut path: Module, rooms: &BTreeMap<Module, Room>) -> Option<&Room> {
    // Names that stand for each other would go round for ever.
    for _ in 0..16 {
        let length = (0..=path.len()).rev().find(|length| {
            path.get(..*length)
                .is_some_and(|module| rooms.contains_key(module))
        })?;
        let (module, item) = path.split_at(length);
        let room = rooms.get(module)?;
        match item
            .split_first()
            .and_then(|(name, rest)| Some((room.names.get(name)?, rest)))
        {
            Some((target, rest)) if *target != path => path = [target.as_slice(), rest].concat(),
            _ => return Some(room),
        }
    }
    None
}

/// The graph of a crate of these files.
pub(super) fn graph(files: &[(&str, &str)]) -> Graph {
    let read = |wanted: &str| {
        let found = files.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, text)| (*text).to_owned())
    };
    Graph::of("lib.rs", &read)
}

/// Every import as `from:line to`.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let graph = graph(files);
    let imports = graph.imports.iter();
    imports
        .flat_map(|(from, to)| {
            to.iter()
                .map(move |(to, line)| format!("{from}:{line} {to}"))
        })
        .collect()
}

#[test]
fn paths_are_taken_from_where_they_stand() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod c;\nuse std::fmt;\nfn f() { c::g() }"),
        (
            "a/c.rs",
            "use crate::b;\nmod d { use super::super::f; }\nfn g() -> b::H { bytes::i() }",
        ),
        ("b.rs", "fn f() -> super::a::c::J {}"),
    ];
    let expected = [
        "a/c.rs:2 a/mod.rs",
        "a/c.rs:1 b.rs",
        "a/mod.rs:3 a/c.rs",
        "b.rs:1 a/c.rs",
    ];
    assert_eq!(told(&files), expected);
}

#[test]
fn a_reexport_is_followed_and_is_no_import() {
    let files = [
        ("lib.rs", "pub mod a; mod b;\npub use a::C;"),
        (
            "a/mod.rs",
            "mod c; mod d;\npub use c::{C, E as F};\npub use d::*;",
        ),
        ("a/c.rs", ""),
        ("a/d.rs", ""),
        ("b.rs", "use crate::C;\nuse crate::a::F;\n"),
    ];
    assert_eq!(told(&files), ["a/mod.rs:3 a/d.rs", "b.rs:1 a/c.rs"]);
}

#[test]
fn a_reexport_of_what_is_no_part_of_the_module_is_an_import() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub use crate::b::B;"),
        ("b.rs", ""),
    ];
    assert_eq!(told(&files), ["a.rs:1 b.rs"]);
}

#[test]
fn a_reexport_that_its_file_uses_itself_is_an_import() {
    let files = [
        ("lib.rs", "mod a;"),
        (
            "a/mod.rs",
            "mod c; mod d;\npub use c::C;\npub use d::d;\nfn d() -> C { self.d() }",
        ),
        ("a/c.rs", ""),
        ("a/d.rs", ""),
    ];
    assert_eq!(told(&files), ["a/mod.rs:4 a/c.rs"]);
}

#[test]
fn tests_are_no_part_of_the_graph() {
    let files = [
        ("lib.rs", "mod a; #[cfg(test)] mod tests;"),
        ("a.rs", "#[cfg(test)] mod tests { use crate::tests; }"),
        ("tests.rs", "use crate::a;"),
    ];
    assert!(told(&files).is_empty());
}

#[test]
fn a_circle_is_the_shortest_way_round() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b;"),
        ("b.rs", "use crate::c; use crate::d;"),
        ("c.rs", "use crate::d; use crate::a;"),
        ("d.rs", "use crate::a::x;"),
    ];
    assert_eq!(graph(&files).circles(), [["a.rs", "b.rs", "c.rs"]]);
}
