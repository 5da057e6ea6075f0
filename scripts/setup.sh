#!/usr/bin/env bash
# Installs what this machine lacks: packages, mdBook, Kingfisher, the rig and what it fetches. See --help.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=versions.env
. ./versions.env

usage() {
    cat <<'END'
usage: scripts/setup.sh [--check | --packages]

Looks for what the workbook needs and installs what is missing. Each command is shown before it
runs. At a terminal you are asked first; nothing is asked when nothing is missing. Running it
again does no harm.

  --check      only say what is missing; exit code 1 when something is
  --packages   only the system's packages, as the devcontainer's image needs them: no Rust is asked
               for, and nothing is put into the clone

TIDEMARK_YES=1 answers yes. Without a terminal, root is taken to agree; nobody else is.
Java, Maven and PostgreSQL's client are left out where KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL name
servers of your own in the environment; they are not read from .env.
END
}

say() { echo "setup: $*"; }

fail() {
    echo "setup: $*" >&2
    exit 1
}

# --- what is there -------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# Where the rig looks for one too, in this order: see crates/rig/program/src/java.rs.
each_java() {
    if [ -n "${JAVA_HOME:-}" ]; then
        echo "$JAVA_HOME/bin/java"
        return
    fi
    echo java
    [ ! -x /usr/libexec/java_home ] || echo "$(/usr/libexec/java_home -v "$JAVA_VERSION_AT_LEAST+" 2>/dev/null)/bin/java"
    ls -d /opt/homebrew/opt/openjdk*/bin/java /usr/local/opt/openjdk*/bin/java 2>/dev/null || true
}

java_is_new_enough() {
    local java major
    while IFS= read -r java; do
        # openjdk version "17.0.15" 2025-04-15
        major=$("$java" -version 2>&1 </dev/null | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || true
        [ -z "$major" ] || [ "$major" -lt "$JAVA_VERSION_AT_LEAST" ] || return 0
    done <<END
$(each_java)
END
    return 1
}

# Behind the word `java` where it is missing: a Java that lies elsewhere is found by its variable.
where_java_was_looked_for() {
    if [ -n "${JAVA_HOME:-}" ]; then
        say "JAVA_HOME is $JAVA_HOME, and no Java $JAVA_VERSION_AT_LEAST or newer is there; unset it, or set it to one"
    else
        say "no Java $JAVA_VERSION_AT_LEAST or newer on the PATH or where Homebrew keeps one; if yours lies elsewhere (look in /usr/lib/jvm), set JAVA_HOME to its folder"
    fi
}

mdbook_version() { "$1" --version 2>/dev/null | sed 's/^mdbook v//'; }

# The one in .venv is taken before the one on the PATH, here, in the Makefile and in the checks.
has_mdbook() {
    local program=mdbook
    [ ! -x .venv/bin/mdbook ] || program=.venv/bin/mdbook
    [ "$(mdbook_version $program)" = "$MDBOOK_VERSION" ]
}

# Only `make test` needs it, to look for passwords and keys in the tree and its history.
has_kingfisher() {
    [ "$(.venv/bin/kingfisher --version 2>/dev/null)" = "kingfisher $KINGFISHER_VERSION" ]
}

python_makes_venvs() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

# The rig starts no servers where the environment names them.
own_servers() { [ -n "${KAFKA_BOOTSTRAP_SERVERS:-}" ] && [ -n "${DATABASE_URL:-}" ]; }

# One word for each thing that is missing, on one line.
missing_things() { each_missing_thing | tr '\n' ' ' | sed 's/ $//'; }

each_missing_thing() {
    has cc || echo cc
    has make || echo make
    # For the check that no password is in the history.
    has git || echo git
    # For the tests that look for processes left behind.
    has ps || echo ps
    if ! own_servers; then
        java_is_new_enough || echo java
        [ -n "${KAFKA_HOME:-}" ] || has mvn || echo maven
        has psql || echo psql
    fi
    has_mdbook || python_makes_venvs || echo python
}

# Rust is not installed from here: rustup asks where it may put what, and that is yours to answer.
check_rust() {
    has cargo || fail "no Rust found. Install it from https://rustup.rs, open a new terminal, then: make setup"
    local wanted found
    wanted=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    found=$(cargo --version 2>/dev/null | cut -d ' ' -f 2) || found=none
    [ "$found" = "$wanted" ] ||
        fail "Rust $wanted is needed, found ${found:-none}. Run: rustup toolchain install $wanted --component rustfmt,clippy"
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        fail "rustfmt or clippy is missing. Run: rustup component add rustfmt clippy"
    fi
}

# --- what would install it -----------------------------------------------------------------------

system() {
    if has apt-get; then
        echo debian
    elif has brew; then
        echo homebrew
    else
        echo other
    fi
}

# The oldest Java that is new enough and that this release of Debian or Ubuntu has.
debian_java() {
    local version
    for version in 17 21 25; do
        if apt-cache show "openjdk-$version-jre-headless" >/dev/null 2>&1; then
            echo "openjdk-$version-jre-headless"
            return
        fi
    done
    echo default-jre-headless
}

package_for() {
    case "$1:$2" in
    debian:cc) echo build-essential ;;
    debian:java) debian_java ;;
    debian:ps) echo procps ;;
    debian:psql) echo postgresql-client ;;
    debian:python) echo python3-venv ;;
    homebrew:cc) ;; # comes with Apple's tools, see below
    homebrew:java) echo openjdk@17 ;;
    homebrew:psql) echo libpq ;;
    *) echo "$2" ;;
    esac
}

# --- asking and doing ----------------------------------------------------------------------------

is_root() { [ "$(id -u)" = 0 ]; }

