//! What a run tells while it goes on.

use super::result::CaseResult;

/// Something that a watcher of a run wants to know at once.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A case has begun.
    Begun {
        /// `MOV-01`
        id: &'a str,
    },
    /// A case has ended, or was not run at all.
    Ended(&'a CaseResult),
}
