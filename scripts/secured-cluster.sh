#!/usr/bin/env bash
# A Kafka that asks who one is, on this machine's loopback address, to try the labs on: passwords by PLAIN
# and SCRAM, TLS, access lists, one broker or three.
#
#   scripts/secured-cluster.sh up FOLDER [BROKERS]    FOLDER must not be there yet
#   scripts/secured-cluster.sh stop FOLDER NODE       ends one broker
#   scripts/secured-cluster.sh kill FOLDER NODE       ends one broker as a power cut would
#   scripts/secured-cluster.sh start FOLDER NODE      starts it again
#   scripts/secured-cluster.sh certificate FOLDER FROM DAYS    starts the one broker again with another
#                                                     certificate, from `2020/01/01 00:00:00` UTC or `-3d` on
#   scripts/secured-cluster.sh down FOLDER            ends all and removes the folder
#
# Three brokers keep each topic three times, write to two at least, and refuse other topics, as managed
# clusters do: that takes a JDK.
#
# KAFKA_HOME names an unpacked Kafka. FOLDER/USER-PROTOCOL.env is made for TIDEMARK_ENV_FILE: users are
# `admin`, who may do everything; `amelia` and `bessie`, who may do everything with names that begin with
# their own; and `carol`, who may do nothing. Protocols are `plain` (SASL_PLAINTEXT, PLAIN), `scram`
# (SASL_PLAINTEXT, SCRAM-SHA-256) and `tls` (SASL_SSL, SCRAM-SHA-512). DATABASE_URL is the caller's.
#
# Passwords and keys are made anew each time. Their files are for this user alone, but other users of the
# machine can see them among the arguments of the tools that make the cluster.
set -euo pipefail
verb=${1:-} folder=${2:-}
if [ -z "$verb" ] || [ -z "$folder" ]; then
    sed -n '2,22s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
users=(admin amelia bessie carol)
# Below the ports that the system gives to outgoing connections; four for each broker.
base=${TIDEMARK_SECURED_PORT:-19500}
tls_port() { echo $((base + 4 * $1)); }
sasl_port() { echo $((base + 4 * $1 + 1)); }
controller_port() { echo $((base + 4 * $1 + 2)); }

java_of() { "${JAVA_HOME:+$JAVA_HOME/bin/}$1" "${@:2}"; }
# The jars, and the class by which three brokers refuse topics.
classes() { echo "$KAFKA_HOME/libs/*:$folder/policy"; }
kafka() { java_of java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.level=WARN -cp "$(classes)" "$@"; }
# In UTC, so that the times of certificates are the same on every machine.
key() { TZ=UTC java_of keytool "$@" -storepass "$(password store)" -storetype PKCS12 2>>"$folder/keytool.log"; }
password() { cat "$folder/passwords/$1"; }
# The address of every broker, by a function that gives its port.
servers() {
    local list='' node
    for node in $(seq "$brokers"); do list+=,127.0.0.1:$("$1" "$node"); done
    echo "${list#,}"
}

make_passwords() {
    mkdir "$folder/passwords"
    local name
    for name in "${users[@]}" store; do
        od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/passwords/$name"
    done
}

# An authority, its certificate as a PEM file, a key of the brokers, and a certificate for that.
make_certificates() {
    key -genkeypair -alias ca -keyalg RSA -dname CN=tidemark-ca -ext bc:c -validity 30 -keystore "$folder/ca.p12"
    key -exportcert -rfc -alias ca -keystore "$folder/ca.p12" >"$folder/ca.pem"
    key -genkeypair -alias broker -keyalg RSA -dname CN=broker -keystore "$folder/broker.p12"
    key -importcert -noprompt -alias ca -file "$folder/ca.pem" -keystore "$folder/broker.p12"
    make_certificate -1d 30
}

# The brokers' certificate, from a time on and for so many days. An expired one is made as well: to be refused
# is what it is for.
make_certificate() {
    key -certreq -alias broker -keystore "$folder/broker.p12" |
        key -gencert -rfc -alias ca -ext san=ip:127.0.0.1 -startdate "$1" -validity "$2" -keystore "$folder/ca.p12" >"$folder/broker.pem"
    key -importcert -noprompt -alias broker -file "$folder/broker.pem" -keystore "$folder/broker.p12"
}

