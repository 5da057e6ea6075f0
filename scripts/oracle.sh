#!/bin/sh
# Asks Apache Flink for the windows that lab 05 is held against. See --help and oracle/README.md.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=versions.env
. ./versions.env

needed_mb=1500
needed_kb=2000000
target=${CARGO_TARGET_DIR:-target}/oracle
jars=$target/flink-$FLINK_VERSION
connectors=$target/flink-$FLINK_VERSION-connectors
fixtures=tests/lab05/flink
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac

usage() {
    cat <<'TEXT'
usage: scripts/oracle.sh [--speed]

Makes tests/lab05/flink anew: the windows, late and dropped records of Apache Flink, for both weeks
and a made log. Flink runs twice and must give the same bytes. Maven brings it at the first run;
after that no network is needed. It needs a JDK, Maven and cargo, and takes about three minutes.

  --speed   measure Flink's speed and memory instead, from a file to windows and from Kafka to
            PostgreSQL (both by the rig), and write oracle/speed.csv; on Linux only
TEXT
}

say() { echo "oracle: $*" >&2; }

fail() {
    echo "oracle: $*" >&2
    exit 1
}

require_tools() {
    command -v cargo >/dev/null || fail "cargo is missing; install Rust from https://rustup.rs"
    command -v "$javac" >/dev/null ||
        fail "javac is missing, which comes with a JDK; Debian, Ubuntu: sudo apt install openjdk-17-jdk-headless, macOS: brew install openjdk@17"
    # javac 17.0.15
    major=$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge "$JAVA_VERSION_AT_LEAST" ] ||
        fail "Flink $FLINK_VERSION needs Java $JAVA_VERSION_AT_LEAST or newer, found ${major:-none}; set JAVA_HOME"
    [ -d "$jars" ] || command -v mvn >/dev/null ||
        fail "mvn is missing, which fetches Flink; Debian, Ubuntu: sudo apt install maven, macOS: brew install maven"
}

require_room() {
    mkdir -p "$target" || fail "cannot make the folder $target; check who owns it"
    free_kb=$(df -Pk "$target" | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge "$needed_kb" ] ||
        fail "$target needs $needed_kb kB of disk and has $free_kb kB; free some and run make oracle again"
    [ -r /proc/meminfo ] || return 0
    free_mb=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
    [ "$free_mb" -ge "$needed_mb" ] ||
        fail "Flink needs $needed_mb MB of memory and $free_mb MB are free; end something and run make oracle again"
}

# A folder of this run's own. What a killed run left behind is cleared away here.
make_work() {
    for left in "$target"/work.*; do
        kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
    done
    work=$target/work.$$
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    mkdir "$work"
}

# The folder of jars appears whole or not at all.
fetch() {
    say "fetching $3 with Maven, once"
    if ! mvn --batch-mode --quiet --strict-checksums --file "$1" \
        "-Dflink.version=$FLINK_VERSION" dependency:copy-dependencies \
        "-DoutputDirectory=$(cd "$work" && pwd)/jars" >"$work/mvn.log" 2>&1; then
        reason=$(sed -n 's/.*ERROR[^A-Za-z]*//p' "$work/mvn.log" | head -n 1 | sed 's/ -> .*//')
        fail "Maven could not fetch $3 (${reason:-no reason given}); is there a network, and does mvn use the proxy?"
    fi
    mv "$work/jars" "$2"
}

