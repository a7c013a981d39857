//! What can fail in any command: with which words, and which exit code stands for it.

use shardlab::error::{Text, exit};
use shardlab_conformance::diagnose::{Diagnosis, Style};
use shardlab_conformance::run::SubjectError;
use shardlab_conformance::suite::{Broken, Case, LoadError, Origin, load};

use crate::term::{self, Failure};

/// The exit code of a command.
pub(super) type Code = Result<u8, Failure>;

/// The transcripts, or every mistake in them, told.
pub(super) fn cases(origin: &Origin) -> Result<Vec<Case>, Failure> {
    load(origin).map_err(|error| told(&error))
}

pub(super) fn told(error: &LoadError) -> Failure {
    if let LoadError::Broken(broken) = error {
        broken.iter().for_each(tell);
    }
    usage(error)
}

pub(super) fn tell(broken: &Broken) {
    for error in &broken.errors {
        let picture = Diagnosis::of(error, &broken.path, &broken.source).render(Style::Coloured);
        term::note(&format!("{picture}\n"));
    }
}

pub(super) fn usage(error: &impl ToString) -> Failure {
    Failure {
        message: error.to_string(),
        code: exit::USAGE,
        hint: None,
    }
}

pub(super) fn bug(error: &std::io::Error) -> Failure {
    Failure {
        message: format!("the runtime does not start: {error}"),
        code: exit::BUG,
        hint: None,
    }
}

/// Why there is nothing to test.
pub(super) fn opened(error: &SubjectError) -> Failure {
    Failure {
        message: error.message().typed(),
        code: exit::of(error.kind()),
        hint: error.hint().as_ref().map(Text::typed),
    }
}
