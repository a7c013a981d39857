//! The words and signs of a Rust source, without its comments, strings and tests.

/// A word, `::` or any other sign, and the line it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// The tokens of `source`; what `#[cfg(test)]` stands before is left out.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    without_tests(&all(source))
}

fn all(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, is_token) = piece(first, rest);
        let (text, behind) = rest.split_at(length);
        if is_token {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = behind;
    }
    tokens
}

/// The bytes of the piece that `rest` begins with, and whether it is a token.
fn piece(first: char, rest: &str) -> (usize, bool) {
    match first {
        '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
        '/' if rest.starts_with("/*") => (block_comment(rest), false),
        '"' => (string(rest), false),
        '\'' => (character(rest), false),
        ':' if rest.starts_with("::") => (2, true),
        _ if is_word(first) => {
            raw_string(rest).map_or_else(|| word(rest), |length| (length, false))
        }
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

/// A word is a token, but for the `b` or `c` of a string and the `r` of `r#type`.
fn word(rest: &str) -> (usize, bool) {
    let (word, behind) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
    let is_prefix = matches!(word, "b" | "c" | "r") && behind.starts_with(['"', '\'', '#']);
    (word.len(), !is_prefix)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of the comment that `rest` begins with; comments may stand in comments.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    for (place, _) in rest.match_indices(['/', '*']) {
        let here = rest.get(place..).unwrap_or_default();
        if here.starts_with("/*") {
            depth += 1;
        } else if here.starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return place + 2;
            }
        }
    }
    rest.len()
}

/// The bytes of the string that `rest` begins with.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (place, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The bytes of the raw string that `rest` begins with, if it does: `r"…"`, `br#"…"#`.
fn raw_string(rest: &str) -> Option<usize> {
    let inner = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('r')?;
    let text = inner.trim_start_matches('#');
    let hashes = inner.get(..inner.len() - text.len())?;
    let text = text.strip_prefix('"')?;
    let end = format!("\"{hashes}");
    let length = text
        .find(&end)
        .map_or(text.len(), |place| place + end.len());
    Some(rest.len() - text.len() + length)
}

/// The bytes of the character that `rest` begins with, or of a lifetime's `'`.
fn character(rest: &str) -> usize {
    let mut inner = rest.char_indices().skip(1);
    match (inner.next(), inner.next()) {
        (Some((_, '\\')), _) => {
            // What is escaped may be a quote.
            let end = rest.char_indices().skip(3).find(|(_, c)| *c == '\'');
            end.map_or(rest.len(), |(place, _)| place + 1)
        }
        (Some(_), Some((place, '\''))) => place + 1,
        _ => 1,
    }
}

fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, behind)) = rest.split_first() {
        let is_test = rest.len() > CFG_TEST.len()
            && rest
                .iter()
                .zip(CFG_TEST)
                .all(|(token, text)| token.text == text);
        if is_test {
            rest = rest.split_at(CFG_TEST.len()).1;
            rest = rest.split_at(item(rest)).1;
        } else {
            kept.push(*first);
            rest = behind;
        }
    }
    kept
}

/// How many tokens the item has that `tokens` begin with: up to its `;` or its last brace.
fn item(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                // The braces of a `use` are followed by its `;`.
                let is_use = tokens.get(place + 1).is_some_and(|next| next.text == ";");
                if depth == 0 && !is_use {
                    return place + 1;
                }
            }
            ";" if depth == 0 => return place + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn texts(source: &str) -> Vec<&str> {
    tokens(source).iter().map(|token| token.text).collect()
}

#[test]
fn comments_and_strings_are_no_tokens() {
    let source = r##"
        // crate::a
        /* crate::b /* crate::c */ crate::d */
        let x = ("crate::\"e", r#"crate::"f"#, b"\\", br"\", '"', '\'', b'\\', 'é');
        fn g<'a>(h: &'a str) {}
    "##;
    let expected = "let x = ( , , , , , , , ) ; fn g < a > ( h : & a str ) { }";
    assert_eq!(texts(source).join(" "), expected);
}

#[test]
fn lines_are_counted_through_strings_and_comments() {
    let found = tokens("a\n/*\n\n*/\n\"\n\"\nb");
    let lines: Vec<_> = found.iter().map(|token| (token.text, token.line)).collect();
    assert_eq!(lines, [("a", 1), ("b", 7)]);
}

#[test]
fn tests_are_left_out() {
    let source = "
        use a;
        #[cfg(test)] mod tests { use b; fn f() {} }
        #[cfg(test)] #[expect(x)] pub(crate) mod c;
        #[cfg(test)] use d::{e, f};
        #[cfg(test)] fn g() -> [u8; 2] { 1; 2 }
        #[cfg(unix)] use h;
    ";
    assert_eq!(
        texts(source).join(" "),
        "use a ; # [ cfg ( unix ) ] use h ;"
    );
}
