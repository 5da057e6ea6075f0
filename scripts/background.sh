# shellcheck shell=bash
# What a script has running beside it, and how all of it ends. It is read by that script, whose trap calls
# `end_background`.

background=()

# Starts a command or a function, in a process group of its own; `$!` is its number.
in_background() {
    set -m
    "$@" </dev/null &
    background+=($!)
    set +m
}

# Ends all that was started so, with what that has started.
end_background() {
    local pid
    # Bash 3.2, which macOS has, takes an empty list for one that is not set.
    for pid in ${background[@]+"${background[@]}"}; do
        kill -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    background=()
}
