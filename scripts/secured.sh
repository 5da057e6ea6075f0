#!/usr/bin/env bash
# make secured: the labs' tests on a Kafka that asks who one is, beside the rig's own.
#
#   make secured LABS="lab01 lab06" TLS=1
#   make secured BROKERS=3 TLS=1
#
# It starts a PostgreSQL and a Kafka with passwords and access lists (scripts/secured-cluster.sh), on this
# machine alone, in folders of their own. There, a learner `amelia` may use names that begin with `amelia.`
# and no others. As amelia it runs the reference answers' tests, with TLS=1 a second time by TLS, which
# compiles the Kafka client with OpenSSL, and the rig's tests of certificates and mechanisms that are wrong.
# Then two learners run lab 01's tests at once.
#
# With BROKERS=3, three brokers refuse topics that are kept on one. That takes a JDK. At the end,
# lab 06's job counts the storm week while the broker that leads its topic is killed.
#
# First, check-cluster must be content as amelia, and not as carol, who may do nothing.
#
# It is red where a test is, and where the cluster then holds anything else than before: other people's
# topics, their offsets and their groups. It ends what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/background.sh
. scripts/background.sh
brokers=${BROKERS:-1}
labs=${LABS:-$(for lab in solutions/lab*/; do basename "$lab"; done | tr '\n' ' ')}
servers=("own servers" plain)
[ -z "${TLS:-}" ] || servers+=(tls)

unset KAFKA_BOOTSTRAP_SERVERS DATABASE_URL TIDEMARK_ENV_FILE TIDEMARK_RIG TIDEMARK_PREFIX \
    TIDEMARK_REPLICATION KAFKA_SECURITY_PROTOCOL KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD \
    KAFKA_SSL_CA_LOCATION
work=$(mktemp -d /var/tmp/tidemark-secured-XXXXXX)
# PostgreSQL runs as another user where this one is root.
chmod 755 "$work"
export TIDEMARK_RIG_DIR=$work/rig TIDEMARK_IDLE_SECONDS=86400
rig() { cargo run -q -p rig-program -- "$@"; }
as_admin() { TIDEMARK_ENV_FILE=$work/kafka/admin-plain.env rig tool "$@"; }

