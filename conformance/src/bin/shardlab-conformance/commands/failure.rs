//! What failed, told where it is noticed, and the exit code that stands for it.

use shardlab::error::exit;
use shardlab_conformance::diagnose::{Diagnosis, Style};
use shardlab_conformance::suite::{Broken, Case, LoadError, Origin, load};

use crate::term;

/// An exit code, either way: what failed has been told already.
pub(super) type Code = Result<u8, u8>;

/// The transcripts, or every mistake in them, told.
pub(super) fn cases(origin: &Origin) -> Result<Vec<Case>, u8> {
    load(origin).map_err(|error| told(&error))
}

pub(super) fn told(error: &LoadError) -> u8 {
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

pub(super) fn usage(error: &impl ToString) -> u8 {
    term::error(&error.to_string(), None);
    exit::USAGE
}
