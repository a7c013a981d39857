//! Known departures: `known/<product>.txt`, one to a line: a case's id or a pattern of ids, the
//! product and versions that depart, and why, with where that can be seen.
//!
//! ```text
//! XSL-02  keydb<=6.3.4  serves keys of two slots when both are its own; src/cluster.cpp:5996
//! ```
//!
//! A run passes while exactly these depart. One that does not depart any more fails it.

use thiserror::Error;

use crate::pattern::Server;
use crate::suite::{KNOWN, glob};
use crate::transcript::ast::{ProductRange, Products};
use crate::transcript::{Span, Spanned, product_range};

/// What is known of servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownList {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    cases: String,
    servers: Products,
    reason: String,
    /// As in `known/keydb.txt:1`.
    place: String,
}

/// Why a case is known to depart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The words of the list.
    pub text: &'a str,
    /// Where they stand, as in `known/keydb.txt:1`.
    pub place: &'a str,
}

/// A list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{path}:{line}: {problem}; a line reads `XSL-02  keydb<=6.3.4  the reason, and where it can be seen`"
)]
pub struct KnownError {
    path: String,
    line: usize,
    problem: String,
}

impl KnownList {
    /// The lists of this project.
    ///
    /// # Errors
    /// One of them is wrong.
    pub fn embedded() -> Result<Self, KnownError> {
        let mut all = Self::default();
        for (path, text) in KNOWN {
            all.entries.extend(Self::parse(path, text)?.entries);
        }
        Ok(all)
    }

    /// Reads a list. `#` begins a comment line.
    ///
    /// # Errors
    /// A line without an id, without a product or without a reason.
    pub fn parse(path: &str, text: &str) -> Result<Self, KnownError> {
        let mut entries = Vec::new();
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let problem = |problem: String| KnownError {
                path: path.to_owned(),
                line,
                problem,
            };
            let (cases, rest) = word(content);
            let (server, reason) = word(rest);
            if server.is_empty() || reason.is_empty() {
                return Err(problem("the reason is missing".to_owned()));
            }
            let range = product_range(server)
                .ok_or_else(|| problem(format!("`{server}` is not a product with versions")))?;
            entries.push(Entry {
                cases: cases.to_owned(),
                servers: only(range),
                reason: reason.to_owned(),
                place: format!("{path}:{line}"),
            });
        }
        Ok(Self { entries })
    }

    /// Looks whether each line is about a case that there is.
    ///
    /// # Errors
    /// A line whose id, or pattern of ids, fits none of these.
    pub fn check(&self, ids: &[&str]) -> Result<(), KnownError> {
        let unknown = |entry: &&Entry| !ids.iter().any(|id| glob(&entry.cases, id));
        let Some(entry) = self.entries.iter().find(unknown) else {
            return Ok(());
        };
        let (path, line) = entry.place.rsplit_once(':').unwrap_or_default();
        Err(KnownError {
            path: path.to_owned(),
            line: line.parse().unwrap_or_default(),
            problem: format!("the case `{}` does not exist", entry.cases),
        })
    }

    /// The servers on which a case is known to depart, and why.
    pub fn of(&self, id: &str) -> impl Iterator<Item = (&Products, &str)> {
        let of = move |entry: &&Entry| glob(&entry.cases, id);
        let entries = self.entries.iter().filter(of);
        entries.map(|entry| (&entry.servers, entry.reason.as_str()))
    }

    /// Why a case is known to depart on a server, if it is.
    pub fn reason(&self, id: &str, server: &Server) -> Option<Reason<'_>> {
        self.entries
            .iter()
            .find(|entry| {
                glob(&entry.cases, id) && entry.servers.admit(&server.product, server.version)
            })
            .map(|entry| Reason {
                text: &entry.reason,
                place: &entry.place,
            })
    }
}

fn only(range: ProductRange) -> Products {
    Products {
        ranges: vec![Spanned::new(range, Span::default())],
        others: false,
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::ast::Version;

    fn server(product: &str, version: &str) -> Server {
        Server {
            product: product.to_owned(),
            version: Version::parse(version).unwrap(),
        }
    }

    #[test]
    fn an_entry_is_for_its_cases_and_versions_only() {
        let list = KnownList::parse(
            "k",
            "# why\n\nXSL-*  keydb<=6.3.4  serves them; cluster.cpp:1\n",
        )
        .unwrap();
        assert_eq!(
            list.reason("XSL-02", &server("keydb", "6.3.4")),
            Some(Reason {
                text: "serves them; cluster.cpp:1",
                place: "k:3"
            })
        );
        assert_eq!(list.reason("XSL-02", &server("keydb", "6.4")), None);
        assert_eq!(list.reason("MOV-02", &server("keydb", "6.3.4")), None);
        assert_eq!(list.reason("XSL-02", &server("redis", "6.0")), None);
    }

    #[test]
    fn a_reason_must_be_given() {
        for (text, problem) in [
            ("\nXSL-02 keydb", "known.txt:2: the reason is missing"),
            (
                "XSL-02 KeyDB! because",
                "known.txt:1: `KeyDB!` is not a product with versions",
            ),
        ] {
            let error = KnownList::parse("known.txt", text).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
    }

    #[test]
    fn a_line_about_no_case_is_refused() {
        let list = KnownList::parse("k.txt", "MOV-*  redis<=7  a\nMOV-99  redis<=7  b\n").unwrap();
        list.check(&["MOV-01", "MOV-99"]).unwrap();
        let error = list.check(&["MOV-01"]).unwrap_err().to_string();
        assert!(
            error.starts_with("k.txt:2: the case `MOV-99` does not exist"),
            "{error}"
        );
    }

    #[test]
    fn our_own_lists_are_about_our_own_cases() {
        let cases = crate::suite::load(&crate::suite::Origin::Embedded).unwrap();
        let ids: Vec<_> = cases.iter().map(crate::suite::Case::id).collect();
        KnownList::embedded().unwrap().check(&ids).unwrap();
    }
}
