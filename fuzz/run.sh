#!/usr/bin/env bash
# Runs every fuzz target for a while: fuzz/run.sh [SECONDS] [TARGET…]. Fails if one finds something.
# Works with an ordinary compiler: libFuzzer only wants its counters, which LLVM puts in when asked.
#
# Whether a change is good must not depend on luck: every run begins with the same inputs and the same
# seed, and so goes the same way, as far as it gets. GATEPOST_FUZZ_EXPLORE=1 takes a new seed and goes
# on from what earlier runs found interesting: for hunting, overnight.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-30}
[[ $# == 0 ]] || shift
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost/fuzz
export CARGO_TARGET_DIR=${GATEPOST_FUZZ_TARGET_DIR:-${cache}/target}
host=$(rustc -vV | sed -n 's/^host: //p')

flags=(
  --cfg fuzzing
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
# With --target, build scripts and macros stay without counters.
RUSTFLAGS="${flags[*]}" cargo build --quiet --locked --release --target "${host}" \
  --manifest-path "${here}/Cargo.toml"

targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  for file in "${here}"/targets/*.rs; do
    target=${file##*/}
    targets+=("${target%.rs}")
  done
fi

# What is known to be interesting to begin with. Recorded programs are only read.
seeds() {
  case $1 in
    screen) printf '%s\n' "${here}/../tests/fidelity/recordings" ;;
    *) printf '%s\n' "${here}/../tests/golden" ;;
  esac
}

fuzz() {
  local target=$1 found=${here}/artifacts/$1 corpus options=(-seed=1)
  if [[ -n ${GATEPOST_FUZZ_EXPLORE:-} ]]; then
    corpus=${cache}/corpus/${target}
    options=()
  else
    corpus=${scratch}/${target}
  fi
  mkdir -p "${corpus}" "${found}"
  local folders=("${corpus}") seed
  seed=$(seeds "${target}")
  [[ ! -d ${seed} ]] || folders+=("${seed}")
  [[ ! -e ${here}/${target}.dict ]] || options+=("-dict=${here}/${target}.dict")
  "${CARGO_TARGET_DIR}/${host}/release/${target}" -max_total_time="${seconds}" -max_len=4096 \
    -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 "${options[@]}" \
    -artifact_prefix="${found}/" "${folders[@]}" > "${cache}/${target}.log" 2>&1
}
scratch=$(mktemp -d)
trap 'rm -rf "${scratch}"' EXIT

mkdir -p "${cache}"
failed=0
cores=$(nproc)
running=()
# Waits for the oldest and says what came of it.
finish() {
  local target=${running[0]%%:*} pid=${running[0]##*:} runs
  running=("${running[@]:1}")
  if wait "${pid}"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "${cache}/${target}.log")
    printf 'fuzz %-14s ok, %s runs in %s s\n' "${target}" "${runs}" "${seconds}"
  else
    failed=1
    printf 'fuzz %-14s FAILED:\n' "${target}"
    # What went wrong, without the fuzzer's notes on what it has seen, and the input to try again.
    grep -vE 'NEW_FUNC|^stat::|^INFO:|^Dictionary:' "${cache}/${target}.log" | tail -n 60
    printf 'again: %s FILE\n' "${CARGO_TARGET_DIR}/${host}/release/${target}"
  fi
}
for target in "${targets[@]}"; do
  fuzz "${target}" &
  running+=("${target}:$!")
  ((${#running[@]} < cores)) || finish
done
while ((${#running[@]})); do
  finish
done
if ((failed)); then
  printf 'fuzz: something was found\n'
  exit 1
fi
printf 'fuzz: %d targets, %s s each, nothing found\n' "${#targets[@]}" "${seconds}"
