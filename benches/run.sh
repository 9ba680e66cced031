#!/bin/sh
# What `./dev bench` runs. Its arguments go to the benchmark: --quick, --json, --peers, --only, --repeats.
set -eu
cd "$(dirname "$0")/.."
exec cargo bench --locked --bench terminal -- "$@"
