# shellcheck shell=bash
# What scripts/secured.sh does with three brokers: one of them is lost while a lab is at work.
#
# It is read by that script, whose functions and variables it uses.

# The way in of these tests: by TLS where that was asked for.
loss_server=${TLS:+tls}
loss_server=${loss_server:-plain}
job=${CARGO_TARGET_DIR:-target}/debug/lab06-solution
feed=${CARGO_TARGET_DIR:-target}/debug/examples/feed

as_amelia() { TIDEMARK_ENV_FILE=$work/kafka/amelia-$loss_server.env "$@"; }
sql() { TIDEMARK_RIG=local rig psql -Atc "$1"; }

# Polls a command until it succeeds, for 120 s at most.
await() {
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@"; do
        if [ $SECONDS -ge $deadline ]; then
            echo "secured: waited 120 s for $what, in vain" >&2
            return 1
        fi
        sleep 0.2
    done
}

# Lab 06's job on the storm week, which is replayed in 84 s. The broker that leads the topic's only
# partition is killed when a third of the board is there. A job that ends with a sentence is started again,
# as a supervisor would. The board must be that of a run which nothing disturbs.
job_through_a_loss() {
    echo "secured: lab06's job, $loss_server, a broker killed in the middle"
    cargo build -q -p lab06-solution ${TLS:+--features tls} --bins --examples
    TIDEMARK_RIG=local env -u DATABASE_URL "$job" --partitions 1 >"$work/expected.log" 2>&1
    board lab06_solution >"$work/expected"
    in_background as_amelia "$feed" storm 7200x >"$work/feed.log" 2>&1
    local feeding=$!
    await 'the topic of the storm week' has_topic amelia.storm
    in_background keep_at_work
    local keeping=$!
    await 'a third of the board' has_rows 110
    kill_the_leader
    if ! kill -0 "$feeding" 2>/dev/null; then
        red=yes
        echo 'secured: expected the leader to be lost while the week is replayed, found the week over' >&2
    fi
    wait "$feeding" || {
        red=yes
        cat "$work/feed.log" >&2
    }
    touch "$work/fed"
    await 'the end of the job' ended "$keeping"
    as_amelia "$job" --topic amelia.storm --resume >"$work/board.log" 2>&1 || red=yes
    board amelia_lab06_solution >"$work/found"
    tail -4 "$work/board.log"
    echo "secured: the job was started $(cat "$work/lives") times before its last run"
    { [ -s "$work/expected" ] && cmp "$work/expected" "$work/found"; } || red=yes
    grep -q '4675 in 331 rows' "$work/board.log" && grep -q '498 in .*dropped_records' "$work/board.log" || red=yes
}

# The number of the broker that leads the topic's only partition; nothing where none does.
leader() { as_admin kafka-topics --describe --topic amelia.storm | sed -n 's/.*Leader: \([0-9][0-9]*\).*/\1/p'; }

# Kills the leader, and waits until the others have chosen another one.
kill_the_leader() {
    local lost
    lost=$(leader)
    if [ -z "$lost" ]; then
        echo 'secured: expected a broker that leads amelia.storm, found none' >&2
        return 1
    fi
    scripts/secured-cluster.sh kill "$work/kafka" "$lost"
    echo "secured: broker $lost, the leader, was killed at $(rows) rows"
    await "another leader than broker $lost" has_other_leader "$lost"
}

has_other_leader() {
    local found
    found=$(leader) && [ -n "$found" ] && [ "$found" != "$1" ]
}

has_topic() { as_admin kafka-topics --list | grep -qx "$1"; }
# None where the job has not made its table yet.
rows() { sql 'SELECT count(*) FROM amelia_lab06_solution.processed_events_aggregated' 2>/dev/null || echo 0; }
has_rows() { [ "$(rows)" -ge "$1" ]; }
# Every column but those that name the topic.
board() {
    sql "SELECT * FROM $1.processed_events_aggregated ORDER BY 1, 2"
    sql "SELECT partition, record_offset, reason FROM $1.dropped_records ORDER BY 1, 2"
}

# Starts the job again whenever it has ended, until the topic is fed.
keep_at_work() {
    local lives=0 go_on=
    until [ -e "$work/fed" ]; do
        lives=$((lives + 1))
        echo $lives >"$work/lives"
        # Not by the function, whose shell would be the process and pass no signal on.
        # shellcheck disable=SC2086 # One word, or none at the first time.
        TIDEMARK_ENV_FILE=$work/kafka/amelia-$loss_server.env "$job" --topic amelia.storm --follow $go_on >>"$work/job.log" 2>&1 &
        echo $! >"$work/job.pid"
        wait $! || true
        go_on=--resume
    done
}

# Whether the supervisor has ended; asks its job to.
ended() {
    kill -INT "$(cat "$work/job.pid")" 2>/dev/null || true
    ! kill -0 "$1" 2>/dev/null
}
