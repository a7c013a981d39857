//! What one source file imports, as it is written: nothing is looked up yet.

use std::collections::BTreeMap;

use super::tokens::{Token, is_word, tokens};

/// A path and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The module, below the file's own, that it stands in: `mod os { … }`.
    pub(super) inside: Vec<String>,
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `use a::b;`, and the name that stands for it afterwards; none for `*`.
    Use(Option<String>),
    /// `pub use a::b;`
    Reexport(Option<String>),
    /// `a::b` in the code.
    Path,
}

/// A source file's imports, and the names of the modules that have files of their own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) imports: Vec<Import>,
    pub(super) children: Vec<String>,
    /// Types, and functions that are called, each with the first line where it stands in the code.
    pub(super) names: BTreeMap<String, usize>,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let mut reader = Reader {
            tokens: &tokens,
            at: 0,
            depth: 0,
            inside: Vec::new(),
            source: Self::default(),
        };
        while reader.at < tokens.len() {
            reader.step();
        }
        reader.source
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// Of braces.
    depth: usize,
    /// The modules that are open, with the depth of their braces.
    inside: Vec<(String, usize)>,
    source: Source,
}

impl<'a> Reader<'a> {
    fn text(&self, ahead: usize) -> &'a str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text)
    }

    fn step(&mut self) {
        match self.text(0) {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                self.inside.retain(|(_, depth)| *depth < self.depth);
            }
            "pub" => {
                self.at += 1;
                self.skip_visibility();
                if self.text(0) == "use" {
                    self.import(Kind::Reexport);
                }
                return;
            }
            // In a type, `use<'a>` is another thing.
            "use" if self.text(1) != "<" => return self.import(Kind::Use),
            "mod" => {
                let name = self.text(1).to_owned();
                if self.text(2) == "{" {
                    self.inside.push((name, self.depth));
                } else {
                    self.source.children.push(name);
                }
                self.at += 2;
                return;
            }
            "::" => {
                // A path of other crates, or the end of one that is not told by words alone.
                self.at += 2;
                return;
            }
            // The name of a function of its own, of a method or of a field is another thing.
            "fn" | "." => {
                self.at += 2;
                return;
            }
            word if word.starts_with(is_word) => {
                if word.starts_with(char::is_uppercase) || self.text(1) == "(" {
                    let line = self.line();
                    self.source.names.entry(word.to_owned()).or_insert(line);
                }
                if self.text(1) == "::" {
                    return self.path();
                }
            }
            _ => {}
        }
        self.at += 1;
    }

    /// `(crate)`, `(in crate::a)`
    fn skip_visibility(&mut self) {
        if self.text(0) == "(" && matches!(self.text(1), "crate" | "super" | "self" | "in") {
            while !matches!(self.text(0), ")" | "") {
                self.at += 1;
            }
            self.at += 1;
        }
    }

    fn push(&mut self, path: Vec<String>, line: usize, kind: Kind) {
        let inside = self.inside.iter().map(|(name, _)| name.clone()).collect();
        self.source.imports.push(Import {
            inside,
            path,
            line,
            kind,
        });
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    fn path(&mut self) {
        let line = self.line();
        let mut path = vec![self.text(0).to_owned()];
        while self.text(1) == "::" && self.text(2).starts_with(is_word) {
            path.push(self.text(2).to_owned());
            self.at += 2;
        }
        self.at += 1;
        self.push(path, line, Kind::Path);
    }

    fn import(&mut self, kind: fn(Option<String>) -> Kind) {
        self.at += 1;
        if self.text(0) == "::" {
            // Another crate's.
            while !matches!(self.text(0), ";" | "") {
                self.at += 1;
            }
        }
        self.tree(&[], kind);
    }

    /// One path of a `use`, or several: `a::{b, c as d, e::*}`.
    fn tree(&mut self, above: &[String], kind: fn(Option<String>) -> Kind) {
        let mut path = above.to_vec();
        let mut line = self.line();
        let mut is_glob = false;
        let mut alias = None;
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.tree(&path, kind);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "," | "}" | ";" | "" => break,
                "::" => {}
                "*" => is_glob = true,
                "as" => {
                    alias = Some(self.text(1).to_owned());
                    self.at += 1;
                }
                // The module itself, but at a path's beginning.
                "self" if !path.is_empty() => {}
                word => {
                    line = self.line();
                    path.push(word.to_owned());
                }
            }
            self.at += 1;
        }
        if !path.is_empty() {
            let name = if is_glob {
                None
            } else {
                alias.or_else(|| path.last().cloned())
            };
            self.push(path, line, kind(name));
        }
    }
}

/// Every import as `line inside/path = name`.
fn told(text: &str) -> Vec<String> {
    let source = Source::read(text);
    let told = |import: &Import| {
        let name = match &import.kind {
            Kind::Use(name) => format!(" = {}", name.as_deref().unwrap_or("*")),
            Kind::Reexport(name) => format!(" => {}", name.as_deref().unwrap_or("*")),
            Kind::Path => String::new(),
        };
        let path = [import.inside.join("/"), import.path.join("::")];
        let path = path.join("/");
        format!("{} {}{name}", import.line, path.trim_start_matches('/'))
    };
    source.imports.iter().map(told).collect()
}

#[test]
fn the_tree_of_a_use_is_taken_apart() {
    let text = "use crate::{a::{self, B as C},\n d::*, e};\nuse super::f;\nuse ::tokio::time;";
    assert_eq!(
        told(text),
        [
            "1 crate::a = a",
            "1 crate::a::B = C",
            "2 crate::d = *",
            "2 crate::e = e",
            "3 super::f = f",
        ]
    );
}

#[test]
fn a_reexport_is_told_from_an_import_whatever_its_visibility() {
    let text = "pub use a::B;\npub(crate) use c::D;\npub(in crate::x) use e::F as G;\nuse h::I;";
    assert_eq!(
        told(text),
        ["1 a::B => B", "2 c::D => D", "3 e::F => G", "4 h::I = I"]
    );
}

#[test]
fn paths_in_the_code_are_imports() {
    let text = "
        #[error(\"{}\", super::MOST)]
        fn f(x: impl Sized + use<'_>) -> crate::a::B<c::D> { self::e(); Vec::<g::H>::new() }
    ";
    let expected = [
        "2 super::MOST",
        "3 crate::a::B",
        "3 c::D",
        "3 self::e",
        "3 Vec",
        "3 g::H",
    ];
    assert_eq!(told(text), expected);
}

#[test]
fn what_stands_in_a_module_of_the_file_is_told_so() {
    let text = "mod os {\nuse super::a;\nfn f() { b::c() }\n}\nuse d::e;";
    assert_eq!(told(text), ["2 os/super::a = a", "3 os/b::c", "5 d::e = e"]);
}

#[test]
fn modules_with_files_are_found() {
    let text = "mod a;\npub(crate) mod b;\nmod c { }\n#[cfg(test)]\nmod tests;";
    assert_eq!(Source::read(text).children, ["a", "b"]);
}