agreed() {
    local answer
    [ "${TIDEMARK_YES:-}" != 1 ] || return 0
    if [ -t 0 ] && [ -t 1 ]; then
        read -r -p "setup: run this? [Y/n] " answer
        case "$answer" in '' | y | Y | yes) return 0 ;; *) return 1 ;; esac
    fi
    is_root
}

# Shows the command, asks, runs it.
run() {
    echo "  $*"
    agreed || fail "not run. Run it yourself, then: make setup"
    "$@"
}

# One question for both commands: the list of packages is of no use alone.
install_on_debian() {
    local sudo=''
    is_root || sudo='sudo '
    if ! is_root && ! has sudo; then
        fail "you are not root, and there is no sudo here. Let root run: apt-get update && apt-get install --no-install-recommends $*"
    fi
    echo "  ${sudo}apt-get update && ${sudo}apt-get install --no-install-recommends $*"
    agreed || fail "not run. Run it yourself, then: make setup"
    # Split on purpose: the word and its blank, or nothing.
    # shellcheck disable=SC2086
    ${sudo}apt-get update -qq
    # shellcheck disable=SC2086
    ${sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

install_packages() {
    local things=$1 kind packages='' thing
    kind=$(system)
    if [ "$kind" = other ]; then
        fail "missing: $things. Install them with your system's packages: a C compiler, make, ps, Java $JAVA_VERSION_AT_LEAST or newer, Maven, PostgreSQL's client, Python 3 with venv"
    fi
    for thing in $things; do
        packages="$packages $(package_for "$kind" "$thing")"
    done
    say "missing: $things"
    case " $things " in *" java "*) where_java_was_looked_for ;; esac
    # shellcheck disable=SC2086
    case "$kind" in
    debian) install_on_debian $packages ;;
    homebrew)
        has cc || fail "no C compiler found. Run: xcode-select --install"
        run brew install $packages
        say "Homebrew keeps some programs off the PATH. If one is still missing:"
        say "  export JAVA_HOME=\$(brew --prefix)/opt/openjdk@17 PATH=\"\$PATH:\$(brew --prefix)/opt/libpq/bin\""
        ;;
    esac
}

# A virtual environment in .venv holds the binary that pip brings. Where pip has none for this
# machine, cargo compiles it into the same place.
install_mdbook() {
    say "mdBook $MDBOOK_VERSION is missing; it goes into .venv"
    if has_venv && pip_brings mdbook; then
        return
    fi
    say "pip has no mdBook for this machine; compiling it takes about four minutes"
    run cargo install mdbook --version "$MDBOOK_VERSION" --locked --root .venv ||
        fail "neither pip nor cargo can fetch mdBook; is there a network, and is http_proxy, if it is set, the right one?"
}

# Without it one check of `make test` does not run, and everything else does.
install_kingfisher() {
    say "Kingfisher $KINGFISHER_VERSION is missing; it goes into .venv"
    # In a shell of its own, since a "no" ends the shell.
    (has_venv && pip_brings kingfisher) || true
    has_kingfisher ||
        say "no Kingfisher: pip could not bring it, or was not let. Set-up goes on; in make test the check \`secrets\` is NOT RUN, which is a failure"
}

has_venv() { [ -x .venv/bin/python ] || { python_makes_venvs && run python3 -m venv .venv; }; }

# A program's first line names the folder in which pip made it. Where a clone was moved or copied, pip takes
# what no longer starts for installed, unless it is told to make it anew.
pip_brings() {
    run .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --force-reinstall --only-binary :all: --requirement "scripts/$1-requirements.txt"
}

# librdkafka is built by a script that takes a space for the end of a path.
check_path() {
    local folder=${CARGO_TARGET_DIR:-$PWD}
    case "$folder" in
    *[[:space:]]*)
        fail "the path has a space, and librdkafka can't be built in such a folder: $folder. Move the clone, or set CARGO_TARGET_DIR to a folder without a space"
        ;;
    esac
}

# Else cargo says so at length, and Maven takes it for a network that is not there.
check_cargo_home() {
    local home=${CARGO_HOME:-$HOME/.cargo} folder
    folder=$home
    while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
    { [ -d "$folder" ] && [ -w "$folder" ]; } ||
        fail "$home can't be written, and cargo keeps there what it fetches. Set CARGO_HOME to a folder that can be written, and MAVEN_OPTS=-Dmaven.repo.local=… to one for Maven"
}

# --- the steps -----------------------------------------------------------------------------------

mode=install
case "$#:${1-}" in
0:) ;;
1:--check) mode=check ;;
1:--packages) mode=packages ;;
1:-h | 1:--help)
    usage
    exit 0
    ;;
*) fail "expected nothing, --check, --packages or --help, found: $*" ;;
esac

check_path
check_cargo_home
things=$(missing_things)
if [ "$mode" = check ]; then
    has_mdbook || things="${things:+$things }mdbook"
    [ -z "$things" ] || say "missing: $things; make setup installs it"
    case " $things " in *" java "*) where_java_was_looked_for ;; esac
    check_rust
    [ -z "$things" ] || exit 1
    say "all there"
    exit 0
fi

[ -z "$things" ] || install_packages "$things"
[ "$mode" = packages ] || check_rust
left=$(missing_things)
# Without psql everything runs but `make psql`.
[ -z "$left" ] || [ "$left" = psql ] || fail "still missing: $left"
[ "$mode" != packages ] || exit 0
has_mdbook || install_mdbook
has_mdbook || fail "mdBook is not version $MDBOOK_VERSION; does scripts/mdbook-requirements.txt agree with versions.env?"
has_kingfisher || install_kingfisher

# Compiled here, with cargo's progress in sight, and not in the middle of a first test.
cargo build -p rig-program
own_servers || cargo run --quiet -p rig-program -- fetch
