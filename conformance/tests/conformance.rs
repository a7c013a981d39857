//! One test for each transcript, named `area::claim`.

fn main() -> std::process::ExitCode {
    shardlab_conformance::harness::main()
}
