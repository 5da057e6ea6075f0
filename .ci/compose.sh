#!/usr/bin/env bash
# Brings both forms of Docker Compose: the older `docker-compose` as Debian 12 packages it, and
# `docker compose`, which Debian 12 does not have, out of Debian 13's package. What can't be had is
# said and left out; the check of compose tries the forms that are here.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian.sh
. scripts/debian.sh
# Its package needs a C library that Debian 12 has, and an engine of Debian 12 understands it.
release=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
plugin=/usr/libexec/docker/cli-plugins/docker-compose

say() { echo "ci: $*" >&2; }

# Neither Debian 13's list of packages nor its package is left on the machine. apt checks Debian's
# signature.
unpack_plugin() (
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    # Joined by && since errexit is off in a function behind `if !`.
    cd "$work" &&
        mkdir -p lists/partial cache/archives/partial &&
        echo "deb [signed-by=$keyring] $(mirror) $release main" >sources.list &&
        "${apt[@]}" update &&
        "${apt[@]}" download docker-compose &&
        dpkg-deb -x docker-compose_*.deb . &&
        install -D ".$plugin" "$plugin"
)

if ! command -v docker-compose >/dev/null; then
    apt-get install -y -qq --no-install-recommends docker-compose >/dev/null 2>&1 ||
        say "docker-compose can't be installed"
fi
if ! docker compose version >/dev/null 2>&1 && ! output=$(unpack_plugin 2>&1); then
    say "\`docker compose\` can't be had: $(tail -n 1 <<<"$output")"
fi
