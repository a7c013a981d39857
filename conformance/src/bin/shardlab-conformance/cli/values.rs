//! Values of options, as they are written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shardlab_conformance::transcript::ast;

/// The words that mean files or folders.
pub(super) fn paths(words: &[PathBuf]) -> Vec<PathBuf> {
    words.iter().filter(|word| is_path(word)).cloned().collect()
}

/// The words that mean cases, by id or name.
pub(super) fn cases(words: &[PathBuf]) -> impl Iterator<Item = String> {
    let cases = words.iter().filter(|word| !is_path(word));
    cases.map(|word| word.to_string_lossy().into_owned())
}

fn is_path(word: &Path) -> bool {
    word.exists() || word.components().count() > 1 || word.extension().is_some()
}

pub(super) fn version(text: &str) -> Result<ast::Version, String> {
    ast::Version::parse(text)
        .ok_or_else(|| format!("`{text}` is not a version; write `8.1` or `8.1.2`"))
}

/// `500ms`, `15s`
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let millis = text.strip_suffix("ms").map(|number| (number, 1));
    let number = millis.or_else(|| text.strip_suffix('s').map(|number| (number, 1000)));
    let time = number.and_then(|(number, factor)| {
        let number: u64 = number
            .parse()
            .ok()
            .filter(|number| (1..=300_000).contains(number))?;
        Some(Duration::from_millis(number * factor))
    });
    time.filter(|time| *time <= Duration::from_secs(300))
        .ok_or_else(|| "write a time up to 300 s, such as `500ms` or `15s`".to_owned())
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse()
        .ok()
        .filter(|factor| (0.1..=100.0).contains(factor));
    factor.ok_or_else(|| "a factor lies between 0.1 and 100".to_owned())
}
