#!/bin/bash
# Starts Kafka as the official image does: KAFKA_NODE_ID becomes node.id, and so on.
set -euo pipefail
settings=/tmp/server.properties
: >"$settings"
for name in $(compgen -e KAFKA_); do
    key=${name#KAFKA_}
    key=${key//___/-}
    key=${key//__/+}
    key=${key//_/.}
    key=${key//+/_}
    printf '%s=%s\n' "${key,,}" "${!name}" >>"$settings"
done
grep -q '^log.dirs=' "$settings" || echo 'log.dirs=/tmp/kraft-combined-logs' >>"$settings"
options=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=/opt/log4j2.yaml -cp "/opt/kafka/*")
java "${options[@]}" kafka.tools.StorageTool format --ignore-formatted --cluster-id 5L6g3nShT-eMCtK--X86sw --config "$settings" >/dev/null
exec java -Xmx512m "${options[@]}" kafka.Kafka "$settings"
