//! What a transcript may not say although it can be read: names that do not exist, claims
//! without a source, variants with holes, notions that are not implemented.

mod captures;
pub(super) mod needs;
pub(super) mod nodes;
mod variants;
pub(super) mod walk;

use std::collections::BTreeMap;

use super::ast::{Action, CaseId, Level, StepKind, Transcript};
use super::error::{Error, ErrorKind};
use super::parse::parse;
use super::span::Span;
use walk::steps;

/// Directives that the launcher decides on; a transcript that set them would not be run as it
/// says.
const DECIDED: [&str; 12] = [
    "port",
    "bind",
    "dir",
    "daemonize",
    "logfile",
    "pidfile",
    "cluster-enabled",
    "cluster-config-file",
    "cluster-port",
    "unixsocket",
    "supervised",
    "include",
];

/// Reads one transcript and judges it by itself. The order of errors is that of places.
///
/// # Errors
/// Everything that is wrong with it; lints only when it can be read at all.
pub fn check(source: &str) -> Result<Transcript, Vec<Error>> {
    let transcript = parse(source)?;
    let mut errors = lint(&transcript);
    if errors.is_empty() {
        return Ok(transcript);
    }
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors.dedup();
    Err(errors)
}

/// What is wrong with a transcript by itself.
pub fn lint(transcript: &Transcript) -> Vec<Error> {
    let mut errors = header(transcript);
    errors.extend(nodes::lint(transcript));
    errors.extend(captures::lint(transcript));
    errors.extend(variants::lint(transcript));
    errors.extend(needs::lint(transcript));
    errors.extend(body(transcript));
    errors
}

/// Ids that several transcripts have. Each error is for the transcript of that index, and names
/// the path of the first one.
pub fn lint_ids(transcripts: &[(&str, &Transcript)]) -> Vec<(usize, Error)> {
    let mut first: BTreeMap<&CaseId, &str> = BTreeMap::new();
    let mut errors = Vec::new();
    for (index, (path, transcript)) in transcripts.iter().enumerate() {
        let id = &transcript.header.id;
        if let Some(other) = first.get(&id.value) {
            let kind = ErrorKind::RepeatedId(id.to_string(), (*other).to_owned());
            errors.push((index, kind.at(id.span)));
        } else {
            first.insert(&id.value, path);
        }
    }
    errors
}

/// Whether the path of a transcript of the suite says its area and its claim.
pub fn lint_path(path: &str) -> Option<Error> {
    (!is_fixture_path(path)).then(|| ErrorKind::FixturePath.at(Span::default()))
}

/// Whether the last three parts are `fixtures/<area>/<claim>.resp`.
fn is_fixture_path(path: &str) -> bool {
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let mut parts = path.rsplit('/');
    let claim = parts.next().and_then(|file| file.strip_suffix(".resp"));
    let area = parts.next();
    claim.is_some_and(name) && area.is_some_and(name) && parts.next() == Some("fixtures")
}

fn header(transcript: &Transcript) -> Vec<Error> {
    let header = &transcript.header;
    let mut errors = Vec::new();
    if header.level.value == Level::Must && header.spec.is_empty() {
        errors.push(ErrorKind::MustWithoutSpec.at(header.level.span));
    }
    if header.title.ends_with('.') {
        errors.push(ErrorKind::TitleEnd.at(header.title.span));
    }
    for directive in &header.conf {
        if DECIDED.contains(&directive.value.name.as_str()) {
            let kind = ErrorKind::DecidedDirective(directive.value.name.clone());
            errors.push(kind.at(directive.span));
        }
    }
    errors
}

fn body(transcript: &Transcript) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut claims = false;
    for (step, timed) in steps(&transcript.body) {
        match &step.kind.value {
            StepKind::Act(action) => {
                if timed {
                    errors.push(ErrorKind::RepeatedAction.at(step.kind.span));
                }
                let word = match action {
                    Action::Cut(..) => "! cut",
                    Action::Heal => "! heal",
                    Action::AddNode(_) => "! add-node",
                    Action::Config { .. } => "! config",
                    _ => continue,
                };
                errors.push(ErrorKind::Unimplemented(word).at(step.kind.span));
            }
            StepKind::Send(_)
            | StepKind::Read { .. }
            | StepKind::RawExpect { .. }
            | StepKind::Assert(_) => claims = true,
            StepKind::RawSend { .. }
            | StepKind::Within(..)
            | StepKind::For(..)
            | StepKind::Choose(_) => {}
        }
    }
    if !claims {
        errors.push(ErrorKind::NoClaim.at(transcript.header.title.span));
    }
    if let Some(file) = transcript.files.first() {
        errors.push(ErrorKind::Unimplemented("-- file --").at(file.span));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_is_named_by_area_and_claim() {
        assert!(is_fixture_path("fixtures/moved/names_the_owner.resp"));
        assert!(is_fixture_path("/a/b/fixtures/moved/names_1.resp"));
        for path in [
            "moved/names.resp",
            "fixtures/names.resp",
            "fixtures/moved/Names.resp",
            "fixtures/moved/names.txt",
            "fixtures/moved/MOV-01.resp",
            "fixtures/moved/.resp",
            "",
        ] {
            assert!(!is_fixture_path(path), "{path}");
        }
    }

    #[test]
    fn an_id_is_used_once() {
        let source = "id: MOV-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n";
        let transcript = parse(source).unwrap();
        let errors = lint_ids(&[("a.resp", &transcript), ("b.resp", &transcript)]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].0, 1);
        assert_eq!(
            errors[0].1.to_string(),
            "the id `MOV-01` already belongs to `a.resp`"
        );
    }
}
