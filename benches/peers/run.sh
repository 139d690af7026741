#!/usr/bin/env bash
# Logmill and Apache Kafka, one after the other under the same load, as a table of pairs.
#
#   benches/peers/run.sh [--rounds N] [--keep] [-- LOADGEN-OPTIONS]
#
# Each round runs `loadgen matrix` against a fresh Logmill, then against a fresh Kafka (4.1.1, its
# own heap and JVM flags, installed from Maven Central the first time), in turns, so that what
# drifts on the host drifts for both. Then a topic is written for eight seconds, and one consumer
# reads it from its beginning. Whatever stands behind -- goes to loadgen matrix, for example
#
#   benches/peers/run.sh -- --levels all --peak 10s --partitions 100
#
# Processor time is the broker's, from /proc. Needs java, mvn and python3. Results stay below
# target/peers/TIME; nothing of a broker's data does, unless --keep says so.
set -euo pipefail

KAFKA_VERSION=4.1.1
cd "$(dirname "$0")/../.."
TARGET=$(cd "${CARGO_TARGET_DIR:-target}" 2>/dev/null && pwd || { mkdir -p target; cd target; pwd; })
ROUNDS=1
KEEP=
FAILED=
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) ROUNDS=$2; shift 2 ;;
    --keep) KEEP=1; shift ;;
    --) shift; break ;;
    *) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

OUT=$TARGET/peers/$(date +%Y%m%d-%H%M%S)
KAFKA=$TARGET/peers/kafka-$KAFKA_VERSION
BROKER=
STARTED=
trap stop EXIT
mkdir -p "$OUT"

main() {
  for tool in java mvn python3; do
    command -v "$tool" > /dev/null || { echo "$tool is needed" >&2; exit 1; }
  done
  cargo build --release -p logmill -p logmill-loadgen
  [ -d "$KAFKA" ] || install_kafka
  for round in $(seq "$ROUNDS"); do
    for peer in logmill kafka; do
      measure "$peer" "$OUT/$peer-$round" "$@"
    done
  done
  python3 benches/peers/table.py "$OUT"
  [ -z "$FAILED" ] || { echo "runs failed or violated what was promised:$FAILED" >&2; exit 1; }
}

# The load against one fresh broker; leaves loadgen's report and what the broker cost in $folder.
measure() {
  local peer=$1 folder=$2
  shift 2
  local data=$folder/data port
  port=$(free_port)
  mkdir -p "$data"
  "start_$peer" "$data" "$port" "$folder"
  await "$port" "$folder"
  echo "$(($(now_ms) - STARTED))" > "$folder/ready_ms"
  sleep 2
  resident > "$folder/idle_kib"
  local before after
  before=$(cpu_ticks)
  "$TARGET/release/loadgen" matrix --bootstrap "127.0.0.1:$port" --broker-pid "$BROKER" \
    --output "$folder/report" "$@" | tee "$folder/loadgen.txt" || FAILED="$FAILED $peer"
  after=$(cpu_ticks)
  resident > "$folder/loaded_kib"
  read_back "127.0.0.1:$port" "$folder" || FAILED="$FAILED $peer"
  echo "$((after - before)) $(getconf CLK_TCK)" > "$folder/cpu_ticks"
  stop
  [ -n "$KEEP" ] || rm -rf "$data"
}

# The consumer compares every record with what was written.
read_back() {
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$KAFKA/*" \
    org.apache.kafka.tools.TopicCommand --bootstrap-server "$1" --create --topic reading \
    --partitions 6 --replication-factor 1
  "$TARGET/release/loadgen" produce --bootstrap "$1" --topic reading --acks all --duration 8s \
    --output "$2/writing"
  sleep 2
  "$TARGET/release/loadgen" consume --bootstrap "$1" --topic reading --broker-pid "$BROKER" \
    --output "$2/reading"
}

start_logmill() {
  STARTED=$(now_ms)
  "$TARGET/release/logmill" --set "log.dirs=$1" --set "listeners=PLAINTEXT://127.0.0.1:$2" \
    > "$3/broker.txt" 2>&1 &
  BROKER=$!
}

# One node that is broker and controller; the flags are those of Kafka's own start script.
start_kafka() {
  local controller
  controller=$(free_port)
  cat > "$3/server.properties" << PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$1
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
PROPERTIES
  local quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
  java $quiet -cp "$KAFKA/*" kafka.tools.StorageTool format --standalone \
    -t "$(java $quiet -cp "$KAFKA/*" kafka.tools.StorageTool random-uuid)" \
    -c "$3/server.properties" > "$3/format.txt" 2>&1
  STARTED=$(now_ms)
  java -server -Xms1G -Xmx1G -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:MaxInlineLevel=15 \
    -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent \
    -Djava.awt.headless=true $quiet -cp "$KAFKA/*" kafka.Kafka "$3/server.properties" \
    > "$3/broker.txt" 2>&1 &
  BROKER=$!
}

install_kafka() {
  local making=$KAFKA.making
  rm -rf "$making" && mkdir -p "$making"
  cp server/tests/interop/clients/java/pom.xml "$making/pom.xml"
  mvn -q -B -Dstyle.color=never -f "$making/pom.xml" dependency:copy-dependencies \
    -Dkafka.version=$KAFKA_VERSION -DoutputDirectory="$making/libs"
  mv "$making/libs" "$KAFKA"
  rm -rf "$making"
}

await() {
  for _ in $(seq 3000); do
    if (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then return; fi
    kill -0 "$BROKER" 2> /dev/null || { tail -20 "$2/broker.txt" >&2; exit 1; }
    sleep 0.01
  done
  echo "no broker on port $1 after 30 s" >&2
  exit 1
}

stop() {
  [ -n "$BROKER" ] || return 0
  kill "$BROKER" 2> /dev/null || true
  wait "$BROKER" 2> /dev/null || true
  BROKER=
}

# User and system time of all threads, in clock ticks. The name may hold blanks: it is cut away.
cpu_ticks() { sed 's/.*) //' "/proc/$BROKER/stat" | awk '{ print $12 + $13 }'; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$BROKER/status"; }
now_ms() { date +%s%3N; }
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

main "$@"
