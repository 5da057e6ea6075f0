#!/usr/bin/env bash
# make soak: the reference answers' tests RUNS times, the last BUSY of them with a build beside
# them that keeps the machine busy; then lab 02's job with a million records, and lab 06's with as
# many and with the storm week, which is killed KILLS times on each; then the property tests, the
# mutants and the fresh machines.
#
#   make soak RUNS=100 BUSY=20 LABS="lab02 lab06" MILLION=1000000 KILLS=200
#
# WHOLE=0 runs of each suite only the tests that a learner has too, in a fraction of the time.
# MILLION=0 leaves both jobs out, KILLS=0 the second. PURE=0 leaves out what has no run
# of its own: the property tests, `make mutants` and `make fresh`.
#
# Calls with other labs may run beside each other, also in one clone: each has files of its own. All
# but one of them with PURE=0, since `make mutants` and `make fresh` have one folder each.
#
# It goes on after a failure, so that the end says how often a test fails, and then exits with 1.
# What was interrupted goes on where it stopped. Another commit, other changes that are not
# committed, or other labs begin anew.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-100}
busy=${BUSY:-20}
million=${MILLION:-1000000}
kills=${KILLS:-200}
whole=${WHOLE:-1}
labs=${LABS:-$(for lab in solutions/lab*/; do basename "$lab"; done | tr '\n' ' ')}
# They are made of the same tests as the millions, which are the last parts.
small_forms=(
    --skip every_record_is_a_row_or_a_dead_letter_whatever_restarts
    --skip made_flights_on_four_partitions_survive_kills_at_every_point
)

target=${CARGO_TARGET_DIR:-target}
folder=$target/soak
busy_pid=

# What is tested, in one word.
key() {
    {
        git rev-parse HEAD && git diff HEAD || echo 'no git here'
        echo "$labs $whole"
    } 2>/dev/null | cksum | tr ' ' '-'
}

# A line a suite that ended: `quiet 7 lab02 passed 61 4`, the last two its tests and its seconds.
state=$folder/state-$(key)
log=$state.run.log
busy_folder=$state.busy

