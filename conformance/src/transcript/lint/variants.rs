//! Variants leave no version of a known product without one, or end in `[*]`; and some server
//! gets to each of them.

use crate::transcript::Spanned;
use crate::transcript::ast::{Condition, Expected, ProductRange, Products, StepKind, Transcript};
use crate::transcript::coverage::{Coverage, overlap, runs_case};
use crate::transcript::error::{Error, ErrorKind};

use super::walk::{replies, steps};

pub(super) fn lint(transcript: &Transcript) -> Vec<Error> {
    let since = transcript.header.since.as_ref().map(|since| &since.value);
    let mut errors = Vec::new();
    for (step, _) in steps(&transcript.body) {
        if let StepKind::Choose(variants) = &step.kind.value {
            let conditions: Vec<_> = variants.iter().map(|variant| &variant.condition).collect();
            errors.extend(list(&conditions, since));
        }
        for expected in replies(&step.kind) {
            if let Expected::Variants(variants) = expected {
                let conditions: Vec<_> =
                    variants.iter().map(|variant| &variant.condition).collect();
                errors.extend(list(&conditions, since));
            }
        }
    }
    errors
}

/// What is wrong with the conditions of one list.
fn list(conditions: &[&Spanned<Condition>], since: Option<&Products>) -> Vec<Error> {
    let mut coverage = Coverage::new(since);
    let mut errors = Vec::new();
    for (place, condition) in conditions.iter().enumerate() {
        let above = conditions.get(..place).unwrap_or_default();
        match &condition.value {
            Condition::Else if place == 0 => {
                errors.push(ErrorKind::StarFirst.at(condition.span));
            }
            Condition::Else if !coverage.leaves_any() => {
                let reason = "the conditions above take every server that runs the case";
                errors.push(ErrorKind::Unreachable(reason.to_owned()).at(condition.span));
            }
            Condition::Else => {}
            Condition::Products(products) => {
                let dead: Vec<_> = products
                    .ranges
                    .iter()
                    .filter(|range| !coverage.leaves(range))
                    .collect();
                let all = dead.len() == products.ranges.len();
                for range in dead.iter().take(if all { 1 } else { dead.len() }) {
                    let span = if all { condition.span } else { range.span };
                    let reason = reason(range, above, since);
                    errors.push(ErrorKind::Unreachable(reason).at(span));
                }
            }
        }
        coverage.add(condition);
    }
    let holes = coverage.holes();
    if let Some(first) = conditions.first().filter(|_| !holes.is_empty()) {
        let missing = holes.iter().map(ToString::to_string).collect();
        errors.push(ErrorKind::VariantHoles(missing).at(first.span));
    }
    errors
}

/// Why no server of the range is left.
fn reason(range: &ProductRange, above: &[&Spanned<Condition>], since: Option<&Products>) -> String {
    if !overlap(range, range) {
        return format!("no version is in `{range}`");
    }
    if let Some(since) = since.filter(|_| !runs_case(range, since)) {
        return format!("the case is for `{since}`");
    }
    let takes = |condition: &&&Spanned<Condition>| match &condition.value {
        Condition::Products(products) => products.ranges.iter().any(|other| overlap(range, other)),
        Condition::Else => true,
    };
    let covering: Vec<String> = above
        .iter()
        .filter(takes)
        .map(|condition| format!("`{}`", condition.value))
        .collect();
    let verb = if covering.len() == 1 {
        "covers"
    } else {
        "cover"
    };
    format!("{} {verb} `{range}` already", covering.join(" and "))
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
            "no variant covers redis>=6.2<7.0, redict, keydb"
        );
        assert_eq!(
            message("", &["redis<=7.2 valkey redict keydb"]).unwrap(),
            "no variant covers redis>=7.3"
        );
    }

    #[test]
    fn a_condition_that_no_server_gets_to_is_said_why() {
        for (since, conditions, reason) in [
            (
                "",
                &["redis>=7.0", "redis<=7.2 valkey", "redis>=6.2<7.5", "*"][..],
                "`[redis>=7.0]` and `[redis<7.3 valkey]` cover `redis>=6.2<7.5` already",
            ),
            (
                "",
                &["redis", "valkey redis>=7.0", "*"],
                "`[redis]` covers `redis>=7.0` already",
            ),
            (
                "",
                &["redis>=7.0<6.2", "*"],
                "no version is in `redis>=7.0<6.2`",
            ),
            (
                "since: redis>=7.0 *\n",
                &["redis<7.0", "*"],
                "the case is for `redis>=7.0 *`",
            ),
            (
                "since: redis valkey\n",
                &["redis", "valkey", "*"],
                "the conditions above take every server that runs the case",
            ),
            (
                "",
                &["redis", "*", "valkey"],
                "`[*]` covers `valkey` already",
            ),
        ] {
            assert_eq!(
                message(since, conditions).unwrap(),
                format!("no server can reach this: {reason}")
            );
        }
        assert_eq!(
            message("since: redis valkey *\n", &["redis", "valkey", "*"]),
            None
        );
        assert_eq!(
            message("", &["redis valkey redict keydb", "kvrocks", "*"]),
            None
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
            "no variant covers valkey>=8.0<9.0"
        );
        assert_eq!(
            message("since: redis>=7.0 *\n", &["redis valkey redict"]).unwrap(),
            "no variant covers keydb"
        );
    }
}
