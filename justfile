# What developers run. `.ci/run` has the steps of CI.

default:
    @just --list

# Format the code.
[group: 'check']
fmt:
    cargo fmt --all

# Lint the code; CI turns warnings into errors.
[group: 'check']
lint:
    .ci/run lint

# Run all tests.
[group: 'check']
test *ARGS:
    cargo test {{ARGS}}

# Build the documentation, with private items.
[group: 'check']
doc:
    .ci/run doc

# Accept the current output as what the golden tests expect.
[group: 'check']
bless:
    SNAPSHOTS=overwrite cargo test
    .ci/api > docs/library.txt

# Run client libraries through a failover, e.g. `just clients --server redis@6.2`.
[group: 'check']
clients *ARGS:
    clients/run {{ARGS}}

# Read reports with programs that others wrote, and use the page of `matrix` in Chromium, e.g. `just pages redis@6.2 valkey`.
[group: 'check']
pages *SERVERS:
    clients/reports/run --browser {{SERVERS}}

# Write docs/compatibility.md from a run on each server, e.g. `just compatibility redis@6.2 ./valkey-server`.
[group: 'measure']
compatibility +SERVERS:
    cargo run --release --locked -p shardlab-conformance -- matrix $(printf -- '--server %s ' {{SERVERS}}) --markdown docs/compatibility.md

# Run everything that CI runs.
[group: 'check']
ci:
    .ci/run

# Check licences, sources and known vulnerabilities of dependencies; needs cargo-deny.
[group: 'check']
deny:
    cargo deny check

# Measure; `just bench boot --help` lists the options.
[group: 'measure']
bench NAME *ARGS:
    cargo bench -p shardlab --bench {{NAME}} -- {{ARGS}}

# Damage random files of running clusters, e.g. `just damage 100`.
[group: 'check']
damage ROUNDS:
    SHARDLAB_ROUNDS={{ROUNDS}} cargo test -p shardlab --test it -- --nocapture whatever_file_is_damaged

# Attach to clusters of seven shapes and see that nothing departs or changes, e.g. `just attach-matrix redis@7.0`.
[group: 'check']
attach-matrix SERVER:
    SHARDLAB_SHAPES=all SHARDLAB_SERVER={{SERVER}} cargo test -p shardlab-conformance --test it -- --nocapture genuine_clusters_do_not_depart