is_done() { grep -q "^$1 $2 $3 " "$state"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# A build from nothing, again and again, in a process group of its own.
begin_busy() {
    [ -z "$busy_pid" ] || return 0
    set -m
    (
        while :; do
            rm -rf "$busy_folder"
            cargo build --target-dir "$busy_folder" -p lab01-solution || exit 1
        done
    ) >"$state.busy.log" 2>&1 &
    busy_pid=$!
    set +m
}

end_busy() {
    [ -n "$busy_pid" ] || return 0
    kill -- "-$busy_pid" 2>/dev/null || true
    wait "$busy_pid" 2>/dev/null || true
    busy_pid=
    rm -rf "$busy_folder"
}

# suite <quiet|busy|million|kills> <run> <lab> <cargo test's arguments …>
suite() {
    local kind=$1 run=$2 lab=$3 started=$SECONDS verdict=passed tests took kept
    shift 3
    cargo test -p "$lab-solution" --no-fail-fast "$@" >"$log" 2>&1 || verdict=failed
    took=$((SECONDS - started))
    tests=$(sed -n 's/^test result: .* \([0-9]*\) passed.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    [ "$tests" != 0 ] || verdict=failed
    if [ "$kind" = busy ] && ! kill -0 "$busy_pid" 2>/dev/null; then
        echo "soak: the build that keeps the machine busy has ended; see $state.busy.log" >&2
        exit 2
    fi
    echo "soak: $kind run $run, $lab: $verdict, $tests tests passed in $took s"
    if [ "$verdict" = failed ]; then
        kept=$folder/failed-$kind-$run-$lab.log
        cp "$log" "$kept"
        sed -n 's/^test \(.*\) \.\.\. FAILED.*/\1/p' "$log" | sort -u |
            sed "s|^|$lab $kind $run |" | tee -a "$state.failures" | sed 's/^/soak:   failed: /'
        grep -q '^test .*FAILED' "$log" || {
            echo "$lab $kind $run (no test named)" >>"$state.failures"
            tail -n 20 "$log"
        }
        echo "soak:   its output is kept in $kept"
    fi
    echo "$kind $run $lab $verdict $tests $took" >>"$state"
}

mkdir -p "$folder"
touch "$state" "$state.failures"
[ ! -s "$state" ] || echo "soak: going on after $(wc -l <"$state" | tr -d ' ') suites that ended before"
trap end_busy EXIT
trap 'exit 130' INT TERM

# The tests of a suite's runs, in cargo's words.
tests_of() { [ "$whole" != 0 ] || echo "--test $1"; }

for lab in $labs; do
    # Split on purpose: an option and its value, or nothing.
    # shellcheck disable=SC2046
    cargo test -q -p "$lab-solution" $(tests_of "$lab") --no-run
done
for ((run = 1; run <= runs; run++)); do
    kind=quiet
    [ "$run" -le $((runs - busy)) ] || kind=busy
    for lab in $labs; do
        is_done "$kind" "$run" "$lab" && continue
        [ "$kind" = quiet ] || begin_busy
        # shellcheck disable=SC2046
        suite "$kind" "$run" "$lab" $(tests_of "$lab") -- "${small_forms[@]}"
    done
done
end_busy
if [ "$million" != 0 ] && [[ " $labs " = *" lab02 "* ]] && ! is_done million "$million" lab02; then
    TIDEMARK_RECORDS=$million suite million "$million" lab02 --test million -- --nocapture
    grep -E '^(at |the job |memory )|records in' "$log" | sed 's/^/soak:   /' || true
fi

if [ "$million" != 0 ] && [ "$kills" != 0 ] && [[ " $labs " = *" lab06 "* ]] &&
    ! is_done kills "$kills" lab06; then
    # Where it was interrupted, its kills and its checkpoints are in the database, and it goes on.
    [ ! -e "$state.kills" ] || export TIDEMARK_RESUME=1
    touch "$state.kills"
    TIDEMARK_KILLS=$kills TIDEMARK_RECORDS=$million \
        suite kills "$kills" lab06 --test kill -- --nocapture --test-threads 1 made_flights storm_week
    rm -f "$state.kills"
    unset TIDEMARK_RESUME
    sed -n '/^killed /,/^ from /{/^ from /!s/^/soak:   /p}' "$log"
fi

if [ "${PURE:-1}" != 0 ]; then
    { LABS=$labs scripts/properties.sh && LABS=$labs scripts/mutants.sh; } || echo 'pure 1 all failed 0 0' >>"$state"
    scripts/fresh-machine.sh || echo 'fresh 1 all failed 0 0' >>"$state"
fi

for kind in quiet busy million kills; do
    for lab in $labs; do
        grep "^$kind [0-9]* $lab " "$state" >"$state.part" || continue
        echo "soak: $kind, $lab: $(wc -l <"$state.part" | tr -d ' ') runs," \
            "$(grep -c failed "$state.part" || true) failed," \
            "median $(awk '{ print $6 }' "$state.part" | median) s"
    done
done
rm -f "$state.part"
failures=$(grep -c ' failed ' "$state" || true)
awk '{ $2 = ""; $3 = ""; print }' "$state.failures" | sort | uniq -c | sort -rn >"$state.often"
[ ! -s "$state.often" ] || { echo 'soak: how often each failed:' && cat "$state.often"; }
rm -f "$state.often"
mv "$state" "$folder/last-run-$(echo $labs | tr " " -)"
mv "$state.failures" "$folder/last-failures-$(echo $labs | tr " " -)"
if [ "$failures" != 0 ]; then
    echo "soak: $failures suites failed" >&2
    exit 1
fi
rm -f "$log" "$state.busy.log"
echo "soak: no failure"
