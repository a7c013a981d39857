//! A run as `JUnit` XML: a suite for each area, a test case for each transcript.

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::run::result::{CaseResult, Verdict};

use super::Report;
use super::scorecard::by_area;

/// The whole run.
///
/// # Errors
/// It cannot be written as XML.
pub fn junit(report: &Report<'_>) -> Result<String, quick_junit::SerializeError> {
    let mut whole = quick_junit::Report::new("shardlab-conformance");
    whole.set_time(report.run.elapsed);
    for (area, cases) in by_area(report.run) {
        let mut suite = TestSuite::new(area);
        suite.set_time(cases.iter().map(|case| case.elapsed).sum());
        suite.add_property(Property::new("target", report.run.target.as_str()));
        suite.add_test_cases(cases.iter().map(|case| test_case(report, case)));
        whole.add_test_suite(suite);
    }
    whole.to_string()
}

fn test_case(report: &Report<'_>, case: &CaseResult) -> TestCase {
    let mut status = match &case.verdict {
        Verdict::Pass | Verdict::Otherwise(_) => TestCaseStatus::success(),
        // JUnit has no word for what is known to fail.
        Verdict::Skipped(_) | Verdict::Known { .. } => TestCaseStatus::skipped(),
        Verdict::Departs(_) | Verdict::Fixed { .. } => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Verdict::Broken(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if let Some(message) = case.verdict.message() {
        status.set_message(message);
        status.set_type(case.verdict.word());
    }
    if let (Verdict::Departs(_), Some(picture)) = (&case.verdict, report.picture(case)) {
        status.set_description(picture);
    }
    let mut test = TestCase::new(format!("{} {}", case.id, case.title), status);
    test.set_classname(format!("{}::{}", case.area, case.claim));
    test.set_time(case.elapsed);
    test.add_property(Property::new("level", case.level.word()));
    if let Some((path, place)) = report.place(case) {
        test.extra.insert("file".into(), path.into());
        test.extra
            .insert("line".into(), place.line.to_string().into());
    }
    test
}
