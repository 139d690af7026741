// @platformatic/kafka in the interoperability suite.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { setTimeout } = require('node:timers/promises')
const { canonicalLine } = require('./corpus')

const main = require.resolve('@platformatic/kafka')
const { version } = JSON.parse(fs.readFileSync(path.join(path.dirname(main), '../package.json')))

const READ_TIMEOUT_MS = 180_000

// Sends batches to partition 0 and answers the offset of each. Headers are a map from buffers, so
// that names may come twice.
async function producer (bootstrap) {
  const { Producer } = await import(main)
  const producer = new Producer({
    clientId: 'interop', bootstrapBrokers: [bootstrap], autocreateTopics: true
  })
  return {
    async send (topic, codec, entries) {
      const messages = entries.map(({ key, value, timestamp, headers }) => ({
        topic,
        partition: 0,
        key,
        value,
        timestamp: BigInt(timestamp),
        headers: new Map(headers.map(([name, value]) => [Buffer.from(name), value]))
      }))
      const { offsets } = await producer.send({ messages, acks: -1, compression: codec })
      return Number(offsets[0].offset)
    },
    close: () => producer.close()
  }
}

// This library reads in groups only: this is the one member of its own.
async function consume (bootstrap, topics, bytesMax, write) {
  const { Consumer } = await import(main)
  const consumer = new Consumer({
    clientId: 'interop',
    bootstrapBrokers: [bootstrap],
    groupId: `platformatic-kafka-reads-${bytesMax}`,
    maxBytesPerPartition: bytesMax,
    maxWaitTime: 200
  })
  const left = await consumer.listOffsets({ topics })
  const stream = await consumer.consume({ topics, mode: 'earliest', autocommit: false })
  const late = () => stream.destroy(new Error(`not at the end: ${[...left.keys()]}`))
  const timer = globalThis.setTimeout(late, READ_TIMEOUT_MS)
  for await (const { topic, offset, key, value, timestamp, headers } of stream) {
    write(canonicalLine(topic, offset, key, value, timestamp, [...headers]))
    if (offset + 1n >= left.get(topic)?.[0]) left.delete(topic)
    if (left.size === 0) break
  }
  clearTimeout(timer)
  await consumer.close(true)
}

async function offsetsForTimes (bootstrap, topics, times) {
  const { Consumer } = await import(main)
  const consumer = new Consumer({
    clientId: 'interop', bootstrapBrokers: [bootstrap], groupId: 'platformatic-kafka-asks'
  })
  const found = []
  for (const time of times) {
    const offsets = await consumer.listOffsets({ topics, timestamp: BigInt(time) })
    for (const [topic, [offset]] of offsets) found.push([topic, time, offset < 0n ? null : offset])
  }
  await consumer.close(true)
  return found
}

async function beMember (bootstrap, { topic, group, instance, sessionMs }, events, stopped) {
  const { Consumer } = await import(main)
  const consumer = new Consumer({
    clientId: 'interop',
    bootstrapBrokers: [bootstrap],
    groupId: group,
    groupInstanceId: instance,
    sessionTimeout: sessionMs,
    rebalanceTimeout: 20_000,
    heartbeatInterval: 500,
    maxWaitTime: 200
  })
  const uncommitted = new Map()
  consumer.on('consumer:group:join', ({ assignments }) => {
    const partitions = (assignments ?? []).flatMap(({ partitions }) => partitions)
    for (const partition of uncommitted.keys()) {
      if (!partitions.includes(partition)) uncommitted.delete(partition)
    }
    events.assigned(partitions)
  })
  const stream = await consumer.consume({
    topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: false
  })
  let over = false
  stopped.then(() => { over = true; return stream.close() })
  const committing = commitUntil(() => over, consumer, topic, uncommitted, events)
  for await (const message of stream) {
    events.record(message.partition, message.offset, message.value)
    uncommitted.set(message.partition, message.offset + 1n)
  }
  await committing
  await consumer.close(true)
}

// Commits what was read ten times a second, and once more at the end.
async function commitUntil (isOver, consumer, topic, uncommitted, events) {
  for (let last = false; !last;) {
    last = isOver()
    const offsets = [...uncommitted].map(([partition, offset]) => ({
      topic, partition, offset, leaderEpoch: -1
    }))
    try {
      if (offsets.length > 0) await consumer.commit({ offsets })
      for (const { partition, offset } of offsets) {
        events.committed(partition, offset)
        if (uncommitted.get(partition) === offset) uncommitted.delete(partition)
      }
    } catch {
      // A rebalance is on; what stays with this member is committed after it.
    }
    await setTimeout(100)
  }
}

module.exports = { version, producer, consume, offsetsForTimes, beMember }
