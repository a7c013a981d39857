//! No bytes make the parser, the lints or the pictures of errors panic or loop, and what can
//! be read is the same after it was printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shardlab_conformance::diagnose::{Diagnosis, Style};
use shardlab_conformance::transcript::{check, parse_bytes, print};

fuzz_target!(|bytes: &[u8]| {
    let Ok(transcript) = parse_bytes(bytes) else {
        if let Ok(source) = std::str::from_utf8(bytes)
            && let Err(errors) = check(source)
        {
            for error in errors.iter().take(4) {
                Diagnosis::of(error, "claim.resp", source).render(Style::Plain);
            }
        }
        return;
    };
    let printed = print(&transcript);
    let again = parse_bytes(printed.as_bytes()).expect("what is printed can be read");
    assert_eq!(transcript, again, "{printed}");
    assert_eq!(print(&again), printed);
});
