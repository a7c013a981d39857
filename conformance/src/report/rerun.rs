//! How to see a case again: a line to be pasted into a shell.

use std::iter::once;

use crate::suite::{Case, Origin};

/// The command that runs just this case. `options` are the words that mean the same target;
/// a case that has come from a file is named by it, others by their id.
pub fn rerun(options: &[String], origin: &Origin, case: &Case) -> String {
    let command = ["shardlab", "conformance", "run"].into_iter();
    let words = command.chain(options.iter().map(String::as_str));
    let words: Vec<_> = match origin {
        Origin::Embedded => words.chain(["--case", case.id()]).collect(),
        Origin::Paths(_) => words.chain(once(case.path.as_str())).collect(),
    };
    let quoted = words.iter().map(|word| quoted(word));
    quoted.collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell reads it.
fn quoted(word: &str) -> String {
    // Only a NUL byte cannot be quoted, and no argument of a program holds one.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::parse_case;

    const PING: &[u8] = b"id: TST-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n\n\
                          n1> PING\nPONG\n";

    fn command(options: &[&str], path: &str, origin: &Origin) -> String {
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        let case = parse_case(path.to_owned(), PING).unwrap();
        rerun(&options, origin, &case)
    }

    #[test]
    fn a_case_of_this_build_is_named_by_its_id() {
        assert_eq!(
            command(
                &["--server", "/opt/my server"],
                "fixtures/a/b.resp",
                &Origin::Embedded
            ),
            "shardlab conformance run --server '/opt/my server' --case TST-01"
        );
    }

    #[test]
    fn a_case_from_a_file_is_named_by_it() {
        for (path, word) in [
            ("cases/mine.resp", "cases/mine.resp"),
            ("my cases/it's mine.resp", "\"my cases/it's mine.resp\""),
            ("$HOME/a.resp", "'$HOME/a.resp'"),
        ] {
            let origin = Origin::Paths(Vec::new());
            assert_eq!(
                command(&["--attach", "127.0.0.1:7001,[::1]:7002"], path, &origin),
                format!("shardlab conformance run --attach '127.0.0.1:7001,[::1]:7002' {word}")
            );
        }
    }
}
