#!/usr/bin/env bash
# make soak: the reference answers' tests again and again, until one fails. A run that was
# interrupted goes on where it stopped; another commit begins anew.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-50}
folder=target/soak
log=$folder/run.log
# One line a run that passed: its seconds. The first line is the commit.
state=$folder/state

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

run_all() {
    local lab
    for lab in solutions/*/; do
        cargo test -p "$(basename "$lab")-solution" || return 1
    done
}

mkdir -p "$folder"
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ "$(head -n 1 "$state" 2>/dev/null)" = "$commit" ] || echo "$commit" >"$state"
done_before=$(($(wc -l <"$state") - 1))
[ "$done_before" = 0 ] || echo "soak: going on after $done_before runs"

for ((run = done_before + 1; run <= runs; run++)); do
    started=$SECONDS
    if ! run_all >"$log" 2>&1; then
        cp "$log" "$folder/failed-run-$run.log"
        grep -E '^test .*FAILED|^error' "$log" || tail -n 20 "$log"
        echo "soak: run $run of $runs failed; its output is kept in $folder/failed-run-$run.log" >&2
        exit 1
    fi
    took=$((SECONDS - started))
    echo "$took" >>"$state"
    tests=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    echo "soak: run $run of $runs: $tests tests passed in $took s"
done

echo "soak: $runs runs, no failure, median $(tail -n +2 "$state" | median) s a run"
rm -f "$state"
