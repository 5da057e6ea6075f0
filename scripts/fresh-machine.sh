#!/usr/bin/env bash
# make fresh: the workbook on fresh machines. Each is a bare Debian in a folder, made by debootstrap,
# with a fresh clone in it and with processes, devices and temporary files of its own.
#
#   make fresh KINDS="memory proxy"     (all kinds of the list below, if none is named)
#
#   bare            a user without sudo, nothing installed
#   memory          a user without sudo, 2 GiB of memory, an empty target folder
#   user            a user without sudo; root has installed the packages
#   read-only-home  the same, and the user's home can't be written
#   proxy           the same, and no name resolves: what is fetched comes through a proxy
#   root            root, nothing installed
#   devcontainer    the Dockerfile's lines, then devcontainer.json's command and `make start`
#
# A command must get to its end, or end with one sentence that is known here. Exit code 1 when one
# does neither. Works on what is committed. Where such machines can't be had, it says `NOT RUN` and
# why. It needs root, 6 GB in /var/tmp and a network. Nothing of it stays but the logs, in
# target/fresh.
#
# What stands in for something else: rustup can't be asked everywhere, so this machine's toolchain is
# mounted where rustup would have put one. The mirror, certificates and proxies of this machine are
# those of the fresh ones. The kinds share one target folder, and Debian's packages once fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian.sh
. scripts/debian.sh
kinds=${KINDS:-bare memory user read-only-home proxy root devcontainer}
MEMORY_BYTES=$((2 * 1024 * 1024 * 1024))
PROXY_PORT=18888
clone=/srv/tidemark
work=/var/tmp/tidemark-fresh
logs=${CARGO_TARGET_DIR:-target}/fresh
rust=$(rustc --print sysroot)
export work rust

say() { echo "fresh: $*"; }

not_run() {
    say "NOT RUN: $*"
    exit 0
}

fail() {
    echo "fresh: $*" >&2
    exit 1
}

# Mounts and processes end with the command, so do the rig's servers.
own_namespaces=(unshare --mount --pid --ipc --fork --kill-child)

