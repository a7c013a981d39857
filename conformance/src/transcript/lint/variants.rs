//! Variants leave no version of a known product without one, or end in `[*]`.

use crate::transcript::ast::{
    Condition, Expected, ProductRange, Products, StepKind, Transcript, Variant, Version,
};
use crate::transcript::error::{Error, ErrorKind};

use super::walk::{replies, steps};

/// The products whose versions must all be covered.
const KNOWN: [&str; 4] = ["redis", "valkey", "redict", "keydb"];

pub(super) fn lint(transcript: &Transcript) -> Vec<Error> {
    let since = transcript.header.since.as_ref().map(|since| &since.value);
    let mut errors = Vec::new();
    for (step, _) in steps(&transcript.body) {
        if let StepKind::Choose(variants) = &step.kind.value {
            errors.extend(holes(variants, since));
        }
        for expected in replies(&step.kind) {
            if let Expected::Variants(variants) = expected {
                errors.extend(holes(variants, since));
            }
        }
    }
    errors
}

/// An error for variants with holes, at the first condition.
fn holes<T>(variants: &[Variant<T>], since: Option<&Products>) -> Option<Error> {
    let first = variants.first()?;
    let mut ranges: Vec<&ProductRange> = Vec::new();
    for variant in variants {
        match &variant.condition.value {
            Condition::Else => return None,
            Condition::Products(products) => {
                ranges.extend(products.ranges.iter().map(|range| &range.value));
            }
        }
    }
    let missing: Vec<String> = KNOWN
        .into_iter()
        .filter_map(|product| {
            let covered = spans(product, ranges.iter().copied());
            domain(product, since)
                .into_iter()
                .find_map(|(from, below)| hole(from, below, &covered))
                .map(|(from, below)| described(product, from, below))
        })
        .collect();
    (!missing.is_empty()).then(|| ErrorKind::VariantHoles(missing).at(first.condition.span))
}

/// Versions from the first up to and without the second; none is no bound.
type Versions = (Version, Option<Version>);

const LOWEST: Version = Version { numbers: [0; 3] };

/// The versions of a product that ranges name.
fn spans<'a>(product: &str, ranges: impl Iterator<Item = &'a ProductRange>) -> Vec<Versions> {
    let mut spans: Vec<Versions> = ranges
        .filter(|range| range.product == product)
        .map(|range| (range.from.unwrap_or(LOWEST), range.below))
        .collect();
    spans.sort_by_key(|(from, _)| *from);
    spans
}

/// The versions of a product that run the case at all.
fn domain(product: &str, since: Option<&Products>) -> Vec<Versions> {
    match since {
        Some(since) if since.name(product) => {
            spans(product, since.ranges.iter().map(|range| &range.value))
        }
        Some(since) if !since.others => Vec::new(),
        _ => vec![(LOWEST, None)],
    }
}

/// The first versions of the domain that no span holds. `covered` is in the order of beginnings.
fn hole(from: Version, below: Option<Version>, covered: &[Versions]) -> Option<Versions> {
    let mut reached = from;
    for (start, end) in covered {
        if *start > reached {
            let end = below.map_or(*start, |below| below.min(*start));
            return (reached < end).then_some((reached, Some(end)));
        }
        match end {
            None => return None,
            Some(end) => reached = reached.max(*end),
        }
    }
    below
        .is_none_or(|below| reached < below)
        .then_some((reached, below))
}

fn described(product: &str, from: Version, below: Option<Version>) -> String {
    match (from == LOWEST, below) {
        (true, None) => product.to_owned(),
        (true, Some(below)) => format!("{product}<{below}"),
        (false, None) => format!("{product}>={from}"),
        (false, Some(below)) => format!("{product}>={from}<{below}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::transcript::lint::lint;
    use crate::transcript::parse;

    /// The message for a reply with these conditions.
    #[track_caller]
    fn message(since: &str, conditions: &[&str]) -> Option<String> {
        let body = conditions.join("]\nOK\n[");
        let source = format!(
            "id: MOV-01\ntitle: t\nlevel: may\nneeds: client\n{since}topology: 3 masters\n\nn1> X\n[{body}]\nOK\n"
        );
        let transcript = parse(&source).unwrap();
        lint(&transcript).first().map(ToString::to_string)
    }

    #[test]
    fn every_version_of_the_known_products_needs_a_variant() {
        assert_eq!(
            message("", &["redis>=7.0 valkey redict", "redis<7.0 keydb"]),
            None
        );
        assert_eq!(message("", &["redis>=7.0", "*"]), None);
        assert_eq!(
            message("", &["redis>=7.0<8.0 valkey", "redis<6.2"]).unwrap(),
            "no variant is for redis>=6.2<7.0, redict, keydb"
        );
        assert_eq!(
            message("", &["redis<=7.2 valkey redict keydb"]).unwrap(),
            "no variant is for redis>=7.3"
        );
    }

    #[test]
    fn servers_that_skip_the_case_need_none() {
        let since = "since: redis>=7.0 valkey>=8.0\n";
        assert_eq!(
            message(since, &["redis>=7.2", "redis<7.2 valkey>=7.2"]),
            None
        );
        assert_eq!(
            message(since, &["redis", "valkey>=9.0"]).unwrap(),
            "no variant is for valkey>=8.0<9.0"
        );
        assert_eq!(
            message("since: redis>=7.0 *\n", &["redis valkey redict"]).unwrap(),
            "no variant is for keydb"
        );
    }
}
