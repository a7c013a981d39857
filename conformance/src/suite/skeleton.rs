//! A new transcript to begin with. Pure.

use std::path::Path;

use crate::transcript::ast::Topology;

/// The header of a transcript, to be filled in. Its title is the name of the file, in words.
pub fn header(path: Option<&Path>, id: &str, topology: Topology) -> String {
    let claim = path.and_then(Path::file_stem).unwrap_or_default();
    let title = claim.to_string_lossy().replace(['_', '-'], " ");
    let title = match title.trim() {
        "" => "what it claims, as a sentence",
        title => title,
    };
    format!(
        "id:       {id}\n\
         title:    {title}\n\
         spec:     where it is written\n\
         level:    must\n\
         needs:    client\n\
         topology: {topology}\n"
    )
}

/// The text of a transcript that can be run as it is.
pub fn skeleton(path: &Path, id: &str) -> String {
    let header = header(Some(path), id, Topology::default());
    format!(
        "{header}\n\
         # slot(a) = 15495, which n3 owns. Replace these steps by yours.\n\
         n1> GET a\n\
         (error) MOVED 15495 <n3>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::parse_case;
    use crate::transcript::{lint, print};

    #[test]
    fn a_skeleton_is_a_transcript_without_a_mistake() {
        for (path, title) in [
            (
                "cases/a_reader_is_redirected.resp",
                "a reader is redirected",
            ),
            ("_.resp", "what it claims, as a sentence"),
        ] {
            let text = skeleton(Path::new(path), "MINE-01");
            let case = parse_case(path.to_owned(), text.as_bytes()).unwrap();
            assert_eq!(lint(&case.transcript), []);
            assert_eq!(case.transcript.header.title.value, title);
            assert_eq!(print(&case.transcript), text);
        }
    }
}
