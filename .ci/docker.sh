#!/usr/bin/env bash
# docker.sh start: starts a Docker engine on this machine and makes sure that the rig's images are
#   there, built as stand-ins where no image registry can be reached. Prints why not, and fails,
#   where that can't be. Nothing but continuous integration knows of stand-ins.
# docker.sh stop: ends the engine that `start` has started; another is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=versions.env
. ./versions.env
# shellcheck source=scripts/debian.sh
. scripts/debian.sh
kafka=$KAFKA_IMAGE:$KAFKA_VERSION
postgres=$POSTGRES_IMAGE:$POSTGRES_VERSION
work=/var/tmp/tidemark-stand-ins
pidfile=/var/run/tidemark-dockerd.pid
# A stand-in carries this label, so that one of an earlier making is made anew.
label=tidemark.stand-in
making=$(cat .ci/stand-ins/* | sha256sum | cut -c 1-12)

fail() {
    echo "$*"
    exit 1
}

# Waits up to a minute for the engine to answer.
engine_answers() {
    local turn
    for turn in $(seq 240); do
        docker version >/dev/null 2>&1 && return
        [ "$turn" = 240 ] || sleep 0.25
    done
    return 1
}

install_engine() {
    apt-get update -qq >&2 &&
        apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null 2>&1
}

start_engine() {
    docker version >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one"
    command -v dockerd >/dev/null || install_engine || fail "Docker Engine can't be installed"
    setsid dockerd --pidfile "$pidfile" >/var/tmp/dockerd.log 2>&1 </dev/null &
    engine_answers || fail "dockerd does not start: $(tail -n 1 /var/tmp/dockerd.log)"
}

build_base() {
    command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null 2>&1 ||
        fail "debootstrap can't be installed"
    debootstrap --variant=minbase --include=openjdk-17-jre-headless bookworm "$work/root" "$(mirror)" \
        >"$work/debootstrap.log" 2>&1 || fail "debootstrap failed: $(tail -n 1 "$work/debootstrap.log")"
    tar -C "$work/root" -c . | docker import - tidemark-stand-in-base >/dev/null
    rm -rf "$work/root"
}

# The same jars and binaries as Maven brings for the local provider, of the versions that the
# images have.
fetch() {
    # Joined by && since errexit is off in a function before ||. `xz` is for tar.
    command -v xz >/dev/null || apt-get install -y -qq xz-utils >/dev/null 2>&1
    # Maven writes beside its files.
    cp crates/rig/program/maven/*.xml "$work" &&
        mkdir -p "$work/postgres" &&
        mvn -B -q -f "$work/kafka.xml" -Dkafka.version="$KAFKA_VERSION" \
            dependency:copy-dependencies -DoutputDirectory="$work/kafka" >&2 &&
        mvn -B -q -f "$work/postgres.xml" -Dpostgres.version="$POSTGRES_VERSION" -Dpostgres.machine=linux-amd64 \
            dependency:unpack-dependencies -DoutputDirectory="$work/packed" >&2 &&
        tar -xJf "$work"/packed/*.txz -C "$work/postgres"
}

build() {
    docker build --quiet --label "$label=$making" --tag "$1" --file ".ci/stand-ins/$2.Dockerfile" "$work" >/dev/null ||
        fail "the stand-in for $1 can't be built"
}

there() {
    local made
    made=$(docker image inspect --format "{{with .Config.Labels}}{{index . \"$label\"}}{{end}}" "$1" 2>/dev/null) || return 1
    [ -z "$made" ] || [ "$made" = "$making" ]
}

have_images() {
    there "$kafka" && there "$postgres" && return
    if timeout 60 docker pull --quiet "$kafka" >/dev/null 2>&1 && docker pull --quiet "$postgres" >/dev/null 2>&1; then
        return
    fi
    echo "ci: no image registry can be reached; building stand-ins for $kafka and $postgres" >&2
    rm -rf "$work"
    mkdir -p "$work"
    cp .ci/stand-ins/* "$work"
    there tidemark-stand-in-base || build_base
    fetch || fail "Maven can't fetch what the stand-ins are made of"
    build "$kafka" kafka
    build "$postgres" postgres
    rm -rf "$work"
}

stop_engine() {
    [ -f "$pidfile" ] || return 0
    local pid
    pid=$(cat "$pidfile")
    # The file may be left from an earlier engine, and its number be another process's by now.
    [ "$(ps -o comm= -p "$pid")" != dockerd ] || kill "$pid"
}

case "${1:-}" in
start)
    start_engine
    have_images
    ;;
stop) stop_engine ;;
*) fail "expected start or stop, found: ${1:-nothing}" ;;
esac
