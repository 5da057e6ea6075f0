#!/usr/bin/env bash
# install.sh USER: makes a bare Debian ready for the workbook. Root runs it; the Dockerfile does, and
# so may you on a machine of your own. USER is made where there is none, may use sudo without a
# password, and gets Rust. What is there stays as it is. Then USER runs `make setup` in the clone.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "install: $*" >&2
    exit 1
}

[ $# = 1 ] || fail "expected the name of a user, found: ${*:-nothing}"
user=$1
[ "$(id -u)" = 0 ] || fail "only root can install packages. Run: sudo $0 $user"

# What the workbook needs is known to setup.sh. These are for the clone, for rustup and for USER.
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates curl git sudo
scripts/setup.sh --packages

id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
echo "$user ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/tidemark-$user"
chmod 440 "/etc/sudoers.d/tidemark-$user"

as_user() { runuser -u "$user" -- env HOME="$(getent passwd "$user" | cut -d : -f 6)" sh -euc "$1"; }

# shellcheck disable=SC2016 # The user's own PATH and HOME.
as_user 'PATH=$PATH:$HOME/.cargo/bin
    if ! command -v cargo >/dev/null; then
        rustup=$(mktemp)
        curl --proto =https --tlsv1.2 --silent --show-error --fail --output "$rustup" https://sh.rustup.rs
        sh "$rustup" -y --quiet --profile minimal --default-toolchain none
        rm "$rustup"
        # The version and the components that rust-toolchain.toml names.
        rustup toolchain install
    fi'
