#!/usr/bin/env bash
# Part of make soak: the property tests of the labs' pure steps with CASES made-up inputs each,
# where `make test` tries 64. The inputs are the same in every run with the same CASES.
#
#   CASES=10000 LABS="lab04" scripts/properties.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${CASES:-10000}
labs=${LABS:-$(for lab in solutions/lab*/; do basename "$lab"; done | tr '\n' ' ')}

# The tests of the lab that ask for made-up inputs, by their names.
property_tests() {
    awk '/^(async )?fn / { name = $0; sub(/.*fn /, "", name); sub(/\(.*/, "", name) }
         /^ *for_all\(/ { print name }' "tests/$1"/step*.rs | sort -u
}

for lab in $labs; do
    tests=$(property_tests "$lab" | tr '\n' ' ')
    [ -n "$tests" ] || continue
    cargo test -q -p "$lab-solution" --test "$lab" --no-run
    started=$SECONDS
    # Split on purpose: the names of several tests.
    # shellcheck disable=SC2086
    PROPTEST_CASES=$cases cargo test -q -p "$lab-solution" --test "$lab" -- $tests
    echo "properties: $lab: $(echo "$tests" | wc -w | tr -d ' ') rules, $cases inputs each, in $((SECONDS - started)) s"
done
