# What developers do, and what CI does.

default:
    @just --list

# Formats the code.
[group: 'check']
fmt:
    cargo fmt --all

# Lints; CI turns warnings into errors.
[group: 'check']
lint:
    cargo clippy --workspace --all-targets
    cargo clippy -p shardlab --lib --no-default-features

# All tests, as in the README.
[group: 'check']
test *ARGS:
    cargo test {{ARGS}}

# The documentation, private items included.
[group: 'check']
doc:
    cargo doc --workspace --no-deps --document-private-items

# Accepts the present output as what the golden tests expect.
[group: 'check']
bless:
    SNAPSHOTS=overwrite cargo test
    .ci/api > docs/library.txt

# Client libraries as their users use them, through a failover; e.g. `just clients --server redis@6.2`.
[group: 'check']
clients *ARGS:
    clients/run {{ARGS}}

# Everything that CI does.
[group: 'check']
ci:
    .ci/run

# Measures; `just bench boot --help` tells what can be asked.
[group: 'measure']
bench NAME *ARGS:
    cargo bench -p shardlab --bench {{NAME}} -- {{ARGS}}

# Damages files of running clusters, chosen at random: `just damage 100`.
[group: 'check']
damage ROUNDS:
    SHARDLAB_ROUNDS={{ROUNDS}} cargo test -p shardlab --test it -- --nocapture whatever_file_is_damaged
