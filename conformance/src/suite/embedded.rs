//! The transcripts and lists of known departures that `build.rs` has put into this build.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
