# The directory of the test engine (see tests/builder.sh).
builder := env_var_or_default("RESTOW_BUILDER", "/tmp/restow-test-builder")

# What to run before a pull request.
default: lint test

# All tests that need neither a container engine nor a corpus.
test:
    cargo test

# Compiler and clippy warnings are errors.
lint:
    cargo clippy --all-targets -- -D warnings

# The promises over whole trees of Dockerfiles, then restow's reader against BuildKit's own parser.
corpus folder:
    CORPUS={{quote(folder)}} cargo test --release
    cargo build --release --example instructions
    python3 tests/reader/buildkit_parser.py target/release/examples/instructions {{quote(folder)}}

# Build the projects in tests/builds before and after, on a private container engine.
real:
    #!/usr/bin/env bash
    set -euo pipefail
    export RESTOW_BUILDER={{quote(builder)}}
    trap 'tests/builder.sh stop "$RESTOW_BUILDER"' EXIT
    tests/builder.sh start "$RESTOW_BUILDER"
    cargo test --test real_build

# Write docs/transforms.md and docs/config.md anew from the code, and the API documentation. The test fails for each
# page that was out of date, so it runs three times. Read and commit the pages.
docs:
    -cargo test --test transforms the_documentation_is_up_to_date
    -cargo test --test transforms the_documentation_is_up_to_date
    cargo test --test transforms the_documentation_is_up_to_date
    cargo doc --no-deps

bench:
    cargo bench
