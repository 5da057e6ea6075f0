#!/usr/bin/env bash
# Part of make soak: the property tests of the labs' pure steps with CASES made-up inputs each,
# where `make test` tries 64. They are others in every run: it says its SEED, and with this one the
# same are tried again. An input that breaks a rule becomes a test of its own.
#
#   CASES=10000 SEED=7 LABS="lab04" scripts/properties.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${CASES:-10000}
seed=${SEED:-$(date +%s)}
labs=${LABS:-$(for lab in solutions/lab*/; do basename "$lab"; done | tr '\n' ' ')}

# The tests of the lab that ask for made-up inputs, by their names.
property_tests() {
    awk '/^(async )?fn / { name = $0; sub(/.*fn /, "", name); sub(/\(.*/, "", name) }
         /^ *for_all\(/ { print name }' "tests/$1"/step*.rs | sort -u
}

echo "properties: inputs of SEED=$seed"
for lab in $labs; do
    tests=$(property_tests "$lab" | tr '\n' ' ')
    [ -n "$tests" ] || continue
    cargo test -q -p "$lab-solution" --test "$lab" --no-run
    started=$SECONDS
    # Split on purpose: the names of several tests.
    # shellcheck disable=SC2086
    PROPTEST_CASES=$cases PROPTEST_RNG_SEED=$seed cargo test -q -p "$lab-solution" --test "$lab" -- $tests
    echo "properties: $lab: $(echo "$tests" | wc -w | tr -d ' ') rules, $cases inputs each, in $((SECONDS - started)) s"
done
