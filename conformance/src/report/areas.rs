//! Lines in the order of the cases, below the areas that these belong to.

use std::fmt::Write as _;

/// Each area once, its lines indented below it.
pub(super) fn by_area<'a>(lines: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut text = String::new();
    let mut current = "";
    for (area, line) in lines {
        if area != current {
            let gap = if current.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{area}");
            current = area;
        }
        let _ = writeln!(text, "  {}", line.replace('\n', "\n  "));
    }
    text
}