write_settings() {
    local node=$1 plain='' voters='' user other
    for user in "${users[@]}"; do plain+=" user_$user=\"$(password "$user")\""; done
    for other in $(seq "$brokers"); do voters+=,$other@127.0.0.1:$(controller_port "$other"); done
    local module=org.apache.kafka.common.security
    cat >"$folder/$node.properties" <<END
process.roles=broker,controller
node.id=$node
controller.quorum.voters=${voters#,}
controller.listener.names=CONTROLLER
listeners=SASL_SSL://127.0.0.1:$(tls_port "$node"),SASL_PLAINTEXT://127.0.0.1:$(sasl_port "$node"),CONTROLLER://127.0.0.1:$(controller_port "$node")
listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=${MECHANISMS:-PLAIN,SCRAM-SHA-256,SCRAM-SHA-512}
listener.name.sasl_plaintext.plain.sasl.jaas.config=$module.plain.PlainLoginModule required username="admin" password="$(password admin)"$plain;
listener.name.sasl_ssl.plain.sasl.jaas.config=$module.plain.PlainLoginModule required$plain;
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location=$folder/broker.p12
ssl.keystore.password=$(password store)
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
log.dirs=$folder/data-$node
auto.create.topics.enable=false
default.replication.factor=$brokers
min.insync.replicas=$((brokers > 2 ? 2 : 1))
offsets.topic.num.partitions=1
offsets.topic.replication.factor=$brokers
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=$brokers
transaction.state.log.min.isr=$((brokers > 2 ? 2 : 1))
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
END
    [ "$brokers" = 1 ] || echo "create.topic.policy.class.name=AsManyReplicas" >>"$folder/$node.properties"
}

# Brokers that refuse a replication factor do so by a class, which is compiled here.
make_policy() {
    [ "$brokers" -gt 1 ] || return 0
    mkdir "$folder/policy"
    java_of javac -cp "$KAFKA_HOME/libs/*" -d "$folder/policy" "$(dirname "$0")/java/AsManyReplicas.java"
}

# In a process group of its own, so that it outlives this script and its terminal.
start_broker() {
    local node=$1
    set -m
    nohup "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dlog4j2.level=WARN -cp "$(classes)" kafka.Kafka "$folder/$node.properties" \
        </dev/null >>"$folder/$node.log" 2>&1 &
    echo $! >"$folder/$node.pid"
    set +m
}

admin_tool() {
    kafka "$1" --bootstrap-server "$(servers sasl_port)" --command-config "$folder/admin.properties" "${@:2}"
}

# Until the brokers let the administrator in: each try waits a minute at most by itself.
wait_until_up() {
    local deadline=$((SECONDS + 240))
    until admin_tool org.apache.kafka.tools.TopicCommand --list >/dev/null 2>"$folder/wait.log"; do
        if [ $SECONDS -ge $deadline ]; then
            echo "secured-cluster: not up within 240 s; see $folder/1.log" >&2
            exit 1
        fi
    done
}

allow() {
    local user=$1
    admin_tool org.apache.kafka.tools.AclCommand --add --allow-principal "User:$user" --operation All \
        --topic "$user." --group "$user." --transactional-id "$user." --resource-pattern-type prefixed >/dev/null
}

write_env() {
    local user=$1 name=$2 protocol=$3 mechanism=$4 port=$5
    cat >"$folder/$user-$name.env" <<END
KAFKA_BOOTSTRAP_SERVERS=$(servers "$port")
KAFKA_SECURITY_PROTOCOL=$protocol
KAFKA_SASL_MECHANISM=$mechanism
KAFKA_SASL_USERNAME=$user
KAFKA_SASL_PASSWORD=$(password "$user")
TIDEMARK_PREFIX=$user.
END
    [ "$name" != tls ] || echo "KAFKA_SSL_CA_LOCATION=$folder/ca.pem" >>"$folder/$user-$name.env"
}

up() {
    : "${KAFKA_HOME:?names an unpacked Kafka, and is not set}"
    umask 077
    mkdir "$folder"
    folder=$(cd "$folder" && pwd)
    brokers=${1:-1}
    echo "$brokers" >"$folder/brokers"
    make_passwords
    make_certificates
    make_policy
    local node user add=() id
    id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | head -c 21)A
    for user in "${users[@]}"; do
        add+=(--add-scram "SCRAM-SHA-256=[name=$user,password=$(password "$user")]")
        add+=(--add-scram "SCRAM-SHA-512=[name=$user,password=$(password "$user")]")
    done
    cat >"$folder/admin.properties" <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="$(password admin)";
END
    for node in $(seq "$brokers"); do
        write_settings "$node"
        kafka kafka.tools.StorageTool format --cluster-id "$id" --config "$folder/$node.properties" "${add[@]}" >>"$folder/$node.log" 2>&1
        start_broker "$node"
    done
    wait_until_up
    allow amelia
    allow bessie
    for user in "${users[@]}"; do
        write_env "$user" plain SASL_PLAINTEXT PLAIN sasl_port
        write_env "$user" scram SASL_PLAINTEXT SCRAM-SHA-256 sasl_port
        write_env "$user" tls SASL_SSL SCRAM-SHA-512 tls_port
    done
    echo "secured-cluster: $brokers broker(s) at $(servers tls_port) with TLS, $(servers sasl_port) without; see $folder/*.env"
}

# Ends a broker with a signal, and returns when it is gone.
end_broker() {
    local node=$1 signal=$2 pid deadline=$((SECONDS + 60))
    if [ ! -s "$folder/$node.pid" ]; then
        echo "secured-cluster: expected the number of a broker that runs, found \`$node\`" >&2
        return 1
    fi
    pid=$(cat "$folder/$node.pid")
    kill "$signal" "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -ge $deadline ]; then
            echo "secured-cluster: broker $node, process $pid, still runs 60 s after $signal; see $folder/$node.log" >&2
            return 1
        fi
        sleep 0.1
    done
    # Another process may get this number.
    rm -f "$folder/$node.pid"
}

end_all_brokers() {
    local file
    for file in "$folder"/*.pid; do
        [ ! -e "$file" ] || end_broker "$(basename "$file" .pid)" -KILL
    done
}

[ "$verb" = up ] || {
    folder=$(cd "$folder" && pwd)
    brokers=$(cat "$folder/brokers")
}
case $verb in
up) up "${3:-1}" ;;
stop) end_broker "${3:-}" -TERM ;;
kill) end_broker "${3:-}" -KILL ;;
start) start_broker "$3" ;;
certificate)
    umask 077
    make_certificate "$3" "$4"
    end_broker 1 -TERM
    start_broker 1
    ;;
down)
    end_all_brokers
    rm -rf "$folder"
    ;;
*)
    echo "secured-cluster: expected up, stop, kill, start, certificate or down, found \`$verb\`" >&2
    exit 2
    ;;
esac
