// KafkaJS in the interoperability suite.
'use strict'

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs')
const Lz4Codec = require('kafkajs-lz4')
const SnappyCodec = require('kafkajs-snappy')
const ZstdCodec = require('@kafkajs/zstd')
const { version } = require('kafkajs/package.json')
const { canonicalLine } = require('./corpus')

const READ_TIMEOUT_MS = 180_000

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = new Lz4Codec().codec
CompressionCodecs[CompressionTypes.ZSTD] = ZstdCodec()

const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

function client (bootstrap) {
  return new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.ERROR })
}

// Sends batches to partition 0 and answers the offset of each.
async function producer (bootstrap) {
  const producer = client(bootstrap).producer({
    allowAutoTopicCreation: true,
    createPartitioner: Partitioners.DefaultPartitioner
  })
  await producer.connect()
  return {
    async send (topic, codec, entries) {
      const messages = entries.map(({ key, value, timestamp, headers }) => ({
        partition: 0, key, value, timestamp, headers: headersOf(headers)
      }))
      const [sent] = await producer.send({ topic, acks: -1, compression: TYPES[codec], messages })
      return Number(sent.baseOffset)
    },
    close: () => producer.disconnect()
  }
}

// A name that comes twice becomes one name with two values; KafkaJS has no other form.
function headersOf (list) {
  const headers = {}
  for (const [name, value] of list) {
    headers[name] = name in headers ? [].concat(headers[name], [value]) : value
  }
  return headers
}

// KafkaJS reads in groups only: this is the one member of its own.
async function consume (bootstrap, topics, bytesMax, write) {
  const left = new Map(await ends(bootstrap, topics))
  const consumer = client(bootstrap).consumer({
    groupId: `kafkajs-reads-${bytesMax}`, maxBytesPerPartition: bytesMax, maxWaitTimeInMs: 200
  })
  const done = {}
  done.promise = new Promise((resolve, reject) => Object.assign(done, { resolve, reject }))
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error))
  const late = () => done.reject(new Error(`not at the end: ${[...left.keys()]}`))
  const timer = setTimeout(late, READ_TIMEOUT_MS)
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { offset, key, value, timestamp, headers } of batch.messages) {
        write(canonicalLine(batch.topic, offset, key, value, timestamp, pairsOf(headers)))
      }
      if (BigInt(batch.lastOffset()) + 1n >= left.get(batch.topic)) left.delete(batch.topic)
      if (left.size === 0) done.resolve()
    }
  })
  try {
    await done.promise
  } finally {
    clearTimeout(timer)
    await consumer.disconnect()
  }
}

function pairsOf (headers) {
  return Object.entries(headers).flatMap(([name, values]) => {
    return [values].flat().map(value => [Buffer.from(name), value])
  })
}

// Topics and where their partition 0 ends.
async function ends (bootstrap, topics) {
  const admin = client(bootstrap).admin()
  await admin.connect()
  const all = []
  for (const topic of topics) {
    const [{ high }] = await admin.fetchTopicOffsets(topic)
    all.push([topic, BigInt(high)])
  }
  await admin.disconnect()
  return all
}

// Where no record is as late, KafkaJS answers the end.
async function offsetsForTimes (bootstrap, topics, times) {
  const admin = client(bootstrap).admin()
  await admin.connect()
  const found = []
  for (const [topic, end] of await ends(bootstrap, topics)) {
    for (const time of times) {
      const [{ offset }] = await admin.fetchTopicOffsetsByTimestamp(topic, Number(time))
      found.push([topic, time, BigInt(offset) === end ? null : offset])
    }
  }
  await admin.disconnect()
  return found
}

async function beMember (bootstrap, { topic, group, sessionMs }, events, stopped) {
  const consumer = client(bootstrap).consumer({
    groupId: group, sessionTimeout: sessionMs, heartbeatInterval: 500, maxWaitTimeInMs: 200
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    events.assigned(payload.memberAssignment[topic] ?? [])
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, isRunning, isStale }) => {
      let next = null
      for (const { offset, value } of batch.messages) {
        if (!isRunning() || isStale()) break
        events.record(batch.partition, offset, value)
        next = String(BigInt(offset) + 1n)
      }
      if (next === null) return
      // A failure is thrown: KafkaJS then joins again and reads from the last commit.
      await consumer.commitOffsets([{ topic, partition: batch.partition, offset: next }])
      events.committed(batch.partition, next)
    }
  })
  await stopped
  await consumer.disconnect()
}

module.exports = { version, producer, consume, offsetsForTimes, beMember }
