"""confluent-kafka: the newest librdkafka."""

import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaException,
    Producer,
    TopicPartition,
    libversion,
    version,
)

import corpus

VERSION = f"{version()[0] if isinstance(version(), tuple) else version()} librdkafka {libversion()[0]}"
TIMEOUT_S = 180


def produce(bootstrap, topic, codec, entries):
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.codec": codec,
            "enable.idempotence": True,
            "message.max.bytes": 4 << 20,
        }
    )
    acknowledged = {}
    failures = []

    def delivered(index):
        def report(error, message):
            if error is not None:
                failures.append(str(error))
            else:
                acknowledged[index] = message.offset()

        return report

    for index, entry in enumerate(entries):
        producer.produce(
            topic,
            value=entry.value,
            key=entry.key,
            partition=0,
            timestamp=entry.timestamp,
            headers=entry.headers,
            on_delivery=delivered(index),
        )
        producer.poll(0)
    left = producer.flush(TIMEOUT_S)
    if left or failures:
        raise RuntimeError(f"{left} not acknowledged, {failures[:3]}")
    wrong = [(index, offset) for index, offset in acknowledged.items() if index != offset]
    if wrong or len(acknowledged) != len(entries):
        raise RuntimeError(f"{len(acknowledged)} acknowledged, wrong offsets {wrong[:3]}")


def consume(bootstrap, topics, fetch_bytes_max, out):
    consumer = _consumer(bootstrap, {"max.partition.fetch.bytes": fetch_bytes_max})
    left = {}
    for topic in topics:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
        if end > 0:
            left[topic] = end
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in topics])
    deadline = time.monotonic() + TIMEOUT_S
    while left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not at the end: {left}")
        for message in consumer.consume(500, timeout=0.5):
            if message.error():
                raise RuntimeError(str(message.error()))
            out.write(
                corpus.line(
                    message.topic(),
                    message.offset(),
                    message.key(),
                    message.value(),
                    message.timestamp()[1],
                    message.headers(),
                )
            )
            if message.offset() + 1 >= left.get(message.topic(), 0):
                left.pop(message.topic(), None)
    consumer.close()


def offsets_for_times(bootstrap, topics, times):
    consumer = _consumer(bootstrap, {})
    for timestamp in times:
        query = [TopicPartition(topic, 0, timestamp) for topic in topics]
        for found in consumer.offsets_for_times(query, timeout=20):
            if found.error:
                raise RuntimeError(str(found.error))
            yield found.topic, timestamp, None if found.offset == OFFSET_END else found.offset
    consumer.close()


def be_a_member(bootstrap, topic, group, assignor, instance, session_ms, events, stopping):
    config = {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "partition.assignment.strategy": assignor,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": 500,
    }
    if instance:
        config["group.instance.id"] = instance
    consumer = Consumer(config)
    consumer.subscribe(
        [topic],
        on_assign=lambda _, partitions: events.assigned([p.partition for p in partitions]),
        on_revoke=lambda _, partitions: events.revoked([p.partition for p in partitions]),
    )
    while not stopping.is_set():
        read = consumer.consume(200, timeout=0.2)
        for message in read:
            if message.error():
                raise RuntimeError(str(message.error()))
            events.record(message.partition(), message.offset(), message.value())
        if read:
            _commit(consumer, events)
    consumer.close()


def _commit(consumer, events):
    try:
        for committed in consumer.commit(asynchronous=False):
            if committed.error is None and committed.offset >= 0:
                events.committed(committed.partition, committed.offset)
    except KafkaException:
        # A rebalance is on: whoever gets the partition reads from the last commit.
        pass


def _consumer(bootstrap, more):
    # librdkafka wants a group id; with assign() and no commits no coordinator is ever asked.
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "interop",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "check.crcs": True,
            **more,
        }
    )
