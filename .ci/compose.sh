#!/usr/bin/env bash
# Brings both forms of Docker Compose: the older `docker-compose` as Debian packages it, and
# `docker compose`, which Debian 12 does not have, built from its source where a Go compiler is
# here. What can't be had is said and left out; the check of compose tries the forms that are here.
set -euo pipefail
# The last of the 2.x series that an engine of Debian 12 understands.
version=v2.40.3
plugins=/usr/local/lib/docker/cli-plugins

say() { echo "ci: $*" >&2; }

build_plugin() (
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
    go mod init build
    go get "github.com/docker/compose/v2/cmd@$version"
    go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$version" \
        -o docker-compose github.com/docker/compose/v2/cmd
    install -D docker-compose "$plugins/docker-compose"
)

if ! command -v docker-compose >/dev/null; then
    apt-get install -y -qq --no-install-recommends docker-compose >/dev/null 2>&1 ||
        say "docker-compose can't be installed"
fi
if ! docker compose version >/dev/null 2>&1; then
    if ! command -v go >/dev/null; then
        say "no Go compiler here, so \`docker compose\` is not tried"
    elif ! output=$(build_plugin 2>&1); then
        say "\`docker compose\` can't be built: $(tail -n 1 <<<"$output")"
    fi
fi
