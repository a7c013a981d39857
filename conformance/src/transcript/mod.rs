//! Transcripts as text and as a tree. Pure: no files, no clock, no network.

pub mod ast;
pub mod span;
