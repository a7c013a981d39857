//! Whether a run has tried enough to be believed: few verdicts, all of them good, say little. Pure.

use shardlab::machine::text::counted;

use crate::transcript::ast::{Level, Needs};

use super::result::{CaseResult, RunResult, Skip, Verdict};

impl RunResult {
    /// Why this run is not green although nothing departs, if so.
    ///
    /// A user says how many cases must be tried, or else all `client` MUSTs must that the server's version,
    /// its shape and the rights given allow, and at least half of them all.
    pub fn shortfall(&self) -> Option<String> {
        if self.is_interrupted {
            return Some("the run was interrupted".to_owned());
        }
        let ran = self.ran();
        if let Some(least) = self.least {
            let text = || format!("{} tried, and `--min` asks for {least}", was(ran));
            return (ran < least).then(text);
        }
        if ran == 0 {
            return Some("no case was tried".to_owned());
        }
        let asked: Vec<_> = self.cases.iter().filter(|case| is_asked(case)).collect();
        let skips = asked.iter().filter_map(|case| match &case.verdict {
            Verdict::Skipped(skip) => Some(skip),
            _ => None,
        });
        let skips: Vec<_> = skips.collect();
        let kept_back = skips.iter().filter(|skip| !is_impossible(skip)).count();
        let (all, tried) = (asked.len(), asked.len() - skips.len());
        if kept_back == 0 && tried * 2 >= all {
            return None;
        }
        Some(format!(
            "only {tried} of the {} that every server is asked for {} tried; `--min {ran}` takes {ran} as enough",
            counted(all, "client MUST case"),
            if tried == 1 { "was" } else { "were" }
        ))
    }
}

fn was(count: usize) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(count, "case"))
}

/// A `client` MUST, unless it is for other versions.
fn is_asked(case: &CaseResult) -> bool {
    let other_version = match &case.verdict {
        Verdict::Skipped(skip) => is_of_other_version(skip),
        _ => false,
    };
    case.level == Level::Must && case.needs == Needs::Client && !other_version
}

fn is_of_other_version(skip: &Skip) -> bool {
    ["since-version", "need a command that the server lacks"].contains(&skip.kind)
}

/// Whether the target cannot serve the case, rather than holding keys that are in its way.
fn is_impossible(skip: &Skip) -> bool {
    skip.kind.starts_with("need ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::suite::parse_case;

    fn run(skips: &[Option<&'static str>], least: Option<usize>) -> RunResult {
        let result = |kind: Option<&'static str>| {
            let text = "id: TST-01\ntitle: t\nspec: s\nlevel: must\nneeds: client\ntopology: 3 masters\n\n\
                        n1> PING\nPONG\n";
            let case = parse_case("fixtures/a/b.resp".to_owned(), text.as_bytes()).unwrap();
            let skipped = |kind| {
                Verdict::Skipped(Skip {
                    kind,
                    reason: String::new(),
                })
            };
            CaseResult::new(&case, kind.map_or(Verdict::Pass, skipped))
        };
        RunResult {
            target: "a server".to_owned(),
            options: Vec::new(),
            cases: skips.iter().copied().map(result).collect(),
            elapsed: Duration::ZERO,
            least,
            is_interrupted: false,
        }
    }

    #[test]
    fn what_version_shape_and_rights_allow_must_be_tried() {
        let topology = Some("need another topology");
        let version = Some("since-version");
        let kept = Some("would change keys of yours");
        for (skips, least, green) in [
            (&[None, None][..], None, true),
            (&[None, topology], None, true),
            (&[None, topology, topology], None, false),
            (&[None, version, version], None, true),
            (&[None, None, None, kept], None, false),
            (&[None, None, None, kept], Some(3), true),
            (&[None, None], Some(3), false),
            (&[topology], None, false),
        ] {
            let run = run(skips, least);
            assert_eq!(
                run.holds(),
                green,
                "{skips:?} {least:?}: {:?}",
                run.shortfall()
            );
        }
        let interrupted = RunResult {
            is_interrupted: true,
            ..run(&[None], None)
        };
        assert!(!interrupted.holds());
    }
}