compile() {
    "$javac" -cp "$jars/*" -d "$work/classes" oracle/src/*.java >"$work/javac.log" 2>&1 ||
        fail "oracle/src does not compile: $(head -n 1 "$work/javac.log")"
}

# What Flink's own scripts open to it on Java 17 and newer.
flink() {
    opens=
    for package in java.lang java.lang.reflect java.net java.io java.nio sun.nio.ch java.text \
        java.time java.util java.util.concurrent java.util.concurrent.atomic java.util.concurrent.locks; do
        opens="$opens --add-opens=java.base/$package=ALL-UNNAMED"
    done
    # shellcheck disable=SC2086
    "$java" $opens "${heap:--Xmx1g}" -cp "$work/classes:$jars/*:$connectors/*" "$@" >"$work/flink.out" 2>"$work/flink.err" || {
        cp "$work/flink.err" "$target/flink.log"
        fail "Flink failed: $(grep -E 'Caused by|Exception|Error' "$work/flink.err" | tail -n 1); all it said is in $target/flink.log"
    }
}

records() { cargo run --quiet --locked -p flights --bin flights-data -- records "$1" "$work/$1.jsonl"; }

ask() {
    mkdir "$work/$1"
    flink Oracle oracle/sql "$work" "$work/$1"
}

make_fixtures() {
    for log in calm storm edges; do records $log; done
    say "asking Flink $FLINK_VERSION, by SQL and by its DataStream API; about a minute and a half"
    ask first
    say "asking it again: the answer must be the same, byte by byte"
    ask second
    difference=$(diff -rq "$work/first" "$work/second") ||
        fail "two runs of Flink gave different answers: $(echo "$difference" | head -n 1)"
    mkdir -p "$fixtures"
    if diff -rq -x README.md "$work/first" "$fixtures" >/dev/null; then
        say "$fixtures: as it was"
    else
        rm -f "$fixtures"/*.csv
        cp "$work/first"/*.csv "$fixtures"
        say "$fixtures: written anew; look at the change with git diff"
    fi
}

table() {
    echo " log    bound    lateness   records    late   dropped   windows   firings"
    awk -F , '!/^#/ && $1 != "log" {
        printf " %-6s %2d min    %2d min   %7d %7d   %7d   %7d   %7d\n", $1, $2, $3, $4, $5, $6, $7, $8
    }' "$fixtures/runs.csv"
}

# path, records, plan, heap: the medians of five runs, as a line of oracle/speed.csv.
measure() {
    heap=$4
    [ -f "$work/$2.jsonl" ] || records "$2"
    [ "$1" = file ] || fill_topic "$2"
    for _ in 1 2 3 4 5; do
        if [ "$1" = file ]; then
            flink Speed oracle/sql "$3" "$work/$2.jsonl"
        else
            flink Speed oracle/sql "$3" "$name-$2" "$broker" "$jdbc_url" "$table"
        fi
        cat "$work/flink.out"
    done >"$work/turns"
    [ "$1" = file ] || check_counted "$2"
    echo "$1,$2,$3,$4,$(median 1),$(median 2),$(median 3)"
}

rig() { cargo run --quiet --locked -p rig-program -- "$@" 2>"$work/rig.err" || fail "$(tail -n 1 "$work/rig.err")"; }

# Topics, table and role are this run's own.
prepare_servers() {
    rig up >/dev/null
    rig status >"$work/status"
    # rig: Kafka 4.3.1 at 127.0.0.1:24385, PostgreSQL 15.18 at 127.0.0.1:27224 (local)
    addresses=$(cat "$work/status" "$work/rig.err" | sed -n 's/.*Kafka [^ ]* at \([^,]*\), PostgreSQL [^ ]* at \([^ ]*\).*/\1 \2/p' | head -n 1)
    [ -n "$addresses" ] || fail "the rig did not say where Kafka and PostgreSQL are: $(cat "$work/status" "$work/rig.err")"
    broker=${addresses% *}
    name=oracle-speed-$$
    table=oracle_speed_$$
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    jdbc_url="jdbc:postgresql://${addresses#* }/tidemark?user=$table&password=$password"
    trap 'remove_from_servers; rm -rf "$work"' EXIT
    rig psql -q -c "CREATE TABLE $table (window_start timestamp(3), origin text, count bigint,
            sum_delay_min bigint, mean_delay_min double precision, worst_delay_min int,
            over_15_min bigint, PRIMARY KEY (window_start, origin))" \
        -c "CREATE ROLE $table LOGIN PASSWORD '$password'" -c "GRANT ALL ON $table TO $table"
}

remove_from_servers() {
    (rig psql -q -c "DROP TABLE IF EXISTS $table" -c "DROP ROLE IF EXISTS $table") || true
    (rig tool kafka-topics --delete --if-exists --topic "$name-.*" >/dev/null) || true
}

fill_topic() {
    rig tool kafka-topics --create --topic "$name-$1" --partitions 1 --config retention.ms=-1 >/dev/null
    rig tool kafka-console-producer --topic "$name-$1" <"$work/$1.jsonl" >/dev/null
    rig psql -q -c "TRUNCATE $table"
}

# No record is behind the watermark, so none may be missing from the table.
check_counted() {
    counted=$(rig psql -At -c "SELECT sum(count) FROM $table")
    [ "$counted" = "$1" ] || fail "expected $1 records counted in PostgreSQL, found $counted"
}

# The median of a column of the turns.
median() { cut -d ' ' -f "$1" "$work/turns" | sort -n | sed -n 3p; }

machine() {
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    echo "$(getconf _NPROCESSORS_ONLN) cores, ${cpu:-unknown processor}, $("$java" -version 2>&1 | sed -n 2p)"
}

measure_speed() {
    [ -r /proc/self/status ] || fail "--speed reads a process's memory from /proc, which only Linux has"
    [ -d "$connectors" ] || fetch oracle/connectors.xml "$connectors" "Flink's connectors (22 MB)"
    prepare_servers
    say "measuring Flink $FLINK_VERSION, 35 runs; about ten minutes"
    {
        echo "# Apache Flink $FLINK_VERSION, made by \`scripts/oracle.sh --speed\`, see oracle/README.md"
        echo "# $(machine)"
        echo "path,records,plan,heap,cpu_ms,wall_ms,peak_kb"
        measure file 100 one-phase -Xmx4g
        measure file 1000000 one-phase -Xmx4g
        measure file 5000000 one-phase -Xmx4g
        measure file 5000000 default -Xmx4g
        measure file 5000000 one-phase -Xmx512m
        measure kafka 100 one-phase -Xmx4g
        measure kafka 1000000 one-phase -Xmx4g
    } >"$work/speed.csv"
    cp "$work/speed.csv" oracle/speed.csv
    cat oracle/speed.csv
}

mode=fixtures
case "$#:${1-}" in
0:) ;;
1:--speed) mode=speed ;;
1:-h | 1:--help)
    usage
    exit 0
    ;;
*) fail "expected nothing, --speed or --help, found: $*" ;;
esac

require_tools
require_room
make_work
[ -d "$jars" ] || fetch oracle/pom.xml "$jars" "Flink $FLINK_VERSION (140 MB)"
compile
if [ "$mode" = speed ]; then
    measure_speed
else
    make_fixtures
    table
fi