clean_up() {
    end_background
    [ ! -d "$work/kafka" ] || scripts/secured-cluster.sh down "$work/kafka" || true
    TIDEMARK_RIG=local rig down || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

TIDEMARK_RIG=local rig up
database_url=$(sed -n 's/.*"database_url":"\([^"]*\)".*/\1/p' "$TIDEMARK_RIG_DIR/cluster.json")
mkdir "$work/home"
ln -s "$TIDEMARK_RIG_DIR"/kafka-jars-* "$work/home/libs"
KAFKA_HOME=${KAFKA_HOME:-$work/home} scripts/secured-cluster.sh up "$work/kafka" "$brokers"
export DATABASE_URL=$database_url
database_password=$(sed 's#.*://[^:]*:\([^@]*\)@.*#\1#' <<<"$database_url")

# Tests of a package: `passed failed seconds`. The output stays in a file until the end.
suite() {
    local name=$1 began=$SECONDS status=0
    shift
    "$@" >"$work/$name.log" 2>&1 || status=$?
    awk -v seconds=$((SECONDS - began)) -v status="$status" '
        /^test result: / { passed += $4; failed += $6 }
        END {
            if (status && !failed) failed = 1
            printf "%d %d %d\n", passed, failed, seconds
        }' "$work/$name.log" >"$work/$name.result"
    [ $status = 0 ] || {
        red=yes
        echo "secured: $name failed:" >&2
        grep -aE '^(test .* FAILED|error|.* --- FAILED)|panicked at' "$work/$name.log" | head -20 >&2 || true
    }
}

tests_on() {
    local server=$1 lab=$2 tls=
    [ "$server" != tls ] || tls=1
    if [ "$server" = "own servers" ]; then
        env -u DATABASE_URL TIDEMARK_RIG=local cargo test -q -p "$lab-solution" --no-fail-fast
    else
        TLS=$tls TIDEMARK_ENV_FILE=$work/kafka/amelia-$server.env \
            cargo test -q -p "$lab-solution" ${tls:+--features tls} --no-fail-fast
    fi
}

# One a line, and never an argument, which other users of the machine would see.
passwords() {
    cat "$work/kafka/passwords/$1"
    printf '\n%s\n' "$database_password"
}

# Whether a user has all that the labs need. A password must not be among what is said.
check_cluster() {
    local said=$work/check-$1.log status=0
    TIDEMARK_ENV_FILE=$work/kafka/$1-plain.env cargo run -q -p rig-check >"$said" 2>&1 || status=$?
    if grep -qF -f <(passwords "$1") "$said"; then
        red=yes
        echo "secured: check-cluster as $1 shows a password" >&2
    fi
    return "$status"
}

# One learner's tests of lab 01, which remove all they made.
learner() {
    TIDEMARK_ENV_FILE=$work/kafka/$1-plain.env cargo test -q -p lab01-solution --test lab01
}

# Topics with the ends of their partitions, and groups with what they have committed.
holdings() {
    as_admin kafka-get-offsets --exclude-internal-topics | sort
    as_admin kafka-consumer-groups --list | sort
    as_admin kafka-consumer-groups --describe --group somebody 2>/dev/null | awk '{ print $1, $2, $3, $4, $5 }' | sort
}

same_as_before() {
    diff "$work/before" "$1" >"$work/difference" || {
        red=yes
        echo "secured: the cluster holds something else than before $2:" >&2
        cat "$work/difference" >&2
    }
}

red=
as_admin kafka-topics --create --topic somebody.flights --partitions 3 >/dev/null
printf 'EWR:one\nJFK:two\nLGA:three\n' | as_admin kafka-console-producer --topic somebody.flights \
    --reader-property parse.key=true --reader-property key.separator=:
as_admin kafka-consumer-groups --reset-offsets --group somebody --topic somebody.flights --to-latest --execute >/dev/null
holdings >"$work/before"

echo 'secured: check-cluster as amelia, and as carol, who may do nothing'
check_cluster amelia || {
    red=yes
    cat "$work/check-amelia.log" >&2
}
if check_cluster carol || ! grep -q '^MISSING  *rights .*ask who runs it for this right' "$work/check-carol.log"; then
    red=yes
    cat "$work/check-carol.log" >&2
fi
holdings >"$work/after"
same_as_before "$work/after" check-cluster

echo 'secured: two learners at once'
in_background suite bessie learner bessie
suite amelia learner amelia
wait $! || red=yes
holdings >"$work/after"
same_as_before "$work/after" 'the two learners'

for lab in $labs; do
    for server in "${servers[@]}"; do
        echo "secured: $lab, $server"
        suite "$lab.$server" tests_on "$server" "$lab"
    done
done
if [ "$brokers" != 1 ]; then
    # shellcheck source=scripts/secured-loss.sh
    . scripts/secured-loss.sh
    job_through_a_loss
fi
# The topics of runs stay, for the next run.
holdings >"$work/all"
grep -v '^amelia\.' "$work/all" >"$work/after" || true
same_as_before "$work/after" "amelia's tests"

if [ -n "${TLS:-}" ]; then
    echo "secured: log-ins"
    suite log-ins cargo test -q -p rig-program --features tls --test tls
fi

printf '\n%-8s' lab
printf '%-30s' "${servers[@]}"
echo
for lab in $labs; do
    printf '%-8s' "$lab"
    for server in "${servers[@]}"; do
        read -r passed failed seconds <"$work/$lab.$server.result"
        printf '%-30s' "$passed passed, $failed failed, $seconds s"
    done
    echo
done
for learner in amelia bessie; do
    read -r passed failed seconds <"$work/$learner.result"
    echo "at once: $learner $passed passed, $failed failed, $seconds s"
    [ "$failed" = 0 ] || red=yes
done
if [ -n "${TLS:-}" ]; then
    read -r passed failed seconds <"$work/log-ins.result"
    echo "log-ins that go wrong: $passed passed, $failed failed, $seconds s"
fi
if [ -n "$red" ]; then
    mkdir -p "${CARGO_TARGET_DIR:-target}/secured"
    cp "$work"/*.log "${CARGO_TARGET_DIR:-target}/secured/"
    echo "secured: red; see ${CARGO_TARGET_DIR:-target}/secured" >&2
    exit 1
fi
echo "secured: green; what others have on the cluster is as it was"
