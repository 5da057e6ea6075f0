#!/usr/bin/env bash
# make budgets: how long a learner waits, measured in a fresh clone with an empty target folder.
# Works on what is committed. Nothing of it stays; the user's tree is not touched. Exit code 1 when a
# figure is over its budget.
#
#   make budgets LABS="lab01 lab05"
#
# The waits from an edited line to the verdict are measured for these labs, without LABS for all.
set -euo pipefail
cd "$(dirname "$0")/.."

repeats=5
labs=${LABS:-$(for lab in labs/lab*/; do basename "$lab"; done | tr '\n' ' ')}
work=$(mktemp -d)
clone=$work/tidemark
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

clean_up() {
    if [ -x "$work/target/debug/rig" ]; then
        (cd "$clone" && "$work/target/debug/rig" down >/dev/null) || echo "budgets: the rig's servers may still run" >&2
    fi
    rm -rf "$work"
}

say() { echo "budgets: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

now_ms() { python3 -c 'import time; print(time.time_ns() // 1_000_000)'; }

seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f s", ms / 1000 }'; }

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

row() { printf ' %-58s %-12s %-10s %s\n' "$@"; }

# what, measured, at most, limit, figure: the row, with ok or OVER at its end
judged() {
    local verdict
    verdict=$(awk -v limit="$4" -v figure="$5" 'BEGIN { print (figure <= limit ? "ok" : "OVER") }')
    row "$1" "$2" "$3" "$verdict"
    [ "$verdict" = ok ] || over=$((over + 1))
}

fresh_clone() {
    git clone --quiet . "$clone"
    git diff --quiet HEAD || say "changes that are not committed are not measured"
    say "fetching the packages first: a download is not a build"
    (cd "$clone" && cargo fetch --quiet --locked)
}

# What cannot be had faster: the Kafka client and the runtime, with the same versions, features and
# profile, and nothing else.
bare_build_ms() {
    local bare=$work/bare started
    cp -R "$clone" "$bare"
    mkdir -p "$bare/labs/bare/src"
    : >"$bare/labs/bare/src/lib.rs"
    cat >"$bare/labs/bare/Cargo.toml" <<'END'
[package]
name = "bare"
edition.workspace = true

[dependencies]
rdkafka.workspace = true
tokio.workspace = true
END
    started=$(now_ms)
    (cd "$bare" && CARGO_TARGET_DIR=$work/bare-target cargo build --quiet --offline -p bare)
    echo $(($(now_ms) - started))
    rm -rf "$bare" "$work/bare-target"
}

# As a learner calls it, from the first key to the text of the first hole.
first_red_ms() {
    local started line seen=
    started=$(now_ms)
    (lab_test lab01 step1 || true) 2>&1 | while IFS= read -r line; do
        case "$line" in
        *'not yet implemented: step 1'*)
            [ -n "$seen" ] || echo $(($(now_ms) - started))
            seen=yes
            ;;
        esac
    done
}

# lab_test <lab> [step]
lab_test() { (cd "$clone" && env -u RUST_BACKTRACE CARGO_TARGET_DIR="$work/target" cargo test -p "$@"); }

untouched_lab_ms() {
    local started
    started=$(now_ms)
    lab_test lab01 >/dev/null 2>&1 || true
    echo $(($(now_ms) - started))
}

# solve <lab>: an untouched one stops at its holes and is quicker than any.
solve() {
    cp -R "$clone/solutions/$1/src/." "$clone/labs/$1/src/"
    sed -i.bak "/^extern crate $1_solution as $1;\$/d" "$clone/labs/$1/src/main.rs"
    lab_test "$1" >"$work/solved.log" 2>&1 || fail "the solved $1 is red: $(grep -E '^test .*FAILED|^error' "$work/solved.log" | head -n 3)"
}

# The file of a lab's first step, which is a pure one, as the book names it.
first_file() { sed -n "s|^\`\(labs/$1/src/.*\.rs\)\` · \`cargo test -p $1 step1\`\$|\1|p" "book/src/$1.md"; }

# edit_to_verdict_ms <lab> [step]: the median time from an edited line to the verdict.
edit_to_verdict_ms() {
    local turn started file
    file=$(first_file "$1")
    [ -n "$file" ] || fail "book/src/$1.md does not name the file of step 1"
    for ((turn = 1; turn <= repeats; turn++)); do
        # A statement inside a function, so that code is really made anew.
        sed -i.bak -E "1,/^    .*;( \/\/ edit .*)?\$/ s|^(    .*;)( // edit .*)?\$|\1 // edit $turn $*|" "$clone/$file"
        grep -q "// edit $turn $*" "$clone/$file" || fail "no line of $file could be edited"
        started=$(now_ms)
        lab_test "$@" >"$work/verdict.log" 2>&1 || fail "the solved $1 is red: $(tail -n 5 "$work/verdict.log")"
        echo $(($(now_ms) - started))
    done | median
}

machine() {
    local cores cpu
    cores=$(getconf _NPROCESSORS_ONLN)
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    [ -n "$cpu" ] || cpu=$(sysctl -n machdep.cpu.brand_string 2>/dev/null || echo "unknown processor")
    echo "$cores cores, $cpu, $(uname -sm)"
}

fresh_clone
say "building rdkafka and tokio alone"
bare=$(bare_build_ms)
say "cargo test -p lab01 step1, cold"
red=$(first_red_ms)
[ -n "$red" ] || fail "step 1 never said \`not yet implemented: step 1\`"
say "cargo test -p lab01, untouched, no server running yet"
untouched=$(untouched_lab_ms)
waits=
for lab in $labs; do
    say "$lab solved, the rig warm"
    solve "$lab"
    waits+="$lab $(edit_to_verdict_ms "$lab" step1) $(edit_to_verdict_ms "$lab")"$'\n'
done

ratio=$(awk -v red="$red" -v bare="$bare" 'BEGIN { printf "%.2f", red / bare }')
echo
row "what" "measured" "at most" ""
row "rdkafka and tokio alone, cold build" "$(seconds "$bare")" "" ""
row "\`not yet implemented: step 1\` on the screen, cold" "$(seconds "$red")" "" ""
over=0
judged "  as a multiple of the build alone" "$ratio" "1.3" 1.3 "$ratio"
judged "the whole untouched lab, the rig's cold start included" "$(seconds "$untouched")" "30 s more" 30000 "$untouched"
while read -r lab step whole; do
    judged "$lab, edit to verdict, one pure step (median of $repeats)" "$(seconds "$step")" "2 s" 2000 "$step"
    judged "$lab, edit to verdict, the whole lab, rig warm (median of $repeats)" "$(seconds "$whole")" "5 s" 5000 "$whole"
done <<<"${waits%$'\n'}"
echo " $(machine); $(rustc --version); commit $(git rev-parse --short HEAD)"
[ "$over" = 0 ] || fail "$over over budget"