check_machine() {
    [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null || not_run "only Debian and its kin can make a bare Debian"
    [ "$(id -u)" = 0 ] || not_run "only root can make a bare Debian"
    command -v debootstrap >/dev/null || not_run "debootstrap is missing; apt-get install debootstrap brings it"
    "${own_namespaces[@]}" mount -t tmpfs tmpfs /mnt 2>/dev/null || not_run "this machine lets nobody mount anything"
}

# --- the roots -----------------------------------------------------------------------------------

# committed FILE: what is tried, whatever the working tree holds.
committed() { git show "HEAD:$1"; }

# The release that the devcontainer has.
release() { committed .devcontainer/Dockerfile | sed -n 's/^FROM debian://p'; }

# copy_if_there FILE FOLDER
copy_if_there() {
    # What a link leads to, and not the link: a root may be written to.
    [ ! -e "$1" ] || { mkdir -p "$2" && cp -RL "$1" "$2"; }
}

# How this machine reaches the registries; none of it is in the repository.
copy_network_settings() {
    local root=$1 file
    rm -f "$root/etc/apt/sources.list"
    copy_if_there /etc/apt/sources.list "$root/etc/apt"
    copy_if_there /etc/apt/sources.list.d "$root/etc/apt"
    copy_if_there /etc/apt/auth.conf.d "$root/etc/apt"
    for file in $(grep -l '^Acquire' /etc/apt/apt.conf.d/*); do
        cp "$file" "$root/etc/apt/apt.conf.d"
    done
    copy_if_there /usr/local/share/ca-certificates "$root/usr/local/share"
    for file in pip.conf resolv.conf hosts; do
        copy_if_there "/etc/$file" "$root/etc"
    done
}

copy_users_settings() {
    copy_if_there ~/.m2/settings.xml "$1/.m2"
    copy_if_there ~/.cargo/config.toml "$1/.cargo"
}

# What stands in for rustup.
link_rust() {
    local root=$1 program
    mkdir -p "$root/opt/rust"
    for program in "$rust"/bin/*; do
        ln -s "/opt/rust/bin/$(basename "$program")" "$root/usr/local/bin"
    done
}

make_bare_root() {
    say "making a bare Debian $(release)"
    debootstrap --variant=minbase "$(release)" "$work/bare" "$(mirror)" >"$logs/debootstrap.log" 2>&1 ||
        not_run "debootstrap failed: $(tail -n 1 "$logs/debootstrap.log")"
    # Packages must not start servers, as in an image.
    printf '#!/bin/sh\nexit 101\n' >"$work/bare/usr/sbin/policy-rc.d"
    chmod 755 "$work/bare/usr/sbin/policy-rc.d"
    copy_network_settings "$work/bare"
    link_rust "$work/bare"
    copy_users_settings "$work/bare/root"
    mkdir -p "$work/bare/srv/target"
}

# The packages that setup.sh asks for are installed once, as root would.
make_furnished_root() {
    [ ! -d "$work/furnished" ] || return 0
    say "installing the packages as root"
    cp -a "$work/bare" "$work/furnished"
    root=$work/furnished
    put_clone
    in_root root "cd $clone && scripts/setup.sh --packages" >"$logs/packages.log" 2>&1 ||
        fail "the packages can't be installed: $(tail -n 1 "$logs/packages.log")"
    rm -rf "${root:?}$clone"
}

put_clone() { git clone --quiet --no-hardlinks "$PWD" "$root$clone"; }

# A machine of its own for each kind, from the root of this name.
begin() {
    rm -rf "$work/machine"
    cp -a "$work/$1" "$work/machine"
    root=$work/machine
    read_only=
    group=
    put_clone
}

# A user without any rights but to the clone.
add_user() {
    chroot "$root" useradd --create-home --shell /bin/bash "$1"
    copy_users_settings "$root/home/$1"
    chroot "$root" chown -R "$1:$1" "/home/$1" "$clone"
}

# --- a command in a root -------------------------------------------------------------------------

# Mounts what a system has, then runs the command. It stays as the first process, whose end is the
# end of all others.
inside() {
    local root=$1 user=$2 home=$3 read_only=$4 command=$5 device name settings=()
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    mkdir -m 1777 "$root/dev/shm"
    mkdir "$root/dev/pts"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    mount --bind "$rust" "$root/opt/rust"
    mount -o remount,bind,ro "$root/opt/rust"
    mount --bind "$work/target" "$root/srv/target"
    mount --bind "$work/packages" "$root/var/cache/apt/archives"
    if [ -n "$read_only" ]; then
        mount --bind "$root$home" "$root$home"
        mount -o remount,bind,ro "$root$home"
    fi
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || settings+=("$name=${!name}")
    done
    env -i "${settings[@]}" HOME="$home" USER="$user" LANG=C.UTF-8 CARGO_TARGET_DIR=/srv/target \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot --userspec="$user" "$root" bash -c "$command" </dev/null
}
export -f inside

# in_root USER COMMAND
in_root() {
    local home
    home=$(chroot "$root" getent passwd "$1" | cut -d : -f 6)
    chown -R "$(chroot "$root" id -u "$1"):$(chroot "$root" id -g "$1")" "$work/target"
    # shellcheck disable=SC2016 # For the shell that comes.
    (
        # What is started from here on counts for the group.
        [ -z "$group" ] || echo "$BASHPID" >"$group/cgroup.procs"
        exec "${own_namespaces[@]}" bash -euo pipefail -c 'inside "$@"' - \
            "$root" "$1" "$home" "$read_only" "$2"
    )
}

# expect green|SENTENCE USER COMMAND: a line for the table. SENTENCE is a regular expression for the
# last line, but for make's own.
expect() {
    local expected=$1 user=$2 command=$3 log=$logs/$kind.log started=$SECONDS code=0 last verdict
    say "$kind: as $user: $command"
    in_root "$user" "cd $clone && $command" >"$log.step" 2>&1 || code=$?
    { echo "\$ $command" && cat "$log.step"; } >>"$log"
    last=$(grep -v '^make: \*\*\*' "$log.step" | grep . | tail -n 1 || true)
    if [ "$expected" = green ] && [ "$code" = 0 ]; then
        verdict='to the end'
    elif [ "$expected" != green ] && [ "$code" != 0 ] && [[ "$last" =~ $expected ]]; then
        verdict="one sentence: $last"
    else
        verdict="FAILED with $code: $last"
        red=1
        tail -n 20 "$log.step"
    fi
    rm -f "$log.step"
    rows+=("$kind|$user|$command|$((SECONDS - started)) s|$verdict")
    say "$kind: $verdict"
}

# --- memory and proxy ----------------------------------------------------------------------------

# Makes a control group with so much memory, of the first or the second kind that Linux has.
limit_memory() {
    if [ -d /sys/fs/cgroup/memory ]; then
        group=/sys/fs/cgroup/memory/tidemark-fresh
        mkdir -p "$group" && echo "$MEMORY_BYTES" >"$group/memory.limit_in_bytes"
    else
        group=/sys/fs/cgroup/tidemark-fresh
        mkdir -p "$group" && echo "$MEMORY_BYTES" >"$group/memory.max"
    fi
}

killed_for_memory() { cat "$group"/memory.oom_control "$group"/memory.events 2>/dev/null | awk '$1 == "oom_kill" { print $2 }'; }

# A proxy in a root of its own, since it needs the names that the machine behind it lacks.
start_proxy() {
    local gateway=$work/gateway
    read_only=
    group=
    cp -a "$work/bare" "$gateway"
    root=$gateway
    in_root root 'apt-get update -qq && apt-get install -y -qq --no-install-recommends tinyproxy-bin' >"$logs/gateway.log" 2>&1 ||
        return 1
    printf '%s\n' "Port $PROXY_PORT" 'Listen 127.0.0.1' 'Timeout 600' 'Allow 127.0.0.1' >"$gateway/etc/proxy.conf"
    chroot "$gateway" tinyproxy -d -c /etc/proxy.conf >"$logs/proxy.log" 2>&1 &
    proxy_pid=$!
}

end_proxy() {
    [ -z "$proxy_pid" ] || kill "$proxy_pid" 2>/dev/null || true
    proxy_pid=
}

# --- the kinds -----------------------------------------------------------------------------------

test_lab01='cargo test -q -p lab01-solution'
yes='export TIDEMARK_YES=1'

run_bare() {
    begin bare
    add_user learner
    expect '^setup: you are not root, and there is no sudo here\. Let root run: apt-get ' learner scripts/setup.sh
}

run_memory() {
    make_furnished_root
    begin furnished
    add_user learner
    if ! limit_memory 2>/dev/null; then
        say "memory: NOT RUN: there is no control group for memory here"
        return
    fi
    find "$work/target" -mindepth 1 -delete
    expect green learner "$yes; make setup"
    expect green learner "$test_lab01"
    say "memory: $(killed_for_memory) processes killed for want of memory"
}

run_user() {
    make_furnished_root
    begin furnished
    add_user learner
    expect '^setup: not run\. Run it yourself, then: make setup$' learner 'make setup'
    expect green learner "$yes; make setup"
    expect green learner "$test_lab01"
}

run_read_only_home() {
    make_furnished_root
    begin furnished
    add_user learner
    read_only=yes
    expect "^setup: .*can't be written.*CARGO_HOME" learner "$yes; make setup"
    local elsewhere='export CARGO_HOME=/var/tmp/cargo MAVEN_OPTS=-Dmaven.repo.local=/var/tmp/maven'
    expect green learner "$elsewhere; $yes; make setup"
    expect green learner "$elsewhere; $test_lab01"
}

run_proxy() {
    make_furnished_root
    if ! start_proxy; then
        say "proxy: NOT RUN: no proxy can be installed: $(tail -n 1 "$logs/gateway.log")"
        return
    fi
    begin furnished
    add_user learner
    rm -f "$root/etc/resolv.conf"
    echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
    local address=http://127.0.0.1:$PROXY_PORT through nowhere=http://127.0.0.1:9
    through="export http_proxy=$address https_proxy=$address"
    expect green root "$through; apt-get update -qq"
    expect '^setup: neither pip nor cargo can fetch mdBook; is there a network' learner \
        "export http_proxy=$nowhere https_proxy=$nowhere; $yes; make setup"
    # shellcheck disable=SC2016 # No command, but what is read.
    expect 'does `mvn` use the proxy\?$' learner "$through; $yes; make setup"
    mkdir -p "$root/home/learner/.m2"
    cat >"$root/home/learner/.m2/settings.xml" <<XML
<settings><proxies><proxy>
  <protocol>https</protocol><host>127.0.0.1</host><port>$PROXY_PORT</port>
</proxy></proxies></settings>
XML
    chroot "$root" chown -R learner:learner /home/learner/.m2
    expect green learner "$through; $yes; make setup"
    expect green learner "$through; $test_lab01"
    # The rig's own servers are not asked by a proxy.
    expect green learner "export http_proxy=$nowhere https_proxy=$nowhere; $test_lab01"
    end_proxy
}

run_root() {
    begin bare
    expect green root scripts/setup.sh
    expect green root "$test_lab01"
}

run_devcontainer() {
    local words user command
    begin bare
    # The Dockerfile, line by line.
    while read -r _ words; do
        # shellcheck disable=SC2086 # Split on purpose: what to copy, and whereto.
        set -- $words
        mkdir -p "$root${*: -1}"
        (cd "$root$clone" && cp "${@:1:$#-1}" "$root${*: -1}")
    done < <(committed .devcontainer/Dockerfile | grep '^COPY ')
    expect green root "$(committed .devcontainer/Dockerfile | sed -n 's/^RUN //p')"
    user=$(committed .devcontainer/Dockerfile | sed -n 's/^USER //p')
    copy_users_settings "$root/home/$user"
    chroot "$root" chown -R "$user:$user" "/home/$user" "$clone"
    command=$(committed .devcontainer/devcontainer.json | sed -n 's/.*"postCreateCommand": "\(.*\)".*/\1/p')
    expect green "$user" "$command"
    expect green "$user" 'make start'
}

# --- the steps -----------------------------------------------------------------------------------

clean_up() {
    end_proxy
    rm -rf "$work"
    [ ! -d /sys/fs/cgroup/memory/tidemark-fresh ] || rmdir /sys/fs/cgroup/memory/tidemark-fresh
    [ ! -d /sys/fs/cgroup/tidemark-fresh ] || rmdir /sys/fs/cgroup/tidemark-fresh
}

for kind in $kinds; do
    declare -F "run_${kind//-/_}" >/dev/null || fail "expected kinds of bare, memory, user, read-only-home, proxy, root and devcontainer, found: $kind"
done
check_machine
[ ! -e "$work" ] || fail "$work is there: another run, or what one has left; if none runs, remove it"
mkdir -p "$logs"
rm -f "$logs"/*.log
mkdir -p "$work/target" "$work/packages"
proxy_pid=
root=
read_only=
group=
red=
rows=()
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

committed .devcontainer/Dockerfile >/dev/null || fail "git can't read what is committed here, for the reason above"
git diff --quiet HEAD || say "changes that are not committed are not tried"
make_bare_root
for kind in $kinds; do
    "run_${kind//-/_}"
done
for row in "${rows[@]}"; do
    IFS='|' read -r kind user command took verdict <<<"$row"
    printf ' %-15s %-8s %-60s %6s  %s\n' "$kind" "$user" "$command" "$took" "$verdict"
done
[ -z "$red" ] || fail "a command got neither to its end nor to its sentence; the logs are in $logs"
