//! A new transcript to begin with. Pure.

use std::path::Path;

/// The text of a transcript that can be run as it is. Its title is the name of the file, in words.
pub fn skeleton(path: &Path, id: &str) -> String {
    let claim = path.file_stem().unwrap_or_default().to_string_lossy();
    let title = claim.replace(['_', '-'], " ");
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
         topology: 3 masters, 1 replica each\n\
         \n\
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
