#!/usr/bin/env bash
# make mutants: changes the reference answers of pure steps, one small thing at a time, and asks
# whether the learner's tests notice.
#
#   make mutants LABS="lab03 lab04"     (all labs of the list below, if none is named)
#   scripts/mutants.sh --tests lab03    runs a lab's pure tests, and changes nothing
#
# A change that no test notices is *missed*: then a test is missing, or the code says more than it
# must. What can't be told apart by any test is excused in .cargo/mutants.toml, with the reason.
# The servers are not needed. Exit code 1 when a change was missed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=versions.env
. ./versions.env

# For each process: 8 GiB of addresses, several times what rustc takes. macOS has no such limit.
MEMORY_KIB=$((8 * 1024 * 1024))

# pure_part LAB: the modules that a test can judge without a server, then `--`, then the tests that
# do, in libtest's words. What of these modules needs a server is in .cargo/mutants.toml.
pure_part() {
    case "$1" in
    lab01) echo 'event layout record -- step1_ step2_ step5_ given_the_deliveries_of_a_key' ;;
    lab02)
        echo 'batch dead_letters group producer -- given:: step1_' \
            'a_delivery_is a_retry_writes queue_and_time the_callers_settings only_some_errors' \
            'a_dead_letter_is_the_record a_dead_letter_says a_reason_is_cut only_a_flight' \
            'what_goes_is_noted the_owners_follow two_may_believe a_record_that_was_read_twice'
        ;;
    lab03)
        echo 'crash guarantee lag progress -- given:: step1_ step2_' \
            'the_lag_is_the_end without_a_commit a_lag_below_zero given_what_was_deleted'
        ;;
    lab04)
        echo 'curve guard idle lateness partitions processing_time skew span watermark' \
            '-- --skip step7_'
        ;;
    lab05)
        echo 'board corrections delays dropped firing job tables window' \
            '-- --skip step7_ --skip step8_'
        ;;
    lab06)
        echo 'checkpoint crash interval process recovery savepoint state turn version1' \
            '-- given:: step1_ step3_ step4_turn step5_savepoint step7_' \
            '--skip given_a_fingerprint_is --skip given_a_table_that_is_gone' \
            '--skip the_newest_checkpoint --skip step3_recovery::a_damaged --skip where_no_good' \
            '--skip a_topic_made_anew --skip those_who_trust' \
            '--skip given_first_starts --skip a_newer_checkpoint_is_none'
        ;;
    esac
}

install_cargo_mutants() {
    local found
    found=$(.venv/bin/cargo-mutants mutants --version 2>/dev/null) || found=
    [ "$found" != "cargo-mutants $CARGO_MUTANTS_VERSION" ] || return 0
    echo "mutants: cargo-mutants $CARGO_MUTANTS_VERSION is missing; it goes into .venv, which takes about three minutes"
    echo "  cargo install --locked cargo-mutants --version $CARGO_MUTANTS_VERSION --root .venv"
    # Its own products would only fill the target folder.
    env -u CARGO_TARGET_DIR cargo install --quiet --locked cargo-mutants \
        --version "$CARGO_MUTANTS_VERSION" --root .venv
}

# A copy at a place that stays, so that the dependencies are built once. Each file is as new as the
# copy: after a run that was interrupted, cargo would take a change that was built for the original.
copy_the_tree() {
    rm -rf "$folder/tree"
    mkdir -p "$folder/tree"
    { git ls-files -coz --exclude-standard || find . -path ./target -prune -o -type f -print0; } 2>/dev/null |
        tar -cf - --null -T - | tar -xmf - -C "$folder/tree"
}

# A test that asks for a server after all is red at once.
without_servers() { env -u KAFKA_BOOTSTRAP_SERVERS -u DATABASE_URL TIDEMARK_RIG=external "$@"; }

# Changes one lab's modules and runs its tests; the outcome goes into $folder/LAB/mutants.out.
try_changes() {
    local lab=$1 part modules tests files=() module code=0
    part=$(pure_part "$lab")
    modules=${part%% -- *}
    tests=${part#* -- }
    for module in $modules; do
        files+=(--file "solutions/$lab/src/$module.rs")
    done
    rm -rf "${folder:?}/$lab"
    # A change may make code ask for memory without end.
    ulimit -v "$MEMORY_KIB" 2>/dev/null || true
    # Split on purpose: the names of several tests.
    # shellcheck disable=SC2086
    CARGO_TARGET_DIR="$folder/build" without_servers \
        .venv/bin/cargo-mutants mutants --dir "$folder/tree" --in-place --output "$folder/$lab" \
        --package "$lab-solution" "${files[@]}" --no-times --timeout 30 \
        --cargo-arg=--test="$lab" -- -- $tests || code=$?
    # 2: missed, 3: a test that hung, which is noticed as well.
    case "$code" in 0 | 2 | 3) ;; *) exit "$code" ;; esac
}

run_tests() {
    local part
    part=$(pure_part "$1")
    [ -n "$part" ] || {
        echo "mutants: expected a lab after --tests, found: $1" >&2
        exit 2
    }
    # shellcheck disable=SC2086
    without_servers cargo test -p "$1-solution" --test "$1" -- ${part#* -- }
}

count() { wc -l <"$folder/$1/mutants.out/$2.txt" | tr -d ' '; }

case "${1-}" in
'') ;;
--tests)
    run_tests "${2-}"
    exit
    ;;
*)
    echo "mutants: expected --tests LAB or nothing, found: $*" >&2
    exit 2
    ;;
esac

labs=${LABS:-lab01 lab02 lab03 lab04 lab05 lab06}
mkdir -p "${CARGO_TARGET_DIR:-target}/mutants"
folder=$(cd "${CARGO_TARGET_DIR:-target}/mutants" && pwd)
install_cargo_mutants
copy_the_tree
tried=
for lab in $labs; do
    [ -n "$(pure_part "$lab")" ] || continue
    tried="$tried $lab"
    try_changes "$lab"
done

missed=0
printf 'mutants: %-8s %7s %7s %7s %9s\n' lab caught missed hung unviable
for lab in $tried; do
    missed=$((missed + $(count "$lab" missed)))
    printf 'mutants: %-8s %7s %7s %7s %9s\n' "$lab" \
        "$(count "$lab" caught)" "$(count "$lab" missed)" "$(count "$lab" timeout)" \
        "$(count "$lab" unviable)"
done
for lab in $tried; do
    sed 's/^/mutants: missed: /' "$folder/$lab/mutants.out/missed.txt"
done
[ "$missed" = 0 ] || exit 1
